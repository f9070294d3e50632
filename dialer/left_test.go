package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// TestEndLeftByTheJournal: without a store the journal names the calls that the last run
// left; one that proves to be answered is counted once, and the start that follows settles it so.
func TestEndLeftByTheJournal(t *testing.T) {
	in(t, rigOptions{leads: 4}, func(t *testing.T, r *rig) {
		note := func(k journal.Kind, id string, lead int64, detail, personal any) {
			rec := journal.Record{At: time.Now(), Node: "n1", Kind: k, Campaign: "spring", Attempt: id, Lead: lead, Number: "+393331230000", Detail: encode(detail)}
			if personal != nil {
				rec.Personal = encode(personal)
			}
			if _, err := r.journal.Append(rec); err != nil {
				t.Fatal(err)
			}
		}
		cleared := dnc.Verdict{Allowed: true, CallerID: "+390844000123", Trunk: "fake"}
		note(journal.Cleared, "A", 1, cleared, nil)
		note(journal.Invited, "A", 1, nil, Dialog{CallID: "a"})
		note(journal.Ringing, "A", 1, nil, nil)
		note(journal.Cleared, "B", 2, cleared, nil) // its INVITE may have left
		note(journal.Cleared, "C", 3, cleared, nil)
		note(journal.Invited, "C", 3, nil, Dialog{CallID: "c"})
		note(journal.Ended, "C", 3, journal.EndedDetail{Settled: journal.SettledDetail{Done: true}}, nil)
		r.journal.records[len(r.journal.records)-1].Outcome = string(campaigns.Busy)
		note(journal.Cleared, "D", 4, cleared, nil)
		note(journal.Invited, "D", 4, nil, Dialog{CallID: "d"})
		note(journal.Answered, "D", 4, nil, Dialog{CallID: "d", ToTag: "far"})
		note(journal.Connected, "D", 4, nil, nil)
		r.trunk.answers = []string{"a", "a", "c"}
		n, err := EndLeft(t.Context(), Config{Node: "n1", Now: time.Now, Log: r.svc.Log, Trunk: r.trunk, Journal: r.journal, Read: r.journal.read})
		var ids []string
		for _, d := range r.trunk.recovered {
			ids = append(ids, d.CallID)
			if d.CallID == "d" && (!d.Answered || d.ToTag != "far") {
				t.Errorf("%+v, want the dialog of the answer", d)
			}
		}
		if slices.Sort(ids); err != nil || n != 3 || !slices.Equal(ids, []string{"a", "d", "presumed-B"}) {
			t.Errorf("EndLeft = %d, %v, ended %v", n, err, ids)
		}
		if got := r.journal.kinds(journal.Abandoned); len(got) != 1 || got[0].Attempt != "A" || got[0].Reason != string(campaigns.Interrupted) {
			t.Errorf("abandoned: %+v, want the one answer that met nobody", got)
		}
		r.trunk.answers = nil
		r.run()
		time.Sleep(time.Second)
		r.end()
		outcomes := map[string]string{}
		for _, i := range r.journal.kinds(journal.Interrupted) {
			outcomes[i.Attempt] = i.Outcome
		}
		if outcomes["A"] != string(campaigns.Abandoned) || outcomes["B"] != string(campaigns.Interrupted) || outcomes["D"] != string(campaigns.Bridged) || len(outcomes) != 3 {
			t.Errorf("settled as %v", outcomes)
		}
		if n := len(r.journal.kinds(journal.Abandoned)); n != 1 {
			t.Errorf("%d abandoned after the start with the store, want 1", n)
		}
	})
}
