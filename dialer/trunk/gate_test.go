package trunk

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
	"pronto/dnc/rules"
)

// lenient is a state in which whatever is asked may be called.
type lenient struct{ at time.Time }

func (l lenient) Screening(_ context.Context, register, seller string, n campaigns.Number) (dnc.Screening, bool, error) {
	return dnc.Screening{Register: register, Seller: seller, Number: n, CheckedAt: l.at, Import: "i"}, true, nil
}

func (lenient) OptedOut(context.Context, campaigns.Number, string, string) (dnc.OptOut, bool, error) {
	return dnc.OptOut{}, false, nil
}

func (lenient) Touches(context.Context, string, campaigns.Number, time.Time) (dnc.Touch, error) {
	return dnc.Touch{}, nil
}

func (l lenient) Listed(context.Context, string, campaigns.Number) (bool, time.Time, bool, error) {
	return false, l.at, true, nil
}

func (lenient) Decided(context.Context, dnc.Request, dnc.Verdict, time.Time) (uint64, error) {
	return 1, nil
}

// clearance asks a real gate, at half past ten of a Tuesday in Rome or five in
// the afternoon in New York.
func clearance(t *testing.T, now time.Time, jurisdiction string, number, shown campaigns.Number) dnc.Clearance {
	t.Helper()
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	state := lenient{at: now.Add(-time.Hour)}
	gate, err := dnc.NewGate(dnc.Config{
		Rules: book, Screenings: state, OptOuts: state, History: state, Lists: state, Evidence: state, Built: now.Add(-time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, v := gate.Clear(context.Background(), dnc.Request{
		Attempt: newAttempt(), Lead: campaigns.Lead{ID: 1, Number: number},
		Campaign: dnc.Terms{
			Name: "autumn", Seller: "acme", Purpose: "marketing", Jurisdiction: jurisdiction,
			CallerIDs: []campaigns.Number{shown}, CreatedAt: now.Add(-48 * time.Hour),
		},
	}, now)
	if !v.Allowed {
		t.Fatalf("the gate refuses: %s %s", v.Reason, v.Detail)
	}
	return c
}

func TestOriginateThroughTheGate(t *testing.T) {
	rome := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	newYork := time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)
	var ahead atomic.Int64
	began := time.Now()
	clock := func(start time.Time) func(*Config) {
		return func(c *Config) {
			c.Now = func() time.Time { return start.Add(time.Since(began) + time.Duration(ahead.Load())) }
		}
	}
	originate := func(b *bench, ctx context.Context, c dnc.Clearance, ring time.Duration) <-chan originated {
		out := make(chan originated, 1)
		go func() {
			leg, res := b.ep.Originate(ctx, c, dialer.Placing{Audio: b.audio, RingTimeout: ring})
			out <- originated{leg, res}
		}()
		return out
	}

	t.Run("answered", func(t *testing.T) {
		b := newBench(t, clock(rome))
		out := originate(b, context.Background(), clearance(t, rome, "it", "+393471234567", "+390844123456"), time.Second)
		inv := b.far.next("INVITE")
		if !strings.HasPrefix(inv.line, "INVITE sip:+393471234567@") || !strings.Contains(inv.header("From"), "sip:+390844123456@") {
			t.Errorf("INVITE:\n%s", inv.raw)
		}
		b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
		o := wait(t, "the answer", out)
		if o.leg == nil {
			t.Fatalf("result %+v", o.res)
		}
		b.hangup(o.leg)
	})
	t.Run("too late", func(t *testing.T) {
		b := newBench(t, clock(rome))
		c := clearance(t, rome, "it", "+393471234567", "+390844123456")
		ahead.Store(int64(time.Minute))
		defer ahead.Store(0)
		o := wait(t, "the refusal", originate(b, context.Background(), c, time.Minute))
		if o.leg != nil || o.res.Outcome != campaigns.Refused || !o.res.Invited.IsZero() {
			t.Fatalf("result %+v", o.res)
		}
		b.far.none("INVITE", 4*testT1)
	})
	t.Run("zero clearance", func(t *testing.T) {
		b := newBench(t)
		if leg, res := b.ep.Originate(context.Background(), dnc.Clearance{}, dialer.Placing{Audio: b.audio}); leg != nil || res.Outcome != campaigns.Refused {
			t.Fatalf("result %+v", res)
		}
	})
	t.Run("American ring minimum", func(t *testing.T) {
		b := newBench(t, clock(newYork))
		c := clearance(t, newYork, "us", "+12025550123", "+12025550199")
		if c.RingMinimum() < 15*time.Second {
			t.Fatalf("the rules ask for %s", c.RingMinimum())
		}
		ctx, cancel := context.WithCancel(context.Background())
		out := originate(b, ctx, c, testT1)
		inv := b.far.next("INVITE")
		b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
		cancel()
		b.far.none("CANCEL", 10*testT1)
		ahead.Store(int64(15 * time.Second)) // a further response makes the loop look at the clock
		defer ahead.Store(0)
		b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
		b.far.reply(b.far.next("CANCEL"), say{status: "200 OK"})
		b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
		wait(t, "the end", out)
	})
}
