package media

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"pronto/dialer"
)

func TestMain(m *testing.M) {
	if benchRole() {
		return
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for something that must come.
const patience = 20 * time.Second

// desk makes a desk on an address of its own; it is closed with the test.
func desk(t testing.TB, address string, change func(*Config)) *Desk {
	t.Helper()
	cfg := Config{Address: netip.MustParseAddr(address), PortMin: 20000, PortMax: 20999}
	if change != nil {
		change(&cfg)
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// got is one packet that a far end received, parsed by pion/rtp.
type got struct {
	rtp.Packet
	at time.Time
}

// far is a far end: a phone or a carrier's media gateway, with its own socket.
type far struct {
	t     testing.TB
	conn  *net.UDPConn
	to    netip.AddrPort // the leg
	audio dialer.Audio
	pt    uint8

	ssrc   uint32
	seq    uint16
	stamp  uint32
	mu     sync.Mutex
	all    []got         // guarded by mu
	change chan struct{} // a packet has come
}

// opposite opens a leg on d and connects it with a new far end.
func opposite(t testing.TB, d *Desk, address string, codec dialer.Codec, onDigit func(byte)) *far {
	t.Helper()
	a, err := d.Open(onDigit)
	if err != nil {
		t.Fatal(err)
	}
	f := newFar(t, address, a, codec)
	a.Connect(dialer.Remote{Addr: f.local(), Codec: codec, Digits: 101})
	return f
}

// newFarAt is a socket that only holds its port.
func newFarAt(t testing.TB, address string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// newFar is a far end that the leg does not know yet.
func newFar(t testing.TB, address string, a dialer.Audio, codec dialer.Codec) *far {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address+":0")))
	if err != nil {
		t.Fatal(err)
	}
	f := &far{
		t: t, conn: conn, to: a.Local(), audio: a, pt: uint8(codec),
		ssrc: 0xfa000000 | uint32(conn.LocalAddr().(*net.UDPAddr).Port), seq: 65530, stamp: math.MaxUint32 - 800,
		change: make(chan struct{}, 1),
	}
	var done sync.WaitGroup
	done.Go(f.receive)
	t.Cleanup(func() { conn.Close(); done.Wait() })
	return f
}

func (f *far) local() netip.AddrPort { return f.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (f *far) receive() {
	buf := make([]byte, 2048)
	for {
		n, _, err := f.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		g := got{at: time.Now()}
		if err := g.Unmarshal(append([]byte(nil), buf[:n]...)); err != nil {
			f.t.Errorf("not RTP: %v: %x", err, buf[:n])
			continue
		}
		f.mu.Lock()
		f.all = append(f.all, g)
		f.mu.Unlock()
		select {
		case f.change <- struct{}{}:
		default:
		}
	}
}

// packets is what has come so far.
func (f *far) packets() []got {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[:len(f.all):len(f.all)]
}

// await waits until the packets received satisfy ok and returns them.
func (f *far) await(what string, ok func([]got) bool) []got {
	f.t.Helper()
	limit := time.After(patience)
	for {
		if all := f.packets(); ok(all) {
			return all
		}
		select {
		case <-f.change:
		case <-limit:
			f.t.Fatalf("%s did not come; %d packets did", what, len(f.packets()))
		}
	}
}

// more waits for n packets more than there are now.
func (f *far) more(n int) []got {
	f.t.Helper()
	have := len(f.packets())
	return f.await(fmt.Sprintf("%d more packets", n), func(all []got) bool { return len(all) >= have+n })
}

// raw sends bytes to the leg.
func (f *far) raw(b []byte) {
	f.t.Helper()
	if _, err := f.conn.WriteToUDPAddrPort(b, f.to); err != nil {
		f.t.Fatal(err)
	}
}

// put sends a packet with the far end's next sequence number.
func (f *far) put(p rtp.Packet) {
	f.t.Helper()
	p.Version, p.SSRC, p.SequenceNumber = 2, f.ssrc, f.seq
	f.seq++
	b, err := p.Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	f.raw(b)
}

// say sends one packet of audio.
func (f *far) say(payload []byte) {
	f.t.Helper()
	f.put(rtp.Packet{Header: rtp.Header{PayloadType: f.pt, Timestamp: f.stamp}, Payload: payload})
	f.stamp += uint32(len(payload))
}

// talk sends n packets of audio, one every ptime, on a fixed schedule.
func (f *far) talk(n int, ptime time.Duration, audio func(i int) []byte) {
	f.t.Helper()
	tick := time.NewTicker(ptime)
	defer tick.Stop()
	for i := range n {
		f.say(audio(i))
		<-tick.C
	}
}

// key sends a telephone event: updates of 50 ms length and then ends.
func (f *far) key(event byte, updates, ends int) {
	f.t.Helper()
	for i := range updates + ends {
		end := byte(0)
		if i >= updates {
			end = 0x80
		}
		length := uint16(400 * min(i+1, updates+1))
		f.put(rtp.Packet{
			Header:  rtp.Header{PayloadType: 101, Marker: i == 0, Timestamp: f.stamp},
			Payload: []byte{event, end | 10, byte(length >> 8), byte(length)},
		})
	}
	f.stamp += uint32(400 * (updates + 1))
}

// pattern is a payload that names its sender and number, in every byte.
func pattern(who byte, n int) func(int) []byte {
	return func(i int) []byte {
		b := make([]byte, n)
		for j := range b {
			b[j] = who ^ byte(i*7)
		}
		return b
	}
}

// continuous checks that packets are one stream: one SSRC, no gap and no step
// back, a marker wherever the time stamp leaps, in step with the clock.
func continuous(t testing.TB, all []got) {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("no packets")
	}
	first := all[0]
	if !first.Marker {
		t.Error("the first packet has no marker")
	}
	for i, p := range all[1:] {
		before := all[i]
		step := p.Timestamp - before.Timestamp
		switch {
		case p.SSRC != first.SSRC:
			t.Fatalf("packet %d: SSRC changed from %08x to %08x", i+1, first.SSRC, p.SSRC)
		case p.SequenceNumber != before.SequenceNumber+1:
			t.Fatalf("packet %d: sequence %d after %d", i+1, p.SequenceNumber, before.SequenceNumber)
		case int32(step) < int32(len(before.Payload)):
			t.Fatalf("packet %d: time stamp moved %d, over audio of %d", i+1, int32(step), len(before.Payload))
		case step != uint32(len(before.Payload)) && !p.Marker:
			t.Errorf("packet %d: time stamp leaps %d without a marker", i+1, step)
		case p.Extension || len(p.CSRC) > 0 || p.PaddingSize > 0:
			t.Errorf("packet %d: extension, CSRC or padding sent on", i+1)
		}
	}
	inStep(t, all)
}

// inStep checks that time stamps and clock do not part over the length of a
// stream. A busy machine delays single packets, so the most punctual of the
// first third are held against those of the last.
func inStep(t testing.TB, all []got) {
	t.Helper()
	const tolerance = 300 * time.Millisecond
	punctual := func(part []got) time.Duration {
		best := time.Duration(-1 << 62)
		for _, p := range part {
			best = max(best, time.Duration(p.Timestamp-all[0].Timestamp)*perSample-p.at.Sub(all[0].at))
		}
		return best
	}
	if n := len(all) / 3; n >= 10 {
		if off := punctual(all[len(all)-n:]) - punctual(all[:n]); off > tolerance || off < -tolerance {
			t.Errorf("time stamps went %s off the clock over %d packets", off, len(all))
		}
	}
}

// wantJoints checks how many sources a far end has heard one after the other. A
// machine too late to send a frame adds a marker of its own.
func wantJoints(t testing.TB, d *Desk, all []got, want int) {
	t.Helper()
	n := 0
	for _, p := range all {
		if p.Marker {
			n++
		}
	}
	if n < want || n > want && d.Stats().Skipped == 0 {
		t.Errorf("%d markers, want %d", n, want)
	}
}

// level is the power of one frequency in G.711 audio, in dBm0 (Goertzel).
func level(audio []byte, l *law, hz float64) float64 {
	var s1, s2 float64
	c := 2 * math.Cos(2*math.Pi*hz/rate)
	for _, b := range audio {
		s1, s2 = float64(l.linear[b])+c*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	amplitude := 2 * math.Sqrt(max(power, 1e-9)) / float64(len(audio))
	return 20*math.Log10(amplitude/math.MaxInt16) + overload
}

// joined is the payloads one after the other.
func joined(all []got) []byte {
	var b []byte
	for _, p := range all {
		b = append(b, p.Payload...)
	}
	return b
}
