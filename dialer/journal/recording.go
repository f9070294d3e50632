package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The steps of a Recording record, in its Outcome.
const (
	RecordingAnnounced = "announced" // the person was told that the call is recorded
	RecordingBegan     = "began"
	RecordingPaused    = "paused"
	RecordingResumed   = "resumed"
	RecordingGap       = "gap"       // the disk was too slow: sound is missing
	RecordingObjected  = "objected"  // the person does not want it
	RecordingEnded     = "ended"     // the file is on disk
	RecordingFailed    = "failed"    // none was begun, or it cannot go on; Reason
	RecordingDestroyed = "destroyed" // after an objection
	RecordingExported  = "exported"  // given out in clear
	RecordingRemoved   = "removed"   // its time was over, or the person was erased; Reason
)

// RecordingDetail is the Detail of Recording.
type RecordingDetail struct {
	File        string    `json:"file,omitempty"`   // in the recordings' folder; from began on
	Prompt      string    `json:"prompt,omitempty"` // that was played; announced
	Law         string    `json:"law,omitempty"`    // pcma or pcmu; began
	Until       time.Time `json:"until,omitzero"`   // how long it is kept; began, ended
	SHA256      string    `json:"sha256,omitempty"` // of the file; ended
	Bytes       int64     `json:"bytes,omitempty"`  // ended, removed
	LengthMS    float64   `json:"length_ms,omitempty"`
	GapMS       float64   `json:"gap_ms,omitempty"`      // sound that is missing because the disk was too slow; gap, ended
	Interrupted bool      `json:"interrupted,omitempty"` // the service died; what was there is kept; ended
	Via         string    `json:"via,omitempty"`         // dtmf, cli; what an agent did
	Who         string    `json:"who,omitempty"`         // user of the operating system
	Why         string    `json:"why,omitempty"`         // exported
	Node        string    `json:"node,omitempty"`        // that made it, where that is not the journal's; exported
	Text        string    `json:"text,omitempty"`        // what is wrong; failed, ended
}

// ErrErased says that the key of what is sealed was destroyed.
var ErrErased = errors.New("the key was destroyed")

// Sealed is a secret under a subject's key: Erase makes it unreadable.
type Sealed struct {
	Node    string // whose key file holds the key
	Subject string // pseudonym
	Box     string
}

// Seal seals a secret that is kept outside the journal under the key of a number, bound to a context without
// which it does not open. The key is on disk on return. A person without a number can have any other name.
func (j *Journal) Seal(ctx context.Context, number string, clear, bound []byte) (Sealed, error) {
	if err := j.enter(ctx); err != nil {
		return Sealed{}, err
	}
	if j.failed != nil {
		defer j.mu.Unlock()
		return Sealed{}, j.failed
	}
	id := j.secret.subject(number)
	j.stamp(time.Time{})
	g := j.current(j.last.Format(time.DateOnly))
	text, err := seal(j.key(g, id), clear, bound)
	j.mu.Unlock()
	if err != nil {
		return Sealed{}, fmt.Errorf("journal: seal: %w", err)
	}
	j.nudge()
	return Sealed{Node: j.opt.Node, Subject: id.String(), Box: text}, g.wait(ctx)
}

// Unseal gives a secret back that Seal sealed with the same context, from the journal's folder. The error is
// ErrErased when its key was destroyed.
func Unseal(dir string, s Sealed, bound []byte) ([]byte, error) {
	if err := checkNode(s.Node); err != nil {
		return nil, err
	}
	keys := &slots{name: keyPath(dir, s.Node+subjectsExt)}
	defer keys.close()
	at, boxed, err := keys.find(s.Subject, s.Box)
	if err != nil {
		return nil, fmt.Errorf("journal: unseal: %w", err)
	}
	clear, err := unbox(at.key, boxed, bound)
	if err != nil {
		return nil, fmt.Errorf("journal: unseal: %w", err)
	}
	return clear, nil
}

// SubjectOf is the pseudonym of a number in a journal's folder.
func SubjectOf(dir, number string) (string, error) {
	k, err := readSecret(dir)
	if err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	return k.subject(number).String(), nil
}
