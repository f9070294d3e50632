package campaigns_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
)

// likely is the propensity of a bank's leads: of three one is likely to answer.
func likely(l campaigns.Lead) float64 {
	if l.ID%3 == 0 {
		return 2.5
	}
	return 0.25
}

// take takes n leads one by one, looking at the propensities before each as the
// campaign's loop does.
func take(q *campaigns.Queue, n int) (leads []campaigns.Lead) {
	for range n {
		q.Propensities()
		synctest.Wait()
		some := q.Take(1)
		if len(some) == 0 {
			time.Sleep(2 * time.Second)
			synctest.Wait()
			q.Propensities()
			some = q.Take(1)
		}
		leads = append(leads, some...)
	}
	return leads
}

// TestQueueCallsTheLikelyFirst: a long list is called from its likely leads on, not
// only from those of the next refill; nobody is left out.
func TestQueueCallsTheLikelyFirst(t *testing.T) {
	b := newBank(3000)
	running(t, b, campaigns.QueueConfig{High: 60, Order: campaigns.OrderPropensity, Propensity: likely, MaxHold: time.Hour}, func(t *testing.T, q *campaigns.Queue) {
		good := 0
		leads := take(q, 1000)
		for _, l := range leads {
			if l.ID%3 == 0 {
				good++
			}
		}
		if good < 600 {
			t.Errorf("of the first 1000 calls %d go to likely leads, 333 in the order of the list", good)
		}
		seen := map[campaigns.LeadID]bool{}
		for _, l := range append(leads, take(q, 2100)...) {
			if seen[l.ID] {
				t.Fatalf("lead %d twice", l.ID)
			}
			seen[l.ID] = true
		}
		if len(seen) != 3000 {
			t.Errorf("%d of 3000 leads came", len(seen))
		}
	})
}

// Propensity decides among leads of one class, priority and share alone, and one
// place in eight goes to the lead that has waited longest.
func TestQueueKeepsPriorityAndAge(t *testing.T) {
	b := newBank(0)
	b.add(20, campaigns.Lead{Priority: 1})
	b.add(20, campaigns.Lead{})
	odds := func(l campaigns.Lead) float64 { return float64(l.ID) }
	running(t, b, campaigns.QueueConfig{High: 50, Order: campaigns.OrderPropensity, Propensity: odds}, func(t *testing.T, q *campaigns.Queue) {
		odds := slices.Clone(q.Propensities())
		var got []campaigns.LeadID
		for i, l := range q.Take(40) {
			got = append(got, l.ID)
			if odds[i] != float64(l.ID) {
				t.Errorf("lead %d was told with the propensity %v", l.ID, odds[i])
			}
		}
		want := []campaigns.LeadID{20, 19, 18, 17, 16, 15, 14, 1, 13, 12, 11, 10, 9, 8, 7, 2, 6, 5, 4, 3, 40, 39, 38, 37, 36, 35, 34, 21, 33, 32, 31, 30, 29, 28, 27, 22, 26, 25, 24, 23}
		if !slices.Equal(got, want) {
			t.Errorf("order %v,\nwant  %v", got, want)
		}
	})
}

// What nothing is known of stays in the order of the list, and so does all in the
// order of the list.
func TestQueueLeavesTheListAlone(t *testing.T) {
	for name, cfg := range map[string]campaigns.QueueConfig{
		"nothing known":       {Order: campaigns.OrderPropensity, Propensity: func(campaigns.Lead) float64 { return 0 }},
		"order of the list":   {Order: campaigns.OrderList, Propensity: likely},
		"nobody else to call": {Order: campaigns.OrderPropensity, Propensity: func(campaigns.Lead) float64 { return 0.5 }, High: 400},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBank(100)
			running(t, b, cfg, func(t *testing.T, q *campaigns.Queue) {
				leads := take(q, 100)
				if len(leads) != 100 || !slices.IsSortedFunc(leads, func(a, b campaigns.Lead) int { return int(a.ID - b.ID) }) {
					t.Errorf("%d leads came, in another order", len(leads))
				}
			})
		})
	}
}
