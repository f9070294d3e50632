package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// recordedStage is a stage whose only call, to one who stays, is recorded after an announcement.
func recordedStage(t *testing.T, network, policy string) (*stage, *phones) {
	t.Helper()
	prompts := t.TempDir()
	writeFile(t, filepath.Join(prompts, "notice.wav"), wavFile(sine(2300, 400*time.Millisecond)))
	s := setUp(t, stageOptions{
		net: network, agents: 1, numbers: []string{"+390810005914"}, more: "prompts: " + prompts + "\n", records: policy,
	})
	p := s.startPhones(0)
	p.add(0, "PCMA")
	s.do("campaign", "start", "peers")
	return s, p
}

// taped waits for a step of the recording.
func (s *stage) taped(step string, n int) journal.Record {
	s.t.Helper()
	var last journal.Record
	await(s.t, 20*time.Second, fmt.Sprintf("%d records that say %s", n, step), func() bool {
		found := 0
		for _, r := range s.records(journal.Recording) {
			if r.Outcome == step {
				found, last = found+1, r
			}
		}
		return found >= n
	})
	return last
}

// awaitSound waits until so much of the recording is on disk.
func (s *stage) awaitSound(length time.Duration) {
	s.t.Helper()
	await(s.t, 20*time.Second, "sound on disk", func() bool {
		files, err := filepath.Glob(filepath.Join(s.data, recordingsFolder, "*", "*.part"))
		if err != nil || len(files) == 0 {
			return false
		}
		info, err := os.Stat(files[0])
		return err == nil && info.Size() > int64(length.Seconds()*2*sampleRate)
	})
}

// listed are the recordings that the list shows.
func (s *stage) listed() []recordingDoc {
	s.t.Helper()
	var doc recordingsDoc
	if err := json.Unmarshal([]byte(s.do("recording", "list", "--json")), &doc); err != nil {
		s.t.Fatal(err)
	}
	return doc.Recordings
}

// exportSides exports a recording and lets sox take its two sides apart.
func (s *stage) exportSides(id string) (left, right []int16) {
	s.t.Helper()
	wav := s.path(id + ".wav")
	s.do("recording", "export", id, "--out", wav, "--why", "complaint 4711")
	side := func(channel string) []int16 {
		out, err := exec.CommandContext(s.t.Context(), "sox", wav, "-t", "raw", "-e", "signed", "-b", "16", "-L", "-", "remix", channel).Output()
		if err != nil {
			s.t.Fatalf("sox: %v", err)
		}
		samples := make([]int16, len(out)/2)
		if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, samples); err != nil {
			s.t.Fatal(err)
		}
		return samples
	}
	return side("1"), side("2")
}

// TestPeersRecorded records sipp's callee and baresip's agent, with a pause by key: each is on their side, the
// announcement and the pause are not in it, and the recording can be proved, held, found out when changed, and erased.
func TestPeersRecorded(t *testing.T) {
	s, p := recordedStage(t, "127.67.11", "{calls: all, announce: notice, keep: 90d, required: true}")
	agent := s.agent(0)
	s.taped(journal.RecordingAnnounced, 1)
	s.taped(journal.RecordingBegan, 1)
	s.awaitSound(1500 * time.Millisecond)
	p.press(agent, "8")
	s.taped(journal.RecordingPaused, 1)
	p.press(agent, "8")
	s.taped(journal.RecordingResumed, 1)
	s.do("agent", "record", agent, "pause")
	s.do("agent", "record", agent, "resume")
	if said := s.failed("agent", "record", agent, "resume"); !strings.Contains(said, "the recording is on") {
		t.Errorf("resumed twice: %s", said)
	}
	s.awaitSound(2500 * time.Millisecond)
	p.press(agent, "#")
	ended := s.taped(journal.RecordingEnded, 1)
	all := s.listed()
	if len(all) != 1 || all[0].Agent != agent || all[0].Length < 2500*time.Millisecond {
		t.Fatalf("listed: %+v", all)
	}
	s.checkSides(all[0].ID, 2*time.Second)
	for _, f := range []string{all[0].File, string(ended.Detail)} {
		if strings.Contains(f, "810005914") {
			t.Errorf("%s names the number", f)
		}
	}
	var d journal.RecordingDetail
	if err := json.Unmarshal(ended.Detail, &d); err != nil || d.File != all[0].File {
		t.Errorf("the journal says %+v, %v; the list %s", d, err, all[0].File)
	}
	if told := s.do("audit", "show", ended.Number); !strings.Contains(told, all[0].File) || !strings.Contains(told, "complaint 4711") {
		t.Errorf("audit show does not tell of it:\n%s", told)
	}
	s.finish(20 * time.Second)
	s.proveAndErase(all[0], ended.Number)
}

// checkSides looks for the callee on the left and the agent on the right, for so long at least.
func (s *stage) checkSides(id string, least time.Duration) {
	s.t.Helper()
	left, right := s.exportSides(id)
	callee, agent := customerTones[3], agentTones[0]
	for _, side := range []struct {
		name    string
		samples []int16
		own     float64
		other   float64
	}{{"left", left, callee, agent}, {"right", right, agent, callee}} {
		h := listen(side.samples, []float64{side.own, side.other, 2300})
		s.t.Logf("%s: %s of its tone, %s of the other's, %s of the announcement, in %s", side.name, h.of[0], h.of[1], h.of[2], time.Duration(len(side.samples))*time.Second/sampleRate)
		if h.of[0] < least || h.of[1] > 0 || h.of[2] > 0 {
			s.t.Errorf("%s: %s of its tone, %s of the other's, %s of the announcement", side.name, h.of[0], h.of[1], h.of[2])
		}
	}
}

// proveAndErase checks a recording against the journal, keeps it by a hold, changes a byte, and erases it.
func (s *stage) proveAndErase(r recordingDoc, number string) {
	s.t.Helper()
	const holds = "the recordings are those of the journal: 1 recording"
	if said := s.do("audit", "verify", "--recordings"); !strings.Contains(said, holds) {
		s.t.Errorf("verified: %s", said)
	}
	file := filepath.Join(s.data, recordingsFolder, r.File)
	whole, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	writeFile(s.t, file, string(changed))
	if said := s.failed("audit", "verify", "--recordings"); !strings.Contains(said, "its SHA-256 differs") {
		s.t.Errorf("a changed byte: %s", said)
	}
	if said := s.failed("recording", "export", r.ID, "--out", s.path("changed.wav"), "--why", "test"); !strings.Contains(said, "damaged") {
		s.t.Errorf("a changed recording is exported: %s", said)
	}
	writeFile(s.t, file, string(whole))
	s.do("legal-hold", "add", number, "--reason", "case 12")
	s.do("audit", "erase", number)
	if _, err := os.Stat(file); err != nil {
		s.t.Errorf("erased although it is held: %v", err)
	}
	s.do("legal-hold", "remove", number, "--reason", "over")
	if said := s.do("audit", "erase", number); !strings.Contains(said, "1 recording") {
		s.t.Errorf("erased: %s", said)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		s.t.Errorf("after the erasure: %v", err)
	}
	if said := s.do("audit", "verify", "--recordings"); !strings.Contains(said, "0 recordings") {
		s.t.Errorf("verified after the erasure: %s", said)
	}
}

// TestPeersRecordingKilled kills the service in a recorded call: what was said up to the last second can
// be heard after the restart, and an objection destroys another one.
func TestPeersRecordingKilled(t *testing.T) {
	s, _ := recordedStage(t, "127.67.12", "{calls: all, announce: notice, keep: 90d}")
	s.taped(journal.RecordingBegan, 1)
	began := time.Now()
	s.awaitSound(3 * time.Second)
	s.service.kill()
	talked := time.Since(began)
	s.service = s.serve("--drain", "1s")
	ended := s.taped(journal.RecordingEnded, 1)
	var d journal.RecordingDetail
	if err := json.Unmarshal(ended.Detail, &d); err != nil || !d.Interrupted {
		t.Fatalf("the end of an interrupted recording: %s", ended.Detail)
	}
	kept := time.Duration(d.LengthMS) * time.Millisecond
	t.Logf("%s of %s are kept", kept, talked)
	if kept < talked-time.Second {
		t.Errorf("%s of %s are kept", kept, talked)
	}
	all := s.listed()
	if len(all) != 1 {
		t.Fatalf("listed: %+v", all)
	}
	s.checkSides(all[0].ID, 2*time.Second)
	s.do("audit", "verify", "--recordings")
}

// TestPeersObjection records on demand; the person objects, right after the call.
func TestPeersObjection(t *testing.T) {
	s, p := recordedStage(t, "127.67.13", "{calls: on_demand, announce: notice, keep: 90d}")
	agent := s.agent(0)
	s.record(journal.Connected, func(journal.Record) bool { return true })
	if n := len(s.records(journal.Recording)); n != 0 {
		t.Errorf("%d records before anybody asked", n)
	}
	p.press(agent, "8")
	s.taped(journal.RecordingBegan, 1)
	s.awaitSound(time.Second)
	p.press(agent, "9")
	s.taped(journal.RecordingObjected, 1)
	s.taped(journal.RecordingDestroyed, 1)
	if all := s.listed(); len(all) != 0 {
		t.Errorf("listed: %+v", all)
	}
	if said := s.failed("agent", "record", agent, "begin"); !strings.Contains(said, "objected") {
		t.Errorf("recorded again: %s", said)
	}
	p.press(agent, "#")
	s.finish(20 * time.Second)
	s.do("audit", "verify", "--recordings")
}

// failed runs a command that must fail.
func (in *installation) failed(args ...string) string {
	in.t.Helper()
	out, err := in.command(args...).CombinedOutput()
	if err == nil {
		in.t.Fatalf("pronto %s succeeded:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}
