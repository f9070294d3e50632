package media

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/pion/rtp"

	"pronto/dialer"
	"pronto/dialer/detect"
)

// spoken is the sound of a µ-law WAV of the detector's, in a codec.
func spoken(t *testing.T, name string, codec dialer.Codec) []byte {
	t.Helper()
	raw, err := os.ReadFile("../detect/testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	x := raw[bytes.Index(raw, []byte("data"))+8:]
	if codec == dialer.PCMA {
		convert(x, lawU)
	}
	return x
}

// rush sends sound in packets of so many samples faster than it would be spoken.
func (f *far) rush(x []byte, samples int) {
	f.t.Helper()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for ; len(x) >= samples; x = x[samples:] {
		f.say(x[:samples])
		<-tick.C
	}
}

// found waits for a finding.
func found(t *testing.T, c chan detect.Finding) detect.Finding {
	t.Helper()
	select {
	case f := <-c:
		return f
	case <-time.After(patience):
		t.Fatal("nothing was found")
		return detect.Finding{}
	}
}

func TestListenFindsAGreeting(t *testing.T) {
	for name, c := range map[string]struct {
		codec   dialer.Codec
		samples int
		bridged bool
	}{
		"A-law":             {dialer.PCMA, 160, false},
		"µ-law":             {dialer.PCMU, 160, false},
		"packets of 30 ms":  {dialer.PCMA, 240, false},
		"packets of 10 ms":  {dialer.PCMA, 80, false},
		"bridged":           {dialer.PCMA, 160, true},
		"bridged, two laws": {dialer.PCMU, 160, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := desk(t, "127.68.2.1", nil)
			customer := opposite(t, d, "127.68.2.2", c.codec, nil)
			if c.bridged {
				agent := opposite(t, d, "127.68.2.3", dialer.PCMA, nil)
				d.Bridge(customer.audio, agent.audio, nil)
			}
			findings := make(chan detect.Finding, 2)
			d.Listen(customer.audio, func(f detect.Finding) { findings <- f })
			d.Listen(customer.audio, func(detect.Finding) { t.Error("a second listener found something") })
			customer.rush(spoken(t, "greeting-it", c.codec), c.samples)
			if f := found(t, findings); f.Verdict != detect.Machine || f.Reason != detect.Greeting || f.After > 8*time.Second {
				t.Errorf("found %+v", f)
			}
			if len(findings) > 0 {
				t.Error("found twice")
			}
		})
	}
}

// TestOwnVoiceIsNoGreeting plays the agent's voice to both sides, as echo that is no weaker than it.
func TestOwnVoiceIsNoGreeting(t *testing.T) {
	d := desk(t, "127.68.3.1", nil)
	customer, agent := opposite(t, d, "127.68.3.2", dialer.PCMA, nil), opposite(t, d, "127.68.3.3", dialer.PCMA, nil)
	findings := make(chan detect.Finding, 1)
	d.Listen(customer.audio, func(f detect.Finding) { findings <- f })
	d.Bridge(customer.audio, agent.audio, nil)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	voice := spoken(t, "greeting-it", dialer.PCMA)
	for ; len(voice) >= 160; voice = voice[160:] {
		agent.say(voice[:160])
		customer.say(voice[:160])
		<-tick.C
	}
	select {
	case f := <-findings:
		t.Errorf("found %+v in an echo", f)
	default:
	}
}

// TestListenSurvivesStrangeStamps: another source, late packets, gaps, what came twice.
func TestListenSurvivesStrangeStamps(t *testing.T) {
	d := desk(t, "127.68.4.1", nil)
	customer := opposite(t, d, "127.68.4.2", dialer.PCMA, nil)
	findings := make(chan detect.Finding, 1)
	d.Listen(customer.audio, func(f detect.Finding) { findings <- f })
	voice := spoken(t, "greeting-it", dialer.PCMA)
	stamp := func(to uint32) {
		customer.put(rtp.Packet{Header: rtp.Header{PayloadType: uint8(dialer.PCMA), Timestamp: to}, Payload: voice[:160]})
	}
	stamp(0)
	stamp(1 << 31)
	stamp(0)
	customer.stamp = 160
	customer.rush(voice[:8000], 160)
	stamp(customer.stamp - 320) // late
	stamp(customer.stamp - 160) // twice
	customer.rush(voice[8000:], 160)
	if f := found(t, findings); f.Verdict != detect.Machine {
		t.Errorf("found %+v", f)
	}
}

// TestClosedLegFindsNothing although the greeting was nearly long enough.
func TestClosedLegFindsNothing(t *testing.T) {
	d := desk(t, "127.68.5.1", nil)
	customer := opposite(t, d, "127.68.5.2", dialer.PCMA, nil)
	d.Listen(customer.audio, func(f detect.Finding) { t.Errorf("found %+v", f) })
	customer.rush(spoken(t, "greeting-it", dialer.PCMA)[:3*rate], 160)
	customer.audio.Close()
	d.Listen(customer.audio, func(detect.Finding) { t.Error("found on a closed leg") })
}

// TestSignalIsHeardByTheAgentAlone while the customer talks.
func TestSignalIsHeardByTheAgentAlone(t *testing.T) {
	d := desk(t, "127.68.6.1", func(c *Config) { c.Tone.Off = true })
	customer, agent := opposite(t, d, "127.68.6.2", dialer.PCMA, nil), opposite(t, d, "127.68.6.3", dialer.PCMA, nil)
	d.Signal(agent.audio) // not bridged: nothing
	d.Bridge(customer.audio, agent.audio, nil)
	still := bytes.Repeat([]byte{lawA.silence}, 160)
	customer.say(still)
	agent.say(still)
	agent.await("silence", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, still) })
	d.Signal(agent.audio)
	from, fromCustomer := len(agent.packets()), len(customer.packets())
	for range 30 {
		customer.say(still)
		agent.say(still)
		agent.more(1)
	}
	if n := loud(agent.packets()[from:]); n < 8 || n > 14 { // two notes of 120 ms
		t.Errorf("%d packets with the tone, want 12", n)
	}
	if n := loud(customer.packets()[fromCustomer:]); n > 0 {
		t.Errorf("the customer heard %d packets of it", n)
	}
}

// loud counts the packets that are louder than silence and comfort noise.
func loud(packets []got) (n int) {
	for _, p := range packets {
		var x [frameSamples]int16
		for i, c := range p.Payload {
			x[i%frameSamples] = lawA.linear[c]
		}
		if detect.Level(x[:]) > -25 {
			n++
		}
	}
	return n
}
