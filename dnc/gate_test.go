package dnc

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
)

func TestClearAllows(t *testing.T) {
	s, now := clean(t), tuesday(t)
	c, v := gate(t, s, nil).Clear(context.Background(), ask(t), now)
	if !v.Allowed || v.Reason != "" {
		t.Fatalf("refused: %+v", v)
	}
	if v.Register != "rpo" || v.Status != "clear" || v.Import != "i1" || v.Zone != "Europe/Rome" || v.LocalTime != "Tue 2026-11-24 10:30 CET" || v.CallerID != shownIT {
		t.Errorf("verdict %+v", v)
	}
	if !v.ValidUntil.Equal(v.CheckedAt.Add(15 * 24 * time.Hour)) {
		t.Errorf("valid until %s", v.ValidUntil)
	}
	if !c.Valid(now) || c.Number() != italian || c.Evidence() != 1 || c.Attempt() != "01JDEXAMPLE" || c.Campaign() != "autumn" || c.CallerID() != shownIT || c.NeedsAgent() {
		t.Errorf("clearance %+v", c)
	}
	if c.Grace() != 3*time.Second || c.RingMinimum() != 0 || !strings.HasPrefix(c.RuleSet(), "it@") {
		t.Errorf("clearance %+v", c)
	}
	if end := now.Add(5 * time.Second); !c.Expires().Equal(end) || !c.Valid(end.Add(-1)) || c.Valid(end) {
		t.Errorf("expires %s", c.Expires())
	}
	if len(s.journal) != 1 || !s.journal[0].Allowed {
		t.Errorf("journal %+v", s.journal)
	}
}

// faults are ways to spoil a request that would pass; each names the reason
// that must then stand in the verdict.
func faults() []fault {
	day := 24 * time.Hour
	return []fault{
		{"before the program was built", Clock, func(f *setting) { f.cfg.Built = f.now.Add(time.Second) }},
		{"clock is before the last run's end", Clock, func(f *setting) { f.cfg.Last = f.now.Add(1500 * time.Millisecond) }},
		{"clock went back", Clock, func(f *setting) { f.before = f.now.Add(1500 * time.Millisecond) }},
		{"no campaign", Rules, func(f *setting) { f.req.Campaign.Name = "" }},
		{"no seller", Rules, func(f *setting) { f.req.Campaign.Seller = "" }},
		{"no rule set", Rules, func(f *setting) { f.req.Campaign.Jurisdiction = "xx" }},
		{"rules of another day", Rules, func(f *setting) { f.move(f.now.AddDate(3, 0, 0)) }},
		{"empty number", Invalid, func(f *setting) { f.req.Lead.Number = "" }},
		{"not a number", Invalid, func(f *setting) { f.req.Lead.Number = "+39abc" }},
		{"short number", Invalid, func(f *setting) { f.req.Lead.Number = "+3934712" }},
		{"number of another country", Invalid, func(f *setting) { f.req.Lead.Number = american }},
		{"premium number", NumberType, func(f *setting) { f.req.Lead.Number = "+39899123456" }},
		{"opted out of the company", OptedOut, func(f *setting) { f.s.optOuts[italian] = OptOut{Number: italian} }},
		{"opted out of the seller", OptedOut, func(f *setting) { f.s.optOuts[italian] = OptOut{Number: italian, Seller: seller} }},
		{"opted out of the campaign", OptedOut, func(f *setting) { f.s.optOuts[italian] = OptOut{Number: italian, Seller: seller, Campaign: "autumn"} }},
		{"registered", Registered, func(f *setting) { f.verdict(func(v *Screening) { v.Registered = true }) }},
		{"never screened", Unscreened, func(f *setting) { delete(f.s.screenings, italian) }},
		{"screened for another seller", Unscreened, func(f *setting) { f.verdict(func(v *Screening) { v.Seller = "other" }) }},
		{"verdict expired to the second", VerdictExpired, func(f *setting) { f.verdict(func(v *Screening) { v.CheckedAt = f.now.Add(-15 * day) }) }},
		{"verdict before the campaign", VerdictExpired, func(f *setting) {
			f.verdict(func(v *Screening) { v.CheckedAt = f.req.Campaign.CreatedAt.Add(-time.Second) })
		}},
		{"creation of the campaign not known", VerdictExpired, func(f *setting) { f.req.Campaign.CreatedAt = time.Time{} }},
		{"verdict in the future", VerdictExpired, func(f *setting) { f.verdict(func(v *Screening) { v.CheckedAt = f.now.Add(time.Minute) }) }},
		{"energy without consent", Sector, func(f *setting) { f.req.Campaign.Sector = "energy" }},
		{"gas, in another case, without consent", Sector, func(f *setting) { f.req.Campaign.Sector = "Gas" }},
		{"abandoned yesterday", AbandonLock, func(f *setting) { f.s.touches[italian] = Touch{LastAbandoned: f.now.Add(-day)} }},
		{"abandoned five days ago but a second", AbandonLock, func(f *setting) { f.s.touches[italian] = Touch{LastAbandoned: f.now.Add(-5*day + time.Second)} }},
		{"zone unknown", OutsideHours, func(f *setting) { f.req.Lead.Zone = "Europe/Atlantis" }},
		{"night at the lead's zone", OutsideHours, func(f *setting) { f.req.Lead.Zone = "Pacific/Auckland" }},
		{"outside the campaign's hours", OutsideHours, func(f *setting) { f.req.Campaign.Hours = campaigns.Hours{"mon": {"09:00-20:00"}} }},
		{"no caller ID", CallerID, func(f *setting) { f.req.Campaign.CallerIDs = nil }},
		{"foreign caller ID", CallerID, func(f *setting) { f.req.Campaign.CallerIDs = []campaigns.Number{shownUS} }},
		{"malformed caller ID", CallerID, func(f *setting) { f.req.Campaign.CallerIDs = []campaigns.Number{"0612345678"} }},
		{"unproven caller ID", CallerID, func(f *setting) { f.cfg.Proofs = f.s }},
		{"foreign trunk", TrunkReason, func(f *setting) { f.req.Campaign.TrunkCountry = "GB" }},
		{"verdicts unreadable", Unavailable, func(f *setting) { f.s.brokenScreenings = true }},
		{"opt-outs unreadable", Unavailable, func(f *setting) { f.s.brokenOptOuts = true }},
		{"history unreadable", Unavailable, func(f *setting) { f.s.brokenHistory = true }},
		{"proofs unreadable", Unavailable, func(f *setting) { f.cfg.Proofs, f.s.brokenProofs = f.s, true }},
		{"journal unwritable", Unavailable, func(f *setting) { f.s.brokenEvidence = true }},
		{"journal without a place", Unavailable, func(f *setting) { f.s.seqZero = true }},
		{"store answers for another number", Unavailable, func(f *setting) { f.verdict(func(v *Screening) { v.Number = "+393470000000" }) }},
	}
}

type fault struct {
	name  string
	want  Reason
	spoil func(*setting)
}

// setting is a request with its state and configuration, before it is put to a gate.
type setting struct {
	now    time.Time
	before time.Time // an earlier request came at this instant
	req    Request
	s      *state
	cfg    Config
}

func (f *setting) verdict(change func(*Screening)) {
	v := f.s.screenings[italian]
	change(&v)
	f.s.screenings[italian] = v
}

func (f *setting) move(now time.Time) { f.now = now }

func (f *setting) run(t testing.TB) (Clearance, Verdict) {
	t.Helper()
	g, err := NewGate(f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !f.before.IsZero() {
		g.Clear(context.Background(), f.req, f.before)
	}
	return g.Clear(context.Background(), f.req, f.now)
}

func newSetting(t testing.TB) *setting {
	s := clean(t)
	return &setting{now: tuesday(t), req: ask(t), s: s, cfg: Config{
		Rules: embedded(t), Screenings: s, OptOuts: s, History: s, Lists: s, Evidence: s, Consents: s,
	}}
}

// The evidence names the trunk that was cleared, or that was the reason to refuse.
func TestVerdictNamesTheTrunk(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*setting)
		want  string
	}{
		"allowed":       {func(*setting) {}, "north"},
		"foreign trunk": {func(f *setting) { f.req.Campaign.TrunkCountry = "GB" }, "north"},
		"another fault": {func(f *setting) { f.req.Campaign.CallerIDs = nil }, ""},
		"needs an agent": {func(f *setting) {
			f.s.touches[italian] = Touch{LastAbandoned: f.now.Add(-6 * 24 * time.Hour)}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newSetting(t)
			f.req.Trunk, f.req.Campaign.TrunkCountry = "north", "IT"
			c.spoil(f)
			if _, v := f.run(t); v.Trunk != c.want || v.Allowed && slices.Contains(v.NotChecked, "trunk") {
				t.Errorf("trunk %q of %+v, want %q", v.Trunk, v, c.want)
			}
		})
	}
}

func TestEachFaultRefuses(t *testing.T) {
	for _, tt := range faults() {
		t.Run(tt.name, func(t *testing.T) {
			f := newSetting(t)
			tt.spoil(f)
			c, v := f.run(t)
			if v.Allowed || v.Reason != tt.want {
				t.Errorf("got allowed=%v reason %q (%s), want %q", v.Allowed, v.Reason, v.Detail, tt.want)
			}
			if v.Detail == "" || !strings.HasSuffix(v.Detail, ".") {
				t.Errorf("detail %q is not a sentence", v.Detail)
			}
			if c != (Clearance{}) {
				t.Errorf("a refusal came with a clearance: %+v", c)
			}
			if v.CallerID != "" || v.NeedsAgent {
				t.Errorf("a refusal names what would be done: %+v", v)
			}
		})
	}
}

func TestRefusalsAreWritten(t *testing.T) {
	f := newSetting(t)
	f.verdict(func(v *Screening) { v.Registered = true })
	f.run(t)
	if len(f.s.journal) != 1 || f.s.journal[0].Reason != Registered {
		t.Errorf("journal %+v", f.s.journal)
	}
}

func TestUnwrittenRefusalIsUnavailable(t *testing.T) {
	f := newSetting(t)
	f.verdict(func(v *Screening) { v.Registered = true })
	f.s.brokenEvidence = true
	if _, v := f.run(t); v.Reason != Unavailable {
		t.Errorf("reason %q", v.Reason)
	}
}

func TestCheckWritesNothingAndIgnoresTheClock(t *testing.T) {
	s := clean(t)
	g := gate(t, s, nil)
	for _, at := range []time.Time{tuesday(t).Add(24 * time.Hour), tuesday(t)} {
		if v := g.Check(context.Background(), ask(t), at); !v.Allowed {
			t.Errorf("refused at %s: %s", at, v.Detail)
		}
	}
	if len(s.journal) != 0 {
		t.Errorf("journal %+v", s.journal)
	}
	if _, v := g.Clear(context.Background(), ask(t), tuesday(t)); !v.Allowed {
		t.Errorf("Check moved the clock that Clear compares with: %s", v.Detail)
	}
}

func TestCheckWithoutCampaign(t *testing.T) {
	req := ask(t)
	req.Campaign = Terms{Jurisdiction: "it", Seller: seller}
	v := gate(t, clean(t), nil).Check(context.Background(), req, tuesday(t))
	want := "campaign_opt_outs per_campaign sector campaign_hours caller_id trunk"
	if got := strings.Join(v.NotChecked, " "); !v.Allowed || got != want {
		t.Errorf("allowed %v, not checked %q, want %q", v.Allowed, got, want)
	}
	req.Campaign.Seller = ""
	v = gate(t, clean(t), nil).Check(context.Background(), req, tuesday(t))
	want = "campaign_opt_outs seller_opt_outs registered sector attempts cooloff abandon_lock campaign_hours caller_id trunk"
	if got := strings.Join(v.NotChecked, " "); !v.Allowed || got != want {
		t.Errorf("allowed %v, not checked %q, want %q", v.Allowed, got, want)
	}
}

// logged is a state that knows its imports.
type logged struct {
	*state
	imports []Import
	err     error
}

func (l logged) Imports(context.Context, string) ([]Import, error) { return l.imports, l.err }

func TestCheckWithoutSeller(t *testing.T) {
	of := func(sellers ...string) []Import {
		var all []Import
		for _, s := range sellers {
			all = append(all, Import{Register: "rpo", Seller: s})
		}
		return all
	}
	for _, tt := range []struct {
		name    string
		imports []Import
		err     error
		want    Reason
		seller  string
	}{
		{"one seller", of(seller, "", seller), nil, Registered, seller},
		{"another seller", of("other"), nil, Unscreened, "other"},
		{"several sellers", of(seller, "other"), nil, "", ""},
		{"none", of(""), nil, Unscreened, ""},
		{"imports unreadable", nil, errBroken, Unavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := clean(t)
			v := s.screenings[italian]
			v.Registered = true
			s.screenings[italian] = v
			g := gate(t, s, func(c *Config) { c.Screenings = logged{s, tt.imports, tt.err} })
			req := ask(t)
			req.Campaign = Terms{Jurisdiction: "it"}
			got := g.Check(context.Background(), req, tuesday(t))
			if got.Reason != tt.want || got.Allowed != (tt.want == "") || got.Seller != tt.seller {
				t.Errorf("reason %q (%s) for seller %q, want %q for %q", got.Reason, got.Detail, got.Seller, tt.want, tt.seller)
			}
			if skipped := slices.Contains(got.NotChecked, "registered"); skipped != (tt.want == "") {
				t.Errorf("not checked: %v", got.NotChecked)
			}
		})
	}
}

func TestNewGateNamesWhatIsMissing(t *testing.T) {
	_, err := NewGate(Config{Lifetime: time.Hour})
	if err == nil {
		t.Fatal("an empty configuration makes a gate")
	}
	for _, name := range []string{"Rules", "Screenings", "OptOuts", "History", "Lists", "Evidence", "Lifetime"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
}

func TestSetRules(t *testing.T) {
	g := gate(t, clean(t), nil)
	if err := g.SetRules(nil); err == nil {
		t.Error("no rules were taken for rules")
	}
	if err := g.SetRules(made(t, noRegister)); err != nil {
		t.Fatal(err)
	}
	_, v := g.Clear(context.Background(), ask(t), tuesday(t))
	if !v.Allowed || v.Register != "" {
		t.Errorf("the new rules ask no register: %+v", v)
	}
}

func TestSmallStepsOfTheClockPass(t *testing.T) {
	g, now := gate(t, clean(t), nil), tuesday(t)
	for _, at := range []time.Time{now, now.Add(time.Second), now, now.Add(900 * time.Millisecond)} {
		if _, v := g.Clear(context.Background(), ask(t), at); !v.Allowed {
			t.Errorf("%s: %s", at, v.Detail)
		}
	}
	if _, v := g.Clear(context.Background(), ask(t), now.Add(-time.Millisecond)); v.Reason != Clock {
		t.Errorf("reason %q", v.Reason)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := clean(t)
	g := gate(t, s, nil)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 100 {
				req := ask(t)
				req.Lead.Attempts = i
				if (worker+i)%2 == 0 {
					req.Lead.Number = "+393479999999"
				}
				c, v := g.Clear(context.Background(), req, tuesday(t).Add(time.Duration(i)*time.Millisecond))
				if v.Allowed != (req.Lead.Number == italian) || v.Allowed != c.Valid(tuesday(t)) {
					t.Errorf("%s: %+v", req.Lead.Number, v)
				}
			}
		})
	}
	all.Wait()
	if len(s.journal) != 800 {
		t.Errorf("%d decisions written", len(s.journal))
	}
}

func TestCallerIDsRotate(t *testing.T) {
	g := gate(t, clean(t), nil)
	for attempts, want := range []campaigns.Number{shownIT, shownIT2, shownIT} {
		req := ask(t)
		req.Lead.Attempts = attempts
		if _, v := g.Clear(context.Background(), req, tuesday(t)); v.CallerID != want {
			t.Errorf("attempt %d shows %s, want %s", attempts, v.CallerID, want)
		}
	}
}

func TestProofOfCallerID(t *testing.T) {
	now := tuesday(t)
	tests := []struct {
		name  string
		shown campaigns.Number
		proof *Proof
		want  Reason
	}{
		{"call-centre range with proof", shownIT, &Proof{From: now.Add(-1)}, ""},
		{"call-centre range without", shownIT, nil, CallerID},
		{"line that takes calls back", shownIT2, &Proof{From: now.Add(-1), Callable: true}, ""},
		{"line that does not", shownIT2, &Proof{From: now.Add(-1)}, CallerID},
		{"proof not yet", shownIT, &Proof{From: now.Add(1)}, CallerID},
		{"proof over", shownIT, &Proof{From: now.Add(-2), Until: now}, CallerID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			s.proofs = map[campaigns.Number]Proof{}
			if tt.proof != nil {
				s.proofs[tt.shown] = *tt.proof
			}
			req.Campaign.CallerIDs = []campaigns.Number{tt.shown}
			_, v := gate(t, s, func(c *Config) { c.Proofs = s }).Clear(context.Background(), req, now)
			if v.Reason != tt.want {
				t.Errorf("reason %q (%s), want %q", v.Reason, v.Detail, tt.want)
			}
		})
	}
}

func TestClearanceEndsWithWhatItRestsOn(t *testing.T) {
	s, now := clean(t), tuesday(t)
	v := s.screenings[italian]
	v.CheckedAt = now.Add(2*time.Second - 15*24*time.Hour)
	s.screenings[italian] = v
	req := ask(t)
	req.Campaign.CreatedAt = tuesday(t).AddDate(-1, 0, 0)
	c, verdict := gate(t, s, nil).Clear(context.Background(), req, now)
	if !c.Expires().Equal(now.Add(2 * time.Second)) {
		t.Errorf("expires %s: %+v", c.Expires(), verdict)
	}
	late := time.Date(2026, 11, 24, 19, 59, 58, 0, now.Location())
	c, verdict = gate(t, clean(t), nil).Clear(context.Background(), ask(t), late)
	if end := late.Add(2 * time.Second); !c.Expires().Equal(end) {
		t.Errorf("expires %s, want %s: %+v", c.Expires(), end, verdict)
	}
}
