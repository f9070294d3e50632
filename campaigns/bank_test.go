package campaigns_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pronto/campaigns"
)

// bank is a LeadStore in memory that notices broken promises.
type bank struct {
	mu      sync.Mutex
	leads   map[campaigns.LeadID]*campaigns.Lead
	leased  map[campaigns.LeadID]bool
	asks    int // calls of Lease
	returns int // calls of Return
	delay   time.Duration
	fail    error // of every call
	forget  bool  // the next Return is done but answers with an error
	wrong   []string
}

func newBank(n int) *bank {
	b := &bank{leads: make(map[campaigns.LeadID]*campaigns.Lead), leased: make(map[campaigns.LeadID]bool)}
	b.add(n, campaigns.Lead{})
	return b
}

// add puts n leads like l into the bank.
func (b *bank) add(n int, l campaigns.Lead) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		l.ID = campaigns.LeadID(len(b.leads) + 1)
		one := l
		b.leads[l.ID] = &one
	}
}

func (b *bank) Lease(ctx context.Context, _, _ string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	if b.delay > 0 {
		time.Sleep(b.delay)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks++
	if err := cmp.Or(b.fail, ctx.Err()); err != nil {
		return nil, err
	}
	var out []campaigns.Lead
	for _, l := range b.leads {
		if !b.leased[l.ID] && !l.Done && !l.Due.After(now) && (d.Lots == nil || slices.Contains(d.Lists(), l.List)) {
			out = append(out, *l)
		}
	}
	slices.SortFunc(out, func(a, c campaigns.Lead) int {
		return cmp.Or(cmp.Compare(c.Priority, a.Priority), cmp.Compare(behind(a), behind(c)), cmp.Compare(a.ID, c.ID))
	})
	given := make(map[string]int)
	out = slices.DeleteFunc(out, func(l campaigns.Lead) bool {
		if l.Attempts == 0 && !l.Callback {
			given[l.List]++
		}
		return l.Attempts == 0 && !l.Callback && given[l.List] > d.Fresh(l.List)
	})
	out = out[:min(d.N, len(out))]
	for _, l := range out {
		b.leased[l.ID] = true
	}
	return out, nil
}

func behind(l campaigns.Lead) int {
	if l.Behind {
		return 1
	}
	return 0
}

func (b *bank) PutBy(_ context.Context, ids []campaigns.LeadID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	for _, id := range ids {
		if !b.leased[id] || b.leads[id].Behind {
			b.wrong = append(b.wrong, fmt.Sprintf("lead %d was put by without a lease, or twice", id))
		}
		delete(b.leased, id)
		b.leads[id].Behind = true
	}
	return nil
}

func (b *bank) Return(ctx context.Context, ids []campaigns.LeadID, due time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.returns++
	if err := cmp.Or(b.fail, ctx.Err()); err != nil {
		return err
	}
	for _, id := range ids {
		if !b.leased[id] {
			b.wrong = append(b.wrong, fmt.Sprintf("lead %d was returned without a lease", id))
		}
		delete(b.leased, id)
		if l := b.leads[id]; !l.Callback || !due.IsZero() {
			l.Due = due
		}
	}
	if b.forget {
		b.forget = false
		return errors.New("the answer was lost")
	}
	return nil
}

// held is how many leases are out.
func (b *bank) held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.leased)
}

func (b *bank) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asks
}

func (b *bank) returned() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.returns
}

// lead is the bank's own copy.
func (b *bank) lead(id campaigns.LeadID) campaigns.Lead {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.leads[id]
}

// set changes the bank while others use it.
func (b *bank) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}
