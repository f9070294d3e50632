package trunk

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// brief makes sessions live for seconds.
func brief(every time.Duration) func(*Config) {
	return func(c *Config) { c.Limits.SessionExpires, c.Limits.SessionMin = every, time.Second }
}

// answerWith runs a call to an answer that carries further headers.
func (b *bench) answerWith(extra ...string) (*heard, dialer.Leg) {
	b.t.Helper()
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000), extra: extra})
	b.far.next("ACK")
	o := wait(b.t, "the answer", out)
	if o.leg == nil {
		b.t.Fatalf("no leg: %+v", o.res)
	}
	return inv, o.leg
}

const (
	weRefresh   = "Session-Expires: 2;refresher=uac"
	takesUpdate = "Allow: INVITE, ACK, BYE, UPDATE"
)

func TestSessionIsOffered(t *testing.T) {
	b := newBench(t)
	b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	for name, want := range map[string]string{"Session-Expires": "1800", "Min-SE": "90"} {
		if got := inv.header(name); got != want {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	if got := inv.header("Supported"); !strings.Contains(got, "timer") {
		t.Errorf("Supported %q", got)
	}
}

// We refresh at half the interval, three times and again, by UPDATE where the
// far end takes it, else by a re-INVITE that changes nothing.
func TestWeRefresh(t *testing.T) {
	for name, c := range map[string]struct {
		extra  []string
		method string
		times  int
	}{
		"by UPDATE":       {[]string{weRefresh, takesUpdate}, "UPDATE", 3},
		"by INVITE":       {[]string{weRefresh}, "INVITE", 3},
		"nobody is named": {[]string{"x: 2", takesUpdate}, "UPDATE", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, brief(2*time.Second))
			inv, leg := b.answerWith(c.extra...)
			last := time.Now()
			r := inv
			for i := range c.times {
				r = b.far.after(r, c.method)
				if d := time.Since(last); d < 800*time.Millisecond {
					t.Errorf("refresh %d came after %s of 2 s", i, d)
				}
				last = time.Now()
				if got := r.header("Session-Expires"); got != "2;refresher=uac" {
					t.Errorf("Session-Expires %q", got)
				}
				if r.cseq() != inv.cseq()+i+1 || !strings.Contains(r.header("To"), "tag=a") {
					t.Errorf("refresh:\n%s", r.raw)
				}
				ok := say{status: "200 OK", extra: []string{weRefresh}}
				if c.method == "UPDATE" {
					if r.body() != "" {
						t.Error("the UPDATE touches the audio")
					}
					b.far.reply(r, ok)
					continue
				}
				if r.body() != inv.body() {
					t.Errorf("the re-INVITE offers something new:\n%s\n%s", inv.body(), r.body())
				}
				ok.sdp = sdpAt(farHost, 4000)
				for range 2 {
					if ack := b.far.insist(r, ok); ack.cseq() != r.cseq() {
						t.Errorf("ACK:\n%s", ack.raw)
					}
				}
			}
			b.hangup(leg)
			b.far.none(c.method, 1100*time.Millisecond)
		})
	}
}

// The far end refreshes; each time the clock begins anew. When it stops, the
// call is over for us in time, and the far end is told.
func TestTheyRefresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, brief(4*time.Second))
	inv, leg := b.answerWith("Session-Expires: 4 ; refresher = uas")
	for i := range 2 {
		select {
		case <-leg.Done():
			t.Fatalf("ended %+v after %d refreshes", leg.Ended(), i)
		case <-time.After(1500 * time.Millisecond): // the session would be lost at 2.67 s
		}
		method := []string{"UPDATE", "INVITE"}[i%2]
		sdp := ""
		if method == "INVITE" {
			sdp = sdpAt(farHost, 4000)
		}
		r := b.far.ask(inv, "a", method, 10+i, sdp, "Supported: timer", "Session-Expires: 4;refresher=uac")
		res := b.far.answerOf(r)
		expect(t, res, "200")
		if got := res.header("Session-Expires"); got != "4;refresher=uac" || !strings.Contains(res.header("Require"), "timer") {
			t.Errorf("Session-Expires %q, Require %q", got, res.header("Require"))
		}
		if method == "INVITE" {
			b.far.ask(inv, "a", "ACK", 10+i, "")
		}
	}
	began := time.Now()
	bye := b.far.next("BYE")
	if d := time.Since(began); d < 2*time.Second || d > 4*time.Second {
		t.Errorf("BYE %s after the last refresh of 4 s", d)
	}
	wait(t, "the end", leg.Done()) // nobody waits for the answer to the BYE
	if e := leg.Ended(); e.ByFar || e.Cause.Status != 408 || e.Cause.Text == "" {
		t.Errorf("ended %+v", e)
	}
	b.far.reply(bye, say{status: "200 OK"})
}

func TestRefreshIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		extra  []string
		method string // of the next try; empty: the call is over
		soon   bool
		end    int
	}{
		"405 to UPDATE":  {"405 Method Not Allowed", nil, "INVITE", true, 0},
		"422":            {"422 Too Small", []string{"Min-SE: 5"}, "UPDATE", true, 0},
		"491":            {"491 Request Pending", nil, "UPDATE", false, 0},
		"500":            {"500 Server Error", nil, "UPDATE", false, 0},
		"481":            {"481 Gone", nil, "", true, 481},
		"408":            {"408 Request Timeout", nil, "", true, 408},
		"challenge":      {"407 P", []string{`Proxy-Authenticate: Digest realm="far", nonce="b1", qop="auth"`}, "UPDATE", true, 0},
		"422 for naught": {"422 Too Small", []string{"Min-SE: 1"}, "UPDATE", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session := 4 * time.Second
			if !c.soon {
				session = 6 * time.Second
			}
			every := "Session-Expires: " + inSeconds(session) + ";refresher=uac"
			b := newBench(t, brief(session))
			_, leg := b.answerWith(every, takesUpdate)
			r := b.far.next("UPDATE")
			b.far.reply(r, say{status: c.status, extra: c.extra})
			if c.method == "" {
				b.far.reply(b.far.next("BYE"), say{status: "481 Gone"})
				wait(t, "the end", leg.Done())
				if e := leg.Ended(); e.Cause.Status != c.end {
					t.Errorf("ended %+v", e)
				}
				return
			}
			began := time.Now()
			again := b.far.after(r, c.method)
			if again.cseq() <= r.cseq() {
				t.Errorf("CSeq %d after %d", again.cseq(), r.cseq())
			}
			if waited := time.Since(began); !c.soon && waited < 4*testT1 {
				t.Errorf("tried again after %s", waited)
			}
			if strings.HasPrefix(c.status, "422") && c.soon && (again.header("Session-Expires") != "5;refresher=uac" || again.header("Min-SE") != "5") {
				t.Errorf("after the 422:\n%s", again.raw)
			}
			if c.method == "INVITE" {
				b.far.insist(again, say{status: "200 OK", sdp: sdpAt(farHost, 4000), extra: []string{every}})
			} else {
				b.far.reply(again, say{status: "200 OK", extra: []string{every}})
			}
			b.hangup(leg)
		})
	}
}

// A far end that only ever refuses loses the session in time, one that is silent
// when the request has had its time.
func TestRefreshIsNeverTaken(t *testing.T) {
	for name, status := range map[string]string{"refused": "500 Server Error", "silence": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, brief(2*time.Second))
			_, leg := b.answerWith(weRefresh, takesUpdate)
			began := time.Now()
			for {
				var m *heard
				select {
				case m = <-b.far.in:
				case <-time.After(2 * patience):
					t.Fatal("no BYE")
				}
				if m.method() == "BYE" {
					b.far.reply(m, say{status: "200 OK"})
					break
				}
				if status != "" && m.method() == "UPDATE" {
					b.far.reply(m, say{status: status})
				}
			}
			wait(t, "the end", leg.Done())
			if d := time.Since(began); leg.Ended().Cause.Status != 408 || d > 4*time.Second {
				t.Errorf("ended %+v after %s", leg.Ended(), d)
			}
		})
	}
}

// Both ends ask at once: the far end's request meets ours and gets 491, ours is
// tried again.
func TestReinvitesCross(t *testing.T) {
	t.Parallel()
	b := newBench(t, brief(2*time.Second))
	inv, leg := b.answerWith(weRefresh)
	ours := b.far.next("INVITE")
	theirs := b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000, "a=sendonly"))
	expect(t, b.far.answerOf(theirs), "491")
	b.far.ask(inv, "a", "ACK", 10, "")
	update := b.far.ask(inv, "a", "UPDATE", 11, sdpAt(farHost, 4000, "a=sendonly"))
	expect(t, b.far.answerOf(update), "491")
	plain := b.far.ask(inv, "a", "UPDATE", 12, "") // no offer, no crossing
	expect(t, b.far.answerOf(plain), "200")
	b.far.reply(ours, say{status: "491 Request Pending"})
	if ack := b.far.next("ACK"); ack.branch() != ours.branch() {
		t.Errorf("ACK:\n%s", ack.raw)
	}
	began := time.Now()
	again := b.far.next("INVITE")
	if d := time.Since(began); d < 4*testT1 {
		t.Errorf("tried again after %s: RFC 3261 section 14.1 wants 2.1 s at a T1 of 500 ms", d)
	}
	b.far.insist(again, say{status: "200 OK", sdp: sdpAt("127.30.0.9", 4100), extra: []string{weRefresh}})
	if got := b.audio.connected(); len(got) < 2 || got[len(got)-1].Addr.Port() != 4100 {
		t.Errorf("the answer to our offer is not heeded: %+v", got)
	}
	b.hangup(leg)
}

// A call that comes in keeps to its session timer like one that we place.
func TestCallThatCameInIsRefreshed(t *testing.T) {
	for name, c := range map[string]struct {
		refresher string
		ours      bool
	}{"we": {"uas", true}, "they": {"uac", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newAnswering(t, brief(2*time.Second))
			inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000), extra: []string{
				"Supported: timer", takesUpdate, "Session-Expires: 2;refresher=" + c.refresher, "Require: timer",
			}})
			taken := b.take(b.ring())
			ok := b.far.response(inv, "200")
			if got := ok.header("Session-Expires"); got != "2;refresher="+c.refresher {
				t.Errorf("Session-Expires %q", got)
			}
			b.far.within(inv, ok, "ACK", 41, "")
			leg := wait(t, "the leg", taken).leg
			if c.ours {
				for range 2 {
					b.far.reply(b.far.next("UPDATE"), say{status: "200 OK", extra: []string{weRefresh}})
				}
				b.hangup(leg)
				return
			}
			b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
			wait(t, "the end", leg.Done())
			if e := leg.Ended(); e.Cause.Status != 408 {
				t.Errorf("ended %+v", e)
			}
		})
	}
}

func TestIntervalIsTooSmall(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		b := newBench(t)
		out := b.dial(context.Background(), time.Minute, 0)
		inv := b.far.next("INVITE")
		b.far.reply(inv, say{status: "422 Session Interval Too Small", tag: "a", extra: []string{"Min-SE: 3600"}})
		b.far.next("ACK")
		again := b.far.next("INVITE")
		if again.header("Session-Expires") != "3600" || again.header("Min-SE") != "3600" {
			t.Errorf("after the 422:\n%s", again.raw)
		}
		if again.header("Call-ID") != inv.header("Call-ID") || again.header("From") != inv.header("From") || again.cseq() != inv.cseq()+1 || again.branch() == inv.branch() {
			t.Errorf("not the same call asked for again:\n%s", again.raw)
		}
		if d := b.dialed(); len(d) != 2 || d[1].Branch != again.branch() || d[1].CSeq != uint32(again.cseq()) {
			t.Errorf("a restart would know %+v", d)
		}
		b.far.reply(again, say{status: "422 Session Interval Too Small", tag: "b", extra: []string{"Min-SE: 60"}})
		b.far.next("ACK")
		if o := wait(t, "the end", out); o.leg != nil || o.res.Cause.Status != 422 {
			t.Errorf("result %+v", o.res)
		}
	})
	t.Run("theirs", func(t *testing.T) {
		b := newBench(t)
		inv, leg := b.answer("a")
		for i, c := range []struct{ extra, status string }{
			{"Supported: timer", "422"}, {"k: 100rel, timer", "422"}, {"Supported: path", "200"},
		} {
			res := b.far.answerOf(b.far.ask(inv, "a", "UPDATE", 10+i, "", "Session-Expires: 30", c.extra))
			expect(t, res, c.status)
			if c.status == "422" && res.header("Min-SE") != "90" {
				t.Errorf("Min-SE %q", res.header("Min-SE"))
			}
		}
		b.hangup(leg)
	})
}

func TestLifeIsAgreed(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		asked expiry
		now   life
		want  life
		ok    bool
	}{
		"nothing said, nothing agreed": {expiry{supported: true}, life{}, life{}, true},
		"nothing said, we refresh":     {expiry{supported: true}, life{300 * s, true}, life{300 * s, true}, true},
		"nothing said, they refresh":   {expiry{supported: true}, life{300 * s, false}, life{300 * s, false}, true},
		"no timers any more":           {expiry{}, life{300 * s, false}, life{300 * s, true}, true},
		"they":                         {expiry{every: 100 * s, refresher: "uac", supported: true}, life{}, life{100 * s, false}, true},
		"we":                           {expiry{every: 100 * s, refresher: "uas", supported: true}, life{}, life{100 * s, true}, true},
		"no word who":                  {expiry{every: 100 * s, supported: true}, life{300 * s, true}, life{100 * s, false}, true},
		"a proxy's word":               {expiry{every: 100 * s}, life{}, life{100 * s, true}, true},
		"too small":                    {expiry{every: 89 * s, supported: true}, life{300 * s, true}, life{300 * s, true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := c.asked.grant(c.now, 90*s); ok != c.ok || got != c.want {
				t.Errorf("%+v %v, want %+v %v", got, ok, c.want, c.ok)
			}
		})
	}
	for every, want := range map[time.Duration]time.Duration{90 * s: 60 * s, 96 * s: 64 * s, 1800 * s: 1768 * s} {
		if got := (life{every: every}).due(); got != want {
			t.Errorf("a session of %s that nobody refreshes is given up after %s, want %s", every, got, want)
		}
		if got := (life{every, true}).due(); got != every/2 {
			t.Errorf("a session of %s is refreshed after %s", every, got)
		}
	}
}

func FuzzExpiry(f *testing.F) {
	for _, s := range []string{"1800", "90;refresher=uac", " 4294967295 ; refresher = UAS;x", "-1", "", ";;;=", "1e9"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, expires, least string) {
		res := sip.NewResponse(200, "OK")
		res.AppendHeader(sip.NewHeader("Session-Expires", expires))
		res.AppendHeader(sip.NewHeader("Min-SE", least))
		if l := lifeOf(res, time.Second); l.every < 0 || l.every > longestSession || l.every > 0 && l.every < time.Second {
			t.Errorf("%q: life %+v", expires, l)
		}
		if e := expiryOf(res); e.min < 0 || e.min > longestSession {
			t.Errorf("%q: %+v", least, e)
		}
	})
}
