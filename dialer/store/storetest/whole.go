package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// endedContext: work whose caller has gone is not begun.
func endedContext(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := f.Lease(ctx, "spring", "node1", campaigns.Draw{N: 1}, monday); !errors.Is(err, context.Canceled) {
		t.Errorf("Lease = %v, %v, want context.Canceled", got, err)
	}
	if _, _, err := f.Screening(ctx, "rpo", "acme", number(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Screening = %v, want context.Canceled", err)
	}
	if _, _, err := f.OptedOut(ctx, number(0), "acme", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("OptedOut = %v, want context.Canceled", err)
	}
	if got := f.lease(t, 1, monday); len(got) != 1 {
		t.Errorf("the lead was leased to a caller that had gone")
	}
}

// closed: a closed store gives errors, so that the gate refuses.
func closed(t *testing.T, m Maker) {
	f := newFixture(t, m)
	if err := f.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	if _, _, err := f.Screening(t.Context(), "rpo", "acme", number(0)); err == nil {
		t.Errorf("Screening gave no error")
	}
	if _, _, err := f.OptedOut(t.Context(), number(0), "acme", "spring"); err == nil {
		t.Errorf("OptedOut gave no error")
	}
	if _, err := f.Touches(t.Context(), "acme", number(0), monday); err == nil {
		t.Errorf("Touches gave no error")
	}
	if _, err := f.Lease(t.Context(), "spring", "node1", campaigns.Draw{N: 1}, monday); err == nil {
		t.Errorf("Lease gave no error")
	}
	if err := f.Apply(t.Context(), []dialer.Change{intent("A", 1, campaigns.Lead{ID: 1, Number: number(0)}, monday)}); err == nil {
		t.Errorf("Apply gave no error")
	}
}

// reopened: what was written is there after a restart.
func reopened(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 2)
	list[0].Name, list[0].Language, list[0].Region, list[0].Zone, list[0].External = "Zoë \x00 \"quoted\"", "it", "RM", "Europe/Rome", "crm'1"
	list[0].Fields = map[string]string{"note": "née\n2", "empty": ""}
	list[0].Address, list[0].BestHours = "Via Roma 1\n00100 Roma", campaigns.Hours{"mon": {"18:00-20:00"}}
	list[0].Numbers = []campaigns.LeadNumber{{Number: list[0].Number, Type: "mobile"}, {Number: number(7), Type: "home"}, {Number: number(8)}}
	f.load(t, list...)
	f.take(t, "import", monday, verdict(0, true, monday))
	if _, err := f.AddOptOuts(t.Context(), []dnc.OptOut{{Number: number(1), At: monday, Source: "cli"}}); err != nil {
		t.Fatalf("AddOptOuts: %v", err)
	}
	if err := f.SetState(t.Context(), "spring", dialer.Running, monday); err != nil {
		t.Fatalf("SetState: %v", err)
	}
	before := f.leads(t)
	f.reopen(t)
	if diff := cmp.Diff(before, f.leads(t)); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	list[0].ID, list[0].Campaign, list[0].LoadedAt = before[0].ID, "spring", monday
	if diff := cmp.Diff(list[0], before[0]); diff != "" {
		t.Errorf("lead as loaded (-want +got):\n%s", diff)
	}
	if got := f.screened(t, 0); got != "registered by import" {
		t.Errorf("the verdict is %s", got)
	}
	if _, out, err := f.OptedOut(t.Context(), number(1), "acme", "spring"); !out || err != nil {
		t.Errorf("OptedOut = %v, %v", out, err)
	}
	records, err := f.Campaigns(t.Context())
	if err != nil || len(records) != 2 || records[1].State != dialer.Running {
		t.Errorf("Campaigns = %+v, %v", records, err)
	}
}

// writersBeside: many writers and readers at once, each finding its own writes.
// One that fails does not take the others with it.
func writersBeside(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 400)...)
	leads := f.lease(t, 400, monday)
	var wait sync.WaitGroup
	for w := range 8 {
		wait.Go(func() {
			for i, l := range leads[50*w : 50*w+50] {
				if err := f.writeOne(t.Context(), fmt.Sprintf("%d-%d", w, i), l); err != nil {
					t.Error(err)
				}
				if err := f.SetState(t.Context(), "winter", dialer.Running, monday); err == nil {
					t.Errorf("SetState of an unknown campaign gave no error")
				}
			}
		})
	}
	wait.Wait()
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 400 {
		t.Errorf("%d attempts are open, %v, want 400", len(open), err)
	}
}

// writeOne writes an intent and an opt-out and reads both back.
func (f *fixture) writeOne(ctx context.Context, id string, l campaigns.Lead) error {
	if err := f.Apply(ctx, []dialer.Change{intent(id, 1, l, monday)}); err != nil {
		return err
	}
	if touch, err := f.Touches(ctx, "acme", l.Number, time.Time{}); err != nil || len(touch.Attempts) != 1 {
		return fmt.Errorf("after Apply, Touches = %+v, want one attempt: %w", touch, err)
	}
	if _, err := f.AddOptOuts(ctx, []dnc.OptOut{{Number: l.Number, At: monday, Source: "cli"}}); err != nil {
		return err
	}
	if _, out, err := f.OptedOut(ctx, l.Number, "acme", "spring"); err != nil || !out {
		return fmt.Errorf("after AddOptOuts, OptedOut = %v: %w", out, err)
	}
	return nil
}
