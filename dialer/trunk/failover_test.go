package trunk

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// pair is an endpoint with a trunk to each of two far ends.
type pair struct {
	*bench
	second *far
}

func newPair(t *testing.T, change ...func(*Config)) *pair {
	t.Helper()
	p := &pair{second: newFar(t, farHost)}
	p.bench = newBench(t, append([]func(*Config){func(c *Config) {
		c.Trunks = append(c.Trunks, TrunkConfig{Name: "second", Address: p.second.addrString(), Priority: 1})
	}}, change...)...)
	return p
}

// dial places a call over the first trunk, over the second where that turns it away.
func (p *pair) dial(ctx context.Context, c cleared) <-chan originated {
	out := make(chan originated, 1)
	placing := dialer.Placing{
		Trunk: "carrier", Others: []string{"second"}, Audio: p.audio, RingTimeout: time.Minute,
		Ringing: func(time.Time, dialer.Dialog) { p.rang <- struct{}{} },
		Dialing: func(d dialer.Dialog) error {
			p.note(func() { p.dialogs = append(p.dialogs, d) })
			return nil
		},
	}
	go func() {
		leg, res := p.ep.originate(ctx, c, placing)
		out <- originated{leg, res}
	}()
	return out
}

func (b *bench) cleared() cleared {
	return cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always}
}

func TestFailover(t *testing.T) {
	final := func(status string, extra ...string) func(*pair, *heard) {
		return func(p *pair, inv *heard) { p.far.reply(inv, say{status: status, tag: "a", extra: extra}) }
	}
	after := func(provisional string, then func(*pair, *heard)) func(*pair, *heard) {
		return func(p *pair, inv *heard) {
			p.far.reply(inv, say{status: provisional, tag: "a"})
			if provisional != "100 Trying" {
				wait(p.t, "ringing", p.rang)
			}
			then(p, inv)
		}
	}
	for name, c := range map[string]struct {
		far     func(*pair, *heard)
		over    bool // the second trunk has it
		outcome campaigns.Outcome
	}{
		"408":                       {far: final("408 Request Timeout"), over: true},
		"500":                       {far: final("500 Server Internal Error"), over: true},
		"502":                       {far: final("502 Bad Gateway"), over: true},
		"503":                       {far: final("503 Service Unavailable"), over: true},
		"504":                       {far: final("504 Server Time-out"), over: true},
		"503 after a 100":           {far: after("100 Trying", final("503 Service Unavailable")), over: true},
		"503, no circuit":           {far: final("503 Service Unavailable", "Reason: Q.850;cause=34"), over: true},
		"503 after a 180":           {far: after("180 Ringing", final("503 Service Unavailable")), outcome: campaigns.Congested},
		"500 after a 183":           {far: after("183 Session Progress", final("500 Server Internal Error")), outcome: campaigns.Failed},
		"500, but the user is busy": {far: final("500 Server Internal Error", "Reason: Q.850;cause=17"), outcome: campaigns.Busy},
		"501":                       {far: final("501 Not Implemented"), outcome: campaigns.Failed},
		"486":                       {far: final("486 Busy Here"), outcome: campaigns.Busy},
		"404":                       {far: final("404 Not Found"), outcome: campaigns.Vacant},
		"480":                       {far: final("480 Temporarily Unavailable"), outcome: campaigns.NoAnswer},
		"603":                       {far: final("603 Decline"), outcome: campaigns.Rejected},
		"302":                       {far: final("302 Moved Temporarily", "Contact: <sip:elsewhere@127.61.0.9>"), outcome: campaigns.Failed},
		"silence":                   {far: func(*pair, *heard) {}, outcome: campaigns.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			out := p.dial(context.Background(), p.cleared())
			inv := p.far.next("INVITE")
			c.far(p, inv)
			if !c.over {
				o := wait(t, "the end", out)
				if o.leg != nil || o.res.Outcome != c.outcome || o.res.Trunk != "carrier" {
					t.Errorf("result %+v, want %s by the first trunk", o.res, c.outcome)
				}
				p.second.none("INVITE", 4*testT1)
				return
			}
			again := p.second.next("INVITE")
			if id := again.header("Call-ID"); id != inv.header("Call-ID")+"-2" {
				t.Errorf("Call-ID %s after %s", id, inv.header("Call-ID"))
			}
			dialogs := p.dialed()
			if last := dialogs[len(dialogs)-1]; last.Trunk != "second" || last.CallID != again.header("Call-ID") || last.Branch != again.branch() {
				t.Errorf("told before the second INVITE: %+v", last)
			}
			p.second.reply(again, say{status: "180 Ringing", tag: "b"})
			wait(t, "ringing", p.rang)
			p.second.reply(again, say{status: "200 OK", tag: "b", sdp: sdpAt(farHost, 4000)})
			p.second.next("ACK")
			o := wait(t, "the answer", out)
			if o.leg == nil || o.res.Trunk != "second" || o.res.Invited.After(o.res.Ringing) {
				t.Fatalf("result %+v", o.res)
			}
			o.leg.Hangup()
			p.second.reply(p.second.next("BYE"), say{status: "200 OK"})
			wait(t, "the end of the leg", o.leg.Done())
			for _, tr := range p.ep.trunks {
				if n := tr.inUse.Load(); n != 0 {
					t.Errorf("%d channels of %s in use", n, tr.cfg.Name)
				}
			}
		})
	}
}

// What is needed beside the far end's word: a live clearance, somebody who still
// wants the call, a record of the next INVITE, a trunk that takes it.
func TestNoFailover(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*pair)
		cleared func(*cleared)
		cancel  bool
	}{
		"the clearance is void by then": {cleared: func(c *cleared) { n := 0; c.valid = func(time.Time) bool { n++; return n <= 2 } }},
		"nobody wants it":               {cancel: true},
		"the next one is down":          {change: func(p *pair) { p.ep.trunk("second").watch.register("refused") }},
		"the next one rests":            {change: func(p *pair) { p.ep.sick("second", restAfter) }},
		"the next one is full":          {change: func(p *pair) { p.ep.trunk("second").cfg.Channels = 1; p.ep.trunk("second").inUse.Add(1) }},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			if c.change != nil {
				c.change(p)
			}
			clearance := p.cleared()
			if c.cleared != nil {
				c.cleared(&clearance)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			out := p.dial(ctx, clearance)
			inv := p.far.next("INVITE")
			if c.cancel {
				cancel()
			}
			p.far.reply(inv, say{status: "503 Service Unavailable", tag: "a"})
			o := wait(t, "the end", out)
			if o.leg != nil || o.res.Outcome != campaigns.Congested || o.res.Invited.IsZero() || o.res.Trunk != "carrier" {
				t.Errorf("result %+v", o.res)
			}
			p.second.none("INVITE", 4*testT1)
			if n := len(p.dialed()); n != 1 {
				t.Errorf("%d INVITEs were told, want one", n)
			}
		})
	}
}

// Where the next INVITE cannot be put on record, the first carrier's answer is
// what became of the call.
func TestFailoverWithoutRecord(t *testing.T) {
	p := newPair(t)
	out := make(chan originated, 1)
	go func() {
		leg, res := p.ep.originate(context.Background(), p.cleared(), dialer.Placing{
			Trunk: "carrier", Others: []string{"second"}, Audio: p.audio, RingTimeout: time.Minute,
			Dialing: func(d dialer.Dialog) error {
				if d.Trunk == "second" {
					return errors.New("disk full")
				}
				return nil
			},
		})
		out <- originated{leg, res}
	}()
	p.far.reply(p.far.next("INVITE"), say{status: "503 Service Unavailable", tag: "a"})
	o := wait(t, "the end", out)
	if o.res.Outcome != campaigns.Congested || o.res.Cause.Status != 503 || o.res.Trunk != "carrier" {
		t.Errorf("result %+v", o.res)
	}
	p.second.none("INVITE", 4*testT1)
}

func TestFailoverBeforeAnythingIsSent(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"lost its turn":         func(*Config) {},
		"all channels in use":   func(c *Config) { c.Trunks[0].Channels = 1 },
		"calls per second":      func(c *Config) { c.Trunks[0].CallsPerSecond, c.Limits.AdmissionWait = 0.001, time.Millisecond },
		"refused by TCP":        func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Transport = closedTCP(t), TCP },
		"name does not resolve": func(c *Config) { c.Trunks[0].Address = "nowhere.invalid" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, change)
			first := p.ep.trunk("carrier")
			if strings.HasPrefix(name, "all") {
				first.inUse.Add(1)
			}
			if strings.HasPrefix(name, "lost") {
				p.ep.sick("carrier", restAfter)
			}
			if first.rate != nil {
				first.rate.Reserve()
			}
			out := p.dial(context.Background(), p.cleared())
			again := p.second.next("INVITE")
			p.second.reply(again, say{status: "486 Busy Here", tag: "b"})
			o := wait(t, "the end", out)
			if o.res.Outcome != campaigns.Busy || o.res.Trunk != "second" || o.res.Invited.IsZero() {
				t.Errorf("result %+v", o.res)
			}
			p.far.none("INVITE", 2*testT1)
		})
	}
}

// The only trunk has the call, however it stands.
func TestTheOnlyTrunkIsTried(t *testing.T) {
	b := newBench(t)
	b.ep.sick("carrier", restAfter)
	out := b.dial(context.Background(), time.Minute, 0)
	b.far.reply(b.far.next("INVITE"), say{status: "486 Busy Here", tag: "a"})
	if o := wait(t, "the end", out); o.res.Outcome != campaigns.Busy {
		t.Errorf("result %+v", o.res)
	}
}

func closedTCP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", farHost+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A 503 with a Retry-After rests its trunk, whatever the calls on their way say.
func TestRetryAfterRestsTheTrunk(t *testing.T) {
	p := newPair(t)
	out := p.dial(context.Background(), p.cleared())
	p.far.reply(p.far.next("INVITE"), say{status: "503 Service Unavailable", tag: "a", extra: []string{"Retry-After: 60"}})
	p.second.reply(p.second.next("INVITE"), say{status: "486 Busy Here", tag: "b"})
	wait(t, "the end", out)
	p.ep.trunk("carrier").health.met()
	if got := namesOf(p.ep.Routes(dialer.Wish{Attempt: "x"})); got != "second carrier" {
		t.Errorf("routes %q", got)
	}
	for _, l := range p.ep.Trunks() {
		if l.Name == "carrier" && (l.State != dialer.TrunkResting || l.Why == "") {
			t.Errorf("%+v", l)
		}
	}
}
