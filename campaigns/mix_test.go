package campaigns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

// drain takes everything from the queue, n at a time.
func drain(q *campaigns.Queue, n int) (leads []campaigns.Lead) {
	for {
		some := q.Take(n)
		if len(some) == 0 {
			time.Sleep(time.Second)
			synctest.Wait()
			if some = q.Take(n); len(some) == 0 {
				return leads
			}
		}
		leads = append(leads, some...)
		synctest.Wait()
	}
}

// TestQueueMixesLists: any hundred leads in a row hold each list's share of them,
// whatever the refills, as long as all lists have leads.
func TestQueueMixesLists(t *testing.T) {
	b := newBank(0)
	b.add(900, campaigns.Lead{List: "b"})
	b.add(900, campaigns.Lead{List: "a"})
	b.add(100, campaigns.Lead{List: "c"})
	b.add(50, campaigns.Lead{})
	lists := []campaigns.List{{Name: "a", Share: 70}, {Name: "b", Share: 30}, {Name: "c", Paused: true}}
	running(t, b, campaigns.QueueConfig{High: 64, Low: 20, Lists: lists}, func(t *testing.T, q *campaigns.Queue) {
		leads := drain(q, 7)
		if len(leads) != 1850 {
			t.Fatalf("%d leads came, want those of a and b and those of no list", len(leads))
		}
		for from := 0; from+100 <= 1280; from++ {
			ofA := 0
			for _, l := range leads[from : from+100] {
				if l.List == "a" {
					ofA++
				}
			}
			if ofA < 69 || ofA > 71 {
				t.Fatalf("%d of the hundred leads from %d are of list a", ofA, from)
			}
		}
		for i, l := range leads[:1800] {
			if l.List == "" {
				t.Fatalf("lead %d is of no list, while the named ones have some", i)
			}
		}
	})
}

// A list that has leads again after it had none takes no more than its share.
func TestQueueMixDoesNotMakeUp(t *testing.T) {
	b := newBank(0)
	b.add(2000, campaigns.Lead{List: "a"})
	b.add(10, campaigns.Lead{List: "b"})
	lists := []campaigns.List{{Name: "a", Share: 1}, {Name: "b", Share: 1}}
	running(t, b, campaigns.QueueConfig{High: 40, Low: 20, Lists: lists}, func(t *testing.T, q *campaigns.Queue) {
		for range 50 {
			q.Take(10)
			synctest.Wait()
		}
		b.add(500, campaigns.Lead{List: "b"})
		q.Take(40) // of before
		synctest.Wait()
		q.Take(40)
		synctest.Wait()
		ofB := 0
		for range 10 {
			for _, l := range q.Take(10) {
				if l.List == "b" {
					ofB++
				}
			}
			synctest.Wait()
		}
		if ofB < 49 || ofB > 51 {
			t.Errorf("%d of 100 are of list b", ofB)
		}
	})
}

// TestQueueMixKeepsShares draws with random lists: over any stretch a list is off
// its share by less than one lead.
func TestQueueMixKeepsShares(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shares := rapid.SliceOfN(rapid.IntRange(1, 100), 1, 5).Draw(rt, "shares")
		b := newBank(0)
		var lists []campaigns.List
		whole := 0
		for i, share := range shares {
			name := string(rune('a' + i))
			lists = append(lists, campaigns.List{Name: name, Share: share})
			b.add(90, campaigns.Lead{List: name})
			whole += share
		}
		high := rapid.IntRange(1, 100).Draw(rt, "high")
		running(t, b, campaigns.QueueConfig{High: high, Lists: lists}, func(_ *testing.T, q *campaigns.Queue) {
			taken := map[string]int{}
			for n := 1; n <= 60; n++ {
				leads := q.Take(1)
				if len(leads) != 1 {
					rt.Fatalf("no lead after %d", n-1)
				}
				taken[leads[0].List]++
				synctest.Wait()
				for _, l := range lists {
					if off := float64(taken[l.Name]) - float64(n*l.Share)/float64(whole); off >= 1 || off <= -1 {
						rt.Fatalf("after %d leads list %s has had %d: %v off", n, l.Name, taken[l.Name], off)
					}
				}
			}
		})
	})
}

func TestQueueReplans(t *testing.T) {
	b := newBank(0)
	b.add(30, campaigns.Lead{List: "a"})
	b.add(30, campaigns.Lead{List: "b"})
	b.add(1, campaigns.Lead{List: "a", Callback: true})
	running(t, b, campaigns.QueueConfig{High: 10}, func(t *testing.T, q *campaigns.Queue) {
		q.Take(2)
		q.Replan(campaigns.OrderList, []campaigns.List{{Name: "b"}, {Name: "a", Paused: true}})
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		for _, l := range q.Take(10) {
			if l.List != "b" && !l.Callback {
				t.Errorf("lead %d of list %s", l.ID, l.List)
			}
		}
		synctest.Wait()
		q.Replan(campaigns.OrderList, []campaigns.List{{Name: "b"}, {Name: "a", Paused: true}})
		if q.Len() == 0 {
			t.Error("drawn anew though nothing that counts was changed")
		}
	})
}
