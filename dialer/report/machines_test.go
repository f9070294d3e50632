package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// listened is the records of one call: put through, heard (empty: nothing), what was done, and the agent's words.
func listened(attempt, why, did string, counts float64, words ...journal.DisposedDetail) []journal.Record {
	rec := func(k journal.Kind, detail any) journal.Record {
		return journal.Record{At: noon, Kind: k, Campaign: "spring", Attempt: attempt, Detail: journal.Detailed(detail)}
	}
	list := []journal.Record{rec(journal.Connected, journal.ConnectedDetail{Listens: true})}
	if why != "" {
		d := rec(journal.Detected, journal.DetectedDetail{AfterMS: 8000, Did: did, Counts: counts})
		d.Outcome, d.Reason = "machine", why
		list = append(list, d)
	}
	for _, w := range words {
		list = append(list, rec(journal.Disposed, w))
	}
	return list
}

func TestMachinesAgainstAgents(t *testing.T) {
	machine, sale := journal.DisposedDetail{Does: "machine"}, journal.DisposedDetail{Does: "done"}
	var all []journal.Record
	for _, call := range [][]journal.Record{
		listened("A", "greeting", "told", 0, machine),
		listened("B", "greeting", "told", 0, machine, sale), // the last word holds
		listened("C", "beep", "audited", 0, sale, machine),
		listened("D", "beep", "told", 0), // nothing said
		listened("E", "greeting", "released", 0.02),
		listened("F", "greeting", "released", 0.02, journal.DisposedDetail{Does: "opt_out", Counts: 0.98}),
		listened("G", "", "", 0, machine),        // missed
		listened("H", "", "", 0, sale),           // a person
		listened("I", "greeting", "", 0, sale),   // the agent was first
		listened("J", "sit", "told", 0, machine), //
		{{At: noon, Kind: journal.Connected, Campaign: "spring", Attempt: "K"}, {At: noon, Kind: journal.Disposed, Campaign: "spring", Attempt: "K", Detail: journal.Detailed(machine)}}, // not listened to
	} {
		all = append(all, call...)
	}
	r, err := MachinesOf(records(all...), Options{})
	if err != nil || len(r.Campaigns) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	got := r.Campaigns[0]
	reasons := got.Reasons
	if got.Listened != 10 || got.Heard != 7 || got.Released != 2 || got.Judged != 4 || got.Wrong != 1 || got.Contradicted != 1 || got.Missed != 1 || got.People != 4 {
		t.Errorf("counted %+v", got)
	}
	low, high := wilson(1, 4)
	if got.FalsePositives != (Share{4, 0.25, low, high}) || got.PeopleTaken.Value != 0.5 || got.Found.Value != 0.75 || math.Abs(got.Counted-1.02) > 1e-9 {
		t.Errorf("shares %+v", got)
	}
	if got.Estimate < high || got.Estimate > high+0.001 {
		t.Errorf("estimate %g, want %g", got.Estimate, high)
	}
	if len(reasons) != 3 || reasons[0] != (MachinesByReason{"greeting", 4, 2, 1, 8}) || reasons[2].Reason != "sit" {
		t.Errorf("reasons %+v", reasons)
	}
	var text, csv strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "25.0 % (4.6 % to 69.9 %)") {
		t.Errorf("text %v:\n%s", err, text.String())
	}
	if err := r.WriteCSV(&csv); err != nil || !strings.Contains(csv.String(), "spring,10,7,2,4,1,1,1,4,0.25,") {
		t.Errorf("csv %v:\n%s", err, csv.String())
	}
}

// TestMachinesOutsideTheSpan are not counted, but what is said of a call after it is.
func TestMachinesOutsideTheSpan(t *testing.T) {
	call := listened("A", "beep", "told", 0, journal.DisposedDetail{Does: "machine"})
	for name, c := range map[string]struct {
		from, to time.Time
		judged   int
	}{
		"within":              {noon, noon.Add(time.Hour), 1},
		"before":              {noon.Add(time.Second), time.Time{}, 0},
		"said after the span": {noon.Add(-time.Hour), noon.Add(time.Millisecond), 1},
	} {
		r, err := MachinesOf(records(call...), Options{From: c.from, To: c.to})
		judged := 0
		for _, m := range r.Campaigns {
			judged += m.Judged
		}
		if err != nil || judged != c.judged {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestEstimateEntersTheRates of released calls, and the whole of one that was a person.
func TestEstimateEntersTheRates(t *testing.T) {
	var all []journal.Record
	for _, call := range [][]journal.Record{
		listened("A", "greeting", "released", 0.5),
		listened("B", "greeting", "released", 0.5, journal.DisposedDetail{Does: "done", Counts: 0.5}),
		listened("C", "", "", 0),
		listened("D", "", "", 0),
	} {
		all = append(all, call...)
	}
	for _, attempt := range []string{"A", "B"} {
		all = append(all, journal.Record{At: noon.Add(time.Second), Kind: journal.Ended, Campaign: "spring", Attempt: attempt, Outcome: "machine"})
	}
	r, err := Of(records(all...), Options{Rules: func(string) Rule { return Rule{} }})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Abandon.Campaigns[0]
	if got.Connected != 2 || got.Abandoned != 0 || got.Estimated != 1.5 || got.LiveAnswers != 2 || got.Machines != 2 {
		t.Errorf("counted %+v", got)
	}
	if got.OfConnected != 0.75 || math.Abs(got.OfLive-1.5/3.5) > 1e-12 || math.Abs(got.Day24.Rate-1.5/3.5) > 1e-12 || got.Day24.Estimated != 1.5 {
		t.Errorf("rates %+v", got)
	}
	var text strings.Builder
	if err := r.Abandon.WriteText(&text); err != nil || !strings.Contains(text.String(), "0 + 1.50") {
		t.Errorf("text %v:\n%s", err, text.String())
	}
}
