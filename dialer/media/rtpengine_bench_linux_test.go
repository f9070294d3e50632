package media

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// rtpengine starts one that relays in userspace, on the relay's core, and sets up calls by
// its ng protocol: bencoded dictionaries over UDP.
func rtpengine(b *testing.B, calls int, customers, agents netip.AddrPort) (*child, []netip.AddrPort) {
	b.Helper()
	const host, control = "127.64.102.1", "127.64.102.1:2223"
	c := start(b, 0, "MEDIA_BENCH=", "rtpengine", "--foreground", "--log-stderr", "--log-level=2", "--table=-1", "--no-redis-required",
		"--interface="+host, "--listen-ng="+control, "--port-min=10000", "--port-max=59999", "--num-threads=1",
		"--endpoint-learning=immediate", "--delete-delay=0")
	conn, err := net.Dial("udp", control)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	await := time.Now().Add(10 * time.Second)
	for {
		if _, err := ask(conn, "d7:command4:pinge"); err == nil {
			break
		}
		if time.Now().After(await) {
			b.Fatal("rtpengine does not answer")
		}
	}
	var legs []netip.AddrPort
	for i := range calls {
		id := fmt.Sprintf("call%06d", i)
		toAgent, err1 := ask(conn, "d"+pair("ICE", "remove")+pair("call-id", id)+pair("command", "offer")+pair("from-tag", "a")+pair("sdp", describe(customers))+"e")
		toCustomer, err2 := ask(conn, "d"+pair("call-id", id)+pair("command", "answer")+pair("from-tag", "a")+pair("sdp", describe(agents))+pair("to-tag", "b")+"e")
		if err1 != nil || err2 != nil {
			c.end()
			b.Fatalf("call %d: %v, %v", i, err1, err2)
		}
		// The answer goes to the customer and tells where it must send; the offer, the agent.
		for _, port := range []uint16{toCustomer, toAgent} {
			legs = append(legs, netip.AddrPortFrom(netip.MustParseAddr(host), port))
		}
	}
	return c, legs
}

func pair(key, value string) string {
	return fmt.Sprintf("%d:%s%d:%s", len(key), key, len(value), value)
}

// describe is the SDP of a far end.
func describe(at netip.AddrPort) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n", at.Addr(), at.Port())
}

// ask sends a command and reads the port that rtpengine opened, 0 when the answer holds none.
func ask(conn net.Conn, dictionary string) (uint16, error) {
	cookie := strconv.FormatInt(time.Now().UnixNano(), 36)
	for range 5 {
		if _, err := conn.Write([]byte(cookie + " " + dictionary)); err != nil {
			return 0, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			return 0, err
		}
		buf := make([]byte, 65535)
		n, err := conn.Read(buf)
		if err != nil || !bytes.HasPrefix(buf[:n], []byte(cookie)) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if bytes.Contains(buf[:n], []byte("6:result5:error")) {
			return 0, fmt.Errorf("rtpengine: %s", buf[:n])
		}
		m := regexp.MustCompile(`m=audio (\d+)`).FindSubmatch(buf[:n])
		if m == nil {
			return 0, nil
		}
		port, err := strconv.ParseUint(string(m[1]), 10, 16)
		return uint16(port), err
	}
	return 0, fmt.Errorf("rtpengine: no answer")
}
