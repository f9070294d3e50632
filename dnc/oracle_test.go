package dnc

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

// world is everything that the Italian rules look at, drawn at random.
type world struct {
	now                                     time.Time
	screened, registered, optedOut          bool
	checked, created, abandoned, connected  time.Time
	consent, contract, contractOver, energy bool
	given, ended                            time.Time
	shown                                   campaigns.Number
}

func draw(r *rapid.T, start time.Time) world {
	ago := func(name string, longest time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(longest/time.Minute)).Draw(r, name)) * time.Minute
	}
	flag := func(name string, oneIn int) bool { return rapid.IntRange(1, oneIn).Draw(r, name) == 1 }
	w := world{now: start.Add(ago("now", 40*24*time.Hour))}
	day := 24 * time.Hour
	w.screened, w.registered, w.optedOut = !flag("unscreened", 8), flag("registered", 3), flag("opted out", 8)
	w.checked, w.created = w.now.Add(-ago("checked", 18*day)), w.now.Add(-ago("created", 40*day))
	if flag("abandoned", 4) {
		w.abandoned = w.now.Add(-ago("abandoned ago", 8*day))
	}
	if flag("connected", 3) {
		w.connected = w.now.Add(-ago("connected ago", 8*day))
	}
	w.consent, w.contract, w.energy = flag("consent", 2), flag("contract", 3), flag("energy", 6)
	w.given = w.now.Add(-ago("given", 20*day))
	if w.contractOver = flag("contract over", 2); w.contractOver {
		w.ended = w.now.Add(-ago("ended", 60*day))
	}
	w.shown = rapid.SampledFrom([]campaigns.Number{shownIT, shownIT, shownIT, shownIT2, shownUS, "+3906", ""}).Draw(r, "shown")
	return w
}

// lawful is the Italian law as it reads, without the gate's stages: may this
// call be placed, and does it need an agent reserved?
func (w world) lawful() (allowed, agent bool) {
	day := 24 * time.Hour
	consented := w.consent && w.given.After(w.checked)
	customer := w.contract && (!w.contractOver || !w.now.After(w.ended.AddDate(0, 0, 30)))
	minute := w.now.Hour()*60 + w.now.Minute()
	closed := map[string]bool{"2026-12-08": true, "2026-12-25": true, "2026-12-26": true, "2027-01-01": true, "2027-01-06": true}
	from, to := 9*60, 20*60
	if w.now.Weekday() == time.Saturday || closed[w.now.AddDate(0, 0, 1).Format(time.DateOnly)] {
		from, to = 10*60, 19*60
	}
	switch {
	case w.now.Weekday() == time.Sunday, closed[w.now.Format(time.DateOnly)], minute < from, minute >= to:
		return false, false
	case w.optedOut, !w.screened, w.now.Sub(w.checked) >= 15*day:
		return false, false
	case w.checked.Before(w.created) && (w.checked.Hour()+w.checked.Minute() > 0 || w.checked.Format(time.DateOnly) < w.created.Format(time.DateOnly)):
		return false, false
	case w.registered && !consented && !customer:
		return false, false
	case w.energy && !w.consent:
		return false, false
	case !w.abandoned.IsZero() && w.now.Sub(w.abandoned) < 5*day:
		return false, false
	case w.shown != shownIT && w.shown != shownIT2:
		return false, false
	}
	return true, !w.abandoned.IsZero() && !w.connected.After(w.abandoned)
}

// TestGateIsTheLaw holds the gate against that reading of the law.
func TestGateIsTheLaw(t *testing.T) {
	start := time.Date(2026, 11, 30, 0, 0, 0, 0, zone(t, "Europe/Rome"))
	met := map[bool]int{}
	rapid.Check(t, func(r *rapid.T) {
		for range 20 {
			w := draw(r, start)
			s, req := clean(t), ask(t)
			delete(s.screenings, italian)
			if w.screened {
				s.screenings[italian] = Screening{Register: "rpo", Seller: seller, Number: italian, Registered: w.registered, CheckedAt: w.checked}
			}
			if w.optedOut {
				s.optOuts[italian] = OptOut{Number: italian}
			}
			if w.consent {
				c := Consent{ID: "c", Number: italian, Seller: seller, Basis: ByConsent, GivenAt: w.given}
				if w.energy {
					c.Sector = "energy"
				}
				s.consents[italian] = append(s.consents[italian], c)
			}
			if w.contract {
				s.consents[italian] = append(s.consents[italian], Consent{ID: "k", Number: italian, Seller: seller, Basis: ByContract, GivenAt: w.now.AddDate(-3, 0, 0), Ends: w.ended})
			}
			s.touches[italian] = Touch{LastAbandoned: w.abandoned, LastConnected: w.connected}
			req.Reserved = true
			req.Campaign.CreatedAt, req.Campaign.CallerIDs = w.created, []campaigns.Number{w.shown}
			if w.energy {
				req.Campaign.Sector = "energy"
			}
			c, v := gate(t, s, func(c *Config) { c.Built = time.Time{} }).Clear(context.Background(), req, w.now)
			allowed, agent := w.lawful()
			if v.Allowed != allowed || c.Valid(w.now) != allowed || c.NeedsAgent() != agent {
				r.Fatalf("%+v\nlawful %v agent %v; gate %v %q %s agent %v", w, allowed, agent, v.Allowed, v.Reason, v.Detail, v.NeedsAgent)
			}
			met[allowed]++
		}
	})
	if met[true] < 20 || met[false] < 200 {
		t.Errorf("too few cases of one kind: %v", met)
	}
}
