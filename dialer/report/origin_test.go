package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// TestOriginsOfACalledNumber: the files that a decision rests on are found by the
// decision alone, without any state; those of others are not told.
func TestOriginsOfACalledNumber(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{Node: "n1", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, j: j}
	loaded := func(second float64, campaign, file string, at time.Time) {
		s.add(second, journal.Record{Kind: journal.Loaded, Campaign: campaign}, map[string]any{"file": file, "who": "carla", "rows": 9, "added": 8, "at": at})
	}
	imported := func(second float64, register, id, file string, checked time.Time) {
		s.add(second, journal.Record{Kind: journal.Imported}, map[string]any{"register": register, "import": id, "file": file, "who": "carla", "checked_at": checked})
	}
	loaded(1, "spring", "mine.csv", noon)
	loaded(2, "autumn", "of-another-campaign.csv", noon)
	loaded(3, "spring", "of-another-day.csv", noon.Add(time.Second))
	imported(4, "rpo", "01RPO", "answer.zip", noon)
	imported(5, "rpo", "02RPO", "later.zip", noon)
	imported(6, "us-rnd", "01RND", "reassigned.csv", noon)
	imported(7, "tps", "01TPS", "tps.txt", noon)
	imported(8, "tps", "02TPS", "older-tps.txt", noon.Add(-time.Hour))
	s.add(20, call(journal.Cleared, "A1", 1, first), dnc.Verdict{
		Allowed: true, Register: "rpo", Import: "01RPO", LoadedAt: noon, Reassigned: &dnc.Reassignment{Import: "01RND"},
	})
	s.add(21, call(journal.Refused, "A2", 1, first), dnc.Verdict{Register: "tps", CheckedAt: noon, LoadedAt: noon})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	story, err := ReadStory(journal.Folders{dir}, first, Origins{})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []journal.Kind
	var text strings.Builder
	for _, e := range story.Entries {
		kinds = append(kinds, e.Kind)
		text.WriteString(e.Text + "\n")
	}
	want := []journal.Kind{journal.Loaded, journal.Imported, journal.Imported, journal.Imported, journal.Cleared, journal.Refused}
	if !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v:\n%s", kinds, want, &text)
	}
	for _, file := range []string{"mine.csv", "answer.zip", "reassigned.csv", "tps.txt", "by carla"} {
		if !strings.Contains(text.String(), file) {
			t.Errorf("%s is not named:\n%s", file, &text)
		}
	}
	for _, file := range []string{"of-another", "later.zip", "older-tps"} {
		if strings.Contains(text.String(), file) {
			t.Errorf("%s is named:\n%s", file, &text)
		}
	}
}
