package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// recordedField is a field whose calls are recorded on a small disk of their own, after an announcement.
func recordedField(t *testing.T, plot int, policy string) (*field, disk) {
	t.Helper()
	d := smallDisk(t)
	f := newField(t, fieldOptions{plot: plot, agents: troubledAgents, more: 300, timers: shortTimers, edit: func(line string) string {
		if strings.HasPrefix(line, "wrap_up:") {
			return "wrap_up: 0s\nrecording: " + policy
		}
		return troubledCampaign(line)
	}})
	prompts := t.TempDir()
	writeFile(t, filepath.Join(prompts, "notice.wav"), wavFile(sine(2300, 200*time.Millisecond)))
	writeFile(t, f.config, f.configFile(callClock)+"prompts: "+prompts+"\nrecordings: {folder: "+d.data+", reserve_mb: 8}\n")
	return f, d
}

// recordings are those that the list shows.
func (f *field) recordings() (list []recordingDoc, room roomDoc) {
	f.t.Helper()
	var doc recordingsDoc
	f.ask(&doc, "recording", "list")
	return doc.Recordings, doc.Room
}

// TestRecordingsDiskFull fills the recordings' disk to the last byte under load: where calls must be recorded nobody is dialed
// and the reason is told, elsewhere calls go on; nobody's call is cut by it; with room again all goes on. What was recorded holds.
func TestRecordingsDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		return // mounting a disk is root's; TestNoRoomForRequiredRecordings and TestRecorderFails need none
	}
	t.Parallel()
	for name, policy := range map[string]string{"required": "{calls: all, announce: notice, keep: 90d, required: true}", "wanted": "{calls: all, announce: notice, keep: 90d}"} {
		t.Run(name, func(t *testing.T) {
			required := name == "required"
			f, d := recordedField(t, 9, policy)
			f.busyCarrier()
			f.phones(troubledAgents)
			service := f.serve()
			await(t, 30*time.Second, "recordings", func() bool { all, _ := f.recordings(); return len(all) > 1 && all[0].Length > 0 })
			d.fill(t, service)
			if required {
				await(t, 10*time.Second, "the reason why nobody is dialed", func() bool { return f.campaign().Unrecordable != "" })
				f.pass(stall, service) // what was cleared before
			} else {
				await(t, 30*time.Second, "a call that is not recorded", func() bool { return f.campaign().Tally.Unrecorded > 0 })
			}
			before := f.invites()
			if required {
				f.pass(3*time.Second, service)
				if n := f.invites() - before; n != 0 {
					t.Errorf("%d INVITEs with a full disk", n)
				}
			} else {
				await(t, 20*time.Second, "calls with a full disk", func() bool { return f.invites() > before })
			}
			f.tellsOfFullDisk(required)
			_, room := f.recordings()
			d.free(t, service)
			await(t, 30*time.Second, "calls and recordings once there is room", func() bool {
				_, now := f.recordings()
				return f.invites() > before && f.campaign().Unrecordable == "" && now.Files > room.Files
			})
			f.settle(service)
			if said := f.do("audit", "verify", "--recordings"); !strings.Contains(said, "the recordings are those of the journal") {
				t.Errorf("verified: %s", said)
			}
		})
	}
}

// tellsOfFullDisk checks what a manager sees of it.
func (f *field) tellsOfFullDisk(required bool) {
	f.t.Helper()
	const why = "nobody is dialed until there is room: recording.required, and the disk of the recordings is full"
	for _, command := range [][]string{{"top", "--once"}, {"campaign", "show", demoCampaign}} {
		if out := f.do(command...); strings.Contains(out, why) != required {
			f.t.Errorf("pronto %s:\n%s", strings.Join(command, " "), out)
		}
	}
	out, err := f.command("doctor").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "wrong    recordings: ") {
		f.t.Errorf("pronto doctor: %v\n%s", err, out)
	}
	if live, ok := f.live(); !ok || live.campaign().State != dialer.Running {
		f.t.Errorf("the campaign is %+v", live)
	}
}
