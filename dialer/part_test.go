package dialer

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPart(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var p Part
	if got := p.Limit(7, at); got != 7 {
		t.Errorf("alone: %d", got)
	}
	p.Divide()
	if got := p.Limit(7, at); got != 0 {
		t.Errorf("before anything is granted: %d", got)
	}
	p.Grant(5, at, at.Add(NodeLife))
	if got := p.Limit(7, at); got != 5 {
		t.Errorf("granted 5: %d", got)
	}
	if got := p.Limit(3, at); got != 3 {
		t.Errorf("granted more than the bound is by now: %d", got)
	}
	p.Miss(2)
	p.Miss(3)
	if c := p.Held("x", 7, 2); c != (Claim{"x", 7, 5, 5, 2}) {
		t.Errorf("claims %+v", c)
	}
	p.Refuse()
	p.Refuse()
	p.Grant(1, at, at.Add(NodeLife))
	if c := p.Held("x", 7, 4); c != (Claim{"x", 7, 6, 4, 4}) {
		t.Errorf("with more in use than it may: %+v", c)
	}
	if got := p.Limit(7, at.Add(NodeLife)); got != 0 {
		t.Errorf("when nobody counts on it any more: %d", got)
	}
}

// Of a rate a node holds what it might have begun in the last span.
func TestPartOfARate(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var p Part
	p.Divide()
	p.Grant(5, at, at.Add(time.Hour))
	p.Grant(2, at.Add(time.Second), at.Add(time.Hour))
	for after, want := range map[time.Duration]int{1500 * time.Millisecond: 5, 2 * time.Second: 5} {
		if c := p.Begun("x", 7, 1, time.Second, at.Add(after)); c.Holds != want || c.Wants != 1 {
			t.Errorf("%s after: %+v, want %d held", after, c, want)
		}
	}
	if c := p.Begun("x", 7, 0, time.Second, at.Add(2001*time.Millisecond)); c.Holds != 2 {
		t.Errorf("when the span is over: %+v", c)
	}
}

// Never do more than the limit begin within a span, and a turn is not given later than
// it must be.
func TestTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, span := rapid.IntRange(1, 5).Draw(t, "limit"), time.Second
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		var turns Turns
		var begun []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "asked") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "later")) * time.Millisecond)
			wait := time.Duration(rapid.IntRange(0, 800).Draw(t, "wait")) * time.Millisecond
			at, ok := turns.Reserve(limit, span, wait, now)
			if ok && rapid.IntRange(0, 9).Draw(t, "given up") == 0 {
				turns.Cancel(at)
				continue
			}
			if ok {
				begun = append(begun, at)
				if at.Sub(now) > wait {
					t.Fatalf("waits %s, not %s", at.Sub(now), wait)
				}
			} else if len(begun) < limit {
				t.Fatalf("refused with %d begun of %d", len(begun), limit)
			}
		}
		slices.SortFunc(begun, time.Time.Compare)
		for i := limit; i < len(begun); i++ {
			if begun[i].Sub(begun[i-limit]) < span {
				t.Fatalf("%d begin within %s", limit+1, begun[i].Sub(begun[i-limit]))
			}
		}
	})
	if _, ok := new(Turns).Reserve(0, time.Second, time.Hour, time.Now()); ok {
		t.Error("a turn where there is none")
	}
}
