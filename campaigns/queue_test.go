package campaigns_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"pronto/campaigns"
)

// running is a queue on a bank within a bubble of fake time.
func running(t *testing.T, b *bank, cfg campaigns.QueueConfig, f func(t *testing.T, q *campaigns.Queue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		cfg.Campaign, cfg.Node = "demo", "n1"
		if cfg.Store == nil {
			cfg.Store = b
		}
		q := campaigns.NewQueue(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		synctest.Wait()
		f(t, q)
		cancel()
		if err := <-ended; err != nil {
			t.Fatalf("Run: %v", err)
		}
		if q.Len() != 0 || len(q.Take(1)) != 0 {
			t.Fatal("hands out leads after its end")
		}
		if len(b.wrong) > 0 {
			t.Fatal(b.wrong)
		}
	})
}

func TestQueueHandsOutInOrderAndRefills(t *testing.T) {
	b := newBank(1000)
	running(t, b, campaigns.QueueConfig{High: 100, Low: 40}, func(t *testing.T, q *campaigns.Queue) {
		if q.Len() != 100 || len(q.Propensities()) != 100 || b.asked() != 1 {
			t.Fatalf("holds %d after %d asks", q.Len(), b.asked())
		}
		if campaigns.NewQueue(campaigns.QueueConfig{}).Propensities() == nil {
			t.Error("an empty queue's propensities are nil, which pacing takes for leads without end")
		}
		if q.Exhausted() {
			t.Fatal("exhausted while it holds leads")
		}
		next := campaigns.LeadID(1)
		for range 20 {
			for _, l := range q.Take(50) {
				if l.ID != next {
					t.Fatalf("lead %d, want %d", l.ID, next)
				}
				next++
			}
			synctest.Wait()
		}
		if next != 1001 {
			t.Fatalf("handed out %d", next-1)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !q.Exhausted() {
			t.Fatal("not exhausted")
		}
	})
	if b.held() != 1000 {
		t.Fatalf("%d leases out, want those of the taker", b.held())
	}
}

func TestQueueKeepsAboveLowWithoutAsking(t *testing.T) {
	b := newBank(1000)
	running(t, b, campaigns.QueueConfig{High: 100, Low: 40, MaxHold: time.Hour}, func(t *testing.T, q *campaigns.Queue) {
		q.Take(60)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if b.asked() != 1 || q.Len() != 40 {
			t.Fatalf("asked %d times, holds %d", b.asked(), q.Len())
		}
		q.Take(1)
		synctest.Wait()
		if b.asked() != 2 || q.Len() != 100 {
			t.Fatalf("asked %d times, holds %d", b.asked(), q.Len())
		}
	})
	if b.held() != 61 {
		t.Fatalf("%d leases out, want 61", b.held())
	}
}

func TestQueueTakeOfNothing(t *testing.T) {
	q := campaigns.NewQueue(campaigns.QueueConfig{Store: newBank(1)})
	if q.Take(5) != nil || q.Take(-1) != nil || len(q.Propensities()) != 0 || q.Exhausted() {
		t.Fatal("a queue that has not run holds something, or knows that there is nothing")
	}
}

func TestQueuePollsWhenShort(t *testing.T) {
	b := newBank(3)
	running(t, b, campaigns.QueueConfig{High: 100}, func(t *testing.T, q *campaigns.Queue) {
		q.Take(3)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if n := b.asked(); n < 10 || n > 12 {
			t.Fatalf("asked %d times in 10 s", n)
		}
		for range 1000 {
			q.Take(1)
			q.Release(time.Now().Add(time.Hour))
		}
		synctest.Wait()
		if n := b.asked(); n > 12 {
			t.Fatalf("taking from an empty queue asks the store: %d", n)
		}
		b.add(5, campaigns.Lead{})
		q.Wake()
		synctest.Wait()
		if q.Len() != 5 {
			t.Fatalf("holds %d after Wake", q.Len())
		}
		b.add(1, campaigns.Lead{Due: time.Now().Add(30 * time.Second)})
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if q.Len() != 5 {
			t.Fatal("leased before it was due")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if q.Len() != 6 {
			t.Fatal("not leased within two seconds of its due time")
		}
	})
	if b.held() != 3 {
		t.Fatalf("%d leases out, want 3", b.held())
	}
}

func TestQueueReturnComesFirst(t *testing.T) {
	b := newBank(10)
	running(t, b, campaigns.QueueConfig{High: 10}, func(t *testing.T, q *campaigns.Queue) {
		taken := q.Take(3)
		q.Return(taken[1:]...)
		if again := q.Take(10); len(again) != 9 || again[0].ID != 2 || again[1].ID != 3 || again[2].ID != 4 {
			t.Fatalf("taken again %v", again)
		}
		q.Return()
		q.Release(time.Time{})
	})
	if b.held() != 10 || b.returned() != 0 {
		t.Fatalf("%d leases, %d returns", b.held(), b.returned())
	}
}

func TestQueueReleaseIsGathered(t *testing.T) {
	b := newBank(50)
	running(t, b, campaigns.QueueConfig{High: 50}, func(t *testing.T, q *campaigns.Queue) {
		due := time.Now().Add(time.Hour + time.Millisecond)
		for _, l := range q.Take(20) {
			q.Release(due, l)
		}
		synctest.Wait()
		if b.returned() != 0 {
			t.Fatal("not gathered")
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if b.returned() != 1 || b.held() != 30 {
			t.Fatalf("%d returns, %d leases", b.returned(), b.held())
		}
		if got := b.lead(1).Due; got.Before(due) || got.Sub(due) > time.Second || got.Nanosecond() != 0 {
			t.Fatalf("due %v, want %v rounded up", got, due)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if q.Len() != 30 {
			t.Fatalf("holds %d before the released are due", q.Len())
		}
	})
}

func TestQueueExchangesOldLeases(t *testing.T) {
	b := newBank(20)
	running(t, b, campaigns.QueueConfig{High: 10, MaxHold: time.Minute}, func(t *testing.T, q *campaigns.Queue) {
		b.add(1, campaigns.Lead{Priority: 9})
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if b.asked() != 1 {
			t.Fatal("asked before MaxHold")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if l := q.Take(2); len(l) != 2 || l[0].ID != 21 || l[1].ID != 1 {
			t.Fatalf("first now: %v", l)
		}
	})
	if b.held() != 2 {
		t.Fatalf("%d leases out", b.held())
	}
}

func TestQueueSurvivesItsStore(t *testing.T) {
	b := newBank(20)
	var told int
	running(t, b, campaigns.QueueConfig{High: 10, Low: 10, Log: func(error) { told++ }}, func(t *testing.T, q *campaigns.Queue) {
		b.set(func() { b.fail = errors.New("disk full") })
		gone := q.Take(4)
		q.Release(time.Now().Add(time.Hour), gone[:2]...)
		for range 100 {
			q.Take(0)
			q.Wake()
			time.Sleep(200 * time.Millisecond)
		}
		synctest.Wait()
		if q.Len() != 6 || told < 3 || told > 12 {
			t.Fatalf("holds %d, told %d times in 20 s", q.Len(), told)
		}
		b.set(func() { b.fail = nil })
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if q.Len() != 10 {
			t.Fatalf("holds %d after the store came back", q.Len())
		}
	})
	if b.held() != 2 {
		t.Fatalf("%d leases out, want 2", b.held())
	}
}

func TestQueueWhenAReturnIsDoneButNotAnswered(t *testing.T) {
	b := newBank(3)
	synctest.Test(t, func(t *testing.T) {
		q := campaigns.NewQueue(campaigns.QueueConfig{Campaign: "demo", Node: "n1", Store: b, High: 3, Low: 3})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		synctest.Wait()
		b.set(func() { b.forget = true })
		q.Release(time.Time{}, q.Take(1)...)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		seen := make(map[campaigns.LeadID]bool)
		for _, l := range q.Take(3) {
			if seen[l.ID] || !b.leased[l.ID] {
				t.Fatalf("lead %d handed out twice or without a lease", l.ID)
			}
			seen[l.ID] = true
		}
		if len(seen) != 3 {
			t.Fatalf("lost a lead: %v", seen)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

func TestQueueGivesBackWhatArrivesLate(t *testing.T) {
	b := newBank(30)
	synctest.Test(t, func(t *testing.T) {
		b.delay = 3 * time.Second
		q := campaigns.NewQueue(campaigns.QueueConfig{Campaign: "demo", Node: "n1", Store: b, High: 20})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		synctest.Wait()
		cancel() // while the lease is on its way
		if err := <-ended; err != nil || b.asks != 1 || b.held() != 0 {
			t.Fatalf("Run: %v, asked %d, %d leases out", err, b.asks, b.held())
		}

		ctx, cancel = context.WithCancel(t.Context())
		go func() { ended <- q.Run(ctx) }()
		time.Sleep(4 * time.Second)
		taken := q.Take(3)
		if err := q.Run(ctx); !errors.Is(err, campaigns.ErrRunning) {
			t.Fatalf("second Run: %v", err)
		}
		cancel()
		if err := <-ended; err != nil || b.held() != 3 {
			t.Fatalf("Run: %v, %d leases out", err, b.held())
		}
		q.Return(taken[0])
		q.Release(time.Now().Add(time.Hour), taken[1])
		if b.held() != 1 || !b.lead(taken[0].ID).Due.IsZero() || b.lead(taken[1].ID).Due.IsZero() {
			t.Fatalf("%d leases out after the end", b.held())
		}
		b.fail = errors.New("disk full")
		q.Return(taken[2])
		b.fail = nil
		q.Release(time.Time{}, campaigns.Lead{ID: 30})
		if b.held() != 0 {
			t.Fatal("what failed is not given back with the next")
		}
	})
}

func TestQueueEndSaysWhatIsLeft(t *testing.T) {
	b := newBank(5)
	synctest.Test(t, func(t *testing.T) {
		q := campaigns.NewQueue(campaigns.QueueConfig{Campaign: "demo", Store: b})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		synctest.Wait()
		b.set(func() { b.fail = errors.New("disk full") })
		cancel()
		if err := <-ended; !errors.Is(err, b.fail) {
			t.Fatalf("Run: %v", err)
		}
	})
}

func TestQueueRenewsItsLeases(t *testing.T) {
	b := newBank(100)
	running(t, b, campaigns.QueueConfig{High: 40, Low: 20}, func(t *testing.T, q *campaigns.Queue) {
		q.Take(5)
		q.Renew()
		if n := len(q.Take(1)); n != 0 {
			t.Fatal("hands out what was leased before")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if b.held() != 45 || q.Len() != 40 {
			t.Fatalf("%d leases out, holds %d; want the 5 of the taker and 40 new ones", b.held(), q.Len())
		}
	})
	if b.held() != 5 {
		t.Fatalf("%d leases out at the end, want those of the taker", b.held())
	}
}

func TestQueueRenewsWhatIsOnItsWay(t *testing.T) {
	b := newBank(30)
	b.delay = 3 * time.Second
	running(t, b, campaigns.QueueConfig{High: 20}, func(t *testing.T, q *campaigns.Queue) {
		time.Sleep(time.Second)
		q.Renew()
		time.Sleep(2*time.Second + time.Millisecond)
		if n := len(q.Take(1)); n != 0 {
			t.Fatal("hands out what was leased before")
		}
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if q.Len() != 20 || b.held() != 20 {
			t.Fatalf("%d leases out, holds %d; want 20 new ones", b.held(), q.Len())
		}
	})
}

// A lead with best hours is handed out within them; an agreed call and a lead
// without a wish at any time.
func TestQueueKeepsToBestHours(t *testing.T) {
	evening := campaigns.Hours{"sat": {"18:00-20:00"}} // a bubble's clock begins on Saturday 2000-01-01, 00:00 UTC
	b := newBank(0)
	b.add(1, campaigns.Lead{BestHours: evening, Zone: "Europe/Rome"})
	b.add(1, campaigns.Lead{BestHours: evening, Number: "+442079460000"})
	b.add(1, campaigns.Lead{BestHours: evening, Zone: "Europe/Rome", Callback: true})
	b.add(1, campaigns.Lead{})
	running(t, b, campaigns.QueueConfig{High: 10}, func(t *testing.T, q *campaigns.Queue) {
		for _, step := range []struct {
			wait time.Duration
			want []campaigns.LeadID
		}{{0, []campaigns.LeadID{3, 4}}, {16*time.Hour + 59*time.Minute, nil}, {2 * time.Minute, []campaigns.LeadID{1}}, {time.Hour, []campaigns.LeadID{2}}} {
			time.Sleep(step.wait)
			synctest.Wait()
			var got []campaigns.LeadID
			for _, l := range q.Take(10) {
				got = append(got, l.ID)
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("after %v took %v, want %v", step.wait, got, step.want)
			}
		}
	})
}
