package report

import (
	"fmt"
	"time"

	"pronto/dialer/journal"
)

// recorded says a record about a call's recording in plain English.
func recorded(r journal.Record, d journal.RecordingDetail) string {
	who := by(d.Who)
	if d.Via == "dtmf" {
		who = " by a key"
	}
	switch r.Outcome {
	case journal.RecordingAnnounced:
		return "The person was told that the call is recorded" + phrase(": prompt ", d.Prompt) + "."
	case journal.RecordingBegan:
		return fmt.Sprintf("The recording %s began, with %s; kept until %s.", d.File, agent("agent", r), instant(d.Until))
	case journal.RecordingPaused:
		return "The recording was paused" + who + "."
	case journal.RecordingResumed:
		return "The recording went on" + who + "."
	case journal.RecordingGap:
		return "The disk was too slow: some of the recording is missing."
	case journal.RecordingObjected:
		return "The person objected to the recording, entered" + who + "."
	case journal.RecordingEnded:
		return recordingEnded(d)
	case journal.RecordingFailed:
		return "The call was not recorded: " + d.Text + "."
	case journal.RecordingDestroyed:
		return "The recording " + d.File + " was destroyed."
	case journal.RecordingExported:
		return "The recording " + d.File + phrase(" of node ", d.Node) + " was given out" + by(d.Who) + phrase(": ", d.Why) + "."
	case journal.RecordingRemoved:
		return "The recording " + d.File + " was removed" + by(d.Who) + phrase(": ", words(r.Reason)) + "."
	default:
		return "The recording: " + words(r.Outcome) + "."
	}
}

func recordingEnded(d journal.RecordingDetail) string {
	s := fmt.Sprintf("The recording %s ended: %s, %d bytes, SHA-256 %s", d.File, (time.Duration(d.LengthMS) * time.Millisecond).Round(100*time.Millisecond), d.Bytes, d.SHA256)
	if d.Interrupted {
		s += "; the service died during it"
	}
	if d.GapMS > 0 {
		s += fmt.Sprintf("; %.1f s are missing because the disk was too slow", d.GapMS/1000)
	}
	return s + phrase("; it could not go on: ", d.Text) + "."
}
