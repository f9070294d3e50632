package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/report"
)

// spokenALaw is the speech of one of the detector's recordings, in A-law.
func spokenALaw(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../dialer/detect/testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	return encodeALaw(decodeG711(t, 0, raw[bytes.Index(raw, []byte("data"))+8:]))
}

// silentALaw is silence in A-law.
func silentALaw(d time.Duration) []byte { return encodeALaw(make([]int16, d*sampleRate/time.Second)) }

// policy applies the campaign with a policy on answering machines.
func (s *stage) policy(machines string) {
	s.t.Helper()
	text, err := os.ReadFile("testdata/peers/campaign.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	writeFile(s.t, s.path("machines.yaml"), string(text)+"answering_machines: "+machines+"\n")
	s.do("campaign", "apply", s.path("machines.yaml"))
}

// machines reads the report.
func (s *stage) machines() report.Machines {
	s.t.Helper()
	var r report.MachinesReport
	if err := json.Unmarshal([]byte(s.do("report", "machines", "--json")), &r); err != nil || len(r.Campaigns) != 1 {
		s.t.Fatalf("report machines: %+v, %v", r, err)
	}
	return r.Campaigns[0]
}

// A mailbox and a person answer at once: the mailbox's agent is freed, the call ended and counted by the campaign's
// estimate, the person talks on.
func TestPeersMachineReleased(t *testing.T) {
	s := setUp(t, stageOptions{net: "127.68.21", agents: 2, talk: 3 * time.Second, numbers: []string{"+390810005801", "+390810005814"}, says: map[int][]byte{
		1: slices.Concat(silentALaw(300*time.Millisecond), spokenALaw(t, "pronto-it"), silentALaw(3*time.Second)),
		4: slices.Concat(silentALaw(300*time.Millisecond), spokenALaw(t, "greeting-it"), silentALaw(5*time.Second)),
	}})
	s.policy("{do: release, false_positives: 0.02, audit: 0}")
	p := s.startPhones(0)
	p.add(0, "PCMA")
	p.add(1, "PCMA")
	s.do("campaign", "start", "peers")
	found := s.record(journal.Detected, func(r journal.Record) bool { return r.Outcome == "machine" })
	s.awaitState(found.Agent, 10*time.Second, dialer.Ready, dialer.NotReady)
	s.finish(30 * time.Second)
	s.checkOutcomes(map[byte]campaigns.Outcome{'1': campaigns.Bridged, '4': campaigns.Machine}, 2)
	var d journal.DetectedDetail
	if err := json.Unmarshal(found.Detail, &d); err != nil || !strings.HasSuffix(found.Number, "4") || found.Reason != "greeting" ||
		d.Did != "released" || d.Counts != 0.02 || d.AfterMS < 7000 || d.AfterMS > 10000 {
		t.Errorf("found %s by %s: %+v, %v", found.Number, found.Reason, d, err)
	}
	if m := s.machines(); m.Listened != 2 || m.Heard != 1 || m.Released != 1 || m.Counted != 0.02 {
		t.Errorf("report machines: %+v", m)
	}
	var r report.AbandonReport
	if err := json.Unmarshal([]byte(s.do("report", "abandon", "--json")), &r); err != nil || len(r.Campaigns) != 1 || r.Campaigns[0].Estimated != 0.02 || r.Campaigns[0].Connected != 1 {
		t.Errorf("report abandon: %+v, %v", r, err)
	}
	if story := s.do("audit", "show", found.Number); !strings.Contains(story, "machine (greeting); the call was ended") {
		t.Errorf("audit show:\n%s", story)
	}
	s.do("audit", "verify")
}

// A mailbox with a tone: the agent hears the two notes, and says that it is one.
func TestPeersMachineTold(t *testing.T) {
	s := setUp(t, stageOptions{net: "127.68.22", agents: 1, numbers: []string{"+390810005824"}, says: map[int][]byte{
		4: slices.Concat(spokenALaw(t, "short-it")[:2*sampleRate], silentALaw(400*time.Millisecond), encodeALaw(sine(1400, 400*time.Millisecond)), silentALaw(20*time.Second)),
	}})
	s.policy("tell")
	p := s.startPhones(0)
	p.add(0, "PCMA")
	s.do("campaign", "start", "peers")
	found := s.record(journal.Detected, func(r journal.Record) bool { return r.Outcome == "machine" && r.Reason == "beep" })
	if screen := s.do("agent", "screen", found.Agent); !strings.Contains(screen, "answering machine") {
		t.Errorf("agent screen:\n%s", screen)
	}
	p.press(found.Agent, "6")
	s.record(journal.Disposed, func(r journal.Record) bool { return r.Attempt == found.Attempt && r.Outcome == "machine" })
	p.press(found.Agent, "#")
	s.finish(20 * time.Second)
	s.checkOutcomes(map[byte]campaigns.Outcome{'4': campaigns.Machine}, 1)
	news := []float64{1000}
	if h := listen(p.heard(found.Agent), news); h.of[0] < 160*time.Millisecond || h.of[0] > 320*time.Millisecond {
		t.Errorf("the agent heard the notes for %s, want 240 ms", h.of[0])
	}
	if m := s.machines(); m.Judged != 1 || m.Wrong != 0 || m.Found.Value != 1 {
		t.Errorf("report machines: %+v", m)
	}
}
