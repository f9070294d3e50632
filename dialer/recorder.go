package dialer

import (
	"context"
	"time"

	"pronto/dialer/recording"
)

// Recorder records what is said in bridged calls. Implemented by dialer/media.
type Recorder interface {
	// Record begins to record both legs, which are bridged, and returns at once. What becomes of it is told to
	// Take.Tell. It never delays the audio. What recordings leave free of the disk is for Take.Required alone.
	Record(customer, agent Audio, t Take) Recording
	// Room says why no recording can begin now; nil: one can.
	Room() error
	// Whisper mixes a prompt over what a bridged leg hears. done, when not nil, is called once, from another
	// goroutine: whole says that it was sent to its end before the bridge was undone. An unknown prompt is an error.
	Whisper(leg Audio, prompt string, done func(whole bool)) error
}

// RecordingsLive is how the recordings' folder and its disk stand.
type RecordingsLive struct {
	recording.Stock
	Counted   bool   // Stock is known; it may be a minute old
	Left      uint64 // bytes of the disk that recordings may take still
	LeftKnown bool
	Failing   error // why no recording can begin now; nil: one can
}

// Take is what a recording is to be.
type Take struct {
	Header recording.Header // without Law and the sealed key
	// Required says that the call, which has been dialed, must be recorded.
	Required bool
	// Seal seals the file's key under the person's and fills that into the header.
	Seal func(ctx context.Context, h *recording.Header, key recording.Key) error
	// Tell is told in order, each time from a goroutine that may wait, what becomes of the recording. When it returns without an
	// error from TakeEnded, the file gets its name.
	Tell func(TakeNews) error
}

// TakeStep is what became of a recording.
type TakeStep uint8

// The steps. A take begins or fails; one that has begun ends. Both may be followed by TakeDestroyed.
const (
	TakeBegan TakeStep = 1 + iota
	TakeFailed
	TakeGap // the first time that the disk is too slow
	TakeEnded
	TakeDestroyed
)

// TakeNews is a step of a recording.
type TakeNews struct {
	Step   TakeStep
	Header recording.Header
	Sum    recording.Sum // ended
	Gap    time.Duration // sound that is missing because the disk was too slow; gap, ended
	Err    error         // failed; ended: it could not go on
}

// Recording is a recording in progress, or one that has ended. All methods return
// at once and may be called from any goroutine, in any order and more than once.
type Recording interface {
	Pause()   // what is said is not recorded
	Resume()  // it is again
	Stop()    // the recording ends
	Destroy() // and is destroyed, also when it had ended
}
