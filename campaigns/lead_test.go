package campaigns_test

import (
	"testing"
	"time"

	"pronto/campaigns"
)

func TestLeadTurnsToItsNextNumber(t *testing.T) {
	one := campaigns.Lead{Number: "+393561000001"}
	if next, more := one.Turned(); more || next.Number != one.Number {
		t.Errorf("a lead with one number turned to %s", next.Number)
	}
	if next, more := one.Passing(time.Time{}); more || next.Passed != 1 {
		t.Errorf("a lead with one number goes on after it was refused")
	}
	l := campaigns.Lead{Number: "+393561000001", Kind: campaigns.Mobile, Turn: 1, Numbers: []campaigns.LeadNumber{
		{Number: "+390612345678", Type: "home"}, {Number: "+393561000001", Type: "mobile"}, {Number: "+390212345678"},
	}}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		until time.Time
		want  campaigns.Number
		kind  string
		more  bool
	}{
		{noon.Add(3 * time.Hour), "+390212345678", "", true},
		{noon.Add(time.Hour), "+390612345678", "home", true},
		{noon.Add(2 * time.Hour), "+390612345678", "home", false},
	} {
		var more bool
		if l, more = l.Passing(step.until); more != step.more || l.Number != step.want || l.NumberType() != step.kind || l.Kind != "" && more {
			t.Errorf("step %d: %s %q, %v", i, l.Number, l.NumberType(), more)
		}
	}
	if !l.PassedUntil.Equal(noon.Add(time.Hour)) {
		t.Errorf("callable again at %v, want the earliest of the three", l.PassedUntil)
	}
}
