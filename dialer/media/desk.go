package media

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
)

var _ dialer.Desk = (*Desk)(nil)

// Errors that callers may tell apart.
var (
	// ErrClosed is returned by a Desk after Close and for a leg after its Close.
	ErrClosed = errors.New("closed")
	// ErrNoPrompt is returned by Play for a name that was never loaded.
	ErrNoPrompt = errors.New("no such prompt")
)

// Desk opens legs' RTP endpoints and puts people through. It is safe for use by
// many goroutines; every method but Close returns at once.
type Desk struct {
	cfg   Config
	log   *zap.Logger
	start time.Time // instant 0 of the desk's clock
	ports *ports
	tone  []int16
	hiss  *clip
	news  []int16 // of Signal

	mu      sync.Mutex // orders switches; guards the fields below
	closed  bool
	nextID  uint64
	prompts map[string]*clip

	rosters [phases]roster // the open legs, by the phase of the clock that feeds them
	readers []*reader
	open    atomic.Int64
	still   stillness
	stop    chan struct{}
	wg      sync.WaitGroup // the clock and the readers

	strangers, garbage, unsent, skipped atomic.Uint64
}

// Stats counts what went wrong since New.
type Stats struct {
	Legs      int    // open now
	Strangers uint64 // packets from addresses that are not a leg's far end
	Garbage   uint64 // packets that are not RTP or carry no audio of ours
	Unsent    uint64 // packets that the socket refused
	Skipped   uint64 // 20 ms frames not sent because the machine was too late, or the process had stood still
}

// New makes a desk and starts its clock. The error names every problem of the
// configuration and every prompt that cannot be played.
func New(cfg Config) (*Desk, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	d := &Desk{
		cfg:     cfg,
		log:     cfg.Logger,
		start:   time.Now(),
		ports:   newPorts(cfg),
		hiss:    noise(cfg.Noise, 128),
		prompts: map[string]*clip{},
		stop:    make(chan struct{}),
	}
	for range 2 {
		d.news = append(d.news, sine(newsHz, toneLevel, newsLength)...)
		d.news = append(d.news, make([]int16, newsLength/2/perSample)...)
	}
	if !cfg.Tone.Off {
		d.tone = sine(cfg.Tone.Hz, cfg.Tone.Level, cfg.Tone.Length)
	}
	if err := d.loadAll(cfg.Prompts); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	for range runtime.GOMAXPROCS(0) {
		r, err := newReader(d)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("media: %w", err), d.closeReaders())
		}
		d.readers = append(d.readers, r)
	}
	d.wg.Add(1)
	go d.clock()
	return d, nil
}

// now is the desk's clock: time since it began.
func (d *Desk) now() time.Duration { return time.Since(d.start) }

// Open implements dialer.Desk. It fails with ErrNoPort when the range is used up.
func (d *Desk) Open(onDigit func(digit byte)) (dialer.Audio, error) {
	sock, port, err := d.ports.open()
	if err != nil {
		return nil, fmt.Errorf("media: open: %w", err)
	}
	if err := sock.mark(d.cfg.DSCP); err != nil {
		d.log.Debug("audio goes without its mark", zap.Error(err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.Join(fmt.Errorf("media: open: desk %w", ErrClosed), sock.close())
	}
	d.nextID++
	l := newLeg(d, d.nextID, sock, port, onDigit)
	if err := l.reader.add(l); err != nil {
		d.ports.giveBack(port)
		return nil, errors.Join(fmt.Errorf("media: open: %w", err), sock.close())
	}
	l.roster.add(l)
	d.open.Add(1)
	return l, nil
}

// Bridge implements dialer.Desk. Audio that is not this desk's, or closed,
// leaves the other leg with its bed.
func (d *Desk) Bridge(customer, agent dialer.Audio, heard func(at time.Time)) {
	c, a := d.own(customer), d.own(agent)
	if c == nil || a == nil || c == a {
		d.log.Error("bridge refused: the two legs must be different legs of this desk")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.unjoin()
	a.unjoin()
	first, second := c, a
	if first.id > second.id {
		first, second = a, c
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	if c.closed || a.closed {
		return
	}
	b := &bridge{customer: c, agent: a, heard: heard}
	c.join(b, nil)
	a.join(b, d.tone)
	if c.listener != nil {
		a.ears.add(&c.listener.mouth)
	}
}

// Signal implements dialer.Desk. A leg that is not bridged hears nothing of it.
func (d *Desk) Signal(leg dialer.Audio) {
	l := d.own(leg)
	if l == nil {
		d.log.Error("signal refused: not a leg of this desk")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bridge != nil {
		l.tone = d.news
	}
}

// Part implements dialer.Desk. For a leg that is not bridged it sets the bed and
// cuts a prompt.
func (d *Desk) Part(leg dialer.Audio, bed dialer.Bed) {
	l := d.own(leg)
	if l == nil {
		d.log.Error("part refused: not a leg of this desk")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if other := l.unjoin(); other != nil {
		other.hear(bed)
	}
	l.hear(bed)
}

// Play implements dialer.Desk. A bridge that the leg is in is undone first, a
// prompt that is playing is cut. A name may end in .wav or not. The error is ErrNoPrompt or ErrClosed; done is
// not called then.
func (d *Desk) Play(leg dialer.Audio, prompt string, done func()) error {
	l := d.own(leg)
	if l == nil {
		return errors.New("media: play: not a leg of this desk")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.prompts[promptKey(prompt)]
	if !ok {
		return fmt.Errorf("media: play %q: %w", prompt, ErrNoPrompt)
	}
	l.unjoin()
	if !l.play(c, done) {
		return fmt.Errorf("media: play %q: leg %w", prompt, ErrClosed)
	}
	return nil
}

// Stats is a snapshot of the counters.
func (d *Desk) Stats() Stats {
	return Stats{
		Legs:      int(d.open.Load()),
		Strangers: d.strangers.Load(),
		Garbage:   d.garbage.Load(),
		Unsent:    d.unsent.Load(),
		Skipped:   d.skipped.Load(),
	}
}

// Close closes every leg and returns when all goroutines have ended. It may be
// called twice, but not from onDigit.
func (d *Desk) Close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.stop)
	}
	d.mu.Unlock()
	for i := range d.rosters {
		for _, l := range d.rosters[i].all() {
			l.Close()
		}
	}
	if err := d.closeReaders(); err != nil && !errors.Is(err, os.ErrClosed) {
		d.log.Warn("audio reader not closed", zap.Error(err))
	}
	d.wg.Wait()
}

// closeReaders ends the readers' goroutines.
func (d *Desk) closeReaders() error {
	var errs []error
	for _, r := range d.readers {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// own is the leg behind an Audio, nil when it is not one of this desk's.
func (d *Desk) own(a dialer.Audio) *leg {
	l, ok := a.(*leg)
	if !ok || l == nil || l.desk != d {
		return nil
	}
	return l
}
