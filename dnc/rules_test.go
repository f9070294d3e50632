package dnc

import (
	"context"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// made is a book of one rule file for Italian numbers with further rules.
func made(t testing.TB, more string) *rules.Book {
	t.Helper()
	text := `jurisdiction: it
title: Test
zone: Europe/Rome
valid_from: 2020-01-01
valid_to: 2030-12-31
rules:
  - {id: n, numbers: {countries: [IT], kinds: [fixed, mobile]}, valid_from: 2020-01-01, cite: x, sure: K}
  - {id: c, caller_id: {calling_codes: [39]}, valid_from: 2020-01-01, cite: x, sure: K}
  - {id: a, abandon: {windows: [{period: campaign, cap: 0.03, base: connected}], deadline: 3s, clock: answer, treatment: message}, valid_from: 2020-01-01, cite: x, sure: K}
` + more
	f, err := rules.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := rules.NewBook(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const noRegister = "  - {id: s, screening: {shape: none}, valid_from: 2020-01-01, cite: x, sure: K}\n"

func TestAttemptCaps(t *testing.T) {
	now := tuesday(t)
	book := made(t, noRegister+"  - {id: cap, attempts: {max: 4, per: 30d}, valid_from: 2020-01-01, cite: D223-9, sure: A}\n")
	days := func(n ...int) []time.Time {
		var out []time.Time
		for _, d := range n {
			out = append(out, now.AddDate(0, 0, -d))
		}
		return out
	}
	tests := []struct {
		name string
		made []time.Time
		want Reason
		next time.Time
	}{
		{"none", nil, "", time.Time{}},
		{"three", days(20, 10, 1), "", time.Time{}},
		{"four", days(20, 10, 2, 1), Attempts, now.AddDate(0, 0, 10)},
		{"five", days(20, 10, 2, 1, 0), Attempts, now.AddDate(0, 0, 20)},
		{"four, one just out of the window", days(30, 10, 2, 1), "", time.Time{}},
		{"many long ago", days(90, 80, 70, 60, 50, 40, 31), "", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := clean(t)
			s.touches[italian] = Touch{Attempts: tt.made}
			_, v := gate(t, s, func(c *Config) { c.Rules = book }).Clear(context.Background(), ask(t), now)
			if v.Reason != tt.want || !v.NextCallable.Equal(tt.next) {
				t.Errorf("reason %q next %s, want %q next %s", v.Reason, v.NextCallable, tt.want, tt.next)
			}
		})
	}
}

func TestCoolOffKeepsWholeDays(t *testing.T) {
	now := tuesday(t)
	book := made(t, noRegister+"  - {id: r, cooloff: {days: 60}, valid_from: 2020-01-01, cite: D223-9, sure: A}\n")
	end := time.Date(2026, 11, 24, 0, 0, 0, 0, now.Location())
	tests := []struct {
		name    string
		refusal time.Time
		want    Reason
	}{
		{"never", time.Time{}, ""},
		{"just now", now, CoolOff},
		{"sixty days ago", now.AddDate(0, 0, -60), CoolOff},
		{"on the day before those", end.AddDate(0, 0, -60).Add(-time.Second), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := clean(t)
			s.touches[italian] = Touch{LastRefusal: tt.refusal}
			if _, v := gate(t, s, func(c *Config) { c.Rules = book }).Clear(context.Background(), ask(t), now); v.Reason != tt.want {
				t.Errorf("reason %q, want %q", v.Reason, tt.want)
			}
		})
	}
}

func TestAbandonLocks(t *testing.T) {
	tests := []struct {
		name         string
		jurisdiction string
		touch        func(now time.Time) Touch
		want         Reason
		agent        bool
	}{
		{"it: within five days", "it", func(n time.Time) Touch { return Touch{LastAbandoned: n.Add(-119 * time.Hour)} }, AbandonLock, false},
		{"it: after five days", "it", func(n time.Time) Touch { return Touch{LastAbandoned: n.Add(-120 * time.Hour)} }, "", true},
		{"it: a year later", "it", func(n time.Time) Touch { return Touch{LastAbandoned: n.AddDate(-1, 0, 0)} }, "", true},
		{"it: spoken with since", "it", func(n time.Time) Touch {
			return Touch{LastAbandoned: n.AddDate(0, 0, -9), LastConnected: n.AddDate(0, 0, -2)}
		}, "", false},
		{"it: spoken with before", "it", func(n time.Time) Touch {
			return Touch{LastAbandoned: n.AddDate(0, 0, -9), LastConnected: n.AddDate(0, 0, -12)}
		}, "", true},
		{"gb: within 72 hours", "gb", func(n time.Time) Touch { return Touch{LastAbandoned: n.Add(-71 * time.Hour)} }, "", true},
		{"gb: after 72 hours", "gb", func(n time.Time) Touch { return Touch{LastAbandoned: n.Add(-72 * time.Hour)} }, "", false},
		{"gb: a machine an hour ago", "gb", func(n time.Time) Touch { return Touch{LastMachine: n.Add(-time.Hour)} }, "", true},
		{"gb: a machine yesterday", "gb", func(n time.Time) Touch { return Touch{LastMachine: n.Add(-24 * time.Hour)} }, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, now, req := clean(t), tuesday(t), ask(t)
			if tt.jurisdiction == "gb" {
				req.Lead.Number, req.Campaign.CallerIDs, req.Campaign.Jurisdiction = british, []campaigns.Number{shownGB}, "gb"
			}
			s.touches[req.Lead.Number] = tt.touch(now)
			if c, v := gate(t, s, nil).Clear(context.Background(), req, now); tt.agent && (v.Allowed || v.Reason != AbandonLock || !v.NeedsAgent || c.Valid(now)) {
				t.Errorf("without an agent reserved: %+v, want a refusal that asks for one", v)
			}
			req.Reserved = true
			c, v := gate(t, s, nil).Clear(context.Background(), req, now)
			if v.Reason != tt.want || v.NeedsAgent != tt.agent || c.NeedsAgent() != tt.agent {
				t.Errorf("reason %q (%s) needs agent %v, want %q %v", v.Reason, v.Detail, v.NeedsAgent, tt.want, tt.agent)
			}
			if tt.want == AbandonLock && !v.NextCallable.Equal(s.touches[req.Lead.Number].LastAbandoned.Add(120*time.Hour)) {
				t.Errorf("next callable %s", v.NextCallable)
			}
		})
	}
}

func TestConsentLiftsARegistration(t *testing.T) {
	now := tuesday(t)
	shown := now.Add(-24 * time.Hour)
	c := func(basis Basis, given, ends time.Time) Consent {
		return Consent{ID: "c1", Number: italian, Seller: seller, Basis: basis, GivenAt: given, Ends: ends}
	}
	tests := []struct {
		name    string
		consent Consent
		want    Reason
	}{
		{"consent after the result", c(ByConsent, shown.Add(time.Hour), time.Time{}), ""},
		{"consent before the result", c(ByConsent, shown.Add(-time.Hour), time.Time{}), Registered},
		{"consent at the result", c(ByConsent, shown, time.Time{}), Registered},
		{"consent of tomorrow", c(ByConsent, now.Add(time.Hour), time.Time{}), Registered},
		{"consent withdrawn", c(ByConsent, shown.Add(time.Hour), now), Registered},
		{"contract in force", c(ByContract, now.AddDate(-2, 0, 0), time.Time{}), ""},
		{"contract that ends tomorrow", c(ByContract, now.AddDate(-2, 0, 0), now.AddDate(0, 0, 1)), ""},
		{"contract ended 30 days ago", c(ByContract, now.AddDate(-2, 0, 0), now.AddDate(0, 0, -30)), ""},
		{"contract ended 31 days ago", c(ByContract, now.AddDate(-2, 0, 0), now.AddDate(0, 0, -31)), Registered},
		{"inquiry", c(ByInquiry, now.AddDate(0, 0, -1), time.Time{}), Registered},
		{"of another person", Consent{ID: "c1", Number: british, Seller: seller, Basis: ByContract}, Registered},
		{"to another seller", Consent{ID: "c1", Number: italian, Seller: "other", Basis: ByContract}, Registered},
		{"for another purpose", Consent{ID: "c1", Number: italian, Seller: seller, Basis: ByContract, Purpose: "survey"}, Registered},
		{"for another sector", Consent{ID: "c1", Number: italian, Seller: seller, Basis: ByContract, Sector: "energy"}, Registered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newSetting(t)
			f.verdict(func(v *Screening) { v.Registered = true })
			f.s.consents[italian] = []Consent{tt.consent}
			_, v := f.run(t)
			if v.Reason != tt.want || v.Status != "registered" {
				t.Errorf("reason %q status %q, want %q", v.Reason, v.Status, tt.want)
			}
			if used := v.Consent == "c1"; used != (tt.want == "") {
				t.Errorf("consent in the verdict: %q", v.Consent)
			}
		})
	}
	t.Run("consents unreadable", func(t *testing.T) {
		f := newSetting(t)
		f.verdict(func(v *Screening) { v.Registered = true })
		f.s.brokenConsents = true
		if _, v := f.run(t); v.Reason != Unavailable {
			t.Errorf("reason %q", v.Reason)
		}
	})
}

func TestConsentOnlyWithAnAnswer(t *testing.T) {
	now := tuesday(t)
	book := made(t, noRegister+"  - {id: o, opt_in: {purposes: [marketing]}, valid_from: 2020-01-01, cite: UWG 7, sure: A}\n"+
		"  - {id: r, reassigned: {register: us-rnd, max_age: 31d, required: true}, valid_from: 2020-01-01, cite: 47 CFR, sure: A}\n")
	given := now.AddDate(-1, 0, 0)
	for _, tt := range []struct {
		name   string
		answer *Screening
		want   Reason
	}{
		{"never asked", nil, NoConsent},
		{"no, since the consent", &Screening{CheckedAt: now.AddDate(0, 0, -30), Since: given}, ""},
		{"no, too long ago", &Screening{CheckedAt: now.AddDate(0, 0, -31), Since: given}, NoConsent},
		{"no, since later", &Screening{CheckedAt: now.AddDate(0, 0, -1), Since: given.Add(time.Second)}, NoConsent},
		{"yes", &Screening{Registered: true, CheckedAt: now.AddDate(0, 0, -1), Since: given}, NoConsent},
		{"yes, before the consent", &Screening{Registered: true, CheckedAt: given.Add(-time.Hour), Since: given.AddDate(-1, 0, 0)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			req.Campaign.Purpose = "marketing"
			s.consents[italian] = []Consent{{ID: "c1", Number: italian, Seller: seller, Basis: ByConsent, GivenAt: given}}
			delete(s.screenings, italian)
			if a := tt.answer; a != nil {
				a.Register, a.Seller, a.Number, a.Import = "us-rnd", seller, italian, "import"
				s.screenings[italian] = *a
			}
			_, v := gate(t, s, func(c *Config) { c.Rules = book }).Clear(context.Background(), req, now)
			if v.Reason != tt.want {
				t.Errorf("reason %q (%s), want %q", v.Reason, v.Detail, tt.want)
			}
			if tt.want == "" && (v.Reassigned == nil || v.Reassigned.Import != "import" || v.Consent != "c1") {
				t.Errorf("the verdict does not name the answer: %+v", v)
			}
			if tt.want != "" && !strings.Contains(v.Detail, "c1 does not count") {
				t.Errorf("the detail does not say why the consent is not enough: %s", v.Detail)
			}
		})
	}
}

func TestOptInCountries(t *testing.T) {
	now := tuesday(t)
	book := made(t, noRegister+"  - {id: o, opt_in: {purposes: [marketing], max_age: 730d, contract: true}, valid_from: 2020-01-01, cite: UWG 7, sure: A}\n")
	tests := []struct {
		name    string
		purpose string
		consent *Consent
		want    Reason
	}{
		{"none on file", "marketing", nil, NoConsent},
		{"a purpose that needs none", "service", nil, ""},
		{"consent", "marketing", &Consent{Basis: ByConsent, GivenAt: now.AddDate(-1, 0, 0)}, ""},
		{"consent older than two years", "marketing", &Consent{Basis: ByConsent, GivenAt: now.Add(-730 * 24 * time.Hour)}, NoConsent},
		{"contract in force", "marketing", &Consent{Basis: ByContract, GivenAt: now.AddDate(-9, 0, 0)}, ""},
		{"contract ended", "marketing", &Consent{Basis: ByContract, GivenAt: now.AddDate(-9, 0, 0), Ends: now.Add(-time.Hour)}, NoConsent},
		{"customer without consent", "marketing", &Consent{Basis: ByInquiry, Prior: true, GivenAt: now.AddDate(-1, 0, 0)}, NoConsent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			req.Campaign.Purpose = tt.purpose
			if tt.consent != nil {
				tt.consent.Number, tt.consent.Seller, tt.consent.ID = italian, seller, "c1"
				s.consents[italian] = []Consent{*tt.consent}
			}
			if _, v := gate(t, s, func(c *Config) { c.Rules = book }).Clear(context.Background(), req, now); v.Reason != tt.want {
				t.Errorf("reason %q (%s), want %q", v.Reason, v.Detail, tt.want)
			}
		})
	}
}

func TestEnergySectorTakesConsentThatNamesIt(t *testing.T) {
	f := newSetting(t)
	f.req.Campaign.Sector = "energy"
	f.s.consents[italian] = []Consent{{ID: "c", Number: italian, Seller: seller, Basis: ByConsent, Sector: "energy", GivenAt: f.now.AddDate(0, -1, 0)}}
	if _, v := f.run(t); !v.Allowed {
		t.Errorf("refused: %s", v.Detail)
	}
}

func TestListRegisters(t *testing.T) {
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC) // noon in New York
	consent := func(basis Basis, given time.Time) Consent {
		return Consent{ID: "c1", Number: american, Seller: seller, Basis: basis, GivenAt: given, Wireless: true}
	}
	tests := []struct {
		name  string
		spoil func(*state)
		want  Reason
	}{
		{"clear", func(*state) {}, ""},
		{"listed", func(s *state) {
			s.lists["us-dnc"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
		}, Registered},
		{"listed, with consent", func(s *state) {
			s.lists["us-dnc"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
		}, ""},
		{"listed, asked 89 days ago", func(s *state) {
			s.lists["us-dnc"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByInquiry, now.AddDate(0, 0, -89))}
		}, ""},
		{"listed, asked 90 days ago", func(s *state) {
			s.lists["us-dnc"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByInquiry, now.AddDate(0, 0, -90))}
		}, Registered},
		{"copy 31 days old", func(s *state) { s.lists["us-dnc"] = list{at: now.AddDate(0, 0, -31)} }, RegisterStale},
		{"copy a second younger", func(s *state) { s.lists["us-dnc"] = list{at: now.AddDate(0, 0, -31).Add(time.Second)} }, ""},
		{"copy of the future", func(s *state) { s.lists["us-dnc"] = list{at: now.AddDate(0, 0, 1)} }, RegisterStale},
		{"no copy", func(s *state) { delete(s.lists, "us-dnc") }, Unscreened},
		{"no list of wireless numbers", func(s *state) { delete(s.lists, "us-wireless") }, NumberType},
		{"old list of wireless numbers", func(s *state) { s.lists["us-wireless"] = list{at: now.AddDate(0, 0, -15)} }, RegisterStale},
		{"wireless", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
		}, NumberType},
		{"wireless with consent", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
		}, ""},
		{"wireless with consent, reassigned since", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, Registered: true, CheckedAt: now.AddDate(0, -1, 0)}
		}, NumberType},
		{"wireless with consent, reassigned before", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(0, 0, -9))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, Registered: true, CheckedAt: now.AddDate(0, -1, 0)}
		}, ""},
		{"wireless with consent, asked about no known date", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, CheckedAt: now.AddDate(0, 0, -9)}
		}, NumberType},
		{"wireless with consent, asked about a later date", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, CheckedAt: now.AddDate(0, 0, -9), Since: now.AddDate(-1, 0, 1)}
		}, NumberType},
		{"wireless with consent, asked about its date", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, CheckedAt: now.AddDate(0, 0, -9), Since: now.AddDate(-1, 0, 0)}
		}, ""},
		{"wireless with two consents, asked about the later one's date", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-3, 0, 0)), consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, CheckedAt: now.AddDate(0, 0, -9), Since: now.AddDate(-1, 0, 0)}
		}, ""},
		{"wireless with consent, a clear answer that has expired counts as none", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, CheckedAt: now.AddDate(0, 0, -32), Since: now.AddDate(-1, 0, 1)}
		}, ""},
		{"wireless with consent, reassigned says an old answer too", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.screenings[american] = Screening{Register: "us-rnd", Seller: seller, Number: american, Registered: true, CheckedAt: now.AddDate(0, -6, 0), Since: now.AddDate(-1, 0, 0)}
		}, NumberType},
		{"wireless with consent, database unreadable", func(s *state) {
			s.lists["us-wireless"] = list{now.AddDate(0, 0, -1), map[campaigns.Number]bool{american: true}}
			s.consents[american] = []Consent{consent(ByConsent, now.AddDate(-1, 0, 0))}
			s.brokenScreenings = true
		}, Unavailable},
		{"lists unreadable", func(s *state) { s.brokenLists = true }, Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			tt.spoil(s)
			req.Lead.Number, req.Campaign.CallerIDs, req.Campaign.Jurisdiction = american, []campaigns.Number{shownUS}, "us"
			if c, v := gate(t, s, nil).Clear(context.Background(), req, now); v.Reason != tt.want {
				t.Errorf("reason %q (%s), want %q", v.Reason, v.Detail, tt.want)
			} else if tt.want == "" && c.RingMinimum() != 15*time.Second {
				t.Errorf("ring minimum %s", c.RingMinimum())
			}
		})
	}
}
