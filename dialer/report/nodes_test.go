package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
)

// nodeJournal writes a journal of a node.
func nodeJournal(t *testing.T, node string, write func(s *script)) string {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{Node: node, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	write(&script{t: t, j: j})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// givenUp writes what another node assumes of an attempt that n2 left open.
func (s *script) givenUp(second float64, attempt string) {
	s.t.Helper()
	at := noon.Add(time.Duration(second) * time.Second)
	abandoned, ended, _ := dialer.GiveUp(dialer.Attempt{ID: attempt, Lead: 1, Campaign: "spring", Number: fourth, At: at}, &campaigns.Campaign{}, "n2", at)
	for _, r := range []journal.Record{abandoned, ended} {
		if _, err := s.j.Append(r); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Figures of several nodes are added up. What was assumed of a lost node's calls counts
// once, until its own journal is there and tells what became of them.
func TestNodesAddedUp(t *testing.T) {
	lost := nodeJournal(t, "n2", func(s *script) {
		for i, id := range []string{"B1", "B2", "B3", "B4"} {
			s.add(10+float64(i), call(journal.Cleared, id, 1, second), nil)
			s.add(10+float64(i), call(journal.Invited, id, 1, second), nil)
		}
		s.add(20, with(call(journal.Connected, "B1", 1, second), "bruno", "", ""), nil) // talks when the node is lost
		s.add(21, with(call(journal.Ended, "B2", 1, second), "", "no_answer", ""), nil) // its end did not reach the store
		s.add(22, call(journal.Abandoned, "B3", 1, second), nil)
	})
	living := nodeJournal(t, "n1", func(s *script) {
		s.add(5, with(call(journal.Connected, "A1", 1, first), "anna", "", ""), nil)
		s.add(15, with(call(journal.Ended, "A1", 1, first), "anna", "bridged", ""), nil)
		for _, id := range []string{"B1", "B2", "B3", "B4", "B4"} {
			s.givenUp(60, id)
		}
	})
	for name, c := range map[string]struct {
		from                journal.Folders
		connected, lost     int
		interrupted, dialed int
	}{
		"the living alone":  {journal.Folders{living}, 1, 4, 4, 0}, // nothing but its own word
		"the lost too":      {journal.Folders{living, lost}, 2, 2, 1, 4},
		"in any order":      {journal.Folders{lost, living}, 2, 2, 1, 4},
		"the lost one only": {journal.Folders{lost}, 1, 1, 0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Read(c.from, Options{})
			if err != nil {
				t.Fatal(err)
			}
			a, calls := r.Abandon.Campaigns[0], r.Calls.Campaigns[0]
			got := []int{a.Connected, a.Abandoned, a.Interrupted, calls.Dialed, calls.Abandoned}
			if diff := cmp.Diff([]int{c.connected, c.lost, c.interrupted, c.dialed, c.lost}, got); diff != "" {
				t.Errorf("connected, abandoned, interrupted, dialed, abandoned of calls (-want +got):\n%s", diff)
			}
		})
	}
	story, err := ReadStory(journal.Folders{living, lost}, second, Origins{})
	if err != nil || len(story.Entries) != 8+3 {
		t.Errorf("the story has %d records, %v", len(story.Entries), err)
	}
}
