package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// spoken are the records of what agents said: the first call is corrected, the third lead
// answers twice, the last one rang back.
func spoken(t *testing.T) []journal.Record {
	t.Helper()
	say := func(minute int, attempt string, lead int64, agent, word string, answers map[string]string) journal.Record {
		r := journal.Record{At: noon.Add(time.Duration(minute) * time.Minute), Kind: journal.Disposed, Campaign: "spring", Attempt: attempt, Lead: lead, Agent: agent, Outcome: word}
		if answers != nil {
			text, err := json.Marshal(journal.DisposedPersonal{Answers: answers})
			if err != nil {
				t.Fatal(err)
			}
			r.Personal = text
		}
		return r
	}
	back := say(95, "b", 0, "anna", journal.CallerDisposed, nil)
	back.Kind, back.Detail = journal.CalledBack, journal.Detailed(journal.CalledBackDetail{Disposition: "callback"})
	ended := say(66, "3", 3, "bruno", "bridged", map[string]string{"offer": "yes", "size": "large", "why": "my aunt said so"})
	ended.Kind = journal.Ended
	return []journal.Record{
		say(1, "1", 1, "anna", "sale", nil),
		say(2, "1", 1, "anna", "not_interested", map[string]string{"offer": "no"}),
		say(3, "2", 2, "bruno", "sale", map[string]string{"offer": "yes", "size": "small"}),
		say(65, "3", 3, "bruno", "sale", map[string]string{"offer": "no"}),
		ended, back,
		{At: noon, Kind: journal.AgentState, Agent: "anna", Outcome: "ready"},
	}
}

func TestSaid(t *testing.T) {
	lists := []List{{Campaign: "spring", Load: 1, File: "a.csv", First: 1, Last: 2}, {Campaign: "spring", Load: 2, File: "b.csv", First: 3, Last: 9}}
	choice := func(_, question string) bool { return question != "why" }
	for _, by := range Ways() {
		r, err := SaidOf(records(spoken(t)...), SaidOptions{By: by, Lists: lists, Choice: choice})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "said-"+string(by)+".txt", r.WriteText)
		golden(t, "said-"+string(by)+".csv", r.WriteCSV)
		if by == ByCampaign {
			golden(t, "said.json", asJSON(r))
		}
		calls := 0
		for _, g := range r.Groups {
			calls += g.Calls
		}
		if calls != 4 {
			t.Errorf("by %s: %d calls, want 4", by, calls)
		}
	}
}

// TestReadSaid: answers are sealed in the journal, and counted all the same.
func TestReadSaid(t *testing.T) {
	dir := nodeJournal(t, "n1", func(s *script) {
		for _, r := range spoken(t) {
			if r.Number = ""; r.Personal != nil {
				r.Number = "+390612345678"
			}
			if _, err := s.j.Append(r); err != nil {
				t.Fatal(err)
			}
		}
	})
	r, err := ReadSaid(journal.Folders{dir}, SaidOptions{By: ByCampaign, Choice: func(_, q string) bool { return q != "why" }})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "said-campaign.txt", r.WriteText)
}

// TestSaidTellsNoOwnWords: an answer in somebody's own words stands in no report, nor does
// one of a question that the campaign does not ask any more.
func TestSaidTellsNoOwnWords(t *testing.T) {
	for name, choice := range map[string]func(string, string) bool{"a text": func(_, q string) bool { return q != "why" }, "no script known": nil} {
		r, err := SaidOf(records(spoken(t)...), SaidOptions{By: ByAgent, Choice: choice})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil || strings.Contains(string(text), "aunt") || !strings.Contains(string(text), Answered) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if choice == nil && strings.Contains(string(text), "large") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if len(slices.Compact(Ways())) != 4 {
		t.Error("a way is named twice")
	}
}
