package dialer

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/odds"
	"pronto/dnc"
	"pronto/pacing"
)

// halves are leads of which every second one has a mobile number and answers.
func halves(leads int) map[campaigns.LeadID]*campaigns.Lead {
	all := map[campaigns.LeadID]*campaigns.Lead{}
	for i := range leads {
		number := fmt.Sprintf("+39347%07d", i)
		if i%2 == 1 {
			number = fmt.Sprintf("+3902%07d", i)
		}
		id := campaigns.LeadID(i + 1)
		all[id] = &campaigns.Lead{ID: id, Campaign: "spring", Number: campaigns.Number(number)}
	}
	return all
}

// foretold are the propensities of the leads dialed from an instant on, in order.
func foretold(t *testing.T, r *rig, from time.Time) []float64 {
	t.Helper()
	var out []float64
	for _, rec := range r.journal.kinds(journal.Paced) {
		for _, e := range detail[PacedDetail](t, rec).Events {
			if e.Kind == pacing.Dialed && !e.At.Before(from) {
				out = append(out, e.Propensity)
			}
		}
	}
	return out
}

// TestLeadsThatAnswerAreForetold has one agent, so that leads are called one after
// the other: those with mobile numbers answer, the others are busy.
func TestLeadsThatAnswerAreForetold(t *testing.T) {
	o := rigOptions{agents: 1, script: func(k int) script {
		if k%2 == 0 {
			return script{ring: time.Second, talk: time.Second}
		}
		return script{ring: time.Second, fails: campaigns.Busy}
	}, camp: func(c *campaigns.Campaign) {
		c.WrapUp, c.MaxAttempts = time.Second, 1
	}}
	in(t, o, func(t *testing.T, r *rig) {
		r.store.leads = halves(500)
		r.run()
		time.Sleep(time.Hour)
		r.end()
		told := foretold(t, r, time.Time{})
		if len(told) != 500 || told[0] != 0 || told[1] != 0 {
			t.Fatalf("dialed %d, the first with %v", len(told), told[:2])
		}
		for i, p := range told[400:] {
			if mobile := i%2 == 0; mobile && p < 1.5 || !mobile && (p > 0.5 || p <= 0) {
				t.Errorf("call %d, mobile %v: propensity %v", 400+i, mobile, p)
			}
		}
		if got, err := ReplayPacing(each(r.journal.all())); err != nil || got.Difference != nil {
			t.Errorf("replay: %v, %+v", err, got.Difference)
		}

		again := newRig(t, o)
		again.journal = r.journal
		again.svc.Journal, again.svc.Read, again.svc.ReadFrom = r.journal, r.journal.read, r.journal.readFrom
		again.svc.scribe = newScribe(r.journal, again.store, again.svc.Log)
		again.store.leads = halves(540)
		began := time.Now()
		again.run()
		time.Sleep(10 * time.Minute)
		again.end()
		told = foretold(t, again, began)
		if len(told) != 40 || told[2] < 1.5 || told[3] > 0.5 {
			t.Errorf("after a restart %d were dialed with %v", len(told), told[:min(len(told), 4)])
		}
	})
}

func TestWhatTheTrunkPreventedTeachesNothing(t *testing.T) {
	f := foresight{zone: time.UTC}
	m, err := odds.NewModel()
	if err != nil {
		t.Fatal(err)
	}
	f.learn(odds.Lesson{Levels: []int{9}, Live: true})
	f.begin(m)
	for i := range 400 {
		f.learn(odds.Lesson{Levels: []int{9 + i%2}, Live: i%2 == 0})
	}
	if early, late := f.propensity([]int{9}), f.propensity([]int{10}); early < 1.5 || late > 0.5 || late <= 0 {
		t.Errorf("propensities %v and %v", early, late)
	}
	now := time.Now()
	if !f.stale(now) || f.stale(now.Add(assessAfter/2)) || !f.stale(now.Add(assessAfter)) {
		t.Error("leads are assessed again after enough lessons, and after a while")
	}
	f.stale(now.Add(time.Hour))
	for range assessEach {
		f.learn(odds.Lesson{Levels: []int{9}, Live: true})
	}
	if f.stale(now.Add(time.Hour+assessLeast/2)) || !f.stale(now.Add(time.Hour+assessLeast)) {
		t.Error("leads are assessed again after enough lessons, but not sooner than in a second")
	}
	for _, o := range []campaigns.Outcome{campaigns.Failed, campaigns.Congested, campaigns.Refused, campaigns.Interrupted} {
		if odds.Teaches(o) {
			t.Errorf("%s says nothing of a lead", o)
		}
	}
	if !odds.Teaches(campaigns.Vacant) || !odds.Teaches(campaigns.Bridged) {
		t.Error("a vacant number and a talk say something")
	}
}

// TestLikelyLeadsAreCalledFirst: in the order of propensity what the calls have
// taught decides who is called next; pacing is told the same propensities and its counts add up.
func TestLikelyLeadsAreCalledFirst(t *testing.T) {
	mobiles := func(order campaigns.Order) (mobile, answered int) {
		o := rigOptions{agents: 1, camp: func(c *campaigns.Campaign) {
			c.WrapUp, c.MaxAttempts, c.Order = time.Second, 1, order
		}}
		in(t, o, func(t *testing.T, r *rig) {
			r.store.leads = halves(3000)
			var next atomic.Value // one agent and a line for each: calls follow one another
			r.gate.asked = func(q dnc.Request) { next.Store(q.Lead.Number.Kind()) }
			r.trunk.script = func(int) script {
				if next.Load() == campaigns.Mobile {
					return script{ring: time.Second, talk: time.Second}
				}
				return script{ring: time.Second, fails: campaigns.Busy}
			}
			r.run()
			time.Sleep(50 * time.Minute)
			r.end()
			for _, rec := range r.journal.kinds(journal.Invited) {
				if campaigns.Number(rec.Number).Kind() == campaigns.Mobile {
					mobile++
				}
			}
			answered = len(r.journal.kinds(journal.Answered))
			if got, err := ReplayPacing(each(r.journal.all())); err != nil || got.Difference != nil {
				t.Errorf("replay: %v, %+v", err, got.Difference)
			}
		})
		return mobile, answered
	}
	plain, _ := mobiles(campaigns.OrderList)
	best, answered := mobiles(campaigns.OrderPropensity)
	t.Logf("mobile numbers called: %d in the order of the list, %d in that of propensity", plain, best)
	if best < plain*5/4 || answered < best-1 { // the last one may still ring at the end
		t.Errorf("%d mobile numbers called in the order of propensity, of which %d answered; %d in that of the list", best, answered, plain)
	}
}
