package dialer

import (
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// TestAnswerThatCrossesTheEnd: a call is given up and answered in the same moment.
// The answer counts once the attempt's end is in the store, and only if that is no answer.
func TestAnswerThatCrossesTheEnd(t *testing.T) {
	for outcome, counts := range map[campaigns.Outcome]int{campaigns.Failed: 1, campaigns.NoAnswer: 1, campaigns.Bridged: 0} {
		t.Run(string(outcome), func(t *testing.T) {
			in(t, rigOptions{leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
				r.run()
				time.Sleep(time.Second)
				a := Attempt{ID: "01M86EEGVT99KFB3QM5KWH1KTV", Lead: 1, Campaign: "spring", Number: "+393331230000", At: time.Now()}
				apply := func(c Change) {
					if err := r.store.Apply(t.Context(), []Change{c}); err != nil {
						t.Fatal(err)
					}
				}
				apply(Change{Attempt: a, Seq: 1})
				for range 2 { // the far end repeats it
					r.trunk.met(Dialog{CallID: strings.ToLower(a.ID)}, time.Now())
				}
				time.Sleep(1500 * time.Millisecond)
				if n := len(r.journal.kinds(journal.Abandoned)); n != 0 {
					t.Errorf("%d abandoned before the attempt has ended", n)
				}
				a.Outcome = outcome
				apply(Change{Attempt: a, Settled: true, Seq: 2})
				time.Sleep(3 * time.Second)
				r.end()
				if n := len(r.journal.kinds(journal.Abandoned)); n != counts {
					t.Errorf("%d abandoned, want %d", n, counts)
				}
				if l := r.store.lead(1); counts > 0 && l.LastOutcome != campaigns.Abandoned {
					t.Errorf("lead %+v, want it abandoned", l)
				}
			})
		})
	}
}
