package detect

import "math"

// overload is the level of a sine that reaches full scale, in dBm0 (ITU-T G.711 section 3).
const overload = 3.17

// silent is the level of digital silence, in dBm0.
const silent = -90

// Level is the level of a sound in dBm0, without its constant part.
func Level(samples []int16) float64 {
	if len(samples) == 0 {
		return silent
	}
	var sum, power float64
	for _, v := range samples {
		x := float64(v)
		sum += x
		power += x * x
	}
	n := float64(len(samples))
	power = power/n - sum/n*sum/n
	if power < 1 {
		return silent
	}
	return max(silent, 10*math.Log10(power/(math.MaxInt16*math.MaxInt16/2))+overload)
}

// Voice tells speech from what is behind it, frame by frame. Make one with NewVoice.
type Voice struct {
	before float64         // level of the frame before
	floor  [blocks]float64 // lowest level of each of the last blocks
	block  int             // which is being filled
	filled int             // frames in it
	top    float64         // level of the loudest speech, sinking
	recent uint8           // which of the last frames were loud, one bit each
}

// What is behind the speech is the lowest level of the last two seconds: even who talks on without a pause is
// nearly silent for some moment in them. Speech is 7 dB above it, is heard at all, and is not far below the
// loudest that was heard, as a television or other people in the room are.
const (
	blocks    = 10
	blockLen  = 10   // frames
	above     = 9    // dB over the floor
	faintest  = -55  // dBm0
	below     = 20   // dB under the loudest
	sinking   = 0.04 // dB per frame: 2 dB per second
	confirmed = 3    // of the last five frames
	lastFive  = 0b11111
)

// NewVoice makes one that has heard nothing.
func NewVoice() Voice {
	v := Voice{before: silent, top: silent}
	for i := range v.floor {
		v.floor[i] = math.Inf(1)
	}
	return v
}

// Take judges the next frame by its level in dBm0: whether somebody talks.
func (v *Voice) Take(level float64) bool {
	both := max(level, v.before) // the lower of a pair is often the edge of a word
	v.before = level
	v.floor[v.block] = min(v.floor[v.block], both)
	if v.filled++; v.filled == blockLen {
		v.block, v.filled = (v.block+1)%blocks, 0
		v.floor[v.block] = math.Inf(1)
	}
	lowest := level
	for _, f := range v.floor {
		lowest = min(lowest, f)
	}
	loud := level >= max(lowest+above, faintest, v.top-below)
	v.top -= sinking
	if loud {
		v.top = max(v.top, level)
	}
	v.recent = v.recent << 1 & lastFive
	if loud {
		v.recent |= 1
	}
	n := 0
	for b := v.recent; b != 0; b &= b - 1 {
		n++
	}
	return n >= confirmed
}
