package trunk

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/dialer"
)

// crossing is an endpoint that only chooses.
func crossing(trunks ...TrunkConfig) (*Endpoint, *time.Time) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	cfg := Config{Listen: netip.MustParseAddrPort("127.61.0.1:5060"), Trunks: trunks, Now: func() time.Time { return now }}
	ep := &Endpoint{cfg: cfg.withDefaults()}
	for _, t := range trunks {
		c, err := newCarrier(t)
		if err != nil {
			panic(err)
		}
		ep.trunks = append(ep.trunks, c)
	}
	return ep, &now
}

func (ep *Endpoint) chosen(t interface{ Fatal(...any) }, w dialer.Wish) string {
	r := ep.Routes(w)
	if len(r) == 0 {
		t.Fatal("no route")
	}
	return r[0].Trunk
}

func namesOf(routes []dialer.Route) string {
	var out []string
	for _, r := range routes {
		out = append(out, r.Trunk)
	}
	return strings.Join(out, " ")
}

func (ep *Endpoint) sick(name string, row int) {
	for range row {
		ep.trunk(name).health.nowhere("503 Service Unavailable", false, ep.cfg.Now())
	}
}

func TestWeightsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 9), 2, 5).Draw(t, "weights")
		down := rapid.IntRange(-1, len(weights)-1).Draw(t, "down")
		var trunks []TrunkConfig
		for i, w := range weights {
			trunks = append(trunks, TrunkConfig{Name: fmt.Sprint("t", i), Address: "127.61.0.2", Weight: w})
		}
		ep, _ := crossing(append(trunks, TrunkConfig{Name: "last", Address: "127.61.0.2", Priority: 1, Weight: 100})...)
		total := 0
		for i, w := range weights {
			if i != down {
				total += w
			}
		}
		if down >= 0 {
			ep.trunks[down].watch.register("refused")
		}
		const calls = 4000
		seed := rapid.Uint32().Draw(t, "seed")
		got := map[string]int{}
		for i := range calls {
			got[ep.chosen(t, dialer.Wish{Attempt: fmt.Sprintf("%d-%d", seed, i)})]++
		}
		for i, w := range weights {
			want := float64(calls*w) / float64(total)
			if i == down {
				want = 0
			}
			// Five standard deviations of a binomial count are at most 160 of 4000.
			if n := float64(got[fmt.Sprint("t", i)]); n < want-160 || n > want+160 || want == 0 && n > 0 {
				t.Fatalf("weights %v, %d down: trunk %d got %v of %d, want %.0f", weights, down, i, n, calls, want)
			}
		}
		if got["last"] > 0 {
			t.Fatalf("%d calls by the trunk of the later priority", got["last"])
		}
	})
}

func TestTheSameAttemptChoosesTheSame(t *testing.T) {
	trunks := []TrunkConfig{{Name: "a", Address: "127.61.0.2"}, {Name: "b", Address: "127.61.0.3"}, {Name: "c", Address: "127.61.0.4"}}
	one, _ := crossing(trunks...)
	slices.Reverse(trunks)
	other, _ := crossing(trunks...)
	for range 100 {
		w := dialer.Wish{Attempt: newAttempt()}
		if a, b := namesOf(one.Routes(w)), namesOf(other.Routes(w)); a != b {
			t.Fatalf("%s: %s, then %s", w.Attempt, a, b)
		}
	}
}

func TestRoutes(t *testing.T) {
	three := []TrunkConfig{
		{Name: "a", Address: "127.61.0.2", Country: "IT", Channels: 1},
		{Name: "b", Address: "127.61.0.3", Country: "GB", Priority: 1},
		{Name: "c", Address: "127.61.0.4", Country: "IT", Priority: 2},
	}
	full := func(ep *Endpoint) { ep.trunk("a").inUse.Add(1) }
	down := func(names ...string) func(*Endpoint) {
		return func(ep *Endpoint) {
			for _, n := range names {
				ep.trunk(n).watch.register("refused")
			}
		}
	}
	for name, c := range map[string]struct {
		wish   dialer.Wish
		change func(*Endpoint)
		want   string
	}{
		"by priority":            {want: "a b c"},
		"only those named":       {wish: dialer.Wish{Trunks: []string{"c", "b"}}, want: "b c"},
		"none of the name":       {wish: dialer.Wish{Trunks: []string{"x"}}, want: ""},
		"full":                   {change: full, want: "b a c"},
		"down":                   {change: down("a", "b"), want: "c a b"},
		"all down":               {change: down("a", "b", "c"), want: "a b c"},
		"down and full":          {change: func(ep *Endpoint) { down("b", "c")(ep); full(ep) }, want: "a b c"},
		"full, resting and down": {change: func(ep *Endpoint) { full(ep); down("c")(ep); ep.sick("b", restAfter) }, want: "a b c"},
		"resting and down":       {change: func(ep *Endpoint) { down("a", "b")(ep); ep.sick("c", restAfter) }, want: "c a b"},
		"full behind one that rests": {change: func(ep *Endpoint) {
			ep.trunk("b").cfg.Channels = 1
			ep.trunk("b").inUse.Add(1)
			ep.sick("a", restAfter)
			down("c")(ep)
		}, want: "b a c"},
		"one failure":                       {change: func(ep *Endpoint) { ep.sick("a", 1) }, want: "a b c"},
		"failures in a row":                 {change: func(ep *Endpoint) { ep.sick("a", restAfter) }, want: "b a c"},
		"nothing at its address":            {change: func(ep *Endpoint) { ep.trunk("a").health.nowhere("refused", true, ep.cfg.Now()) }, want: "b a c"},
		"asked for a pause":                 {change: func(ep *Endpoint) { ep.trunk("a").health.pause(time.Minute, ep.cfg.Now()) }, want: "b a c"},
		"at home first, then at home alone": {wish: dialer.Wish{Countries: []string{"IT"}}, change: down("a"), want: "c a"},
		"abroad when nothing is at home":    {wish: dialer.Wish{Countries: []string{"GB", "IE"}}, change: down("b"), want: "a c"},
	} {
		t.Run(name, func(t *testing.T) {
			ep, _ := crossing(three...)
			if c.change != nil {
				c.change(ep)
			}
			if got := namesOf(ep.Routes(c.wish)); got != c.want {
				t.Errorf("routes %q, want %q", got, c.want)
			}
		})
	}
}

func TestCallsPerSecondFillATrunk(t *testing.T) {
	ep, _ := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2", CallsPerSecond: 10}, TrunkConfig{Name: "b", Address: "127.61.0.3", Priority: 1})
	for range 11 { // what a second and the burst of one hold
		if got := ep.chosen(t, dialer.Wish{Attempt: "x"}); got != "a" {
			t.Fatalf("%s has the turn", got)
		}
		ep.trunk("a").rate.Reserve()
	}
	if got := ep.chosen(t, dialer.Wish{Attempt: "x"}); got != "b" {
		t.Errorf("%s has the turn although a call would wait longer than a second", got)
	}
}

// A sick trunk is tried by one call after each rest, ever more seldom, and has
// its turn again once a call meets somebody.
func TestASickTrunkIsTriedNowAndThen(t *testing.T) {
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"}, TrunkConfig{Name: "b", Address: "127.61.0.3", Priority: 1})
	ep.sick("a", restAfter)
	began := *now
	var tries []time.Duration
	for range 4 * 60 {
		*now = now.Add(time.Second)
		for i := range 3 {
			if ep.chosen(t, dialer.Wish{Attempt: fmt.Sprint(i)}) == "a" && i > 0 && ep.trunk("a").health.turn(*now) { // the first is refused by the gate
				tries = append(tries, now.Sub(began)/time.Second)
				ep.sick("a", 1)
			}
		}
	}
	if want := []time.Duration{5, 15, 35, 75, 155}; !slices.Equal(tries, want) {
		t.Errorf("tried after %v seconds, want %v", tries, want)
	}
	if s, why := ep.trunk("a").state(*now, 0); s != dialer.TrunkResting || !strings.Contains(why, "503") {
		t.Errorf("state %s, %q", s, why)
	}
	*now = now.Add(lastRest)
	if got := ep.chosen(t, dialer.Wish{Attempt: "x"}); got != "a" {
		t.Fatalf("%s has the turn", got)
	}
	if ep.Carries(nil, "b") {
		t.Error("a trunk that is only tried counts as carrying calls")
	}
	ep.trunk("a").health.met()
	for range 10 {
		if got := ep.chosen(t, dialer.Wish{Attempt: newAttempt()}); got != "a" {
			t.Fatalf("%s has the turn of a trunk that is well", got)
		}
	}
}

// Calls that were on their way when a rest began do not make it longer.
func TestFailuresOfOldCalls(t *testing.T) {
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"}, TrunkConfig{Name: "b", Address: "127.61.0.3", Priority: 1})
	ep.sick("a", restAfter+50)
	*now = now.Add(firstRest)
	if got := ep.chosen(t, dialer.Wish{Attempt: "x"}); got != "a" {
		t.Errorf("%s has the turn after the first rest", got)
	}
}

func TestQuietTrunk(t *testing.T) {
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"})
	h := &ep.trunk("a").health
	for range 3 {
		for range restAfter - 1 {
			h.quiet(*now)
		}
		h.heard()
	}
	if why := h.resting(*now); why != "" {
		t.Errorf("rests although it was heard in between: %s", why)
	}
	for range restAfter {
		h.quiet(*now)
	}
	if h.resting(*now) == "" {
		t.Error("does not rest after it was silent")
	}
}

// A trunk of which most calls fail, though never many in a row, rests too.
func TestMostCallsFail(t *testing.T) {
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"}, TrunkConfig{Name: "b", Address: "127.61.0.3", Priority: 1})
	h := &ep.trunk("a").health
	for i := range 100 {
		if h.resting(*now) != "" {
			if i < mostly {
				t.Fatalf("rests after %d calls", i)
			}
			return
		}
		if i%3 == 0 {
			h.met()
		} else {
			h.nowhere("500", false, *now)
		}
	}
	t.Error("two of three calls fail and the trunk keeps its turn")
}

func TestPauseIsBounded(t *testing.T) {
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"})
	h := &ep.trunk("a").health
	h.pause(24*time.Hour, *now)
	if h.resting(now.Add(lastRest-time.Second)) == "" || h.resting(now.Add(lastRest)) != "" {
		t.Error("a day's Retry-After does not rest the trunk for just five minutes")
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "18000;duration=3600": 5 * time.Hour, " 5 (in a moment)": 5 * time.Second,
		"": 0, "soon": 0, "-3": 0, "99999999999999999999": 0,
	} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}
