package rules

import (
	"os"
	"strings"
	"testing"
	"time"
)

// owned parses an own file for Italy with the rules.
func owned(t *testing.T, rules string) *File {
	t.Helper()
	f, err := Parse("own.yaml", []byte("jurisdiction: it\ntitle: Own\nzone: Europe/Rome\nvalid_from: 2026-01-01\nvalid_to: 2027-12-31\nrules:\n"+rules))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const tail = ", valid_from: 2026-07-01, cite: own choice, sure: K}\n"

func TestOverlay(t *testing.T) {
	for _, tt := range []struct {
		name, rules string
		looser      string // what stands in the list; empty: nothing looser
	}{
		{"a younger verdict", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 10d, per_campaign: true, consent: after, contract: true, contract_days: 30}" + tail, ""},
		{"no consent lifts", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 15d, per_campaign: true}" + tail, ""},
		{"an older verdict", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 30d, per_campaign: true}" + tail, "older answers"},
		{"verdicts from before the campaign", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 15d}" + tail, "before the campaign"},
		{"any consent", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 15d, per_campaign: true, consent: any}" + tail, "more consents"},
		{"for marketing alone", "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 15d, per_campaign: true, purposes: [marketing]}" + tail, "fewer purposes"},
		{"no register", "  - {id: it.rpo, screening: {shape: none}" + tail, "another register"},
		{"shorter hours", "  - {id: it.hours, hours: {days: {mon: ['10:00-18:00'], eve: ['10:00-18:00'], holiday: []}}" + tail, ""},
		{"longer hours", "  - {id: it.hours, hours: {days: {mon: ['09:00-20:01'], eve: ['10:00-19:00'], holiday: []}}" + tail, "calls on mon at 20:00"},
		{"open on holidays", "  - {id: it.hours, hours: {days: {mon: ['09:00-20:00'], eve: ['10:00-19:00']}}" + tail, "calls on mon at 09:00"},
		{"a second window", "  - {id: own.hours, hours: {days: {mon: ['08:00-21:00'], tue: ['10:00-12:00']}}" + tail, ""},
		{"attempts of its own", "  - {id: own.attempts, attempts: {max: 3, per: 7d}" + tail, ""},
		{"cool-off of its own", "  - {id: own.cooloff, cooloff: {days: 90}" + tail, ""},
		{"lower cap", "  - {id: it.abandon, abandon: {windows: [{period: campaign, cap: 0.02, base: connected}, {period: rolling, length: 24h, cap: 0.02, base: connected}], deadline: 2s, clock: answer, treatment: comfort_then_hangup}" + tail, ""},
		{"higher cap", "  - {id: it.abandon, abandon: {windows: [{period: campaign, cap: 0.05, base: connected}, {period: rolling, length: 24h, cap: 0.04, base: connected}], deadline: 3s, clock: answer, treatment: comfort_then_hangup}" + tail, "more abandoned calls (campaign window)"},
		{"looser base", "  - {id: it.abandon, abandon: {windows: [{period: campaign, cap: 0.03, base: live_answered}, {period: rolling, length: 24h, cap: 0.04, base: connected}], deadline: 3s, clock: answer, treatment: comfort_then_hangup}" + tail, "more abandoned calls"},
		{"a window left out", "  - {id: it.abandon, abandon: {windows: [{period: campaign, cap: 0.03, base: connected}], deadline: 3s, clock: answer, treatment: comfort_then_hangup}" + tail, "(rolling window)"},
		{"later deadline", "  - {id: it.abandon, abandon: {windows: [{period: campaign, cap: 0.03, base: connected}, {period: rolling, length: 24h, cap: 0.04, base: connected}], deadline: 5s, clock: answer, treatment: comfort_then_hangup}" + tail, "a later deadline"},
		{"shorter lock", "  - {id: it.abandon_lock, abandon_lock: {block: 4d, agent_next: true}" + tail, "a shorter lock"},
		{"no reserved agent", "  - {id: it.abandon_lock, abandon_lock: {block: 5d}" + tail, "no reserved agent"},
		{"only the prefixes", "  - {id: it.caller_id, caller_id: {calling_codes: [39], prefixes: ['0844'], domestic_trunk: true, proof: true}" + tail, ""},
		{"any caller ID", "  - {id: it.caller_id, caller_id: {}" + tail, "caller IDs of more countries"},
		{"no proof", "  - {id: it.caller_id, caller_id: {calling_codes: [39], prefixes: ['0843', '0844'], or_callable: true, domestic_trunk: true}" + tail, "without proof"},
		{"mobile numbers alone", "  - {id: it.numbers, numbers: {countries: [IT], kinds: [mobile]}" + tail, ""},
		{"premium numbers", "  - {id: it.numbers, numbers: {countries: [IT], kinds: [mobile, premium]}" + tail, "more kinds"},
		{"no holidays", "  - {id: it.holidays, holidays: {days: [{name: Natale, on: 12-25}]}" + tail, "calls on 2026-08-15, Ferragosto"},
		{"energy freed", "  - {id: it.energy, sector: {name: energy, also: [electricity, gas, energia, luce, luce e gas], consent: true, contract: true}" + tail, "banned sector"},
		{"gas freed", "  - {id: it.energy, sector: {name: energy, also: [electricity], consent: true}" + tail, "another sector"},
		{"shorter retention", "  - {id: it.keep.calls, retention: {what: calls, years: 1}" + tail, "a shorter retention"},
		{"longer retention", "  - {id: it.keep.calls, retention: {what: calls, years: 10}" + tail, ""},
		{"another kind", "  - {id: it.hours, cooloff: {days: 1}" + tail, "in the place of"},
		{"one region alone", "  - {id: it.hours, hours: {days: {mon: ['10:00-18:00'], holiday: []}}, regions: [IT-RM]" + tail, "fewer places"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := book(t).File("it")
			f, looser, err := Overlay(base, owned(t, tt.rules))
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, l := range looser {
				said = append(said, l.String())
			}
			got := strings.Join(said, "; ")
			if tt.looser == "" && got != "" || !strings.Contains(got, tt.looser) {
				t.Errorf("looser: %q, want %q", got, tt.looser)
			}
			if f.Hash == base.Hash || f.ValidTo != base.ValidTo {
				t.Errorf("hash %s, valid to %s", f.Hash, f.ValidTo)
			}
			if _, err := NewBook(f); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOverlayTakesThePlaceWhileItHolds(t *testing.T) {
	own := owned(t, "  - {id: it.rpo, screening: {register: rpo, shape: verdict, max_age: 10d, per_campaign: true}, valid_from: 2026-07-01, valid_to: 2026-07-31, cite: own, sure: K}\n")
	f, looser, err := Overlay(book(t).File("it"), own)
	if err != nil || len(looser) != 0 {
		t.Fatal(looser, err)
	}
	b, err := NewBook(f)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]string{"2026-06-30": "15d", "2026-07-01": "10d", "2026-07-31": "10d", "2026-08-01": "15d"} {
		at, err := time.ParseInLocation(time.DateOnly, day, f.Zone)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := b.Lookup("it", at)
		if !ok || len(s.Screenings) != 1 || s.Screenings[0].Screening.MaxAge.String() != want {
			t.Errorf("%s: %+v", day, s.Screenings)
		}
	}
}

// TestExampleOfTheDocs reads the own rules that docs/compliance.md shows.
func TestExampleOfTheDocs(t *testing.T) {
	data, err := os.ReadFile("../../docs/compliance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the docs show no rules")
	}
	own, err := Parse("docs/compliance.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f, looser, err := Overlay(book(t).File("it"), own)
	if err != nil || len(looser) > 0 {
		t.Fatal(looser, err)
	}
	b, err := NewBook(f)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := b.Lookup("it", time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC))
	if !ok || s.AbandonLock.Block.String() != "10d" || len(s.Attempts) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOverlayRefuses(t *testing.T) {
	base := book(t).File("it")
	if _, _, err := Overlay(base, book(t).File("gb")); err == nil {
		t.Error("another jurisdiction")
	}
	if _, _, err := Overlay(base, owned(t, "  - {id: own.abandon, abandon: {windows: [{period: campaign, cap: 0.01, base: connected}], deadline: 3s, clock: answer, treatment: message}"+tail)); err == nil {
		t.Error("a second definition of an abandoned call beside the first")
	}
}

func TestBookWithOwnRules(t *testing.T) {
	b, looser, err := book(t).With(owned(t, "  - {id: own.cooloff, cooloff: {days: 90}"+tail))
	if err != nil || len(looser) != 0 {
		t.Fatal(looser, err)
	}
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	if s, ok := b.Lookup("it", at); !ok || s.CoolOff == nil || s.CoolOff.Days != 90 {
		t.Errorf("own rule is not in force: %+v", s)
	}
	if _, ok := b.Lookup("gb", at); !ok {
		t.Error("the other jurisdictions are gone")
	}
	own, err := Parse("xx.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if b, _, err = b.With(own); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Lookup("xx", at); !ok {
		t.Error("a jurisdiction of its own is not known")
	}
}
