package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/recording"
)

// taped is a recording under test.
type taped struct {
	t    *testing.T
	dir  string
	key  recording.Key
	rec  dialer.Recording
	news chan dialer.TakeNews
}

// recorder makes a recorder in a folder of its own.
func recorder(t testing.TB, d *Desk, change func(*RecorderConfig)) (*Recorder, string) {
	t.Helper()
	cfg := RecorderConfig{Dir: filepath.Join(t.TempDir(), "recordings"), Free: func(string) (uint64, error) { return 1 << 40, nil }}
	if change != nil {
		change(&cfg)
	}
	r, err := NewRecorder(d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, cfg.Dir
}

// tape begins to record two bridged far ends.
func tape(t *testing.T, r *Recorder, dir string, customer, agent *far, change func(*dialer.Take)) *taped {
	t.Helper()
	p := &taped{t: t, dir: dir, news: make(chan dialer.TakeNews, 16)}
	about := dialer.Take{
		Header: recording.Header{ID: "01KAB-1", Campaign: "spring", Began: time.Now(), Until: time.Now().Add(time.Hour)},
		Seal: func(_ context.Context, h *recording.Header, key recording.Key) error {
			p.key, h.Key = key, "sealed"
			return nil
		},
		Tell: func(n dialer.TakeNews) error { p.news <- n; return nil },
	}
	if change != nil {
		change(&about)
	}
	p.rec = r.Record(customer.audio, agent.audio, about)
	return p
}

// await waits for a step.
func (p *taped) await(step dialer.TakeStep) dialer.TakeNews {
	p.t.Helper()
	for {
		select {
		case n := <-p.news:
			if n.Step == step {
				return n
			}
		case <-time.After(patience):
			p.t.Fatalf("step %d was not told", step)
		}
	}
}

// stop ends the recording and gives its two sides.
func (p *taped) stop() (left, right []byte, law *law) {
	p.t.Helper()
	p.rec.Stop()
	n := p.await(dialer.TakeEnded)
	name := filepath.Join(p.dir, n.Header.Path())
	await(p.t, "the file", func() bool { _, err := os.Stat(name); return err == nil })
	r, err := recording.Open(name)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var wav bytes.Buffer
	if err := r.WriteWAV(&wav, p.key); err != nil {
		p.t.Fatal(err)
	}
	sum, err := r.Sum()
	if err != nil || sum != n.Sum || !r.Whole {
		p.t.Errorf("the file is %+v, told was %+v, whole %v, %v", sum, n.Sum, r.Whole, err)
	}
	data := wav.Bytes()
	law = lawU
	if binary.LittleEndian.Uint16(data[20:]) == waveALaw {
		law = lawA
	}
	for i := 58; i+1 < len(data); i += 2 {
		left, right = append(left, data[i]), append(right, data[i+1])
	}
	return left, right, law
}

// tones makes payloads of a sine that runs on.
func tones(codec dialer.Codec, hz float64) func(i int) []byte {
	l := lawOf(codec)
	return func(i int) []byte {
		b := make([]byte, frameSamples)
		for j := range b {
			b[j] = l.code[uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i*frameSamples+j)/rate)))]
		}
		return b
	}
}

// TestRecordingHasBothSides records two people of two laws, one after the other's start: each
// tone is on its side alone and begins when it did.
func TestRecordingHasBothSides(t *testing.T) {
	for _, c := range []struct {
		name            string
		customer, agent dialer.Codec
		law             *law
	}{{"A-law", dialer.PCMA, dialer.PCMA, lawA}, {"µ-law", dialer.PCMU, dialer.PCMU, lawU}, {"mixed", dialer.PCMA, dialer.PCMU, lawA}} {
		t.Run(c.name, func(t *testing.T) {
			d := desk(t, "127.67.1.1", nil)
			r, dir := recorder(t, d, nil)
			customer, agent := opposite(t, d, "127.67.1.2", c.customer, nil), opposite(t, d, "127.67.1.3", c.agent, nil)
			d.Bridge(customer.audio, agent.audio, nil)
			p := tape(t, r, dir, customer, agent, nil)
			p.await(dialer.TakeBegan)
			var both sync.WaitGroup
			both.Go(func() { customer.talk(75, frame, tones(c.customer, 440)) })
			agent.more(25) // the agent speaks half a second later
			agent.talk(50, frame, tones(c.agent, 1000))
			both.Wait()
			left, right, law := p.stop()
			if law != c.law {
				t.Error("the WAV has the other law")
			}
			begins := func(side []byte) int {
				for i := range side {
					if v := law.linear[side[i]]; v > 500 || v < -500 {
						return i
					}
				}
				return -1
			}
			l, g := begins(left), begins(right)
			if off := g - l - rate/2; l < 0 || g < 0 || off > rate/10 || off < -rate/10 {
				t.Fatalf("the sides begin at samples %d and %d, want 4000 apart", l, g)
			}
			middle := func(side []byte, from int) []byte { return side[from+800 : from+800+4000] }
			for _, s := range []struct {
				what       string
				side       []byte
				own, other float64
			}{{"left", middle(left, l), 440, 1000}, {"right", middle(right, g), 1000, 440}} {
				if own, other := level(s.side, law, s.own), level(s.side, law, s.other); own < -12 || other > own-30 {
					t.Errorf("%s: %.1f dBm0 at %g Hz, %.1f at %g", s.what, own, s.own, other, s.other)
				}
			}
		})
	}
}

// TestRecordingPauses hears nothing of what is said in a pause, of keys and of comfort noise.
func TestRecordingPauses(t *testing.T) {
	d := desk(t, "127.67.2.1", nil)
	r, dir := recorder(t, d, nil)
	customer, agent := opposite(t, d, "127.67.2.2", dialer.PCMA, nil), opposite(t, d, "127.67.2.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	p := tape(t, r, dir, customer, agent, nil)
	p.await(dialer.TakeBegan)
	customer.talk(25, frame, tones(dialer.PCMA, 440))
	await(t, "the audio before", func() bool { return len(agent.packets()) >= 25 })
	p.rec.Pause()
	customer.talk(25, frame, tones(dialer.PCMA, 1500))
	customer.key(4, 2, 3)
	await(t, "the audio in the pause", func() bool { return len(agent.packets()) >= 50 })
	p.rec.Resume()
	customer.talk(25, frame, tones(dialer.PCMA, 700))
	await(t, "the audio after", func() bool { return len(agent.packets()) >= 75 })
	left, right, law := p.stop()
	for hz, want := range map[float64]bool{440: true, 700: true, 1500: false} {
		loudest := -100.0
		for i := 0; i+800 <= len(left); i += 400 {
			loudest = max(loudest, level(left[i:i+800], law, hz))
		}
		if (loudest > -15) != want {
			t.Errorf("%g Hz: %.1f dBm0", hz, loudest)
		}
	}
	for i, c := range right {
		if c != silenceA {
			t.Fatalf("the agent said nothing, sample %d is %#x", i, c)
		}
	}
}

// TestRecordingDestroyed destroys while it is made, and after.
func TestRecordingDestroyed(t *testing.T) {
	d := desk(t, "127.67.3.1", nil)
	r, dir := recorder(t, d, nil)
	customer, agent := opposite(t, d, "127.67.3.2", dialer.PCMA, nil), opposite(t, d, "127.67.3.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	for _, after := range []bool{false, true} {
		p := tape(t, r, dir, customer, agent, nil)
		p.await(dialer.TakeBegan)
		if after {
			p.stop()
		}
		p.rec.Destroy()
		p.rec.Destroy()
		if n := p.await(dialer.TakeDestroyed); n.Err != nil {
			t.Fatal(n.Err)
		}
		for k, err := range recording.List(dir) {
			t.Errorf("after %v: %s is there, %v", after, k.File, err)
		}
	}
}

// TestRecorderFails cannot make a key, has a full disk, and is closed in a call: the voice goes on.
func TestRecorderFails(t *testing.T) {
	d := desk(t, "127.67.4.1", nil)
	var mu sync.Mutex
	free := uint64(1 << 40)
	r, dir := recorder(t, d, func(c *RecorderConfig) {
		c.Reserve = 1000
		c.Free = func(string) (uint64, error) { mu.Lock(); defer mu.Unlock(); return free, nil }
	})
	customer, agent := opposite(t, d, "127.67.4.2", dialer.PCMA, nil), opposite(t, d, "127.67.4.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	broken := errors.New("no key")
	p := tape(t, r, dir, customer, agent, func(about *dialer.Take) {
		about.Seal = func(context.Context, *recording.Header, recording.Key) error { return broken }
	})
	if n := p.await(dialer.TakeFailed); !errors.Is(n.Err, broken) {
		t.Errorf("told %v", n.Err)
	}
	await(t, "room after the failure is over", func() bool { return r.Room() == nil })
	mu.Lock()
	free = 999
	mu.Unlock()
	await(t, "no room", func() bool { return errors.Is(r.Room(), ErrRoom) })
	if n := tape(t, r, dir, customer, agent, nil).await(dialer.TakeFailed); !errors.Is(n.Err, ErrRoom) { // what stays free is for others
		t.Errorf("below the reserve: %v", n.Err)
	}
	if live := r.Live(); !errors.Is(live.Failing, ErrRoom) || !live.LeftKnown || live.Left != 0 {
		t.Errorf("below the reserve: %+v", live)
	}
	p = tape(t, r, dir, customer, agent, func(about *dialer.Take) { about.Required = true }) // its call was dialed before
	p.await(dialer.TakeBegan)
	customer.say(tones(dialer.PCMA, 440)(0))
	agent.more(1)
	mu.Lock()
	free = 5000
	mu.Unlock()
	await(t, "room again", func() bool { live := r.Live(); return live.Failing == nil && live.Left == 4000 })
	r.Close()
	p.await(dialer.TakeEnded)
	customer.say(tones(dialer.PCMA, 440)(1))
	agent.more(1)
	if n := tape(t, r, dir, customer, agent, nil).await(dialer.TakeFailed); !errors.Is(n.Err, ErrClosed) {
		t.Errorf("after Close: %v", n.Err)
	}
}

// TestVoiceDoesNotWaitForTheDisk: the disk stands still; packets pass, and the gap is told.
func TestVoiceDoesNotWaitForTheDisk(t *testing.T) {
	d := desk(t, "127.67.5.1", nil)
	r, dir := recorder(t, d, nil)
	customer, agent := opposite(t, d, "127.67.5.2", dialer.PCMA, nil), opposite(t, d, "127.67.5.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	for range writers { // the disk has all that it can take
		r.disk <- struct{}{}
	}
	p := tape(t, r, dir, customer, agent, nil)
	const seconds = 11
	packets := 0
	for i := range 50 * seconds { // the sender's clock runs 50 times as fast as ours would let a test wait
		customer.stamp = uint32(i) * frameSamples
		own := customer.audio.(*leg)
		own.ears.hear(make([]byte, frameSamples), packet{payloadType: uint8(dialer.PCMA), seq: uint16(i), stamp: customer.stamp, ssrc: 9}, d.now()+time.Duration(i)*frame)
		if i%50 == 0 {
			customer.say(tones(dialer.PCMA, 440)(i))
			packets++
			agent.more(1)
		}
	}
	for range writers {
		<-r.disk
	}
	if n := p.await(dialer.TakeGap); n.Gap <= 0 { // told when it begins
		t.Errorf("a gap of %s was told", n.Gap)
	}
	p.rec.Stop()
	if n := p.await(dialer.TakeEnded); n.Err != nil || n.Gap < time.Second {
		t.Errorf("ended with %v and a gap of %s", n.Err, n.Gap)
	}
}

// TestWhisperIsHeardOverTheVoice tells one leg of a bridge something; the other does not hear it.
func TestWhisperIsHeardOverTheVoice(t *testing.T) {
	d := desk(t, "127.67.6.1", func(c *Config) { c.Tone.Off = true })
	r, _ := recorder(t, d, nil)
	customer, agent := opposite(t, d, "127.67.6.2", dialer.PCMA, nil), opposite(t, d, "127.67.6.3", dialer.PCMA, nil)
	if err := r.Whisper(customer.audio, dialer.ToneDone, nil); err == nil {
		t.Error("a leg that is not bridged took a whisper")
	}
	d.Bridge(customer.audio, agent.audio, nil)
	if err := r.Whisper(customer.audio, "nobody", nil); !errors.Is(err, ErrNoPrompt) {
		t.Errorf("an unknown prompt: %v", err)
	}
	heard := make(chan bool, 2)
	if err := r.Whisper(customer.audio, dialer.ToneDone, func(whole bool) { heard <- whole }); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		agent.talk(50, frame, func(int) []byte { return bytes.Repeat([]byte{silenceA}, frameSamples) })
	})
	both.Go(func() {
		customer.talk(50, frame, func(int) []byte { return bytes.Repeat([]byte{silenceA}, frameSamples) })
	})
	both.Wait()
	if !<-heard {
		t.Error("it was not heard to its end")
	}
	loudest := func(f *far) float64 {
		all, most := joined(f.packets()), -100.0
		for i := 0; i+400 <= len(all); i += 200 {
			most = max(most, level(all[i:i+400], lawA, 880))
		}
		return most
	}
	if to, beside := loudest(customer), loudest(agent); to < -25 || beside > -50 {
		t.Errorf("880 Hz: %.1f dBm0 where it belongs, %.1f at the other", to, beside)
	}
	if err := r.Whisper(customer.audio, dialer.ToneHello, func(whole bool) { heard <- whole }); err != nil {
		t.Fatal(err)
	}
	d.Part(agent.audio, dialer.Silence)
	if <-heard {
		t.Error("cut short, it counts as heard")
	}
}
