package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
)

var _ dialer.Audio = (*leg)(nil)

// leg is one RTP endpoint. It implements dialer.Audio.
type leg struct {
	desk    *Desk
	id      uint64
	sock    socket
	port    uint16
	reader  *reader
	roster  *roster
	slot    int // in roster; its own
	onDigit func(byte)
	keys    digits // of the reader's goroutine
	deaf    int    // reads that failed in a row; of the reader's goroutine
	ears    ears
	// listener finds out who answered, when not nil; guarded by desk.mu
	listener *listener
	heard    atomic.Int64 // instant of the last packet, in ns of the desk's clock; 0: none

	mu     sync.Mutex // guards the fields below
	closed bool
	latch  latch
	out    stream
	bed    dialer.Bed
	hiss   int           // where the comfort noise goes on
	prompt *prompt       // playing, when not nil
	bridge *bridge       // what the leg is in, when not nil
	flow   flow          // the other leg's audio, bridged
	tone   []int16       // what is left of the tone and of what is whispered, bridged
	told   []func(bool)  // want to know when the tone is over
	fed    time.Duration // when the other leg last gave audio, or was joined; bridged
	packet [headerLen + frameSamples + tagLen]byte
	secret *secret // SRTP, when not nil
	failed bool    // a send has failed and been logged
	turned int     // packets turned away before the first was believed
}

// prompt is a clip on its way out.
type prompt struct {
	clip *clip
	at   int
	done func()
}

// bridge joins two legs. Its heard is guarded by the customer's mu.
type bridge struct {
	customer, agent *leg
	heard           func(time.Time)
}

// other is the far side of the bridge.
func (b *bridge) other(l *leg) *leg {
	if l == b.customer {
		return b.agent
	}
	return b.customer
}

func newLeg(d *Desk, id uint64, sock socket, port uint16, onDigit func(byte)) *leg {
	return &leg{
		desk: d, id: id, sock: sock, port: port, onDigit: onDigit, out: newStream(d.now()),
		reader: d.readers[id%uint64(len(d.readers))], roster: &d.rosters[id%phases],
	}
}

// Local implements dialer.Audio.
func (l *leg) Local() netip.AddrPort {
	address := l.desk.cfg.Address
	if l.desk.cfg.Advertise.IsValid() {
		address = l.desk.cfg.Advertise
	}
	return netip.AddrPortFrom(address, l.port)
}

// Connect implements dialer.Audio. With an unchanged address the learned source
// of the far end's packets is kept.
func (l *leg) Connect(r dialer.Remote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latch.connect(r, l.desk.now())
	if err := l.protect(r.Keys); err != nil {
		l.latch.open = false // better silent than plain
		l.desk.log.Error("audio cannot be encrypted", zap.Uint16("port", l.port), zap.Error(err))
	}
	l.out.fresh = true
	l.failed = false
}

// LastHeard implements dialer.Audio.
func (l *leg) LastHeard() time.Time {
	if at := l.heard.Load(); at != 0 {
		return l.desk.start.Add(time.Duration(at))
	}
	return time.Time{}
}

// Close implements dialer.Audio. A prompt is cut, the other leg of a bridge
// hears its bed again. It may be called twice.
func (l *leg) Close() {
	if !l.retire() {
		return
	}
	l.reader.forget(l)
	if err := l.sock.close(); err != nil {
		l.desk.log.Warn("audio socket not closed", zap.Uint16("port", l.port), zap.Error(err))
	}
	l.desk.ports.giveBack(l.port)
}

// retire takes the leg out of everything, so that nobody uses its socket any
// more. It reports false when that was done before.
func (l *leg) retire() bool {
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	if l.listener != nil {
		l.listener.stop()
	}
	l.unjoin()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.closed = true
	l.cut()
	l.roster.remove(l)
	l.desk.open.Add(-1)
	return true
}

// join puts the leg into a bridge. The caller holds l.mu.
func (l *leg) join(b *bridge, tone []int16) {
	l.cut()
	l.bridge, l.flow, l.tone, l.fed = b, flow{}, tone, l.desk.now()
	l.out.fresh = true
}

// unjoin takes both legs out of the bridge that l is in, back to their beds, and
// returns the other one, nil when there is no bridge. The caller holds desk.mu.
func (l *leg) unjoin() *leg {
	l.mu.Lock()
	b := l.bridge
	l.mu.Unlock()
	if b == nil {
		return nil
	}
	if x := b.customer.listener; x != nil {
		b.agent.ears.remove(&x.mouth)
	}
	for _, x := range []*leg{b.customer, b.agent} {
		x.mu.Lock()
		x.answer(false)
		x.bridge, x.flow, x.tone = nil, flow{}, nil
		x.out.fresh = true
		x.mu.Unlock()
	}
	return b.other(l)
}

// hear sets the bed of a leg that is not bridged, and cuts its prompt.
func (l *leg) hear(bed dialer.Bed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bed != bed || l.prompt != nil {
		l.out.fresh = true
	}
	l.cut()
	l.bed = bed
}

// play begins a prompt on a leg that is not bridged; false when it is closed.
func (l *leg) play(c *clip, done func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.cut()
	l.prompt = &prompt{clip: c, done: done}
	l.out.fresh = true
	return true
}

// cut ends a prompt, played or not. The caller holds l.mu.
func (l *leg) cut() {
	if l.prompt != nil && l.prompt.done != nil {
		go l.prompt.done()
	}
	l.prompt = nil
}

// send writes b, a whole RTP packet, to the far end, encrypted in place where the
// leg is. The caller holds l.mu.
func (l *leg) send(b []byte) bool {
	var err error
	if l.secret != nil {
		b, err = l.secret.seal(b)
	}
	if err == nil {
		err = l.sock.send(b, l.latch.target)
	}
	if err == nil {
		return true
	}
	l.desk.unsent.Add(1)
	if !l.failed {
		l.failed = true
		l.desk.log.Warn("audio not sent", zap.Stringer("to", l.latch.target), zap.Error(err))
	}
	return false
}
