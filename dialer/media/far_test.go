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
