package detect

import "math"

// The tones that are listened for.
const (
	faintestTone = -45.0 // dBm0
	pure         = 0.75  // share of the power
	wander       = 25.0  // Hz that one tone may change from frame to frame
	holes        = 2     // frames in a row that may be missing in it

	lowestBeep, highestBeep = 400.0, 2050.0 // Hz
	shortestBeep            = 6             // frames: 120 ms
	longestBeep             = 100           // frames: 2 s
	beforeBeep              = 40            // frames of speech: 0.8 s
	afterBeep               = 15            // frames of silence: 300 ms
	drop                    = 10.0          // dB that the silence lies below the tone

	// Dial, ringing and busy tones of most countries are 425 Hz: a call that is put on, or over (ITU-T E.180).
	lowestCall, highestCall = 395.0, 465.0

	answerTone, answerWander = 2100.0, 25.0 // Hz, ITU-T V.25
	shortestAnswer           = 50           // frames: 1 s; it lasts 2.6 to 4 s
	callTone, callWander     = 1100.0, 45.0 // Hz, ITU-T T.30
	shortestCall             = 20           // frames: 0.5 s less 15 %, with the edges
	longestCall              = 30
	shortestRest             = 135 // frames: 3 s less 15 %, and some
	longestRest              = 185
)

// tones follows the tones of a call.
type tones struct {
	hz      float64 // of the one that sounds, mean; 0: none
	length  int     // frames
	missing int     // frames in a row without it
	level   float64 // its loudest

	last    beep // that has ended
	since   int  // frames since it ended
	sit     int  // of the three special information tones, how many have been heard
	sitGap  int  // frames since the last of them
	calling int  // frames since a calling tone ended; 0: none was heard
}

// beep is a tone that was heard.
type beep struct {
	hz     float64
	length int
	level  float64
}

// steady reports whether a tone sounds, not just a frame that looks like one.
func (t *tones) steady() bool { return t.length >= 3 }

// miss takes a frame that did not come, after so many frames of speech.
func (t *tones) miss(spoken int) (Reason, bool) {
	t.tick()
	if t.hz == 0 {
		return t.silence(silent, spoken)
	}
	if t.missing++; t.missing > holes {
		return t.end()
	}
	return "", false
}

// tick lets a frame pass for what is waited for.
func (t *tones) tick() {
	t.sitGap++
	if t.calling > 0 {
		t.calling++
	}
}

// take judges a frame: its tone, its level, and how many frames of speech there were before.
func (t *tones) take(x tone, level float64, spoken int) (Reason, bool) {
	t.tick()
	switch same := x.purity >= pure && math.Abs(x.hz-t.hz) <= wander; {
	case t.hz != 0 && same:
		t.length += 1 + t.missing
		t.hz += (x.hz - t.hz) / float64(min(t.length, 20))
		t.missing, t.level = 0, max(t.level, level)
	case t.hz != 0:
		if t.missing++; t.missing > holes {
			if why, found := t.end(); found {
				return why, true
			}
			t.begin(x, level)
		}
	default:
		t.begin(x, level)
	}
	if t.length >= shortestAnswer && math.Abs(t.hz-answerTone) <= answerWander {
		return Fax, true
	}
	return t.silence(level, spoken)
}

// begin takes a frame that may be the first of a tone.
func (t *tones) begin(x tone, level float64) {
	if x.purity >= pure && x.hz >= 300 && x.hz <= 2300 {
		t.hz, t.length, t.missing, t.level = x.hz, 1, 0, level
	}
}

// end takes the end of a tone.
func (t *tones) end() (Reason, bool) {
	was := beep{t.hz, t.length, t.level}
	ago := t.missing
	t.hz, t.length, t.missing = 0, 0, 0
	if was.length < shortestBeep {
		return "", false
	}
	t.last, t.since = was, 0
	if t.special(was, ago) {
		return SIT, true
	}
	if math.Abs(was.hz-callTone) <= callWander && was.length >= shortestCall && was.length <= longestCall {
		rest := t.calling - was.length - ago
		t.calling = 1 + ago
		if rest >= shortestRest && rest <= longestRest {
			return Fax, true
		}
	}
	return "", false
}

// special follows the three special information tones, 950, 1400 and 1800 Hz with 50 Hz to either side, 330 ms each
// with up to 30 ms between them (ITU-T E.180 section 4); networks in North America have 274 and 380 ms and some
// frequencies lower or higher by up to 40 Hz.
func (t *tones) special(x beep, ago int) bool {
	want := [3]float64{950, 1400, 1800}
	fits := func(i int) bool { return math.Abs(x.hz-want[i]) <= 60 && x.length >= 11 && x.length <= 23 }
	if t.sit > 0 && t.sitGap-x.length-ago > 6 { // too long ago
		t.sit = 0
	}
	switch {
	case fits(t.sit):
		t.sit++
	case fits(0):
		t.sit = 1
	default:
		t.sit = 0
	}
	t.sitGap = ago
	return t.sit == len(want)
}

// silence looks whether a tone that has ended was a beep: speech before it and silence after it.
func (t *tones) silence(level float64, spoken int) (Reason, bool) {
	b := t.last
	if b.length == 0 || t.hz != 0 && t.length > 1 {
		return "", false
	}
	if level > b.level-drop {
		if t.since > 1 { // the edge of the tone may still sound
			t.last = beep{}
		}
		t.since++
		return "", false
	}
	if t.since++; t.since < afterBeep {
		return "", false
	}
	t.last = beep{}
	fits := b.length <= longestBeep && b.hz >= lowestBeep && b.hz <= highestBeep && spoken >= beforeBeep &&
		(b.hz < lowestCall || b.hz > highestCall)
	if fits {
		return Beep, true
	}
	return "", false
}
