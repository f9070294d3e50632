package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hark is an agent's phone at a fixed address that hears when each packet of
// its audio came, by the kernel's clock: however busy this process is, what it measures is the service.
type hark struct {
	t          *testing.T
	sip, audio *net.UDPConn
	calls      atomic.Int64 // INVITEs that began a call

	mu   sync.Mutex // protects came
	came []time.Time
}

func newHark(t *testing.T, host string) *hark {
	t.Helper()
	h := &hark{t: t}
	for i, conn := range []**net.UDPConn{&h.sip, &h.audio} {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host), Port: []int{5060, 4000}[i]})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		*conn = c
	}
	raw, err := h.audio.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }); err != nil || set != nil {
		t.Fatal(err, set)
	}
	go h.answer()
	go h.listen()
	return h
}

// answer takes every call and says 200 to everything else.
func (h *hark) answer() {
	buf := make([]byte, 65536)
	var sdp string
	at := h.audio.LocalAddr().(*net.UDPAddr)
	for n := 1; ; n++ {
		size, from, err := h.sip.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		head, body, _ := strings.Cut(string(buf[:size]), "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		method, _, _ := strings.Cut(lines[0], " ")
		if method == "ACK" || strings.HasPrefix(method, "SIP/") {
			continue
		}
		answer := "SIP/2.0 200 OK\r\n"
		for _, l := range lines[1:] {
			name, _, _ := strings.Cut(l, ":")
			switch strings.ToLower(name) {
			case "via", "from", "call-id", "cseq", "record-route":
				answer += l + "\r\n"
			case "to":
				if answer += l; !strings.Contains(l, "tag=") {
					answer += ";tag=hark"
					h.calls.Add(1)
					go h.talk(body)
				}
				answer += "\r\n"
			}
		}
		if sdp = ""; method == "INVITE" {
			sdp = fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 8\r\n", at.IP, at.Port)
			answer += "Content-Type: application/sdp\r\n"
		}
		answer += fmt.Sprintf("Contact: <sip:hark@%s>\r\nContent-Length: %d\r\n\r\n%s", h.sip.LocalAddr(), len(sdp), sdp)
		_, _ = h.sip.WriteToUDPAddrPort([]byte(answer), from) // what is lost is asked for again
	}
}

var audioPort = regexp.MustCompile(`m=audio (\d+) `)

// talk sends silence to the port of the service's SDP.
func (h *hark) talk(sdp string) {
	m := audioPort.FindStringSubmatch(sdp)
	if m == nil {
		return
	}
	port, _ := strconv.Atoi(m[1])
	c := regexp.MustCompile(`c=IN IP4 (\S+)`).FindStringSubmatch(sdp)
	to := netip.AddrPortFrom(netip.MustParseAddr(c[1]), uint16(port))
	packet := append([]byte{0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, bytes.Repeat([]byte{0xd5}, 160)...)
	for n := uint32(1); ; n++ {
		binary.BigEndian.PutUint16(packet[2:], uint16(n))
		binary.BigEndian.PutUint32(packet[4:], 160*n)
		if _, err := h.audio.WriteToUDPAddrPort(packet, to); err != nil && h.t.Context().Err() != nil {
			return
		}
		select {
		case <-h.t.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *hark) listen() {
	buf, oob := make([]byte, 2000), make([]byte, 200)
	for {
		_, n, _, _, err := h.audio.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			return
		}
		messages, err := unix.ParseSocketControlMessage(oob[:n])
		if err != nil || len(messages) == 0 || len(messages[0].Data) < 16 {
			continue
		}
		data := messages[0].Data
		at := time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		h.mu.Lock()
		h.came = append(h.came, at)
		h.mu.Unlock()
	}
}

// between is how many packets came in a span, and the longest time without one.
func (h *hark) between(from, to time.Time) (packets int, longest time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(h.came, time.Time.Compare)
	last := from
	for _, at := range h.came {
		if at.Before(from) || at.After(to) {
			continue
		}
		packets++
		longest, last = max(longest, at.Sub(last)), at
	}
	return packets, max(longest, to.Sub(last))
}

// flood sends as fast as it can to one address and port.
type flood struct {
	f      *field
	to     netip.AddrPort
	stop   chan struct{}
	done   sync.WaitGroup
	thrown atomic.Int64
	opened atomic.Int64
}

// startFlood throws datagrams from strangers and from the carrier's address, and
// opens connections.
func (f *field) startFlood(to netip.AddrPort) *flood {
	f.t.Helper()
	w := &flood{f: f, to: to, stop: make(chan struct{})}
	known := f.samples()
	for i, from := range []string{outside, "127.50.250.2", f.address(2)} {
		conn := f.socket(from)
		w.giveWay(func() {
			defer conn.Close()
			w.datagrams(conn, rand.New(rand.NewPCG(uint64(i), 11)), known)
		})
	}
	for i := range 2 {
		w.giveWay(func() { w.connections(byte(i)) })
	}
	return w
}

// giveWay runs work in a thread a little less urgent than the service's: a flood
// comes by the network, and does not compete for the processor. The thread stays until the test ends,
// because processes that it started would die with it.
func (w *flood) giveWay(work func()) {
	w.done.Add(1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 5); err != nil {
			w.f.t.Error(err)
		}
		work()
		w.done.Done()
		<-w.f.t.Context().Done()
	}()
}

// sink takes datagrams and connections of its port and does nothing with them.
func (f *field) sink(host int) netip.AddrPort {
	f.t.Helper()
	at := netip.MustParseAddrPort(f.address(host) + ":5060")
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		f.t.Fatal(err)
	}
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _, _ = conn.Close(), l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return at
}

func (f *field) socket(from string) *net.UDPConn {
	f.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)})
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

func (w *flood) datagrams(conn *net.UDPConn, random *rand.Rand, known [][]byte) {
	for n := 0; ; n++ {
		select {
		case <-w.stop:
			return
		default:
		}
		var b []byte
		switch n % 8 {
		case 0:
			b = rubbish(random, known)
		case 1:
			b = bytes.Repeat(known[n/8%len(known)], 60000/len(known[n/8%len(known)]))
		default:
			b = bytes.ReplaceAll(known[n%len(known)], []byte("Call-ID: x"), fmt.Appendf(nil, "Call-ID: %x", random.Uint64()))
		}
		if _, err := conn.WriteToUDPAddrPort(b, w.to); err == nil {
			w.thrown.Add(1)
		}
	}
}

// connections opens connections, says something and leaves them open, 200 at a time.
func (w *flood) connections(source byte) {
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 50, 251, 1+source)}, Timeout: time.Second}
	for n := 0; ; n++ {
		select {
		case <-w.stop:
			return
		default:
		}
		c, err := d.DialContext(w.f.t.Context(), "tcp", w.to.String())
		if err != nil {
			continue
		}
		w.opened.Add(1)
		said := []string{"REGISTER sip:a SIP/2.0\r\nX: ", "INVITE sip:a SIP/2.0\r\n\r\n", "", strings.Repeat("x", 60000)}[n%4]
		_, _ = c.Write([]byte(said)) // it may be closed already
		if open = append(open, c); len(open) > 200 {
			_ = open[0].Close()
			open = open[1:]
		}
	}
}

func (w *flood) end() {
	close(w.stop)
	w.done.Wait()
}

// resources are a process's memory in KiB and its CPU time.
func (p *process) resources() (kib int, cpu time.Duration) {
	p.t.Helper()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, l := range strings.Split(string(status), "\n") {
		if v, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			kib, _ = strconv.Atoi(strings.Fields(v)[0])
		}
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, i := range []int{11, 12} { // utime, stime in hundredths (proc(5))
		ticks, _ := strconv.Atoi(fields[i])
		cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	return kib, cpu
}

// seconds measures a span of the service's life.
func (f *field) seconds(d time.Duration, p *process, h *hark) (packets int, longest, cpu time.Duration) {
	f.t.Helper()
	_, before := p.resources()
	from := time.Now()
	f.pass(d, p)
	_, after := p.resources()
	packets, longest = h.between(from, time.Now().Add(-50*time.Millisecond))
	return packets, longest, after - before
}

// TestFlood throws as many INVITEs, REGISTERs, OPTIONS, garbage and connections
// as the machine gives at the service, while calls are in progress. The same flood into a socket that
// nobody reads takes the same part of the machine: what the service does in it is what the service in the
// flood is compared with, the best of three rounds of each, because others use the machine as well.
func TestFlood(t *testing.T) {
	f := newField(t, fieldOptions{plot: 6, agents: troubledAgents, timers: shortTimers, edit: troubledCampaign}) // alone: it takes the machine
	f.do("agent", "add", "hark", "--phone", "sip:hark@"+f.address(100)+":5060")
	f.busyCarrier()
	f.phones(troubledAgents)
	h := newHark(t, f.address(100))
	service := f.serve()
	f.awaitAgents(troubledAgents + 1)
	f.awaitCalls("at first", 15*time.Second)
	const span = 2 * time.Second
	_, _, quiet := f.seconds(span, service, h)
	small, _ := service.resources()
	began := time.Now()

	here, elsewhere := netip.MustParseAddrPort(f.address(1)+":5060"), f.sink(101)
	var thrown, opened int64
	packets, gap := map[netip.AddrPort]int{}, map[netip.AddrPort]time.Duration{here: time.Hour, elsewhere: time.Hour}
	large := small
	for range 3 {
		for _, to := range []netip.AddrPort{elsewhere, here} {
			w := f.startFlood(to)
			n, longest, cpu := f.seconds(span, service, h)
			kib, _ := service.resources()
			w.end()
			packets[to], gap[to], large = max(packets[to], n), min(gap[to], longest), max(large, kib)
			t.Logf("to %s: %d datagrams, %d connections; %d packets of an agent's audio, longest gap %s; CPU %s", to, w.thrown.Load(), w.opened.Load(), n, longest, cpu)
			if to == here {
				thrown, opened = thrown+w.thrown.Load(), opened+w.opened.Load()
			}
		}
	}
	f.pass(time.Second, service)
	_, _, after := f.seconds(span, service, h)
	t.Logf("CPU %s before, %s after; memory %d KiB before, at most %d KiB during", quiet, after, small, large)
	if thrown < 3000 || opened < 20 {
		t.Errorf("the flood was %d datagrams and %d connections: too little to show anything", thrown, opened)
	}
	if limit := max(200*time.Millisecond, 2*gap[elsewhere]); gap[here] > limit {
		t.Errorf("an agent heard nothing for %s in each flood, want at most %s", gap[here], limit)
	}
	if packets[here] < packets[elsewhere]*9/10 {
		t.Errorf("an agent heard %d packets in the flood, %d beside it", packets[here], packets[elsewhere])
	}
	if large-small > 60<<10 {
		t.Errorf("the service grew by %d KiB", large-small)
	}
	if after > 2*quiet+500*time.Millisecond {
		t.Errorf("the service takes %s of CPU after the flood, %s before", after, quiet)
	}
	if n := h.calls.Load(); n != 1 {
		t.Errorf("the agent's phone was called %d times, want once for the whole shift", n)
	}
	f.awaitAgents(troubledAgents + 1)
	if out := service.out.String(); strings.Contains(out, "phone is gone") || strings.Contains(out, "stood still") || strings.Contains(out, "far end of a call has gone") {
		t.Errorf("calls were lost:\n%s", lastLines(out, 30))
	}
	await(t, 20*time.Second, "a call put through since", func() bool {
		return slices.ContainsFunc(readRung(f.heard()), func(r *rung) bool { return r.agent.After(began) })
	})
	service.kill()
	f.do("audit", "verify")
}
