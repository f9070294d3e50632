package dialer

import (
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// fakeRecorder records nothing and says what it is told to.
type fakeRecorder struct {
	mu    sync.Mutex
	room  error // of Room
	fails error // of every recording
	takes []*fakeTake
	heard []string // what was whispered
}

// fakeTake is a recording that was asked for.
type fakeTake struct {
	Take
	rec       *fakeRecorder
	stopped   bool
	paused    bool
	destroyed bool
}

var (
	_ Recorder  = (*fakeRecorder)(nil)
	_ Recording = (*fakeTake)(nil)
)

func (f *fakeRecorder) Record(_, _ Audio, t Take) Recording {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := &fakeTake{Take: t, rec: f}
	f.takes = append(f.takes, k)
	news := TakeNews{Step: TakeBegan, Header: t.Header}
	if f.fails != nil {
		news.Step, news.Err = TakeFailed, f.fails
	}
	go func() { _ = t.Tell(news) }() // the journal of the rig never fails
	return k
}

func (f *fakeRecorder) Room() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room
}

func (f *fakeRecorder) Whisper(_ Audio, prompt string, done func(bool)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, prompt)
	if done != nil {
		time.AfterFunc(time.Second, func() { done(true) })
	}
	return nil
}

// setRoom says why there is no room from now on; nil: there is.
func (f *fakeRecorder) setRoom(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = why
}

// taken are the recordings that were asked for so far.
func (f *fakeRecorder) taken() []*fakeTake {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.takes
}

func (k *fakeTake) Pause()   { k.set(&k.paused) }
func (k *fakeTake) Destroy() { k.set(&k.destroyed) }

func (k *fakeTake) Resume() {
	k.rec.mu.Lock()
	defer k.rec.mu.Unlock()
	k.paused = false
}

func (k *fakeTake) Stop() {
	k.set(&k.stopped)
	go func() {
		_ = k.Tell(TakeNews{Step: TakeEnded, Header: k.Header, Sum: recording.Sum{SHA256: "ab", Bytes: 100}}) // as above
	}()
}

func (k *fakeTake) set(what *bool) {
	k.rec.mu.Lock()
	defer k.rec.mu.Unlock()
	*what = true
}

// taped is a rig whose campaign records every call, after an announcement.
func taped(required bool, o rigOptions) (rigOptions, *fakeRecorder) {
	f := &fakeRecorder{}
	before := o.camp
	o.camp = func(c *campaigns.Campaign) {
		if before != nil {
			before(c)
		}
		c.Recording = campaigns.Recording{Calls: campaigns.RecordAll, Announce: "who-we-are", Keep: time.Hour, Required: required, Key: "8", ObjectionKey: "9"}
	}
	o.config = func(c *Config) { c.Recorder = f }
	return o, f
}

// tapes are the steps of recordings in the journal, with what they concern.
func (r *rig) tapes(t *testing.T) (steps []string, records []journal.Record) {
	t.Helper()
	for _, rec := range r.journal.kinds(journal.Recording) {
		steps, records = append(steps, rec.Outcome), append(records, rec)
	}
	return steps, records
}
