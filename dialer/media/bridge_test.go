package media

import (
	"bytes"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
)

func TestStreamRunsOnAcrossBridges(t *testing.T) {
	d := desk(t, "127.20.1.1", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.1.2", dialer.PCMA, nil)
	agent.more(10)
	const n = 25
	for range 3 {
		customer := opposite(t, d, "127.20.1.3", dialer.PCMA, nil)
		customer.more(3)
		heard := make(chan time.Time, 2)
		d.Bridge(customer.audio, agent.audio, func(at time.Time) { heard <- at })
		from := len(agent.packets())
		var talking sync.WaitGroup
		talking.Go(func() { customer.talk(n, frame, pattern(0x10, 160)) })
		agent.talk(n, frame, pattern(0x90, 160))
		talking.Wait()
		last := pattern(0x10, 160)(n - 1)
		agent.await("the customer's last packet", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, last) })
		last = pattern(0x90, 160)(n - 1)
		toCustomer := customer.await("the agent's last packet", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, last) })
		select {
		case <-heard:
		case <-time.After(patience):
			t.Fatal("heard was not called")
		}
		d.Part(agent.audio, dialer.Silence)
		agent.more(5)
		customer.more(3)
		customer.audio.Close()
		if len(heard) != 0 {
			t.Error("heard was called twice")
		}
		checkRelayed(t, agent.packets()[from:], pattern(0x10, 160), n)
		checkRelayed(t, toCustomer, pattern(0x90, 160), n)
		continuous(t, customer.packets())
		wantJoints(t, d, customer.packets(), 3) // bed, bridge, bed
	}
	agent.more(5)
	continuous(t, agent.packets())
	wantJoints(t, d, agent.packets(), 7) // bed, and three times bridge, bed
}

// checkRelayed checks that n packets of a pattern are in all, untouched, one
// after the other, the first with the marker.
func checkRelayed(t *testing.T, all []got, payload func(int) []byte, n int) {
	t.Helper()
	start := -1
	for i, p := range all {
		if bytes.Equal(p.Payload, payload(0)) {
			start = i
			break
		}
	}
	if start < 0 || len(all) < start+n {
		t.Fatalf("of %d packets relayed, %d came from %d", n, len(all), start)
	}
	if !all[start].Marker {
		t.Error("no marker at the joint")
	}
	for i := range n {
		if !bytes.Equal(all[start+i].Payload, payload(i)) {
			t.Fatalf("packet %d was changed", i)
		}
	}
}

func TestToneIsMixedOverTheFirstWord(t *testing.T) {
	d := desk(t, "127.20.2.1", nil)
	agent := opposite(t, d, "127.20.2.2", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.2.3", dialer.PCMA, nil)
	agent.more(3)
	customer.more(3)
	d.Bridge(customer.audio, agent.audio, nil)
	from := len(agent.packets())
	voice := newClip(sine(1000, -10, time.Second)).a
	piece := func(i int) []byte { return voice[i*160 : (i+1)*160] }
	var talking sync.WaitGroup
	defer talking.Wait()
	talking.Go(func() {
		agent.talk(50, frame, func(int) []byte { return bytes.Repeat([]byte{silenceA}, 160) })
	})
	customer.talk(50, frame, piece)
	all := agent.await("a second of voice", func(all []got) bool {
		return len(all) > from && bytes.Equal(all[len(all)-1].Payload, piece(49))
	})
	ear := joined(all[len(all)-50:])
	start := ear[:800] // 100 ms: all of it under the tone, unless the clock played a frame of it first
	if l := level(start, lawA, 2300); l < -20 || l > -13 {
		t.Errorf("the tone is heard at %.1f dBm0, want -16", l)
	}
	if l := level(start, lawA, 1000); math.Abs(l+10) > 1.5 {
		t.Errorf("under the tone the first word is heard at %.1f dBm0, want -10", l)
	}
	if c := correlation(ear[:1200], voice[:1200]); c < 0.8 {
		t.Errorf("the first word correlates %.2f with what was said", c)
	}
	if l := level(ear[1600:], lawA, 2300); l > -45 {
		t.Errorf("the tone goes on, %.1f dBm0 after 200 ms", l)
	}
	if l := level(joined(customer.packets()), lawA, 2300); l > -50 {
		t.Errorf("the customer hears the tone, %.1f dBm0", l)
	}
	continuous(t, all)
}

// correlation is the normalised correlation of two pieces of A-law audio.
func correlation(a, b []byte) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(lawA.linear[a[i]]), float64(lawA.linear[b[i]])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func TestHeardIsTheAgentsOwnAudio(t *testing.T) {
	d := desk(t, "127.20.2.4", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.2.5", dialer.PCMU, nil)
	customer := opposite(t, d, "127.20.2.6", dialer.PCMU, nil)
	heard := make(chan time.Time, 2)
	d.Bridge(customer.audio, agent.audio, func(at time.Time) { heard <- at })
	customer.say(pattern(1, 160)(0))
	agent.await("the customer", func(all []got) bool {
		return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, pattern(1, 160)(0))
	})
	if len(heard) != 0 {
		t.Fatal("heard before the agent has sent anything")
	}
	before := time.Now()
	agent.say(pattern(2, 160)(0))
	select {
	case at := <-heard:
		if at.Before(before) || at.After(time.Now()) {
			t.Errorf("heard at %s", at)
		}
	case <-time.After(patience):
		t.Fatal("heard was not called")
	}
}

func TestNothingFillsABridge(t *testing.T) {
	d := desk(t, "127.20.2.7", func(c *Config) { c.Tone.Off = true })
	clock := opposite(t, d, "127.20.2.8", dialer.PCMA, nil)
	agent := opposite(t, d, "127.20.2.8", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.2.8", dialer.PCMA, nil)
	agent.more(2)
	joined := time.Now()
	d.Bridge(customer.audio, agent.audio, nil)
	clock.more(2) // what was on its way
	before := len(agent.packets()) + len(customer.packets())
	clock.more(10)
	if n := len(agent.packets()) + len(customer.packets()) - before; n != 0 && time.Since(joined) < starving {
		t.Errorf("%d packets in a bridge of two quiet far ends", n)
	}
	customer.say(pattern(1, 480)(0)) // 60 ms
	all := agent.await("the customer", func(all []got) bool { return len(all[len(all)-1].Payload) == 480 })
	if last := all[len(all)-1]; !last.Marker {
		t.Error("no marker at the joint")
	}
	continuous(t, all)
}

// A packet that was read before a switch and is written after it goes nowhere.
func TestOvertakenPacketIsDropped(t *testing.T) {
	d := desk(t, "127.20.2.9", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	next := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	l := agent.audio.(*leg)
	l.mu.Lock()
	old := l.bridge
	l.mu.Unlock()
	d.Bridge(next.audio, agent.audio, nil)
	b := make([]byte, headerLen+frameSamples)
	p := packet{payloadType: 8, from: headerLen, to: len(b)}
	l.relay(b, p, old, d.now())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flow.live {
		t.Error("it was sent to the agent, who talks to another customer")
	}
}

func TestComfortNoiseFillsADeadBridge(t *testing.T) {
	d := desk(t, "127.20.2.9", func(c *Config) { c.Tone.Off = true })
	clock := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	agent := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.2.10", dialer.PCMA, nil)
	agent.more(2)
	d.Bridge(customer.audio, agent.audio, nil)
	clock.more(2) // what was on its way
	before := len(customer.packets())
	clock.more(70) // 1.4 s
	filled := customer.packets()[before:]
	if len(filled) < 5 {
		t.Fatalf("%d packets to the customer of a phone that sends nothing for 1.4 s", len(filled))
	}
	if loud := slices.ContainsFunc(filled[1].Payload, func(b byte) bool { return b != filled[1].Payload[0] }); !loud {
		t.Error("the customer hears digital silence, want comfort noise")
	}
	agent.say(pattern(1, 160)(0))
	patient := time.After(patience)
	for {
		all := customer.packets()
		if last := all[len(all)-1]; last.Marker && len(all) > before+len(filled) {
			continuous(t, all)
			return
		}
		select {
		case <-patient:
			t.Fatal("the agent's voice did not follow the noise with a marker")
		default:
			customer.more(1)
		}
	}
}
