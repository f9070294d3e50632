package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// Who does not want to be called is a person: an opt-out in a call holds for each number of
// the lead, each journaled, so that no other list calls them there.
func TestOptOutHoldsForEachNumberOfTheLead(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		lead := r.store.leads[1]
		lead.Numbers = []campaigns.LeadNumber{{Number: lead.Number}, {Number: "+390655599002", Type: "home"}}
		r.run()
		time.Sleep(5 * time.Second)
		r.svc.do(func() { r.svc.floor.digit("agent00", '3') })
		time.Sleep(time.Second)
		r.end()
		want := []campaigns.Number{lead.Number, "+390655599002"}
		var stored, journaled []campaigns.Number
		for _, o := range r.store.optOuts {
			stored = append(stored, o.Number)
		}
		for _, rec := range r.journal.kinds(journal.OptedOut) {
			journaled = append(journaled, campaigns.Number(rec.Number))
		}
		slices.Sort(stored)
		slices.Sort(journaled)
		slices.Sort(want)
		if !slices.Equal(stored, want) || !slices.Equal(journaled, want) {
			t.Errorf("stored %v, journaled %v, want %v", stored, journaled, want)
		}
	})
}
