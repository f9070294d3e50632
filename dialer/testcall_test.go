package dialer

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

func TestTestCall(t *testing.T) {
	kinds := func(r *rig) string {
		var all []string
		for _, rec := range r.journal.all() {
			if rec.Attempt != "" {
				all = append(all, string(rec.Kind))
			}
		}
		return strings.Join(all, " ")
	}
	for name, c := range map[string]struct {
		script  script
		refuse  dnc.Reason
		outcome campaigns.Outcome
		records string
	}{
		"answered":         {script: script{ring: time.Second}, outcome: campaigns.Abandoned, records: "invited ringing answered abandoned treated ended"},
		"hangs up at once": {script: script{ring: time.Second, talk: 500 * time.Millisecond}, outcome: campaigns.HungUp, records: "invited ringing answered ended"},
		"busy":             {script: script{ring: time.Second, fails: campaigns.Busy}, outcome: campaigns.Busy, records: "invited ringing ended"},
		"unwanted":         {script: script{ring: time.Second, fails: campaigns.Unwanted}, outcome: campaigns.Unwanted, records: "invited ringing ended opted_out"},
		"refused":          {refuse: dnc.Registered},
	} {
		for _, alone := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				in(t, rigOptions{agents: 1, leads: 1, script: func(int) script { return c.script }}, func(t *testing.T, r *rig) {
					r.store.record.State = Stopped
					r.gate.refuse = func(campaigns.Lead, bool) dnc.Verdict { return dnc.Verdict{Reason: c.refuse} }
					var got TestedCall
					work := func(ctx context.Context) error {
						var err error
						got, err = r.svc.Test(ctx, TestCall{Trunk: "fake", Campaign: r.store.record, Lead: campaigns.Lead{ID: 1, Number: "+393331230000"}})
						return err
					}
					var err error
					if alone {
						err = r.svc.Alone(context.Background(), work)
					} else {
						r.run()
						err = work(context.Background())
						synctest.Wait()
						r.end()
					}
					if err != nil || got.Outcome != c.outcome || got.Verdict.Allowed != (c.refuse == "") {
						t.Errorf("alone %t: %+v, %v", alone, got, err)
					}
					if k := kinds(r); k != c.records {
						t.Errorf("alone %t: records %q, want %q", alone, k, c.records)
					}
					for id, a := range r.store.attempts {
						if r.store.settled[id] != 1 || a.Lead != 0 {
							t.Errorf("attempt %+v is settled %d times", a, r.store.settled[id])
						}
					}
					if l := r.store.lead(1); l.Attempts != 0 {
						t.Errorf("the list's lead has %d attempts", l.Attempts)
					}
				})
			})
		}
	}
}

// A test call's answer counts in the campaign that runs.
func TestTestCallCounts(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 0, script: func(int) script { return script{ring: time.Second} }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		if _, err := r.svc.Test(context.Background(), TestCall{Trunk: "fake", Campaign: r.store.record, Lead: campaigns.Lead{Number: "+393331230000"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.end()
		counted := 0.0
		for _, rec := range r.journal.kinds(journal.Paced) {
			for _, e := range detail[PacedDetail](t, rec).Events {
				counted += e.AbandonedElsewhere
			}
		}
		if counted != 1 {
			t.Errorf("pacing heard of %v abandoned calls, want one", counted)
		}
	})
}
