package dnc

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
)

// abroad is a call to a country on a working day at noon there.
type abroad struct {
	jurisdiction, zone string
	called, shown      campaigns.Number
}

// countries are calls that pass once a consent or a clean register is on file.
func countries() map[string]abroad {
	return map[string]abroad{
		"ca": {"ca", "America/Toronto", "+14165550123", "+14165550199"},
		"fr": {"fr", "Europe/Paris", "+33142000123", "+33162123456"},
		"de": {"de", "Europe/Berlin", "+493023125123", "+493023125000"},
		"at": {"at", "Europe/Vienna", "+4315123456", "+4315123457"},
		"es": {"es", "Europe/Madrid", "+34912345678", "+34912345679"},
		"nl": {"nl", "Europe/Amsterdam", "+31201234567", "+31201234568"},
		"au": {"au", "Australia/Sydney", "+61212345678", "+61212345679"},
		"sg": {"sg", "Asia/Singapore", "+6561234567", "+6561234568"},
	}
}

func TestOtherCountries(t *testing.T) {
	noon := func(year, month, day int) time.Time {
		return time.Date(year, time.Month(month), day, 14, 30, 0, 0, time.UTC)
	}
	consented := func(ago time.Duration) func(*state, *Request, time.Time) {
		return func(s *state, r *Request, now time.Time) {
			s.consents[r.Lead.Number] = append(s.consents[r.Lead.Number], Consent{ID: "c", Number: r.Lead.Number, Seller: seller, Basis: ByConsent, GivenAt: now.Add(-ago)})
		}
	}
	customer := func(s *state, r *Request, now time.Time) {
		s.consents[r.Lead.Number] = []Consent{{ID: "c", Number: r.Lead.Number, Seller: seller, Basis: ByContract, GivenAt: now.AddDate(-1, 0, 0)}}
	}
	show := func(n campaigns.Number) func(*state, *Request, time.Time) {
		return func(_ *state, r *Request, _ time.Time) { r.Campaign.CallerIDs = []campaigns.Number{n} }
	}
	purpose := func(p string) func(*state, *Request, time.Time) {
		return func(_ *state, r *Request, _ time.Time) { r.Campaign.Purpose = p }
	}
	tuesday := noon(2026, 11, 24)
	day := 24 * time.Hour
	midday := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC) // in Sydney; 9:00 in Singapore
	screened := func(register string, ago time.Duration, registered bool) func(*state, *Request, time.Time) {
		return func(s *state, r *Request, now time.Time) {
			s.screenings[r.Lead.Number] = Screening{Register: register, Seller: seller, Number: r.Lead.Number, Registered: registered, CheckedAt: now.Add(-ago)}
		}
	}
	for _, tt := range []struct {
		name, country string
		now           time.Time
		change        []func(*state, *Request, time.Time)
		want          Reason
	}{
		{"fr: no consent", "fr", tuesday, nil, NoConsent},
		{"fr: consent", "fr", tuesday, []func(*state, *Request, time.Time){consented(day)}, ""},
		{"fr: customer", "fr", tuesday, []func(*state, *Request, time.Time){customer}, ""},
		{"fr: press", "fr", tuesday, []func(*state, *Request, time.Time){purpose("press")}, ""},
		{"fr: Bloctel until 10 August 2026", "fr", noon(2026, 8, 10), []func(*state, *Request, time.Time){consented(day)}, Unscreened},
		{"fr: opt-in from 11 August 2026", "fr", noon(2026, 8, 11), nil, NoConsent},
		{"fr: between one and two", "fr", time.Date(2026, 11, 24, 12, 30, 0, 0, zone(t, "Europe/Paris")).Add(time.Hour), []func(*state, *Request, time.Time){consented(day)}, OutsideHours},
		{"fr: Saturday", "fr", noon(2026, 11, 28), []func(*state, *Request, time.Time){consented(day)}, OutsideHours},
		{"fr: Armistice", "fr", time.Date(2026, 11, 11, 14, 30, 0, 0, time.UTC), []func(*state, *Request, time.Time){consented(day)}, Holiday},
		{"fr: mobile shown", "fr", tuesday, []func(*state, *Request, time.Time){consented(day), show("+33612345678")}, CallerID},
		{"fr: geographic number shown", "fr", tuesday, []func(*state, *Request, time.Time){consented(day), show("+33142000000")}, CallerID},
		{"fr: energy renovation", "fr", tuesday, []func(*state, *Request, time.Time){consented(day), func(_ *state, r *Request, _ time.Time) { r.Campaign.Sector = "energy_renovation" }}, Sector},
		{"fr: four attempts", "fr", tuesday, []func(*state, *Request, time.Time){consented(day), func(s *state, r *Request, now time.Time) {
			s.touches[r.Lead.Number] = Touch{Attempts: []time.Time{now.Add(-29 * day), now.Add(-9 * day), now.Add(-8 * day), now.Add(-day)}}
		}}, Attempts},
		{"fr: refused 59 days ago", "fr", tuesday, []func(*state, *Request, time.Time){consented(90 * day), func(s *state, r *Request, now time.Time) {
			s.touches[r.Lead.Number] = Touch{LastRefusal: now.Add(-59 * day)}
		}}, CoolOff},
		{"de: no consent", "de", tuesday, nil, NoConsent},
		{"de: customer", "de", tuesday, []func(*state, *Request, time.Time){customer}, NoConsent},
		{"de: consent", "de", tuesday, []func(*state, *Request, time.Time){consented(900 * day)}, ""},
		{"de: Buß- und Bettag, Land unknown", "de", noon(2026, 11, 18), []func(*state, *Request, time.Time){consented(day)}, Holiday},
		{"de: Buß- und Bettag in Berlin", "de", noon(2026, 11, 18), []func(*state, *Request, time.Time){consented(day), func(_ *state, r *Request, _ time.Time) { r.Lead.Region = "DE-BE" }}, ""},
		{"at: no consent", "at", tuesday, nil, NoConsent},
		{"at: consent", "at", tuesday, []func(*state, *Request, time.Time){consented(day)}, ""},
		{"es: consent of two years", "es", tuesday, []func(*state, *Request, time.Time){consented(730 * day)}, NoConsent},
		{"es: consent of nearly two years", "es", tuesday, []func(*state, *Request, time.Time){consented(729 * day)}, ""},
		{"es: older consent before the law", "es", noon(2025, 12, 23), []func(*state, *Request, time.Time){consented(900 * day)}, ""},
		{"es: mobile shown", "es", tuesday, []func(*state, *Request, time.Time){consented(day), show("+34612345678")}, CallerID},
		{"es: mobile shown before June 2025", "es", noon(2025, 6, 4), []func(*state, *Request, time.Time){consented(day), show("+34612345678")}, ""},
		{"es: Saturday", "es", noon(2026, 11, 28), []func(*state, *Request, time.Time){consented(day)}, OutsideHours},
		{"nl: customer until June 2026", "nl", noon(2026, 6, 30), []func(*state, *Request, time.Time){customer}, ""},
		{"nl: customer from July 2026", "nl", noon(2026, 7, 1), []func(*state, *Request, time.Time){customer}, NoConsent},
		{"nl: charity's donor", "nl", tuesday, []func(*state, *Request, time.Time){customer, purpose("charity")}, ""},
		{"au: not washed", "au", midday, nil, Unscreened},
		{"au: washed", "au", midday, []func(*state, *Request, time.Time){screened("au-dnc", 29*day, false)}, ""},
		{"au: washed 30 days ago", "au", midday, []func(*state, *Request, time.Time){screened("au-dnc", 30*day, false)}, VerdictExpired},
		{"au: washed out", "au", midday, []func(*state, *Request, time.Time){screened("au-dnc", day, true)}, Registered},
		{"au: washed out, with consent", "au", midday, []func(*state, *Request, time.Time){screened("au-dnc", day, true), consented(90 * day)}, ""},
		{"au: Sunday", "au", midday.AddDate(0, 0, 5), []func(*state, *Request, time.Time){screened("au-dnc", day, false)}, OutsideHours},
		{"au: Anzac Day on a Sunday, kept on Monday", "au", time.Date(2027, 4, 26, 2, 0, 0, 0, time.UTC), []func(*state, *Request, time.Time){screened("au-dnc", day, false)}, Holiday},
		{"sg: checked 20 days ago", "sg", midday.Add(3 * time.Hour), []func(*state, *Request, time.Time){screened("sg-dnc", 20*day, false)}, ""},
		{"sg: checked 21 days ago", "sg", midday.Add(3 * time.Hour), []func(*state, *Request, time.Time){screened("sg-dnc", 21*day, false)}, VerdictExpired},
		{"sg: registered", "sg", midday.Add(3 * time.Hour), []func(*state, *Request, time.Time){screened("sg-dnc", day, true)}, Registered},
		{"ca: no list", "ca", tuesday.Add(3 * time.Hour), nil, Unscreened},
		{"ca: list", "ca", tuesday.Add(3 * time.Hour), []func(*state, *Request, time.Time){func(s *state, _ *Request, now time.Time) {
			s.lists["ca-dncl"] = list{at: now.Add(-30 * day)}
		}}, ""},
		{"ca: Sunday before ten", "ca", time.Date(2026, 11, 29, 9, 30, 0, 0, zone(t, "America/Toronto")), []func(*state, *Request, time.Time){func(s *state, _ *Request, now time.Time) {
			s.lists["ca-dncl"] = list{at: now.Add(-day)}
		}}, OutsideHours},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, req := countries()[tt.country], clean(t), ask(t)
			req.Lead.Number, req.Lead.Zone = c.called, c.zone
			req.Campaign.Jurisdiction, req.Campaign.CallerIDs = c.jurisdiction, []campaigns.Number{c.shown}
			for _, change := range tt.change {
				change(s, &req, tt.now)
			}
			_, v := gate(t, s, func(c *Config) { c.Built = time.Time{} }).Clear(context.Background(), req, tt.now)
			if v.Reason != tt.want {
				t.Errorf("reason %q (%s; %s), want %q", v.Reason, v.Detail, v.LocalTime, tt.want)
			}
		})
	}
}

// TestNoPredictiveDialingWithoutACap: where the law names no cap on abandoned
// calls, none may be planned.
func TestNoPredictiveDialingWithoutACap(t *testing.T) {
	for _, name := range []string{"gb", "fr", "de", "at", "es", "nl", "au", "sg"} {
		s, ok := embedded(t).Lookup(name, tuesday(t))
		if !ok {
			t.Fatalf("no rules for %s", name)
		}
		if s.Abandon.Windows[0].Cap != 0 {
			t.Errorf("%s: cap %g", name, s.Abandon.Windows[0].Cap)
		}
	}
}
