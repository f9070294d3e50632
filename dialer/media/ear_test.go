package media

import (
	"bytes"
	"testing"
	"time"

	"pronto/dialer"
)

// copier is an ear that keeps copies.
type copier struct {
	payloads [][]byte
	types    []uint8
	more     chan struct{}
}

func (e *copier) hear(payload []byte, p packet, _ time.Duration) {
	e.payloads = append(e.payloads, bytes.Clone(payload))
	e.types = append(e.types, p.payloadType)
	e.more <- struct{}{}
}

func (e *copier) await(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-e.more:
		case <-time.After(patience):
			t.Fatal("a packet was not heard")
		}
	}
}

// TestEarsHearWhatWasSent bridges legs of two laws: the ear hears the packets as
// they came, before, in and after the bridge, and nothing once it is taken off.
func TestEarsHearWhatWasSent(t *testing.T) {
	d := desk(t, "127.68.1.1", func(c *Config) { c.Tone.Off = true })
	customer := opposite(t, d, "127.68.1.2", dialer.PCMU, nil)
	agent := opposite(t, d, "127.68.1.3", dialer.PCMA, nil)
	e, own := &copier{more: make(chan struct{}, 100)}, customer.audio.(*leg)
	own.ears.add(e)
	say := pattern(0x42, 160)
	customer.say(say(0))
	e.await(t, 1)
	d.Bridge(customer.audio, agent.audio, nil)
	customer.say(say(1))
	e.await(t, 1)
	customer.key(5, 1, 1) // no audio
	customer.say(say(2))
	e.await(t, 1)
	d.Part(agent.audio, dialer.Silence)
	customer.say(say(3))
	e.await(t, 1)
	own.ears.remove(e)
	customer.say(say(4))
	agent.say(say(5))
	customer.more(3)
	if len(e.payloads) != 4 {
		t.Fatalf("%d packets heard, want 4", len(e.payloads))
	}
	for i, got := range e.payloads {
		if !bytes.Equal(got, say(i)) || e.types[i] != uint8(dialer.PCMU) {
			t.Errorf("packet %d heard as %x of type %d", i, got, e.types[i])
		}
	}
}
