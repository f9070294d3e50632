package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
	"pronto/dialer/recording"
)

var _ dialer.Recorder = (*Recorder)(nil)

// RecorderConfig says where recordings are kept. All fields are required.
type RecorderConfig struct {
	Dir     string
	Reserve uint64                           // bytes of the disk that recordings leave free
	Free    func(dir string) (uint64, error) // bytes free on the disk of a folder
}

// Recorder records bridged legs of a desk. Close it before the desk.
type Recorder struct {
	cfg  RecorderConfig
	desk *Desk
	log  *zap.Logger

	disk   chan struct{} // holds as many as write at once
	pool   sync.Pool     // of chunks
	blanks [2][]byte     // a chunk of silence, by law
	room   atomic.Pointer[error]
	left   atomic.Pointer[uint64]          // bytes that may be used still; nil: not known
	stock  atomic.Pointer[recording.Stock] // nil: not counted yet
	stop   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	closed bool
	takes  map[*take]bool
	failed error // of the last write; nil once a write has worked again
}

// writers is how many recordings write at once, so that a disk that stands
// still holds no more threads.
const writers = 4

// ErrRoom says that the disk has no room for recordings.
var ErrRoom = errors.New("the disk of the recordings is full")

// NewRecorder makes a recorder and its folder.
func NewRecorder(d *Desk, cfg RecorderConfig) (*Recorder, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	r := &Recorder{
		cfg: cfg, desk: d, log: d.log, disk: make(chan struct{}, writers), stop: make(chan struct{}), takes: map[*take]bool{},
		blanks: [2][]byte{recording.MuLaw.Silence(), recording.ALaw.Silence()},
	}
	r.look()
	r.wg.Go(r.watch)
	r.wg.Go(r.countOn)
	return r, nil
}

// Record implements dialer.Recorder.
func (r *Recorder) Record(customer, agent dialer.Audio, about dialer.Take) dialer.Recording {
	t := &take{rec: r, about: about, began: r.desk.now(), legs: [2]*leg{r.desk.own(customer), r.desk.own(agent)}, ended: make(chan struct{}), done: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || t.legs[0] == nil || t.legs[1] == nil {
		return t.never(fmt.Errorf("recording: the recorder or a leg is %w", ErrClosed))
	}
	if err := r.Room(); errors.Is(err, ErrRoom) && !about.Required {
		return t.never(err)
	}
	t.codec = t.legs[0].codec()
	t.about.Header.Law = recording.MuLaw
	if t.codec == dialer.PCMA {
		t.about.Header.Law = recording.ALaw
	}
	for i, l := range t.legs {
		t.ears[i] = &track{take: t, side: i}
		l.ears.add(t.ears[i])
	}
	r.takes[t] = true
	r.wg.Go(t.run)
	return t
}

// never makes a take that records nothing and says why. The caller holds mu.
func (t *take) never(why error) *take {
	t.once.Do(func() {})
	t.wiped.Do(func() {})
	close(t.done)
	go func() { _ = t.tell(dialer.TakeNews{Step: dialer.TakeFailed, Err: why}) }() // logged
	return t
}

// leave takes an ended take out of the books.
func (r *Recorder) leave(t *take) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.takes, t)
}

// Room implements dialer.Recorder.
func (r *Recorder) Room() error { return *r.room.Load() }

// watch looks at the disk once a second.
func (r *Recorder) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.look()
		case <-r.stop:
			return
		}
	}
}

// look finds out whether there is room, and, after a failure, whether writing works again.
func (r *Recorder) look() {
	r.mu.Lock()
	failed := r.failed
	r.mu.Unlock()
	free, err := r.cfg.Free(r.cfg.Dir)
	r.left.Store(nil)
	if err == nil {
		left := free - min(free, r.cfg.Reserve)
		r.left.Store(&left)
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		err = failed
	case err != nil:
		err = fmt.Errorf("recordings: %w", err)
	case free < r.cfg.Reserve:
		err = fmt.Errorf("%w: %d MB are free in %s, %d are to stay so", ErrRoom, free/1e6, r.cfg.Dir, r.cfg.Reserve/1e6)
	case failed != nil:
		if err = r.probe(); err == nil {
			r.log.Info("recordings are written again", zap.NamedError("after", failed))
			r.failing(nil)
		}
	}
	r.room.Store(&err)
}

// countEvery is how often the folder is counted, and countShare how many times longer than counting takes the pause
// after it lasts at least.
const (
	countEvery = time.Minute
	countShare = 50
)

// countOn counts what the folder holds, again and again.
func (r *Recorder) countOn() {
	for {
		begun := time.Now()
		stock, err := recording.Count(r.cfg.Dir)
		if err != nil {
			r.log.Warn("recordings not counted", zap.Error(err))
		} else {
			r.stock.Store(&stock)
		}
		select {
		case <-time.After(max(countEvery, countShare*time.Since(begun))):
		case <-r.stop:
			return
		}
	}
}

// Live says how the folder and its disk stand.
func (r *Recorder) Live() dialer.RecordingsLive {
	live := dialer.RecordingsLive{Failing: r.Room()}
	if stock := r.stock.Load(); stock != nil {
		live.Stock, live.Counted = *stock, true
	}
	if left := r.left.Load(); left != nil {
		live.Left, live.LeftKnown = *left, true
	}
	return live
}

// failing takes note of a write that failed, or of one that worked.
func (r *Recorder) failing(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
	if err != nil {
		r.room.Store(&err)
	}
}

// probe tries whether a file can be written.
func (r *Recorder) probe() error {
	name := filepath.Join(r.cfg.Dir, "probe")
	err := os.WriteFile(name, r.blanks[0], 0o600)
	if err = errors.Join(err, os.Remove(name)); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	return nil
}

// writing runs what waits for the disk, a few at once.
func (r *Recorder) writing(f func() error) error {
	r.disk <- struct{}{}
	defer func() { <-r.disk }()
	return f()
}

// blank is a chunk of silence.
func (r *Recorder) blank(codec dialer.Codec) []byte {
	i := 0
	if codec == dialer.PCMA {
		i = 1
	}
	b, ok := r.pool.Get().(*[recording.ChunkBytes]byte)
	if !ok {
		b = new([recording.ChunkBytes]byte)
	}
	copy(b[:], r.blanks[i])
	return b[:]
}

// recycle takes a chunk back that nobody needs any more; nil is none.
func (r *Recorder) recycle(b []byte) {
	if b != nil {
		r.pool.Put((*[recording.ChunkBytes]byte)(b))
	}
}

// Close ends every recording and returns when all are on disk.
func (r *Recorder) Close() {
	r.mu.Lock()
	r.closed = true
	var open []*take
	for t := range r.takes {
		open = append(open, t)
	}
	r.mu.Unlock()
	r.once.Do(func() { close(r.stop) })
	for _, t := range open {
		t.Stop()
	}
	r.wg.Wait()
}

// codec is what the leg's far end sends, as agreed.
func (l *leg) codec() dialer.Codec {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latch.remote.Codec
}
