package dnc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
)

func TestPlan(t *testing.T) {
	s, req, now := clean(t), ask(t), tuesday(t)
	night := time.Date(2026, 11, 24, 23, 0, 0, 0, now.Location())
	var leads []campaigns.Lead
	add := func(i int, checked time.Time, registered bool) campaigns.Number {
		n := campaigns.Number(fmt.Sprintf("+39347%07d", i))
		if !checked.IsZero() {
			s.screenings[n] = Screening{Register: "rpo", Seller: seller, Number: n, CheckedAt: checked, Registered: registered}
		}
		leads = append(leads, campaigns.Lead{Number: n})
		return n
	}
	add(1, now.Add(-time.Hour), false)
	add(2, now.Add(-26*time.Hour), false)
	s.touches[add(3, now.Add(-26*time.Hour), false)] = Touch{LastAbandoned: now.AddDate(0, 0, -9)}
	add(4, now.Add(-time.Hour), true)
	add(5, time.Time{}, false)
	add(6, now.AddDate(0, -2, 0), false)
	s.optOuts[add(7, now.Add(-time.Hour), false)] = OptOut{}
	s.touches[add(8, now.Add(-time.Hour), false)] = Touch{LastAbandoned: now.AddDate(0, 0, -3)}
	leads = append(leads, campaigns.Lead{Number: "+39"})

	p, err := gate(t, s, nil).Plan(context.Background(), slices.Values(leads), req.Campaign, night)
	if err != nil {
		t.Fatal(err)
	}
	if p.Now != 0 || fmt.Sprint(p.From) != "map[2026-11-25 09:00:3 2026-11-26 10:00:1]" {
		t.Errorf("%d callable now, others from %v", p.Now, p.From)
	}
	if day, err := gate(t, s, nil).Plan(context.Background(), slices.Values(leads), req.Campaign, now); err != nil || day.Now != 3 || fmt.Sprint(day.From) != "map[2026-11-26 10:00:1]" {
		t.Errorf("by day: %+v, %v", day, err)
	}
	if p.Leads != 9 || p.Callable != 3 || p.Agent != 1 {
		t.Errorf("plan %+v", p)
	}
	if got, want := fmt.Sprint(p.Refused), "map[abandon_lock:1 invalid:1 opted_out:1 registered:1 unscreened:1 verdict_expired:1]"; got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(p.Until), "map[2026-12-08:2 2026-12-09:1]"; got != want {
		t.Errorf("until %s, want %s", got, want)
	}
	if len(s.journal) != 0 {
		t.Errorf("a plan was journaled: %v", s.journal)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := gate(t, s, nil).Plan(ctx, slices.Values(leads), req.Campaign, night); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

// TestPlanOfSeveralNumbers: a lead is callable when one of its numbers is, unless what stands
// in the way is the person's.
func TestPlanOfSeveralNumbers(t *testing.T) {
	const barred, free, unknown = "+393470000004", "+393470000001", "+393470000005"
	s, req, now := clean(t), ask(t), tuesday(t)
	for n, registered := range map[campaigns.Number]bool{barred: true, free: false} {
		s.screenings[n] = Screening{Register: "rpo", Seller: seller, Number: n, CheckedAt: now.Add(-time.Hour), Registered: registered}
	}
	of := func(turn int, numbers ...campaigns.Number) campaigns.Lead {
		l := campaigns.Lead{Number: numbers[turn], Turn: turn}
		for _, n := range numbers {
			l.Numbers = append(l.Numbers, campaigns.LeadNumber{Number: n})
		}
		return l
	}
	for name, c := range map[string]struct {
		lead   campaigns.Lead
		optOut campaigns.Number
		want   string
	}{
		"the second may be called":         {lead: of(0, barred, free), want: "1 map[]"},
		"the first, before the one's turn": {lead: of(1, free, barred), want: "1 map[]"},
		"none":                             {lead: of(0, unknown, barred), want: "0 map[unscreened:1]"},
		"none, told of the one's turn":     {lead: of(1, unknown, barred), want: "0 map[registered:1]"},
		"the person opted out":             {lead: of(0, barred, free), optOut: free, want: "0 map[opted_out:1]"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(s.optOuts)
			if c.optOut != "" {
				s.optOuts[c.optOut] = OptOut{}
			}
			p, err := gate(t, s, nil).Plan(t.Context(), slices.Values([]campaigns.Lead{c.lead}), req.Campaign, now)
			if got := fmt.Sprint(p.Callable, " ", p.Refused); err != nil || got != c.want || p.Leads != 1 {
				t.Errorf("plan %+v, %v, want %s", p, err, c.want)
			}
		})
	}
}

func TestPlanAsASentence(t *testing.T) {
	p := Plan{
		Leads: 18_204, Callable: 14_919, Agent: 3,
		Refused: map[Reason]int{Registered: 2113, OptedOut: 812, Unscreened: 320, Invalid: 40},
		Until:   map[string]int{"2026-12-09": 13_719, "2026-11-26": 1200},
	}
	want := "of 18,204 leads 2,113 are registered, 812 opted out, 320 without a verdict, 40 invalid; 14,919 callable, " +
		"1,200 of them only until Thu 26 Nov, 13,719 of them only until Wed 9 Dec, 3 only with an agent reserved"
	if got := p.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := (Plan{Leads: 1_000_000, Callable: 1_000_000}).String(), "of 1,000,000 leads 1,000,000 callable"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	seen := map[string]Reason{}
	for _, r := range []Reason{
		Clock, Rules, Invalid, NumberType, OptedOut, Registered, Unscreened, VerdictExpired, RegisterStale, NoConsent,
		Attempts, CoolOff, AbandonLock, OutsideHours, Holiday, Sector, CallerID, TrunkReason, Unavailable,
	} {
		words := r.words()
		if other, twice := seen[words]; twice || words == "" {
			t.Errorf("%s and %s are both %q", r, other, words)
		}
		seen[words] = r
	}
}
