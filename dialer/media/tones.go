package media

import (
	"time"

	"pronto/dialer"
)

// note is a tone of a built-in sound, and the silence after it.
type note struct {
	hz     float64
	length time.Duration
	pause  time.Duration
}

// The built-in sounds, at toneLevel: three rising notes, twice, say that somebody
// is here; two rising ones that it is done; two falling ones that it cannot be done.
const toneLevel = -16

// What an agent hears that is told something about the call: two short notes.
const (
	newsHz     = 1000
	newsLength = 120 * time.Millisecond
)

func sounds() map[string][]note {
	const short, long, rest = 150 * time.Millisecond, 300 * time.Millisecond, 80 * time.Millisecond
	return map[string][]note{
		dialer.ToneHello: {{523, short, rest}, {659, short, rest}, {784, long, 600 * time.Millisecond}, {523, short, rest}, {659, short, rest}, {784, long, 0}},
		dialer.ToneDone:  {{659, short, rest}, {880, long, 200 * time.Millisecond}},
		dialer.ToneSorry: {{440, long, rest}, {330, long, 200 * time.Millisecond}},
	}
}

// loadTones makes the built-in sounds into prompts.
func (d *Desk) loadTones() {
	for name, notes := range sounds() {
		var samples []int16
		for _, n := range notes {
			samples = append(samples, sine(n.hz, toneLevel, n.length)...)
			samples = append(samples, make([]int16, n.pause/perSample)...)
		}
		d.prompts[name] = newClip(samples)
	}
}
