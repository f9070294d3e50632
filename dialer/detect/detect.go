// Package detect tells by its sound whether a person or a machine has answered.
//
// It is pure: time is in the samples, the same samples give the same finding, and nothing is allocated after New. A Detector
// takes the sound of the far end as it comes and says at most once what it has found:
//
//   - a greeting: somebody talks on for longer than a person does who was just called, without a pause, and nobody of
//     ours talks meanwhile (what comes while the agent talks may be their echo);
//   - a beep: one steady tone after speech, and silence after it;
//   - the special information tones of ITU-T E.180 (three rising tones before a network's announcement);
//   - a fax: the answer tone of ITU-T T.30 and V.25 (2100 Hz), or its calling tone (1100 Hz, half a second every three);
//   - a person: short turns with pauses between them.
//
// It is made for calls that are put through before it has found anything: it can wait until it is sure.
package detect

import "time"

// Rate is the sampling rate, in samples per second.
const Rate = 8000

// Frame is how many samples are judged together: 20 ms.
const Frame = 160

// Verdict is who has answered.
type Verdict string

// The verdicts.
const (
	Human   Verdict = "human"
	Machine Verdict = "machine"
	Unsure  Verdict = "unsure"
)

// Reason is what a verdict rests on.
type Reason string

// The reasons.
const (
	Greeting Reason = "greeting" // machine: talked on without a pause
	Beep     Reason = "beep"     // machine: a tone after speech, silence after it
	SIT      Reason = "sit"      // machine: special information tones, an announcement of the network follows
	Fax      Reason = "fax"      // machine: a fax's tones
	Turns    Reason = "turns"    // human: short turns with pauses between them
	Short    Reason = "short"    // human: said little, up to the end of listening
	Quiet    Reason = "quiet"    // unsure: nothing was said
	Ended    Reason = "ended"    // unsure: what was heard until the end fits either
)

// Finding is what a Detector has found.
type Finding struct {
	Verdict Verdict
	Reason  Reason
	After   time.Duration // of sound, from the first sample on
}

// Settings are how sure a Detector must be. Zero fields get the value of Defaults.
type Settings struct {
	Greeting time.Duration // speech of this length without a pause is a machine's
	Pause    time.Duration // silence that ends a turn
	Limit    time.Duration // of listening; then Finish says what there is
}

// Defaults were chosen on one set of voices and judged on another; docs/benchmarks.md has the figures.
func Defaults() Settings {
	return Settings{Greeting: 7 * time.Second, Pause: 800 * time.Millisecond, Limit: 30 * time.Second}
}

const frameTime = Frame * time.Second / Rate

// frames is a time in frames, rounded up.
func frames(d time.Duration) int { return int((d + frameTime - 1) / frameTime) }

// The shares of a talk that make it one.
const (
	shortTurn = 150 * time.Millisecond // what is shorter is a noise
	longTurn  = 4 * time.Second        // a person's turn is no longer
	manyTurns = 3                      // so many are a talk
	lostMost  = 10                     // more frames missing in a row than these are silence

	// A machine's greeting begins soon, with at most one stop in it. What a person has to say comes later.
	soon      = 4 * time.Second
	oneStop   = 1
	halfVoice = 0.4 // share of speech in a greeting; the rest are short pauses
)

// Detector listens to one call. Make one with New.
type Detector struct {
	greeting, pause, limit int // in frames

	buf    [Frame]int16
	n      int  // samples in buf
	near   bool // somebody of ours talks in this frame
	at     int  // frames heard
	lost   int  // frames missing in a row
	voice  Voice
	tones  tones
	run    run
	spoken int // frames of speech so far
	turns  int
	yields bool // fell silent while we talked, as who listens does
	done   bool
}

// run is a stretch of speech with short pauses.
type run struct {
	begun  int // frame at which it began; 0: none
	echo   int // frames in a row that may be echo
	length int // frames from its begin, without those that may be echo
	voiced int // frames of speech in it
	solid  int // length up to the last speech
	quiet  int // frames since then
	over   int // of them, those in which we talked
}

// New makes a detector.
func New(s Settings) *Detector {
	def := Defaults()
	for _, x := range []struct{ own, otherwise *time.Duration }{
		{&s.Greeting, &def.Greeting}, {&s.Pause, &def.Pause}, {&s.Limit, &def.Limit},
	} {
		if *x.own <= 0 {
			*x.own = *x.otherwise
		}
	}
	return &Detector{greeting: frames(s.Greeting), pause: frames(s.Pause), limit: frames(s.Limit), voice: NewVoice()}
}

// Write takes sound of the far end, 16-bit linear. near says that somebody of ours talks meanwhile. The finding is
// valid when it reports true, which it does once; after that it takes nothing more.
func (d *Detector) Write(samples []int16, near bool) (Finding, bool) {
	for len(samples) > 0 && !d.done {
		d.near = d.near || near
		c := copy(d.buf[d.n:], samples)
		samples, d.n = samples[c:], d.n+c
		if d.n < Frame {
			break
		}
		f, found := d.frame()
		d.n, d.near = 0, false
		if found {
			return f, true
		}
	}
	return Finding{}, false
}

// Skip says that so many samples did not come: they were lost, or the far end sends none while it is silent.
func (d *Detector) Skip(samples int) (Finding, bool) {
	if samples <= 0 || d.done {
		return Finding{}, false
	}
	d.n = 0 // what was begun is not whole
	for range min((samples+Frame-1)/Frame, d.limit+1) {
		d.at++
		d.lost++
		if why, found := d.tones.miss(d.spoken); found {
			return d.found(Machine, why), true
		}
		if d.lost > lostMost {
			if f, found := d.hush(); found {
				return f, true
			}
		}
		if f, found := d.late(); found {
			return f, true
		}
	}
	return Finding{}, false
}

// Finish is what there is to say when listening ends without a finding.
func (d *Detector) Finish() Finding {
	switch {
	case d.spoken == 0:
		return d.found(Unsure, Quiet)
	case d.turns > 0 && d.run.solid < frames(longTurn) || d.run.solid < frames(longTurn)/2:
		return d.found(Human, Short)
	default:
		return d.found(Unsure, Ended)
	}
}

func (d *Detector) found(v Verdict, why Reason) Finding {
	d.done = true
	return Finding{Verdict: v, Reason: why, After: time.Duration(d.at) * frameTime}
}

// late ends the listening at its limit.
func (d *Detector) late() (Finding, bool) {
	if d.at < d.limit {
		return Finding{}, false
	}
	return d.Finish(), true
}

// frame judges 20 ms of sound.
func (d *Detector) frame() (Finding, bool) {
	d.at++
	d.lost = 0
	level := Level(d.buf[:])
	t := measure(d.buf[:], level)
	if why, found := d.tones.take(t, level, d.spoken); found {
		return d.found(Machine, why), true
	}
	talks := d.voice.Take(level)
	if d.tones.steady() { // a tone is no speech
		talks = false
	}
	if talks {
		if d.talk() {
			return d.found(Machine, Greeting), true
		}
	} else if f, found := d.hush(); found {
		return f, true
	}
	return d.late()
}

// talk takes a frame of speech and reports whether it makes the run a machine's greeting. What comes while we talk
// ourselves may be our echo: it counts for nothing, and for as long as a pause it ends the run.
func (d *Detector) talk() bool {
	if d.near {
		if d.run.echo++; d.run.echo >= d.pause {
			d.run = run{}
		}
		return false
	}
	if d.run.begun == 0 {
		d.run.begun = d.at
	}
	d.spoken++
	d.run.length++
	d.run.voiced++
	d.run.solid, d.run.quiet, d.run.over, d.run.echo = d.run.length, 0, 0, 0
	return d.run.solid >= d.greeting && !d.yields && d.turns <= oneStop && d.run.begun <= frames(soon) &&
		float64(d.run.voiced) >= halfVoice*float64(d.run.solid)
}

// hush takes a frame without speech.
func (d *Detector) hush() (Finding, bool) {
	if d.run.begun == 0 {
		return Finding{}, false
	}
	d.run.length++
	d.run.quiet++
	if d.near {
		d.run.over++
	}
	if d.run.quiet < d.pause {
		return Finding{}, false
	}
	if d.run.solid >= frames(shortTurn) && d.run.solid < frames(longTurn) {
		d.turns++
	}
	d.yields = d.yields || 2*d.run.over >= d.pause
	d.run = run{}
	if d.turns >= manyTurns {
		return d.found(Human, Turns), true
	}
	return Finding{}, false
}
