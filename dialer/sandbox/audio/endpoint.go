package audio

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"pronto/dialer/sandbox/tones"
)

// Endpoint is one party's RTP: it sends its voice from Start to Close and
// listens all that time. Its methods may be called from any goroutine.
type Endpoint struct {
	conn   *net.UDPConn
	voice  tones.Voice
	done   chan struct{} // closed when the reader has ended
	pumped *Pump

	mu      sync.Mutex // guards the fields below
	session Session
	frame   []byte         // the voice in the session's codec
	latched netip.AddrPort // where their RTP comes from (symmetric RTP); zero: not yet
	out     Packet
	keys    []byte // digits to press
	press   pressed
	ear     *tones.Ear
	pending []byte // received octets that do not make a frame yet
	heard   intervals
	stats   Stats
	lastSeq uint16
	lastIn  time.Time
	buffer  []byte
	closed  bool
}

// Stats counts what came in.
type Stats struct {
	Packets int
	Lost    int // by sequence number
	Sources int // different SSRCs, one after the other
	Sound   time.Duration
	ssrc    uint32
}

// pressed is the digit being sent (RFC 4733 section 2.5).
type pressed struct {
	event uint8
	frame int // packets sent so far
	start uint32
}

const (
	pressFrames  = 5 // 100 ms
	pressRepeats = 3 // of the last packet, with the end bit
)

// Open starts a party: it listens on conn, which it owns from now on, sends its
// voice by the pump, and reports what it hears. report is called from several
// goroutines, one at a time, and must not call the endpoint.
func Open(conn *net.UDPConn, voice tones.Voice, s Session, pump *Pump, report func(Interval)) *Endpoint {
	e := &Endpoint{
		conn: conn, voice: voice, done: make(chan struct{}), pumped: pump, ear: tones.NewEar(),
		heard: intervals{report: report},
		out:   Packet{Marker: true, Sequence: uint16(rand.Uint32()), Time: rand.Uint32(), SSRC: rand.Uint32()},
	}
	e.Use(s)
	pump.add(e)
	go e.read()
	return e
}

// Use points the endpoint at another session, as after a re-INVITE.
func (e *Endpoint) Use(s Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Remote != e.session.Remote {
		e.latched = netip.AddrPort{}
	}
	e.session = s
	e.frame = e.voice.Frame(s.Codec)
	e.out.Type = uint8(s.Codec)
}

// Local is the endpoint's address.
func (e *Endpoint) Local() netip.AddrPort { return e.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Press sends a digit of 0-9 * # as telephone events, if the session has them.
func (e *Endpoint) Press(digit byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := eventOf(digit); !ok || e.session.Digits == 0 {
		return false
	}
	e.keys = append(e.keys, digit)
	return true
}

// Heard says what came in so far.
func (e *Endpoint) Heard() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Sound = e.heard.total
	return s
}

// Close stops speaking and listening, reports open intervals as over, and
// returns once nothing of the endpoint runs any more.
func (e *Endpoint) Close() {
	e.pumped.remove(e)
	_ = e.conn.Close() // a second close finds it closed
	<-e.done
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		e.heard.close()
	}
}

func (e *Endpoint) read() {
	defer close(e.done)
	buf := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // a port that refused an earlier packet
		}
		e.receive(time.Now(), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), buf[:n])
	}
}

func (e *Endpoint) receive(at time.Time, from netip.AddrPort, b []byte) {
	p, err := Parse(b)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.latched.IsValid() {
		e.latched = from
	}
	e.count(p)
	if p.Type != uint8(tones.PCMU) && p.Type != uint8(tones.PCMA) {
		return
	}
	if at.Sub(e.lastIn) > 3*frameTime {
		e.pending = e.pending[:0]
	}
	e.lastIn = at
	e.pending = append(e.pending, p.Payload...)
	for len(e.pending) >= tones.FrameSamples {
		e.heard.hear(at, e.ear.Listen(tones.Codec(p.Type), e.pending[:tones.FrameSamples]))
		e.pending = append(e.pending[:0], e.pending[tones.FrameSamples:]...)
	}
}

func (e *Endpoint) count(p Packet) {
	switch {
	case e.stats.Packets == 0 || p.SSRC != e.stats.ssrc:
		e.stats.Sources++
		e.stats.ssrc = p.SSRC
	case p.Sequence != e.lastSeq+1:
		if ahead := p.Sequence - e.lastSeq - 1; ahead < 1<<15 {
			e.stats.Lost += int(ahead)
		}
	}
	e.lastSeq = p.Sequence
	e.stats.Packets++
}

// tick sends one packet and ends intervals that fell silent.
func (e *Endpoint) tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.heard.sweep(now)
	to := e.latched
	if !to.IsValid() {
		to = e.session.Remote
	}
	p := e.next()
	if !to.IsValid() || to.Port() == 0 || e.session.Held || to.Addr().IsUnspecified() {
		return
	}
	e.buffer = p.Append(e.buffer[:0])
	// A refused or unreachable far end is what a real phone meets too: it goes on talking.
	_, _ = e.conn.WriteToUDPAddrPort(e.buffer, to)
}

// next is the packet for this 20 ms: the voice, or a digit in its place.
func (e *Endpoint) next() Packet {
	p := e.out
	e.out.Sequence++
	e.out.Time += tones.FrameSamples
	e.out.Marker = false
	if len(e.keys) == 0 {
		p.Payload = e.frame
		return p
	}
	if e.press.frame == 0 {
		event, _ := eventOf(e.keys[0])
		e.press = pressed{event: event, start: p.Time}
		p.Marker = true
	}
	duration := uint16(min(e.press.frame+1, pressFrames) * tones.FrameSamples)
	flags := byte(10) // volume -10 dBm0
	if e.press.frame >= pressFrames {
		flags |= 0x80
	}
	p.Type, p.Time = e.session.Digits, e.press.start
	p.Payload = binary.BigEndian.AppendUint16([]byte{e.press.event, flags}, duration)
	if e.press.frame++; e.press.frame == pressFrames+pressRepeats {
		e.keys, e.press = e.keys[1:], pressed{}
		e.out.Marker = true
	}
	return p
}

// eventOf is the event code of a digit (RFC 4733 section 3.2).
func eventOf(digit byte) (uint8, bool) {
	switch {
	case digit >= '0' && digit <= '9':
		return digit - '0', true
	case digit == '*':
		return 10, true
	case digit == '#':
		return 11, true
	}
	return 0, false
}
