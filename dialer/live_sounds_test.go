package dialer

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// hears plays what is done about a machine that answers the next call.
func hears(is func(journal.DetectedDetail) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		v.nextCall()
		v.within(5*time.Second, "the machine is taken as the new file says", func() bool {
			return slices.ContainsFunc(v.since(journal.Detected), func(r journal.Record) bool { return is(detail[journal.DetectedDetail](v.t, r)) })
		})
	}
}

// machines has every call sound like one after a second.
func machines(r *rig) { r.desk.sounds = greeting(time.Second) }

// tapes plays that a call is recorded in the new way.
func tapes(is func(*fakeRecorder) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		v.nextCall()
		v.within(5*time.Second, "the next call is recorded as the new file says", func() bool {
			v.tapes.mu.Lock()
			defer v.tapes.mu.Unlock()
			return is(v.tapes)
		})
	}
}

// tapeKeys plays what an agent's key 7 does to the recording of the next call.
func tapeKeys(step string) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		v.nextCall()
		v.press("agent00", '7')
		v.soon("the key is for the recording", func() bool {
			return slices.ContainsFunc(v.since(journal.Recording), func(r journal.Record) bool { return r.Outcome == step })
		})
	}
}

func liveSoundKeys() []liveKey {
	tape := func(rules string) string { return "recording: {calls: all, announce: none, keep: 10d, " + rules + "}" }
	taped := func(f *fakeRecorder) bool { return len(f.takes) > 0 }
	release := func(figures string) string {
		return "answering_machines: {do: release, audit: 0, false_positives: 0.02" + figures + "}"
	}
	ownKeys := "dispositions: {never: {does: opt_out}}\n"
	return []liveKey{
		{key: "answering_machines", before: "answering_machines: off", after: "answering_machines: tell", script: talksAWhile, rig: machines, play: hears(func(d journal.DetectedDetail) bool { return d.Did == didTell })},
		{key: "answering_machines.do", before: "answering_machines: {do: tell}", after: release(""), script: talksAWhile, rig: machines, play: hears(func(d journal.DetectedDetail) bool { return d.Did == didRelease })},
		{
			key: "answering_machines.false_positives", before: release(""), after: "answering_machines: {do: release, audit: 0, false_positives: 0.1}",
			script: talksAWhile, rig: machines, play: hears(func(d journal.DetectedDetail) bool { return d.Counts == 0.1 }),
		},
		{
			key: "answering_machines.audit", before: release(""), after: "answering_machines: {do: release, audit: 1, false_positives: 0.02}",
			script: talksAWhile, rig: machines, play: hears(func(d journal.DetectedDetail) bool { return d.Did == didAudit }),
		},
		{key: "recording", before: "recording: off", after: tape(""), script: talksAWhile, play: tapes(taped)},
		{key: "recording.calls", before: "recording: {calls: on_demand, announce: agent, keep: 10d}", after: "recording: {calls: all, announce: none, keep: 10d}", script: talksAWhile, play: tapes(taped)},
		{
			key: "recording.announce", before: tape(""), after: "recording: {calls: all, announce: who-we-are, keep: 10d}", script: talksAWhile,
			play: tapes(func(f *fakeRecorder) bool { return slices.Contains(f.heard, "who-we-are") }),
		},
		{
			key: "recording.keep", before: tape(""), after: "recording: {calls: all, announce: none, keep: 30d}", script: talksAWhile,
			play: tapes(func(f *fakeRecorder) bool {
				h := f.takes[len(f.takes)-1].Header
				return h.Until.Sub(h.Began) == 30*24*time.Hour
			}),
		},
		{key: "recording.required", before: tape(""), after: tape("required: true"), script: fails, play: stopsUnrecorded},
		{key: "recording.key", before: ownKeys + tape("key: 8"), after: ownKeys + tape("key: 7"), script: talksAWhile, play: tapeKeys(journal.RecordingPaused)},
		{key: "recording.objection_key", before: ownKeys + tape("objection_key: 9"), after: ownKeys + tape("objection_key: 7"), script: talksAWhile, play: tapeKeys(journal.RecordingObjected)},
		{
			key: "abandon_message", before: "abandon_message: message.wav\npacing: {mode: ratio, ratio: 5}", after: "abandon_message: who-we-are\npacing: {mode: ratio, ratio: 5}",
			script: talks(time.Hour), play: playsMessage,
		},
	}
}

// stopsUnrecorded plays that nobody is called any more while no recording can begin.
func stopsUnrecorded(_ *testing.T, v *live) {
	v.tapes.setRoom(errors.New("disk full"))
	settle(3 * time.Second)
	v.apply()
	v.soon("no calls", func() bool {
		n := v.trunk.count()
		settle(500 * time.Millisecond)
		return v.trunk.count() == n
	})
}

// playsMessage plays that people who have answered already hear the new message.
func playsMessage(t *testing.T, v *live) {
	v.within(10*time.Second, "answers that wait", func() bool { return len(v.journal.kinds(journal.Answered)) == 5 })
	settle(2500 * time.Millisecond) // the deadline comes 250 ms later
	if played := v.desk.prompts(); len(played) > 0 {
		t.Fatalf("played %v already", played)
	}
	v.apply()
	v.soon("the new message", func() bool { return slices.Contains(v.desk.prompts(), "who-we-are") })
	if slices.Contains(v.desk.prompts(), "message.wav") {
		t.Error("the old message is played too")
	}
}
