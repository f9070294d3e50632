package campaigns

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLevelsOfALead(t *testing.T) {
	at := time.Date(2026, 11, 24, 17, 5, 0, 0, time.UTC) // a Tuesday
	for name, c := range map[string]struct {
		lead Lead
		want []string
	}{
		"fresh, fixed line":  {Lead{Number: "+390612345678"}, []string{"17", "Tuesday", "fixed", "06", "0", "none"}},
		"mobile, called":     {Lead{Number: "+393471234567", Attempts: 2, LastOutcome: NoAnswer}, []string{"17", "Tuesday", "mobile", "34", "2", "no_answer"}},
		"called many times":  {Lead{Number: "+393471234567", Attempts: 40, LastOutcome: Congested}, []string{"17", "Tuesday", "mobile", "34", "5 or more", "other"}},
		"number was erased":  {Lead{Attempts: 1, LastOutcome: Busy}, []string{"17", "Tuesday", "", "", "1", "busy"}},
		"number is nonsense": {Lead{Number: "+39x"}, []string{"17", "Tuesday", "", "", "0", "none"}},
	} {
		features := Features()
		var got []string
		for f, level := range c.lead.Levels(at) {
			if level < 0 {
				got = append(got, "")
				continue
			}
			got = append(got, features[f].Levels[level])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLevelsStayWithinTheirFeatures(t *testing.T) {
	features := Features()
	rapid.Check(t, func(t *rapid.T) {
		l := Lead{Number: Number(rapid.String().Draw(t, "number")), Attempts: rapid.Int().Draw(t, "attempts"), LastOutcome: Outcome(rapid.String().Draw(t, "last"))}
		levels := l.Levels(time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 0))
		if len(levels) != len(features) {
			t.Fatalf("%d levels of %d features", len(levels), len(features))
		}
		for f, level := range levels {
			if level < -1 || level >= len(features[f].Levels) {
				t.Fatalf("%s: level %d of %d", features[f].Name, level, len(features[f].Levels))
			}
		}
	})
}
