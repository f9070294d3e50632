package trunk

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// stranger is a TCP connection to the endpoint from a host of its own.
type stranger struct {
	t    *testing.T
	conn net.Conn
	ep   *Endpoint
}

func newStranger(t *testing.T, ep *Endpoint, host string) *stranger {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0))}
	c, err := d.DialContext(t.Context(), "tcp", ep.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &stranger{t: t, conn: c, ep: ep}
}

// hear reads what comes until the far end closes, or nothing comes for a while;
// closed says which.
func (s *stranger) hear(patience time.Duration) (said string, closed bool) {
	s.t.Helper()
	var all []byte
	buf := make([]byte, 4096)
	for {
		s.conn.SetReadDeadline(time.Now().Add(patience))
		n, err := s.conn.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			return string(all), !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
}

// register writes a REGISTER; auth is the whole header or empty.
func (s *stranger) register(name, auth string) string {
	local := s.conn.LocalAddr().String()
	return fmt.Sprintf("REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/TCP %[2]s;branch=z9hG4bKr%[4]d\r\nFrom: <sip:%[3]s@pronto>;tag=f\r\nTo: <sip:%[3]s@pronto>\r\n"+
		"Call-ID: tcp-%[2]s\r\nCSeq: %[4]d REGISTER\r\nContact: <sip:%[3]s@%[2]s;transport=tcp>\r\n%[5]sContent-Length: 0\r\n\r\n", s.ep.Addr(), local, name, len(auth)+1, auth)
}

// sign answers a challenge.
func (s *stranger) sign(name, password string) string {
	s.t.Helper()
	io.WriteString(s.conn, s.register(name, ""))
	buf := make([]byte, 4096)
	s.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := s.conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 401") {
		s.t.Fatalf("challenged with %q, %v", buf[:n], err)
	}
	p := &phone{far: &far{t: s.t}, ep: s.ep, name: name}
	return s.register(name, "Authorization: "+p.credentials(nonceIn.FindStringSubmatch(string(buf[:n]))[1], password, 1)+"\r\n")
}

func TestStrangersByTCPReachNothing(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"), func(c *Config) { c.Limits.Introduction = 40 * testT1 })
	head := "Via: SIP/2.0/TCP 127.67.4.1;branch=z9hG4bKx\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n"
	for name, said := range map[string]string{
		"an INVITE":                  "INVITE sip:a SIP/2.0\r\n" + head + "Content-Length: 0\r\n\r\n",
		"OPTIONS":                    "OPTIONS sip:a SIP/2.0\r\n" + head + "Content-Length: 0\r\n\r\n",
		"a response":                 "SIP/2.0 200 OK\r\n" + head + "Content-Length: 0\r\n\r\n",
		"the begin of a response":    "SIP/2.0",
		"a browser":                  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a TLS handshake":            "\x16\x03\x01\x02\x00\x01",
		"nothing at all":             "",
		"half a REGISTER":            "REGISTER sip:a SIP/2.0\r\nVia: SIP",
		"a header without end":       "REGISTER sip:a SIP/2.0\r\nX: " + strings.Repeat("x", 2*longestHello),
		"headers without end":        "REGISTER sip:a SIP/2.0\r\n" + strings.Repeat("X: x\r\n", longestHello/4),
		"no Content-Length":          "REGISTER sip:a SIP/2.0\r\n" + head + "\r\n",
		"a negative Content-Length":  "REGISTER sip:a SIP/2.0\r\n" + head + "Content-Length: -1\r\n\r\n",
		"a huge Content-Length":      "REGISTER sip:a SIP/2.0\r\n" + head + "Content-Length: 99999999999\r\n\r\n",
		"64 KiB to come":             "REGISTER sip:a SIP/2.0\r\n" + head + "l: 65000\r\n\r\n",
		"a body that does not come":  "REGISTER sip:a SIP/2.0\r\n" + head + "Content-Length: 10\r\n\r\n123",
		"a REGISTER without its To":  "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n",
		"a REGISTER, then an INVITE": "REGISTER sip:a SIP/2.0\r\n" + head + "Content-Length: 0\r\n\r\nINVITE sip:a SIP/2.0\r\n" + head + "Content-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStranger(t, ep, "127.67.4.1")
			io.WriteString(s.conn, said)
			heard, closed := s.hear(2 * patience)
			if !closed {
				t.Error("the connection stays open")
			}
			if want := strings.HasSuffix(name, "then an INVITE"); want != strings.HasPrefix(heard, "SIP/2.0 401") || !want && heard != "" || strings.Count(heard, "SIP/2.0 ") > 2 {
				t.Errorf("answered %q", heard)
			}
			if n := ep.tp.Pool("tcp").Size(); n != 0 {
				t.Errorf("sipgo has %d connections", n)
			}
		})
	}
}

// TestSlowStrangerIsCut: a byte now and then does not keep a connection open.
func TestSlowStrangerIsCut(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"), func(c *Config) { c.Limits.Introduction = 20 * testT1 })
	s := newStranger(t, ep, "127.67.4.2")
	began := time.Now()
	tick := time.NewTicker(testT1)
	defer tick.Stop()
	for i, b := range []byte(strings.Repeat(s.register("ann", ""), 100)) {
		if _, err := s.conn.Write([]byte{b}); err != nil {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("still open after %d bytes", i)
		}
		<-tick.C
	}
	if d := time.Since(began); d < 10*testT1 {
		t.Errorf("cut after %s", d)
	}
}

func TestPhoneByTCPIsAdmitted(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"), func(c *Config) { c.Limits.Introduction = 40 * testT1 })
	s := newStranger(t, ep, "127.67.4.3")
	io.WriteString(s.conn, s.sign("ann", "secret")+"\r\n\r\n"+strings.NewReplacer("REGISTER", "OPTIONS", "z9hG4bKr", "z9hG4bKo").Replace(s.register("x", "")))
	heard, closed := s.hear(60 * testT1) // longer than a stranger may stay
	if closed || strings.Count(heard, "SIP/2.0 200 OK") != 2 || !ep.Registered("ann") {
		t.Fatalf("closed: %v, registered: %v, answered %q", closed, ep.Registered("ann"), heard)
	}
	if strings.Index(heard, "REGISTER") > strings.Index(heard, "OPTIONS") {
		t.Errorf("answered in another order: %q", heard)
	}
	again := newStranger(t, ep, "127.67.4.3") // the address is known now
	io.WriteString(again.conn, strings.Replace(again.register("x", ""), "REGISTER", "OPTIONS", 2))
	if heard, closed := again.hear(8 * testT1); closed || !strings.HasPrefix(heard, "SIP/2.0 200") {
		t.Errorf("closed: %v, answered %q", closed, heard)
	}
	if n := ep.tcp.strangers; n != 0 {
		t.Errorf("%d connections are counted as strangers'", n)
	}
}

// TestWrongPasswordByTCP: what follows a REGISTER with a wrong password in the
// same packet reaches nobody: a forged answer to a call, for one.
func TestWrongPasswordByTCP(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Accounts = oneAgent("ann") })
	out := b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	s := newStranger(t, b.ep, "127.67.4.4")
	io.WriteString(s.conn, s.sign("ann", "guess")+b.far.responseTo(inv, say{status: "200 OK", tag: "thief", sdp: sdpAt("127.67.4.4", 4000)}))
	if heard, closed := s.hear(patience); !closed || !strings.HasPrefix(heard, "SIP/2.0 401") {
		t.Errorf("closed: %v, answered %q", closed, heard)
	}
	b.far.none("ACK", 8*testT1)
	select {
	case o := <-out:
		t.Fatalf("a stranger decided the call: %+v", o.res)
	default:
	}
	b.far.reply(inv, say{status: "486 Busy Here", tag: "a"})
	wait(t, "the end", out)
}

// TestStrangersTakeLittleMemory fills every place for strangers with
// connections that each hold as much as they may.
func TestStrangersTakeLittleMemory(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	for i := range 700 {
		s := newStranger(t, ep, fmt.Sprint("127.67.5.", 1+i/100))
		io.WriteString(s.conn, "REGISTER sip:a SIP/2.0\r\nX: "+strings.Repeat("x", longestHello-100))
	}
	until(t, "all have come", func() bool {
		ep.tcp.mu.Lock()
		defer ep.tcp.mu.Unlock()
		return ep.tcp.strangers == 500
	})
	grown := int64(used()) - int64(before)
	t.Logf("500 strangers by TCP hold %d KiB", grown>>10)
	if limit := int64(500 * (longestHello + 32<<10)); grown > limit {
		t.Errorf("strangers hold %d KiB, want at most %d", grown>>10, limit>>10)
	}
}

// FuzzFirstMessage: what is cut off is a REGISTER of bounded length and the begin
// of what came; more bytes do not make another one of it.
func FuzzFirstMessage(f *testing.F) {
	f.Add([]byte("REGISTER sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabcREGISTER"))
	f.Add([]byte("\r\n\r\nREGISTER sip:a SIP/2.0\r\nl : 0\r\n\r\n"))
	f.Add([]byte("REGISTER a\r\nl: 1\r\nContent-Length: 2\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		msg, rest, ok := firstMessage(data)
		if msg == nil {
			return
		}
		if !ok || len(msg) > longestHello || !strings.HasPrefix(string(msg), "REGISTER ") || !strings.HasSuffix(string(data), string(msg)+string(rest)) {
			t.Fatalf("cut %q and %q (%v) off", msg, rest, ok)
		}
		if again, _, _ := firstMessage(append(append([]byte{}, data...), 'x')); string(again) != string(msg) {
			t.Fatalf("with another byte %q, without %q", again, msg)
		}
	})
}
