package audio

import (
	"slices"
	"time"

	"pronto/dialer/sandbox/tones"
)

// What was heard in an interval.
type What uint8

// The kinds of intervals.
const (
	AVoice  What = iota // a party's tone pair
	ANoise              // sound without a voice
	AnAlert             // a further sound over a voice
)

// Interval is a stretch of hearing one thing without a gap over Gap.
type Interval struct {
	What  What
	Voice tones.Voice // of AVoice
	Since time.Time
	Until time.Time // the last frame's end; zero while it goes on
	Level float64   // the loudest frame, dB below full scale
}

const (
	// Gap ends an interval when nothing of it was heard for so long.
	Gap = 300 * time.Millisecond
	// confirm is how many frames make an interval: fewer are a joint between two
	// streams, not a party.
	confirm = 3

	frameTime = tones.FrameSamples * time.Second / tones.Rate
)

// intervals turns hearings into intervals. It reports each twice: once it is
// certain, with Until zero, and when it is over.
type intervals struct {
	report func(Interval)
	open   []stretch
	total  time.Duration // of frames with any sound
}

type stretch struct {
	Interval
	frames int
	last   time.Time
}

// hear takes in one frame that arrived at at.
func (v *intervals) hear(at time.Time, h tones.Hearing) {
	v.sweep(at)
	if h.Silent {
		return
	}
	v.total += frameTime
	if len(h.Voices) == 0 {
		v.extend(at, Interval{What: ANoise}, h.Level)
	}
	for _, voice := range h.Voices {
		v.extend(at, Interval{What: AVoice, Voice: voice}, h.Level)
	}
	if h.Extra {
		v.extend(at, Interval{What: AnAlert}, h.Level)
	}
}

func (v *intervals) extend(at time.Time, what Interval, level float64) {
	i := slices.IndexFunc(v.open, func(s stretch) bool { return s.What == what.What && s.Voice == what.Voice })
	if i < 0 {
		i = len(v.open)
		what.Since, what.Level = at, level
		v.open = append(v.open, stretch{Interval: what})
	}
	s := &v.open[i]
	s.frames++
	s.last = at
	s.Level = max(s.Level, level)
	if s.frames == confirm {
		v.report(s.Interval)
	}
}

// sweep ends the intervals of which nothing was heard for Gap.
func (v *intervals) sweep(now time.Time) {
	v.open = slices.DeleteFunc(v.open, func(s stretch) bool {
		if now.Sub(s.last) <= Gap {
			return false
		}
		v.over(s)
		return true
	})
}

// close ends all intervals.
func (v *intervals) close() {
	for _, s := range v.open {
		v.over(s)
	}
	v.open = nil
}

func (v *intervals) over(s stretch) {
	if s.frames >= confirm {
		s.Until = s.last.Add(frameTime)
		v.report(s.Interval)
	}
}
