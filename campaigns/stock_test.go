package campaigns_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
)

// sharedBank is a bank of several nodes: it keeps what this one says and answers as it is told.
type sharedBank struct {
	*bank
	said []campaigns.Stock
	most int
	// agreed counts how often agreed calls were asked for.
	agreed int
	fail   error
}

func newSharedBank(leads int) *sharedBank { return &sharedBank{bank: newBank(leads), most: -1} }

func (b *sharedBank) Level(_ context.Context, _, _ string, s campaigns.Stock) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, s)
	return b.most, b.fail
}

// LeaseCallbacks counts how often it is asked.
func (b *sharedBank) LeaseCallbacks(context.Context, string, string, int, time.Time) ([]campaigns.Lead, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.agreed++
	return nil, b.bank.fail
}

// last is what the node said last.
func (b *sharedBank) last() campaigns.Stock {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said[len(b.said)-1]
}

// sharing runs a queue on a bank of several nodes.
func sharing(t *testing.T, b *sharedBank, cfg campaigns.QueueConfig, f func(t *testing.T, q *campaigns.Queue)) {
	t.Helper()
	cfg.Store = b
	running(t, b.bank, cfg, f)
}

// pass lets time go by in the bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestQueueGivesUpWhatOthersWant(t *testing.T) {
	b := newSharedBank(100)
	sharing(t, b, campaigns.QueueConfig{High: 80, Low: 40}, func(t *testing.T, q *campaigns.Queue) {
		q.Take(10)
		pass(time.Second)
		b.set(func() { b.most = 25 })
		pass(3 * time.Second)
		if q.Len() != 25 || b.held() != 35 {
			t.Fatalf("holds %d, and %d are leased in all; want 25 of its own and the 10 that were taken", q.Len(), b.held())
		}
		if got := q.Take(1)[0].ID; got != 11 {
			t.Errorf("hands out lead %d, want 11: those that are called last go back", got)
		}
		b.set(func() { b.most = -1 })
		pass(3 * time.Second)
		if q.Len() != 80 {
			t.Errorf("holds %d when nobody wants any more, want 80", q.Len())
		}
		b.set(func() { b.most = 0 })
		pass(3 * time.Second)
		if q.Len() != 0 || b.held() != 11 {
			t.Errorf("holds %d with no part", q.Len())
		}
	})
}

func TestQueueTellsWhatItHolds(t *testing.T) {
	b := newSharedBank(5)
	sharing(t, b, campaigns.QueueConfig{High: 10}, func(t *testing.T, q *campaigns.Queue) {
		for _, c := range []struct {
			name   string
			do     func()
			passes time.Duration
			want   campaigns.Stock
		}{
			{"nobody has come", func() {}, time.Second, campaigns.Stock{Held: 5, Idle: true}},
			{"taken from", func() { q.Take(2) }, time.Second, campaigns.Stock{Held: 3}},
			{"more wanted than held", func() { q.Want(true) }, 2 * time.Second, campaigns.Stock{Held: 3}},
			{"empty, and more wanted", func() { q.Take(3); q.Want(true) }, 3 * time.Second, campaigns.Stock{Wanting: true}},
			{"empty, none wanted", func() { q.Want(false) }, 2 * time.Second, campaigns.Stock{}},
			{"none wanted for a while", func() {}, 11 * time.Second, campaigns.Stock{Idle: true}},
			{"wanted for a while", func() { q.Want(true) }, 2 * time.Second, campaigns.Stock{Wanting: true}},
			{"new ones", func() { b.add(4, campaigns.Lead{}) }, 2 * time.Second, campaigns.Stock{Held: 4}},
		} {
			c.do()
			pass(c.passes)
			if got := b.last(); got != c.want {
				t.Errorf("%s: says %+v, want %+v", c.name, got, c.want)
			}
		}
	})
}

func TestIdleQueueLetsAgreedCallsGo(t *testing.T) {
	b := newSharedBank(3)
	b.add(1, campaigns.Lead{Callback: true})
	sharing(t, b, campaigns.QueueConfig{High: 10}, func(t *testing.T, q *campaigns.Queue) {
		free := func() bool { return b.held() < 4 }
		went := false
		for range 40 {
			pass(100 * time.Millisecond)
			went = went || free()
		}
		if !went {
			t.Error("the agreed call is held for an agent who is not there")
		}
		q.Want(true)
		pass(2 * time.Second)
		for range 40 {
			pass(100 * time.Millisecond)
			if free() {
				t.Fatal("the agreed call goes back although it is wanted")
			}
		}
		if b.agreed > 12 {
			t.Errorf("agreed calls were asked for %d times in 10 s", b.agreed)
		}
	})
}

func TestQueueThatCannotCompare(t *testing.T) {
	b, told := newSharedBank(20), 0
	b.fail = errors.New("connection refused")
	sharing(t, b, campaigns.QueueConfig{High: 10, Low: 5, Log: func(error) { told++ }}, func(t *testing.T, q *campaigns.Queue) {
		pass(5 * time.Second)
		if told == 0 {
			t.Error("the failure was told to nobody")
		}
		if got := len(q.Take(10)); got != 10 {
			t.Fatalf("hands out %d", got)
		}
		b.set(func() { b.fail, b.most = nil, 3 })
		pass(15 * time.Second)
		if q.Len() != 3 {
			t.Errorf("holds %d when it can compare again, want 3", q.Len())
		}
	})
}
