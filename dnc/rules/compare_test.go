package rules

import (
	"fmt"
	"strings"
	"testing"
)

// TestLooserRulesOfOtherCountries replaces rules that Italy does not have.
func TestLooserRulesOfOtherCountries(t *testing.T) {
	for _, tt := range []struct{ name, jurisdiction, id, rule, looser string }{
		{"fewer attempts", "fr", "fr.attempts", "attempts: {max: 3, per: 30d}", ""},
		{"more attempts", "fr", "fr.attempts", "attempts: {max: 5, per: 30d}", "more attempts"},
		{"attempts in a shorter time", "fr", "fr.attempts", "attempts: {max: 4, per: 20d}", "more attempts"},
		{"longer cool-off", "fr", "fr.cooloff", "cooloff: {days: 90}", ""},
		{"shorter cool-off", "fr", "fr.cooloff", "cooloff: {days: 59}", "a shorter cool-off"},
		{"no contract", "fr", "fr.opt_in", "opt_in: {}", ""},
		{"younger consents", "fr", "fr.opt_in", "opt_in: {contract: true, exempt: [press], max_age: 365d}", ""},
		{"contract long ended", "fr", "fr.opt_in", "opt_in: {contract: true, contract_days: 30}", "more contracts"},
		{"another exemption", "fr", "fr.opt_in", "opt_in: {exempt: [press, charity]}", "more purposes that need none"},
		{"marketing alone", "fr", "fr.opt_in", "opt_in: {purposes: [marketing]}", "fewer purposes"},
		{"customers", "fr", "fr.opt_in", "opt_in: {prior: true}", "customers without a consent"},
		{"contracts for all", "nl", "nl.opt_in", "opt_in: {contract: true}", "more contracts"},
		{"contracts for charities", "nl", "nl.opt_in", "opt_in: {contract: true, contract_for: [charity]}", ""},
		{"consents of any age", "es", "es.opt_in.2y", "opt_in: {contract: true}", "older consents"},
		{"mobile caller IDs", "es", "es.caller_id.no_mobile", "caller_id: {countries: [ES], proof: true}", "more kinds"},
		{"any prefix", "fr", "fr.caller_id", "caller_id: {countries: [FR], deny_kinds: [mobile], proof: true}", "more ranges"},
		{"banned sector opened", "fr", "fr.energy_renovation", "sector: {name: energy_renovation, also: [renovation, energy renovation, home_adaptation, home adaptation, rénovation], consent: true}", "banned sector"},
		{"callers told less", "gb", "gb.callback", "callback: {answer: true, opt_out: true}", "less for people who ring back"},
		{"callers without an opt-out", "gb", "gb.callback", "callback: {answer: true, inform: true}", "less for people who ring back"},
		{"callers offered more", "it", "it.callback", "callback: {answer: true, inform: true, opt_out: true}", ""},
		{"shorter ring", "gb", "gb.ring", "ring: {minimum: 10s}", "a shorter ring"},
		{"longer ring", "gb", "gb.ring", "ring: {minimum: 20s}", ""},
		{"shorter machine lock", "gb", "gb.machine_lock", "machine_lock: {agent: 12h}", "after a detected machine"},
		{"safe harbour", "gb", "gb.abandon", "abandon: {windows: [{period: rolling, length: 24h, cap: 0.03, base: live_answered}], deadline: 2s, clock: answer, treatment: message}", "more abandoned calls"},
		{"detection", "gb", "gb.abandon", "abandon: {windows: [{period: rolling, length: 24h, cap: 0, base: live_answered}], deadline: 2s, clock: answer, treatment: message, amd: true}", "answering-machine detection"},
		{"clock from the greeting", "gb", "gb.abandon", "abandon: {windows: [{period: rolling, length: 24h, cap: 0, base: live_answered}], deadline: 2s, clock: greeting_end, treatment: message}", "a later deadline"},
		{"no message", "gb", "gb.abandon", "abandon: {windows: [{period: rolling, length: 24h, cap: 0, base: live_answered}], deadline: 2s, clock: answer, treatment: comfort_then_hangup}", "another treatment"},
		{"older list of wireless numbers", "us", "us.wireless", "wireless: {list: us-wireless, max_age: 30d}", "an older list"},
		{"another list of wireless numbers", "us", "us.wireless", "wireless: {list: ours, max_age: 15d}", "another list"},
		{"another database", "us", "us.reassigned", "reassigned: {register: ours, max_age: 31d}", "another register of reassigned numbers"},
		{"old answers", "us", "us.reassigned", "reassigned: {register: us-rnd, max_age: 32d}", "older answers about reassigned numbers"},
		{"answers for ever", "us", "us.reassigned", "reassigned: {register: us-rnd}", "older answers about reassigned numbers"},
		{"an answer for each consent", "us", "us.reassigned", "reassigned: {register: us-rnd, max_age: 20d, required: true}", ""},
		{"longer inquiry", "us", "us.dnc", "screening: {register: us-dnc, shape: list, max_age: 31d, inquiry_days: 120}", "older inquiries"},
		{"one state alone", "us", "us.attempts.fl", "attempts: {max: 3, per: 24h}", ""},
		{"fewer area codes", "us", "us.attempts.ok", "attempts: {max: 3, per: 24h}, regions: [US-OK]", "fewer places"},
		{"two countries of caller IDs", "us", "us.caller_id", "caller_id: {countries: [US, CA], proof: true}", "more countries"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := book(t).File(tt.jurisdiction)
			text := fmt.Sprintf("jurisdiction: %s\ntitle: Own\nzone: %s\nvalid_from: 2026-01-01\nvalid_to: 2027-12-31\nrules:\n  - {id: %s, %s%s",
				tt.jurisdiction, base.Zone, tt.id, tt.rule, strings.Replace(tail, "2026-07-01", "2026-08-11", 1))
			own, err := Parse("own.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			f, looser, err := Overlay(base, own)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(looser); tt.looser == "" && len(looser) > 0 || !strings.Contains(got, tt.looser) {
				t.Errorf("looser: %s, want %q", got, tt.looser)
			}
			if _, err := NewBook(f); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestApplies(t *testing.T) {
	r := Rule{Regions: []string{"US-FL"}, AreaCodes: []string{"305"}}
	for _, tt := range []struct {
		region, national string
		want             bool
	}{{"US-FL", "2025550123", true}, {"", "3055550123", true}, {"US-DC", "3055550123", true}, {"US-DC", "2025550123", false}, {"", "2025550123", false}, {"", "", false}} {
		if got := r.Applies(tt.region, tt.national); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if !(&Rule{}).Applies("", "") {
		t.Error("a rule without places holds nowhere")
	}
	s := Sector{Name: "energy", Also: []string{"gas"}}
	if !s.Is("Energy") || !s.Is("GAS") || s.Is("retail") || s.Is("") {
		t.Error("sector words")
	}
	if !Covers(nil, "x") || !Covers([]string{"x"}, "x") || Covers([]string{"y"}, "x") {
		t.Error("purposes")
	}
}
