package storetest

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// crashLeads is how many leads the victim's campaign has.
const crashLeads = 200

// Victim works on the store for ever and says on out, one line each, what the
// store has acknowledged, until its process is killed. round makes its names
// unique.
func Victim(m Maker, place, round string, out io.Writer) error {
	b, err := m.Open(place)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var mu sync.Mutex // guards out
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(out, format+"\n", args...) // whoever listens has gone
	}
	if err := prepareVictim(ctx, m, b); err != nil {
		return err
	}
	fails := make(chan error)
	for _, work := range []func(int) error{
		func(i int) error { return victimCalls(ctx, b, fmt.Sprintf("%s-a%d", round, i), say) },
		func(i int) error { return victimCalls(ctx, b, fmt.Sprintf("%s-b%d", round, i), say) },
		func(i int) error { return victimImport(ctx, b, fmt.Sprintf("%s-%d", round, i), say) },
		func(i int) error { return victimLoad(ctx, m, b, i, say) },
	} {
		go func() {
			for i := 0; ; i++ {
				if err := work(i); err != nil {
					fails <- err
					return
				}
			}
		}()
	}
	return <-fails
}

func prepareVictim(ctx context.Context, m Maker, b Backend) error {
	if _, err := b.PutCampaign(ctx, record("spring")); err != nil {
		return err
	}
	l, err := m.Load(ctx, b, "spring", "", monday)
	if err != nil {
		return err
	}
	if err := l.Stage(ctx, numbered(0, crashLeads)); err != nil {
		return err
	}
	_, _, _, err = l.Commit(ctx)
	return err
}

// victimCalls leases leads, begins attempts on most and ends about half of these.
func victimCalls(ctx context.Context, b Backend, name string, say func(string, ...any)) error {
	leads, err := b.Lease(ctx, "spring", "node1", campaigns.Draw{N: 3}, monday)
	if err != nil {
		return err
	}
	for i, l := range leads {
		if i == 2 {
			if err := b.Return(ctx, []campaigns.LeadID{l.ID}, time.Time{}); err != nil {
				return err
			}
			continue
		}
		begun := intent(fmt.Sprintf("%s-%d", name, i), 1, l, monday)
		if err := b.Apply(ctx, []dialer.Change{begun}); err != nil {
			return err
		}
		say("begun %s %d", begun.Attempt.ID, l.ID)
		if i == 0 {
			continue
		}
		if err := b.Apply(ctx, []dialer.Change{settled(begun, 2, campaigns.NoAnswer, time.Time{})}); err != nil {
			return err
		}
		say("ended %s %d", begun.Attempt.ID, l.ID)
	}
	return nil
}

// victimImport takes in a register file of two batches and opts a number out.
func victimImport(ctx context.Context, b Backend, name string, say func(string, ...any)) error {
	say("importing %s", name)
	for half := range 2 {
		batch := make([]dnc.Screening, 50)
		for i := range batch {
			batch[i] = dnc.Screening{Register: name, Seller: "acme", Number: number(50*half + i), CheckedAt: monday}
		}
		if err := b.Stage(ctx, name, batch); err != nil {
			return err
		}
	}
	if err := b.Commit(ctx, dnc.Import{ID: name, Register: name, At: monday}); err != nil {
		return err
	}
	say("imported %s", name)
	if _, err := b.AddOptOuts(ctx, []dnc.OptOut{{Number: number(0), Seller: name, At: monday, Source: "cli"}}); err != nil {
		return err
	}
	say("optedout %s", name)
	return nil
}

// victimLoad loads the list again, with another name for every lead.
func victimLoad(ctx context.Context, m Maker, b Backend, i int, say func(string, ...any)) error {
	l, err := m.Load(ctx, b, "spring", "", monday)
	if err != nil {
		return err
	}
	list := numbered(0, crashLeads)
	for k := range list {
		list[k].Name = fmt.Sprint(i)
	}
	if err := l.Stage(ctx, list); err != nil {
		return err
	}
	if _, _, _, err = l.Commit(ctx); err == nil {
		say("loaded %d", i)
	}
	return err
}
