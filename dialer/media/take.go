package media

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
	"pronto/dialer/recording"
)

var _ dialer.Recording = (*take)(nil)

// take is one recording. The legs' readers put audio into its chunks; its own
// goroutine writes them.
type take struct {
	rec   *Recorder
	about dialer.Take
	codec dialer.Codec
	began time.Duration // instant of the desk's clock that is sample 0
	legs  [2]*leg       // left, right
	ears  [2]*track
	ended chan struct{} // closed by Stop
	done  chan struct{} // closed when run has returned
	once  sync.Once     // of Stop
	wiped sync.Once     // of Destroy

	mu      sync.Mutex // guards the fields below and the tracks; taken last
	paused  bool
	over    bool
	chunks  [window][]byte // by number modulo window; nil: silence so far
	first   int64          // number of the oldest chunk that is not written
	end     int64          // samples, once over
	lost    int64          // chunks that gave way
	scratch []byte         // a payload of the other law
}

// giveWay drops the oldest chunks so that n has a place. The caller holds mu.
func (t *take) giveWay(n int64) {
	for ; n >= t.first+window; t.first++ {
		if t.chunks[t.first%window] != nil {
			t.lost++
		}
		t.rec.recycle(t.chunks[t.first%window])
		t.chunks[t.first%window] = nil
	}
}

// Pause implements dialer.Recording.
func (t *take) Pause() { t.setPaused(true) }

// Resume implements dialer.Recording.
func (t *take) Resume() { t.setPaused(false) }

func (t *take) setPaused(p bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paused = p
}

// Stop implements dialer.Recording.
func (t *take) Stop() {
	t.once.Do(func() {
		now := t.rec.desk.now()
		t.mu.Lock()
		t.over, t.end = true, int64((now-t.began)/perSample)
		t.mu.Unlock()
		for i, l := range t.legs {
			l.ears.remove(t.ears[i])
		}
		close(t.ended)
	})
}

// Destroy implements dialer.Recording.
func (t *take) Destroy() {
	t.Stop()
	t.wiped.Do(func() {
		t.rec.wg.Go(func() {
			<-t.done
			news := dialer.TakeNews{Step: dialer.TakeDestroyed, Err: recording.Destroy(t.rec.cfg.Dir, t.about.Header)}
			_ = t.tell(news) // logged
		})
	})
}

// tell passes news on; an error is logged, and returned for whoever it matters to.
func (t *take) tell(n dialer.TakeNews) error {
	n.Header = t.about.Header
	err := t.about.Tell(n)
	if err != nil {
		t.rec.log.Error("recording: news not journaled", zap.String("recording", n.Header.ID), zap.Error(err))
	}
	return err
}

// run makes the file and writes what ripens until the take is stopped.
func (t *take) run() {
	defer close(t.done)
	defer t.rec.leave(t)
	w, err := t.create()
	if err != nil {
		t.Stop()
		t.recycleAll()
		t.rec.failing(err)
		_ = t.tell(dialer.TakeNews{Step: dialer.TakeFailed, Err: err}) // logged
		return
	}
	_ = t.tell(dialer.TakeNews{Step: dialer.TakeBegan}) // logged; what it says stands in the last news too
	sum, err := t.write(w)
	if err != nil {
		t.Stop()
		t.rec.failing(err)
	}
	t.recycleAll()
	if t.tell(dialer.TakeNews{Step: dialer.TakeEnded, Sum: sum, Gap: t.gap(), Err: err}) != nil {
		err = nil // the next start settles the file
	} else {
		err = w.Keep()
	}
	if err != nil {
		t.rec.log.Error("recording not kept under its name", zap.String("recording", t.about.Header.ID), zap.Error(err))
	}
}

// sealing is how long the making of a key may take: the journal's disk is waited for.
const sealing = 5 * time.Second

// create makes the key and the file.
func (t *take) create() (*recording.Writer, error) {
	var key recording.Key
	rand.Read(key[:])
	ctx, cancel := context.WithTimeout(context.Background(), sealing)
	defer cancel()
	if err := t.about.Seal(ctx, &t.about.Header, key); err != nil {
		return nil, err
	}
	return recording.Create(t.rec.cfg.Dir, t.about.Header, key)
}

// write writes chunks as they ripen, until the take is over.
func (t *take) write(w *recording.Writer) (recording.Sum, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := false
	for over := false; !over; {
		select {
		case <-timer.C:
		case <-t.ended:
			over = true
		}
		for {
			number, sound, ok := t.ripe(over)
			if !ok {
				break
			}
			err := t.rec.writing(func() error { return w.Chunk(number, sound) })
			t.rec.recycle(sound)
			if err != nil {
				sum, _ := w.Sync() // what there is
				return sum, err
			}
		}
		if gap := t.gap(); gap > 0 && !told {
			told = true
			_ = t.tell(dialer.TakeNews{Step: dialer.TakeGap, Gap: gap}) // logged
		}
		timer.Reset(t.nextRipe())
	}
	return t.finish(w)
}

// nextRipe is how long until the next chunk can be written.
func (t *take) nextRipe() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.began + time.Duration(t.first+1)*recording.ChunkTime + settled - t.rec.desk.now()
}

// ripe takes out the next chunk that has sound and will not change any more.
func (t *take) ripe(over bool) (number uint32, sound []byte, ok bool) {
	now := t.rec.desk.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := int64((now - settled - t.began) / recording.ChunkTime)
	if over {
		limit = t.end / recording.ChunkSamples
	}
	for t.first < limit {
		sound, number = t.chunks[t.first%window], uint32(t.first)
		t.chunks[t.first%window] = nil
		t.first++
		if sound != nil {
			return number, sound, true
		}
	}
	return 0, nil, false
}

// finish writes the last chunk, up to the instant of Stop.
func (t *take) finish(w *recording.Writer) (recording.Sum, error) {
	t.mu.Lock()
	n, left := t.end/recording.ChunkSamples, t.end%recording.ChunkSamples
	sound := t.chunks[n%window]
	t.mu.Unlock() // it is over: nobody writes into the chunk any more
	if sound == nil {
		sound = t.rec.blank(t.codec)
		defer t.rec.recycle(sound)
	}
	var sum recording.Sum
	err := t.rec.writing(func() (err error) {
		sum, err = w.Finish(uint32(n), sound[:2*left])
		return err
	})
	if err != nil {
		kept, failed := w.Sync()
		return kept, errors.Join(err, failed)
	}
	return sum, nil
}

// gap is how much sound is missing because the disk was too slow.
func (t *take) gap() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Duration(t.lost) * recording.ChunkTime
}

// recycleAll gives the chunks back that nobody will write.
func (t *take) recycleAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, b := range t.chunks {
		t.rec.recycle(b)
		t.chunks[i] = nil
	}
}
