package dialer

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pronto/dialer/detect"
)

// fakePhones are phones that answer at once.
type fakePhones struct {
	mu       sync.Mutex
	legs     map[string]*fakeLeg
	audio    map[string]*fakeAudio
	ears     map[string]Audio // as the calls have them
	gone     map[string]bool
	deaf     map[string]bool   // calls ring on until they are given up
	busy     map[string]bool   // calls are refused
	at       map[string]string // where a phone has registered; empty: 192.0.2.1:5060
	rung     map[string][]time.Time
	restored []Binding
	changes  chan string
}

func (f *fakePhones) Call(ctx context.Context, agent string, a Audio) (Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rung == nil {
		f.rung = map[string][]time.Time{}
	}
	f.rung[agent] = append(f.rung[agent], time.Now())
	if f.deaf[agent] {
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return nil, ctx.Err()
	}
	if f.gone[agent] || f.busy[agent] {
		return nil, errors.New("gone")
	}
	f.legs[agent], f.audio[agent], f.ears[agent] = newFakeLeg("phone-"+agent), a.(ear).Audio.(*fakeAudio), a
	return f.legs[agent], nil
}

// hold has a phone put its call on hold, or take it off.
func (f *fakePhones) hold(agent string, on bool) {
	f.mu.Lock()
	a := f.ears[agent]
	f.mu.Unlock()
	a.Connect(Remote{SendOnly: on})
}

func (f *fakePhones) Registered(agent string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.gone[agent]
}

func (f *fakePhones) Changes() <-chan string { return f.changes }

func (f *fakePhones) Binding(agent string) (Binding, bool) {
	f.mu.Lock()
	at := cmp.Or(f.at[agent], "192.0.2.1:5060")
	f.mu.Unlock()
	return Binding{Agent: agent, Source: at}, f.Registered(agent)
}

func (f *fakePhones) Restore(known []Binding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restored = known
}

// dark has a phone send nothing any more; answers says whether it still answers OPTIONS.
func (f *fakePhones) dark(agent string, answers bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audio[agent].silence()
	f.legs[agent].dead.Store(!answers)
	if !answers {
		f.setGone(agent)
	}
}

// vanish takes a phone away for good.
func (f *fakePhones) vanish(agent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setGone(agent)
	f.legs[agent].end(End{ByFar: true})
}

func (f *fakePhones) setGone(agent string) {
	if f.gone == nil {
		f.gone = map[string]bool{}
	}
	f.gone[agent] = true
}

// fakeDesk joins nothing but notes who was joined.
type fakeDesk struct {
	mu      sync.Mutex
	bridges int
	plays   int
	played  []string // prompts to people who rang back
	onDigit map[Audio]func(byte)

	sounds    *detect.Finding // what every call sounds like, after its After; nil: like nothing
	listening map[Audio]func(detect.Finding)
	signals   int
	born      func(*fakeAudio) // told of each one that is opened
}

// fakeAudio is heard all the time until it is mute.
type fakeAudio struct {
	id   int
	mute atomic.Pointer[time.Time]
}

// silence has the far end send nothing from now on.
func (a *fakeAudio) silence() {
	now := time.Now()
	a.mute.Store(&now)
}

func (*fakeAudio) Local() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:20000") }

func (*fakeAudio) Connect(Remote) {}

func (a *fakeAudio) LastHeard() time.Time {
	if at := a.mute.Load(); at != nil {
		return *at
	}
	return time.Now()
}

func (*fakeAudio) Close() {}

func (d *fakeDesk) Open(onDigit func(byte)) (Audio, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.onDigit == nil {
		d.onDigit = map[Audio]func(byte){}
	}
	a := &fakeAudio{id: len(d.onDigit)}
	if d.born != nil {
		d.born(a)
	}
	d.onDigit[a] = onDigit
	return a, nil
}

func (d *fakeDesk) Bridge(_, _ Audio, heard func(time.Time)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bridges++
	at := time.Now()
	if heard != nil {
		go heard(at)
	}
}

func (d *fakeDesk) Part(Audio, Bed) {}

func (d *fakeDesk) Listen(a Audio, found func(detect.Finding)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listening == nil {
		d.listening = map[Audio]func(detect.Finding){}
	}
	d.listening[a] = found
	if d.sounds != nil {
		time.AfterFunc(d.sounds.After, func() { found(*d.sounds) })
	}
}

func (d *fakeDesk) Signal(Audio) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signals++
}

func (d *fakeDesk) HasPrompt(name string) bool {
	return name == "message.wav" || strings.HasPrefix(name, "tone-") || name == "who-we-are"
}

func (d *fakeDesk) Play(_ Audio, prompt string, done func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plays++
	d.played = append(d.played, prompt)
	time.AfterFunc(5*time.Second, done)
	return nil
}
