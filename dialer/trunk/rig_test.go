package trunk

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

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
	early    []dialer.Dialog
	rang     chan struct{}
	met      chan string
	recorded func() // what the hook of an answer returns
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
	ep.Recover(t.Context(), nil, nil)
	b.ep = ep
	return b
}

// originated is what Originate gave.
type originated struct {
	leg dialer.Leg
	res dialer.Result
}

// newAttempt is as long and as random as an attempt's ULID.
func newAttempt() string { return rand.Text() }

func always(time.Time) bool { return true }

// dial places a call and returns at once.
func (b *bench) dial(ctx context.Context, ring, ringMin time.Duration) <-chan originated {
	return b.place(ctx, cleared{number: callee, callerID: caller, attempt: newAttempt(), ringMin: ringMin, valid: always}, ring)
}

func (b *bench) place(ctx context.Context, c cleared, ring time.Duration) <-chan originated {
	out := make(chan originated, 1)
	p := dialer.Placing{
		Audio: b.audio, RingTimeout: ring,
		Ringing: func(at time.Time, d dialer.Dialog) {
			b.note(func() { b.ringing, b.early = append(b.ringing, at), append(b.early, d) })
			b.rang <- struct{}{}
		},
		Answered: func(at time.Time, _ dialer.Dialog) func() {
			b.note(func() { b.answered = append(b.answered, at) })
			return b.recorded
		},
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
	out := b.dial(context.Background(), time.Minute, 0)
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
	out := b.dial(context.Background(), time.Minute, 0)
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
