package dnc

import (
	"context"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

// TestWhatThePersonSaidHoldsForEachNumber: a lead has two numbers; what was said or
// suffered at the one that is not called holds for the one that is, whichever comes first.
func TestWhatThePersonSaidHoldsForEachNumber(t *testing.T) {
	const second, third = campaigns.Number("+390655599002"), campaigns.Number("+390655599003")
	now := tuesday(t)
	for _, c := range []struct {
		name  string
		spoil func(*state)
		want  Reason
		agent bool
	}{
		{"nothing", func(*state) {}, "", false},
		{"second opted out of the company", func(s *state) { s.optOuts[second] = OptOut{Number: second, At: now, Source: "cli"} }, OptedOut, false},
		{"second opted out of the seller, by ringing back", func(s *state) {
			s.optOuts[second] = OptOut{Number: second, Seller: seller, At: now, Source: "callback"}
		}, OptedOut, false},
		{"third opted out", func(s *state) { s.optOuts[third] = OptOut{Number: third} }, OptedOut, false},
		{"second opted out of another seller", func(s *state) { s.optOuts[second] = OptOut{Number: second, Seller: "other"} }, "", false},
		{"second opted out of another campaign", func(s *state) { s.optOuts[second] = OptOut{Number: second, Campaign: "spring"} }, "", false},
		{"call to the second abandoned yesterday", func(s *state) { s.touches[second] = Touch{LastAbandoned: now.AddDate(0, 0, -1)} }, AbandonLock, false},
		{"call to the second abandoned six days ago", func(s *state) { s.touches[second] = Touch{LastAbandoned: now.AddDate(0, 0, -6)} }, "", true},
		{"and then an agent at the first", func(s *state) {
			s.touches[second] = Touch{LastAbandoned: now.AddDate(0, 0, -6)}
			s.touches[italian] = Touch{LastConnected: now.AddDate(0, 0, -1)}
		}, "", false},
		{"machine at the second", func(s *state) { s.touches[second] = Touch{LastMachine: now.Add(-time.Minute)} }, "", false},
		{"the second called often", func(s *state) {
			s.touches[second] = Touch{Attempts: []time.Time{now.Add(-time.Minute), now.Add(-time.Second)}}
		}, "", false},
		{"opt-outs cannot be read", func(s *state) { s.brokenOptOuts = true }, Unavailable, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			c.spoil(s)
			req.Reserved = true
			for _, numbers := range [][]campaigns.LeadNumber{
				{{Number: italian}, {Number: second}, {Number: third}},
				{{Number: second}, {Number: third}, {Number: italian}, {Number: second}},
			} {
				req.Lead.Numbers = numbers
				clearance, v := gate(t, s, nil).Clear(context.Background(), req, now)
				if v.Reason != c.want || clearance.Valid(now) != (c.want == "") || clearance.NeedsAgent() != c.agent {
					t.Errorf("%v: reason %q (%s), needs an agent %v; want %q, %v", numbers, v.Reason, v.Detail, clearance.NeedsAgent(), c.want, c.agent)
				}
				if strings.Contains(v.Detail, string(second)) {
					t.Errorf("the verdict tells the other number in full: %s", v.Detail)
				}
			}
			req.Lead.Numbers = nil
			if _, v := gate(t, s, nil).Clear(context.Background(), req, now); c.want == OptedOut && !v.Allowed {
				t.Errorf("somebody who only has the first number is refused: %s", v.Detail)
			}
		})
	}
}

// TestCoolOffHoldsForThePerson: a refusal at one number keeps the lead quiet at all.
func TestCoolOffHoldsForThePerson(t *testing.T) {
	const other = campaigns.Number("+33155500102")
	req := ask(t)
	req.Campaign.Jurisdiction, req.Campaign.CallerIDs = "fr", []campaigns.Number{"+33155500101"}
	req.Lead.Number = "+33155500103"
	req.Lead.Numbers = []campaigns.LeadNumber{{Number: req.Lead.Number}, {Number: other}}
	s, now := clean(t), tuesday(t)
	s.touches[other] = Touch{LastRefusal: now.AddDate(0, 0, -3)}
	s.consents[req.Lead.Number] = []Consent{{ID: "c", Number: req.Lead.Number, Seller: seller, Basis: ByConsent, GivenAt: now.AddDate(0, 0, -9)}}
	if _, v := gate(t, s, nil).Clear(context.Background(), req, now); v.Reason != CoolOff {
		t.Errorf("%q: %s, want %q", v.Reason, v.Detail, CoolOff)
	}
}
