package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// keptCall is a recording that a test makes.
type keptCall struct {
	id, campaign, number string
	age, keep            time.Duration
	open                 bool // it has not ended
}

// make makes a recording as the service does: the key under the person's, the sound, the record of the end, the name.
func (k keptCall) make(t *testing.T, h *house) recording.Header {
	t.Helper()
	began := h.now().Add(-k.age)
	x := recording.Header{ID: k.id + "-1", Campaign: k.campaign, Attempt: k.id, Agent: "anna", Law: recording.ALaw, Began: began, Until: began.Add(k.keep)}
	var key recording.Key
	rand.Read(key[:])
	sealed, err := h.journal.Seal(t.Context(), k.number, key[:], x.Context())
	if err != nil {
		t.Fatal(err)
	}
	x.Node, x.Subject, x.Key = sealed.Node, sealed.Subject, sealed.Box
	w, err := recording.Create(h.recordingsDir(), x, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Chunk(0, bytes.Repeat([]byte{1}, recording.ChunkBytes)); err != nil {
		t.Fatal(err)
	}
	if k.open {
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		return x
	}
	sum, err := w.Finish(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	rec := recordingEntry(x, journal.RecordingEnded)
	rec.Number = k.number
	if err := errors.Join(h.record(t.Context(), rec, journal.RecordingDetail{File: x.Path(), SHA256: sum.SHA256, Bytes: sum.Bytes}), w.Keep()); err != nil {
		t.Fatal(err)
	}
	return x
}

// left are the recordings in the house's folder, by attempt.
func left(t *testing.T, h *house) string {
	t.Helper()
	var ids []string
	for k, err := range h.ownArchives().list() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, k.Header.Attempt)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

const month = 30 * 24 * time.Hour

// oldRecordings is a house whose campaign keeps recordings for 30 days, with recordings of several ages.
func oldRecordings(t *testing.T) (*house, *globals) {
	t.Helper()
	h, g := served(t, t.TempDir())
	text := string(sample(t, "campaigns/demo-it.yaml")) + "\nrecording: {calls: on_demand, announce: agent, keep: 30d}\n"
	if _, err := ask[appliedDoc](t.Context(), g, "campaign apply", applyArgs{File: "demo-it.yaml"}, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	for _, k := range []keptCall{
		{id: "OLD", campaign: "demo-it", number: "+390655500003", age: month + time.Hour, keep: 3 * month}, // the campaign's word of today counts
		{id: "HELD", campaign: "demo-it", number: "+390655500009", age: 2 * month, keep: month},
		{id: "YOUNG", campaign: "demo-it", number: "+390655500003", age: month - time.Hour, keep: time.Hour},
		{id: "GONE", campaign: "gone", number: "+390655500006", age: 2 * month, keep: month}, // its campaign is not there: the header's word
		{id: "GOES", campaign: "gone", number: "+390655500006", age: 2 * month, keep: 3 * month},
		{id: "TALKS", campaign: "demo-it", number: "+390655500006", age: 2 * month, keep: month, open: true},
	} {
		k.make(t, h)
	}
	return h, g
}

// TestPurgeRecordings: a dry run changes nothing, what is held, young or in progress stays, what goes is journaled.
func TestPurgeRecordings(t *testing.T) {
	h, g := oldRecordings(t)
	ctx := t.Context()
	purged := func(dry bool, want int) {
		t.Helper()
		doc, err := ask[purgeDoc](ctx, g, "purge", purgeArgs{DryRun: dry}, nil)
		if err != nil || rowsOf(doc)["recordings"] != want {
			t.Fatalf("purge (dry %v): %+v, %v, want %d recordings", dry, doc.Removed, err, want)
		}
	}
	hold := func(what, does string) {
		t.Helper()
		if _, err := ask[holdsDoc](ctx, g, "hold "+does, holdArgs{What: what, Reason: "case 7"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	stands := func(want string) {
		t.Helper()
		if got := left(t, h); got != want {
			t.Errorf("there are %s, want %s", got, want)
		}
	}
	hold("+390655500009", "add")
	hold("demo-it", "add")
	purged(false, 1) // the other campaign's
	stands("GOES HELD OLD TALKS YOUNG")
	hold("demo-it", "remove")
	for range 2 {
		purged(true, 1)
		stands("GOES HELD OLD TALKS YOUNG")
	}
	purged(false, 1)
	stands("GOES HELD TALKS YOUNG")
	purged(false, 0)
	hold("+390655500009", "remove")
	if err := h.removeRecordings(ctx); err != nil { // as the service does once a day
		t.Fatal(err)
	}
	stands("GOES TALKS YOUNG")
	removed := map[string]string{}
	for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{Kinds: []journal.Kind{journal.Recording}}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome == journal.RecordingRemoved {
			removed[r.Attempt] = r.Reason
		}
	}
	if fmt.Sprint(removed) != "map[GONE:purged HELD:purged OLD:purged]" {
		t.Errorf("journaled: %v", removed)
	}
	if c, err := checkRecordings(h.ownArchives()); err != nil || c.Checked != 2 || len(c.Broken) != 0 {
		t.Errorf("verified: %+v, %v", c, err)
	}
}

// TestRecordingSums: what recordings come to by campaign, the oldest, those on hold, and what the doctor says of them.
func TestRecordingSums(t *testing.T) {
	h, g := oldRecordings(t)
	if _, err := ask[holdsDoc](t.Context(), g, "hold add", holdArgs{What: "+390655500009", Reason: "case 7"}, nil); err != nil {
		t.Fatal(err)
	}
	out, err := pronto(t, "recording", "list", "--sums", "--json", "--data", g.data, "--config", g.config)
	var doc recordingsDoc
	if err := errors.Join(err, json.Unmarshal([]byte(out), &doc)); err != nil {
		t.Fatal(err)
	}
	if len(doc.Recordings) != 0 || len(doc.Sums) != 2 || doc.Room.Files != 6 || doc.Room.LeftBytes == 0 {
		t.Fatalf("sums: %+v", doc)
	}
	s, bytes := doc.Sums[0], int64(0)
	for k, err := range h.ownArchives().list() {
		if err != nil {
			t.Fatal(err)
		}
		if k.Header.Campaign == "demo-it" {
			bytes += k.Bytes
		}
	}
	day := func(at time.Time) string { return at.UTC().Format(time.DateOnly) }
	if s.Campaign != "demo-it" || s.Files != 4 || s.Bytes != bytes || s.Held != 1 || s.Open != 1 ||
		day(s.Oldest) != day(h.now().Add(-2*month)) || day(s.Newest) != day(h.now().Add(time.Hour-month)) || day(s.NextGoes) != day(h.now().Add(2*time.Hour-month)) {
		t.Errorf("demo-it: %+v, %d bytes are there", s, bytes)
	}
	text, err := pronto(t, "recording", "list", "gone", "--sums", "--data", g.data, "--config", g.config)
	if err != nil || !strings.Contains(text, "gone") || strings.Contains(text, "demo-it") || !strings.Contains(text, "6 recordings, ") {
		t.Errorf("sums of one campaign: %v\n%s", err, text)
	}
	if _, err := pronto(t, "recording", "list", "nobody", "--data", g.data, "--config", g.config); err == nil || !strings.Contains(err.Error(), "no such campaign") {
		t.Errorf("a campaign that neither is nor was: %v", err)
	}
	found := h.examineRecordings(true, 3)
	if len(found) != 1 || !strings.Contains(found[0].Says, "6 recordings") || !strings.Contains(found[0].Says, "the oldest of "+day(h.now().Add(-2*month))) {
		t.Errorf("doctor: %+v", found)
	}
}

// secondNode is the data folder of another node, with a recording of a person of the first one.
func secondNode(t *testing.T, number string) (dir string, x recording.Header) {
	t.Helper()
	_, c := testConfig(t)
	c.Node = "n2"
	dir = filepath.Join(t.TempDir(), "n2")
	h, err := openHouse(t.Context(), dir, houseOptions{what: "serve", config: c})
	if err != nil {
		t.Fatal(err)
	}
	x = keptCall{id: "THERE", campaign: "demo-it", number: number, age: time.Hour, keep: month}.make(t, h)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, x
}

// TestRecordingsOfSeveralNodes lists, verifies and gives out recordings of two nodes by their folders; who asked is
// journaled where it was asked, about the same person.
func TestRecordingsOfSeveralNodes(t *testing.T) {
	const number = "+390655500003"
	h, g := oldRecordings(t)
	other, there := secondNode(t, number)
	on := []string{"--data", g.data, "--config", g.config}
	both := append([]string{"--journal", g.data, "--journal", other}, on...)
	run := func(args ...string) string {
		t.Helper()
		out, err := pronto(t, args...)
		if err != nil {
			t.Fatalf("pronto %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	if out := run(append([]string{"recording", "list", number}, both...)...); !strings.Contains(out, "THERE-1") || !strings.Contains(out, "OLD-1") || !strings.Contains(out, "n2") || strings.Contains(out, "HELD-1") {
		t.Errorf("list of both:\n%s", out)
	}
	if out := run(append([]string{"recording", "list", number}, on...)...); strings.Contains(out, "THERE-1") || !strings.Contains(out, "OLD-1") {
		t.Errorf("list of one:\n%s", out)
	}
	verify := append([]string{"audit", "verify", "--recordings"}, both...)
	if out := run(verify...); !strings.Contains(out, "the recordings are those of the journal: 6 recordings in 2 folders") {
		t.Errorf("verified:\n%s", out)
	}
	wav := filepath.Join(t.TempDir(), "call.wav")
	export := []string{"recording", "export", "THERE-1", "--out", wav, "--why", "complaint 4711"}
	if _, err := pronto(t, append(slices.Clone(export), on...)...); err == nil || !strings.Contains(err.Error(), "--journal names the others'") {
		t.Errorf("exported without its node: %v", err)
	}
	run(append(slices.Clone(export), append([]string{"--journal", other}, on...)...)...)
	if heard, err := os.ReadFile(wav); err != nil || !bytes.HasSuffix(heard, bytes.Repeat([]byte{1}, recording.ChunkBytes)) {
		t.Errorf("the WAV: %d bytes, %v", len(heard), err)
	}
	told := run(append([]string{"audit", "show", number}, on...)...)
	if want := "The recording " + there.Path() + " of node n2 was given out"; !strings.Contains(told, want) || !strings.Contains(told, "complaint 4711") {
		t.Errorf("%q is missing in the story:\n%s", want, told)
	}
	if err := os.Remove(filepath.Join(other, recordingsFolder, there.Path())); err != nil {
		t.Fatal(err)
	}
	if out, err := pronto(t, verify...); err == nil || !strings.Contains(out, there.Path()+": of node n2, is missing") {
		t.Errorf("one is missing: %v\n%s", err, out)
	}
	if v, err := journal.Verify(h.journalDir()); err != nil || !v.OK {
		t.Errorf("the chain: %+v, %v", v, err)
	}
}
