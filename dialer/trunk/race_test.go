package trunk

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap/zaptest"

	"pronto/campaigns"
	"pronto/dialer"
)

const (
	ourHost = "127.30.0.1"
	farHost = "127.30.0.2"
	callee  = campaigns.Number("+390212345678")
	caller  = campaigns.Number("+390298765432")
)

// bench is an endpoint with one trunk to a scripted far end.
type bench struct {
	t     *testing.T
	ep    *Endpoint
	far   *far
	audio *fakeAudio

	mu       sync.Mutex
	ringing  []time.Time
	answered []time.Time
	dialogs  []dialer.Dialog
	rang     chan struct{}
}

func newBench(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, far: newFar(t, farHost), audio: newFakeAudio(t, ourHost), rang: make(chan struct{}, 1000)}
	cfg := Config{
		Listen: netip.MustParseAddrPort(ourHost + ":0"),
		Trunks: []TrunkConfig{{Name: "carrier", Address: b.far.addrString(), Username: "pronto", Password: "secret"}},
		Logger: zaptest.NewLogger(t),
	}
	for _, c := range change {
		c(&cfg)
	}
	ep, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ep.Close)
	b.ep = ep
	return b
}

// originated is what Originate gave.
type originated struct {
	leg dialer.Leg
	res dialer.Result
}

func newAttempt() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }

func always(time.Time) bool { return true }

// dial places a call and returns at once.
func (b *bench) dial(ctx context.Context, ring, ringMin time.Duration) <-chan originated {
	return b.place(ctx, cleared{number: callee, callerID: caller, attempt: newAttempt(), ringMin: ringMin, valid: always}, ring)
}

func (b *bench) place(ctx context.Context, c cleared, ring time.Duration) <-chan originated {
	out := make(chan originated, 1)
	p := dialer.Placing{
		Audio: b.audio, RingTimeout: ring,
		Ringing: func(at time.Time) {
			b.note(func() { b.ringing = append(b.ringing, at) })
			b.rang <- struct{}{}
		},
		Answered: func(at time.Time) { b.note(func() { b.answered = append(b.answered, at) }) },
		Dialing: func(d dialer.Dialog) error {
			b.note(func() { b.dialogs = append(b.dialogs, d) })
			return nil
		},
	}
	go func() {
		leg, res := b.ep.originate(ctx, c, p)
		out <- originated{leg, res}
	}()
	return out
}

func (b *bench) note(f func()) { b.mu.Lock(); f(); b.mu.Unlock() }

func (b *bench) dialed() []dialer.Dialog {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]dialer.Dialog(nil), b.dialogs...)
}

func wait[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen within %s", what, patience)
		panic("unreachable")
	}
}

// until waits for something that can only be looked at.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// answered runs a call to its answer and returns the INVITE and the leg.
func (b *bench) answer(tag string) (*heard, dialer.Leg) {
	b.t.Helper()
	out := b.dial(context.Background(), time.Second, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: tag})
	b.far.reply(inv, say{status: "200 OK", tag: tag, sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	o := wait(b.t, "the answer", out)
	if o.leg == nil {
		b.t.Fatalf("no leg: %+v", o.res)
	}
	return inv, o.leg
}

func (b *bench) hangup(l dialer.Leg) {
	b.t.Helper()
	l.Hangup()
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
	wait(b.t, "the end of the leg", l.Done())
}

func TestAnsweredAndHungUp(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Second, 0)
	inv := b.far.next("INVITE")
	if want := "INVITE sip:+390212345678@" + b.far.addrString() + " SIP/2.0"; inv.line != want {
		t.Errorf("request line %q, want %q", inv.line, want)
	}
	if pai := inv.header("P-Asserted-Identity"); !strings.Contains(pai, "sip:+390298765432@") {
		t.Errorf("P-Asserted-Identity %q lacks the caller ID", pai)
	}
	b.far.reply(inv, say{status: "100 Trying", bare: true})
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000, "a=ptime:30")})
	ack := b.far.next("ACK")
	if ack.branch() == inv.branch() {
		t.Error("the ACK of a 200 has the INVITE's branch")
	}
	o := wait(t, "the answer", out)
	if o.leg == nil || o.res.Outcome != "" || o.res.Late || o.res.Answered.IsZero() || o.res.Ringing.IsZero() {
		t.Fatalf("result %+v", o.res)
	}
	want := dialer.Remote{Addr: netip.MustParseAddrPort(farHost + ":4000"), Codec: dialer.PCMA, Digits: 96, Ptime: 30 * time.Millisecond}
	if got := b.audio.connected(); len(got) != 1 || got[0] != want {
		t.Errorf("audio connected to %+v, want %+v", got, want)
	}
	if len(b.ringing) != 1 || len(b.answered) != 1 {
		t.Errorf("hooks: ringing %d, answered %d times, want once each", len(b.ringing), len(b.answered))
	}
	o.leg.Hangup()
	o.leg.Hangup()
	bye := b.far.next("BYE")
	if bye.cseq() <= inv.cseq() {
		t.Errorf("BYE has CSeq %d, the INVITE had %d", bye.cseq(), inv.cseq())
	}
	b.far.reply(bye, say{status: "200 OK"})
	wait(t, "the end", o.leg.Done())
	if e := o.leg.Ended(); e.ByFar || e.Err != nil {
		t.Errorf("ended %+v", e)
	}
	b.far.none("BYE", 6*testT1)
}

func TestAnswerCrossesCancel(t *testing.T) {
	for name, toCancel := range map[string]string{
		"200 to CANCEL": "200 OK", "481 to CANCEL": "481 Call/Transaction Does Not Exist", "no answer to CANCEL": "",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			ctx, cancel := context.WithCancel(context.Background())
			out := b.dial(ctx, time.Second, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
			cancel()
			c := b.far.next("CANCEL")
			if c.branch() != inv.branch() || c.cseq() != inv.cseq() || c.header("To") != inv.header("To") {
				t.Errorf("CANCEL does not match its INVITE:\n%s", c.raw)
			}
			if toCancel != "" {
				b.far.reply(c, say{status: toCancel})
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			b.far.next("ACK")
			o := wait(t, "the answer", out)
			if o.leg == nil || !o.res.Late || o.res.Answered.IsZero() {
				t.Fatalf("a 200 that crossed the CANCEL gave %+v", o.res)
			}
			if len(b.audio.connected()) != 1 {
				t.Error("the late answer's audio is not connected")
			}
			b.hangup(o.leg)
		})
	}
}

func TestProvisionalsInAnyOrderAndNumber(t *testing.T) {
	cases := map[string]struct{ before, after []string }{
		"180 after 200":        {nil, []string{"180 Ringing"}},
		"12 times 183":         {[]string{"183 a", "183 b", "183 c", "183 d", "183 e", "183 f", "183 g", "183 h", "183 i", "183 j", "183 k", "183 l"}, nil},
		"180 before 100":       {[]string{"180 Ringing", "100 Trying"}, nil},
		"181, 182, 199":        {[]string{"181 Forwarded", "182 Queued", "199 Early Dialog Terminated"}, nil},
		"nothing before 200":   {nil, nil},
		"183 then 180 and 183": {[]string{"183 P", "180 R", "183 P"}, []string{"183 P", "100 T"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Second, 0)
			inv := b.far.next("INVITE")
			for _, s := range c.before {
				b.far.reply(inv, say{status: s, tag: "a", sdp: sdpAt(farHost, 4002)})
			}
			// Each message has a goroutine of its own in sipgo; let those of the
			// provisional responses start before the final one is there.
			b.far.none("CANCEL", 2*testT1)
			if n := len(b.audio.connected()); n != 0 {
				t.Errorf("early media was connected %d times", n)
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			for _, s := range c.after {
				b.far.reply(inv, say{status: s, tag: "a"})
			}
			b.far.next("ACK")
			o := wait(t, "the answer", out)
			if o.leg == nil || o.res.Late {
				t.Fatalf("result %+v", o.res)
			}
			if got := b.audio.connected(); len(got) != 1 || got[0].Addr.Port() != 4000 {
				t.Errorf("connected to %+v, want the 200's port 4000 alone", got)
			}
			if len(b.ringing) > 1 {
				t.Errorf("Ringing was called %d times", len(b.ringing))
			}
			b.hangup(o.leg)
		})
	}
}

func TestRetransmittedAnswerIsAcknowledgedAgain(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Second, 0)
	inv := b.far.next("INVITE")
	ok := say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)}
	for range 3 {
		b.far.reply(inv, ok)
		if ack := b.far.next("ACK"); ack.cseq() != inv.cseq() || !strings.Contains(ack.header("To"), "tag=a") {
			t.Errorf("ACK:\n%s", ack.raw)
		}
	}
	o := wait(t, "the answer", out)
	if len(b.answered) != 1 || len(b.audio.connected()) != 1 {
		t.Errorf("answered %d times, connected %d times", len(b.answered), len(b.audio.connected()))
	}
	// The transaction lives 64 T1 more; after it the leg itself acknowledges.
	b.far.none("BYE", giveUp()+4*testT1)
	b.far.reply(inv, ok)
	b.far.next("ACK")
	b.hangup(o.leg)
}

func TestForkedAnswerIsEnded(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("first")
	b.far.reply(inv, say{status: "200 OK", tag: "second", sdp: sdpAt(farHost, 4004)})
	for _, method := range []string{"ACK", "BYE"} {
		m := b.far.next(method)
		if !strings.Contains(m.header("To"), "tag=second") {
			t.Fatalf("%s goes to the wrong dialog: %s", method, m.header("To"))
		}
		if method == "BYE" {
			b.far.reply(m, say{status: "200 OK"})
		}
	}
	b.far.reply(inv, say{status: "200 OK", tag: "second", sdp: sdpAt(farHost, 4004)})
	b.far.next("ACK")
	b.far.none("BYE", 4*testT1)
	select {
	case <-leg.Done():
		t.Fatal("the first dialog ended with the second")
	default:
	}
	if got := b.audio.connected(); len(got) != 1 || got[0].Addr.Port() != 4000 {
		t.Errorf("connected to %+v", got)
	}
	b.hangup(leg)
}

func TestByeCrossesBye(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	leg.Hangup()
	bye := b.far.next("BYE")
	b.far.ask(inv, "a", "BYE", 1, "")
	if ok := b.far.next("SIP/2.0"); !strings.Contains(ok.line, "200") {
		t.Errorf("their BYE got %q", ok.line)
	}
	b.far.reply(bye, say{status: "481 Call/Transaction Does Not Exist"})
	wait(t, "the end", leg.Done())
	if leg.Ended().ByFar {
		t.Error("we hung up first, yet the far end is said to have")
	}
}

func TestFarEndHangsUp(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	b.far.ask(inv, "a", "BYE", 7, "", `Reason: Q.850;cause=16;text="Normal call clearing"`)
	if ok := b.far.next("SIP/2.0"); !strings.Contains(ok.line, "200") {
		t.Errorf("BYE got %q", ok.line)
	}
	wait(t, "the end", leg.Done())
	want := dialer.End{ByFar: true, Cause: dialer.Cause{Q850: 16, Text: "Normal call clearing"}}
	if e := leg.Ended(); e != want {
		t.Errorf("ended %+v, want %+v", e, want)
	}
	leg.Hangup()
	b.far.none("BYE", 4*testT1)
}

func TestChallenges(t *testing.T) {
	const www = `WWW-Authenticate: Digest realm="far", nonce="n1", algorithm=MD5, qop="auth"`
	const proxy = `Proxy-Authenticate: Digest realm="far", nonce="p1"`
	const stale = `WWW-Authenticate: Digest realm="far", nonce="n2", stale=true, algorithm=SHA-256, qop="auth,auth-int"`
	cases := map[string]struct {
		challenges []say
		answered   bool
		header     string // of the last INVITE
	}{
		"401":              {[]say{{status: "401 Unauthorized", extra: []string{www}}}, true, "Authorization"},
		"407":              {[]say{{status: "407 Proxy Authentication Required", extra: []string{proxy}}}, true, "Proxy-Authorization"},
		"407 then 401":     {[]say{{status: "407 P", extra: []string{proxy}}, {status: "401 U", extra: []string{www}}}, true, "Authorization"},
		"stale nonce":      {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{stale}}}, true, "Authorization"},
		"wrong password":   {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{www}}}, false, ""},
		"endless stale":    {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{stale}}, {status: "401 U", extra: []string{stale}}}, false, ""},
		"no challenge":     {[]say{{status: "401 U"}}, false, ""},
		"unknown, then ok": {[]say{{status: "401 U", extra: []string{`WWW-Authenticate: Digest realm="far", nonce="x", algorithm=AKAv1-MD5`, www}}}, true, "Authorization"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Second, 0)
			inv := b.far.next("INVITE")
			for i, s := range c.challenges {
				s.tag, s.bare = "x", true
				b.far.reply(inv, s)
				if ack := b.far.next("ACK"); ack.branch() != inv.branch() {
					t.Error("the ACK of a challenge must have the INVITE's branch")
				}
				if i == len(c.challenges)-1 && !c.answered {
					break
				}
				again := b.far.next("INVITE")
				if again.branch() == inv.branch() || again.cseq() != inv.cseq()+1 || again.header("Call-ID") != inv.header("Call-ID") || again.header("From") != inv.header("From") {
					t.Fatalf("the INVITE after the challenge:\n%s", again.raw)
				}
				inv = again
			}
			if !c.answered {
				o := wait(t, "the end", out)
				if o.leg != nil || o.res.Outcome != campaigns.Failed || o.res.Cause.Status != 401 {
					t.Fatalf("result %+v", o.res)
				}
				return
			}
			if !strings.HasPrefix(inv.header(c.header), `Digest `) {
				t.Errorf("the last INVITE lacks %s:\n%s", c.header, inv.raw)
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			if ack := b.far.next("ACK"); ack.header(c.header) != inv.header(c.header) {
				t.Error("the ACK has other credentials than its INVITE (RFC 3261 section 22.1)")
			}
			o := wait(t, "the answer", out)
			if n := len(b.dialed()); n != len(c.challenges)+1 {
				t.Errorf("Dialing was called %d times for %d INVITEs", n, len(c.challenges)+1)
			}
			for i, d := range b.dialed() {
				if d.CSeq != uint32(i+1) || d.Branch != identOf(strings.ToUpper(d.CallID)).branch(i+1) {
					t.Errorf("dialog %d: %+v", i, d)
				}
			}
			b.hangup(o.leg)
		})
	}
}
