package trunk

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/dialer"
)

// crashed places a call on an endpoint, closes it without a word to the far end,
// and gives a new endpoint on the same address.
func crashed(t *testing.T, answered bool) (b *bench, inv *heard, left dialer.Dialog) {
	t.Helper()
	b = newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	out := b.dial(ctx, time.Minute, 0)
	inv = b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	left = b.dialed()[0]
	if answered {
		b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
		b.far.next("ACK")
		left = wait(t, "the answer", out).res.Dialog
	}
	addr := b.ep.Addr()
	b.ep.Close()
	cfg := b.ep.cfg
	cfg.Listen = addr
	ep, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ep.Close)
	b.ep = ep
	return b, inv, left
}

// recover runs Recover; the Call-IDs of calls that proved to be answered come in met.
func (b *bench) recover(left ...dialer.Dialog) <-chan time.Duration {
	done := make(chan time.Duration, 1)
	b.met = make(chan string, 10)
	go func() {
		began := time.Now()
		b.ep.Recover(context.Background(), left, func(d dialer.Dialog, _ time.Time) { b.met <- d.CallID })
		done <- time.Since(began)
	}()
	return done
}

func TestRecoverRinging(t *testing.T) {
	b, inv, left := crashed(t, false)
	done := b.recover(left)
	c := b.cancelled(inv)
	if c.branch() != inv.branch() || c.cseq() != inv.cseq() || c.header("Call-ID") != inv.header("Call-ID") ||
		c.header("From") != inv.header("From") || c.header("To") != inv.header("To") || strings.Fields(c.line)[1] != strings.Fields(inv.line)[1] {
		t.Errorf("the CANCEL does not match the INVITE of the earlier process:\n%s\n%s", inv.raw, c.raw)
	}
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	ack := b.far.next("ACK")
	if ack.branch() != inv.branch() || !strings.Contains(ack.header("To"), "tag=a") || ack.cseq() != inv.cseq() {
		t.Errorf("ACK:\n%s", ack.raw)
	}
	if d := wait(t, "Recover", done); d > time.Second {
		t.Errorf("Recover took %s after all was said", d)
	}
	b.far.none("BYE", 4*testT1)
	b.unmet()
}

// unmet fails when a call was taken for answered.
func (b *bench) unmet() {
	b.t.Helper()
	select {
	case id := <-b.met:
		b.t.Errorf("%s is taken for answered", id)
	default:
	}
}

// A far end that has no final response for us is asked, when its tag is known.
func TestRecoverAsksByTheEarlyTag(t *testing.T) {
	for name, c := range map[string]struct {
		cancel, bye string
		met         bool
	}{
		"answered, transaction gone": {"481 Gone", "200 OK", true},
		"answered":                   {"200 OK", "200 OK", true},
		"over":                       {"481 Gone", "481 Gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			b, inv, left := crashed(t, false)
			left.ToTag = "a"
			done := b.recover(left)
			b.far.reply(b.cancelled(inv), say{status: c.cancel})
			bye := b.far.next("BYE")
			if !strings.Contains(bye.header("To"), "tag=a") || bye.header("From") != inv.header("From") || bye.cseq() <= inv.cseq() {
				t.Errorf("BYE:\n%s", bye.raw)
			}
			b.far.reply(bye, say{status: c.bye})
			wait(t, "Recover", done)
			if !c.met {
				b.unmet()
			} else if id := wait(t, "word of the answer", b.met); id != inv.header("Call-ID") {
				t.Errorf("%s was answered, want %s", id, inv.header("Call-ID"))
			}
		})
	}
}

// Behind a proxy that stays in the path the BYE of an early dialog takes its
// route to where the far end is, while the CANCEL goes the INVITE's way.
func TestRecoverAsksByTheRoute(t *testing.T) {
	b, inv, left := crashed(t, false)
	proxy := newFar(t, "127.30.0.7")
	left.ToTag, left.Contact = "a", "sip:callee@192.0.2.77:5999"
	left.Route = []string{"sip:" + proxy.addrString() + ";lr", "sip:192.0.2.9;lr"}
	done := b.recover(left)
	c := b.cancelled(inv)
	if len(c.headers("Route")) != 0 || strings.Fields(c.line)[1] != strings.Fields(inv.line)[1] {
		t.Errorf("CANCEL:\n%s", c.raw)
	}
	b.far.reply(c, say{status: "481 Gone"})
	bye := proxy.next("BYE")
	if !strings.HasPrefix(bye.line, "BYE sip:callee@192.0.2.77:5999 ") || len(bye.headers("Route")) != 2 || !strings.Contains(bye.header("To"), "tag=a") {
		t.Errorf("BYE:\n%s", bye.raw)
	}
	proxy.reply(bye, say{status: "401 U", extra: []string{`WWW-Authenticate: Digest realm="far", nonce="n", qop="auth"`}})
	again := proxy.after(bye, "BYE")
	if again.header("Authorization") == "" {
		t.Errorf("BYE after the challenge:\n%s", again.raw)
	}
	proxy.reply(again, say{status: "200 OK"})
	if id := wait(t, "word of the answer", b.met); id != inv.header("Call-ID") {
		t.Errorf("%s was answered", id)
	}
	wait(t, "Recover", done)
}

// cancelled takes the CANCELs: of the INVITE, and of the one that may have
// followed a challenge, which the far end does not know.
func (b *bench) cancelled(inv *heard) *heard {
	b.t.Helper()
	var ours *heard
	for range 2 {
		c := b.far.next("CANCEL")
		if c.cseq() == inv.cseq() {
			ours = c
			continue
		}
		if c.cseq() != inv.cseq()+1 || c.branch() == inv.branch() {
			b.t.Errorf("CANCEL of no INVITE of ours:\n%s", c.raw)
		}
		b.far.reply(c, say{status: "481 Gone"})
	}
	if ours == nil {
		b.t.Fatal("no CANCEL of the INVITE")
	}
	return ours
}

// A call that an earlier start settled, because its far end was silent, is answered
// after all: it is ended, and told of with what is known.
func TestAnswerOfACallLongSettled(t *testing.T) {
	b, inv, _ := crashed(t, false)
	wait(t, "Recover", b.recover())
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	if id := wait(t, "word of the answer", b.met); id != inv.header("Call-ID") {
		t.Errorf("%s was answered", id)
	}
	b.far.next("ACK")
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
}

// The dialog of an answer says all that its BYE needs, should this process die
// before it.
func TestRecoverTellsTheDialogOfAnAnswer(t *testing.T) {
	b, inv, left := crashed(t, false)
	left.ToTag = ""
	met := make(chan dialer.Dialog, 1)
	go b.ep.Recover(context.Background(), []dialer.Dialog{left}, func(d dialer.Dialog, _ time.Time) { met <- d })
	b.cancelled(inv)
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	d := wait(t, "word of the answer", met)
	if d.CallID != left.CallID || d.ToTag != "a" || !d.Answered || d.FromTag != left.FromTag || d.Target == "" {
		t.Errorf("%+v", d)
	}
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
}

// What was not noted is presumed: everything follows from the clearance.
func TestPresumedDialogIsTheOneThatWasSent(t *testing.T) {
	b := newBench(t)
	attempt := newAttempt()
	b.place(t.Context(), cleared{number: callee, callerID: caller, attempt: attempt, valid: always}, time.Minute)
	b.far.next("INVITE")
	sent := b.dialed()[0]
	got := b.ep.Presume(dialer.Presumed{Attempt: attempt, Number: callee, CallerID: caller, At: sent.At})
	if d := cmp.Diff(sent, got); d != "" {
		t.Errorf("the dialog sent and the one presumed:\n%s", d)
	}
	if d := b.ep.Presume(dialer.Presumed{Attempt: attempt, Trunk: "other"}); d.CallID != "" {
		t.Errorf("a dialog on a trunk that is not there: %+v", d)
	}
}

// The far end answered before the restart knew of the call, or hangs up before it
// is told anything.
func TestRecoverHearsOfAnswers(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		b, inv, left := crashed(t, false)
		b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
		b.far.none("ACK", 4*testT1)
		done := b.recover(left)
		if id := wait(t, "word of the answer", b.met); id != inv.header("Call-ID") {
			t.Errorf("%s was answered", id)
		}
		b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
		b.far.reply(b.far.next("CANCEL"), say{status: "481 Gone"})
		wait(t, "Recover", done)
	})
	t.Run("after", func(t *testing.T) {
		b, inv, left := crashed(t, false)
		ctx, cancel := context.WithTimeout(t.Context(), 4*testT1)
		defer cancel()
		met := make(chan string, 1)
		b.ep.Recover(ctx, []dialer.Dialog{left}, func(d dialer.Dialog, _ time.Time) { met <- d.CallID })
		b.cancelled(inv)
		b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
		b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
		if id := wait(t, "word of the answer", met); id != inv.header("Call-ID") {
			t.Errorf("%s was answered", id)
		}
	})
}

// The ACK waits for the record of the answer, so that a process that dies
// between leaves a far end that repeats its 200.
func TestAckWaitsForTheRecord(t *testing.T) {
	b := newBench(t)
	release := make(chan struct{})
	b.recorded = func() { <-release }
	out := b.dial(t.Context(), time.Second, 0)
	inv := b.far.next("INVITE")
	ok := say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)}
	b.far.reply(inv, ok)
	o := wait(t, "the answer", out) // the bridge does not wait
	if o.leg == nil {
		t.Fatalf("no leg: %+v", o.res)
	}
	b.far.reply(inv, ok)
	o.leg.Hangup()
	b.far.none("ACK", 4*testT1)
	close(release)
	if m := b.far.next("ACK"); m.cseq() != inv.cseq() {
		t.Errorf("ACK:\n%s", m.raw)
	}
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", o.leg.Done())
}

func TestRecoverMeetsAnAnswer(t *testing.T) {
	for name, toCancel := range map[string]string{"200 to CANCEL": "200 OK", "481 to CANCEL": "481 Gone"} {
		t.Run(name, func(t *testing.T) {
			b, inv, left := crashed(t, false)
			done := b.recover(left)
			c := b.cancelled(inv)
			b.far.reply(c, say{status: toCancel})
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			ack := b.far.next("ACK")
			bye := b.far.next("BYE")
			if ack.cseq() != inv.cseq() || bye.cseq() <= inv.cseq() || !strings.Contains(bye.header("To"), "tag=a") || bye.header("From") != inv.header("From") {
				t.Errorf("ACK and BYE:\n%s\n%s", ack.raw, bye.raw)
			}
			b.far.reply(bye, say{status: "200 OK"})
			wait(t, "Recover", done)
			if id := wait(t, "word of the answer", b.met); id != inv.header("Call-ID") {
				t.Errorf("%s was answered, want %s", id, inv.header("Call-ID"))
			}
		})
	}
}

func TestRecoverAnswered(t *testing.T) {
	b, inv, left := crashed(t, true)
	done := b.recover(left)
	bye := b.far.next("BYE")
	if bye.cseq() < inv.cseq()+1000 || !strings.Contains(bye.header("To"), "tag=a") || bye.header("From") != inv.header("From") ||
		bye.header("Call-ID") != inv.header("Call-ID") {
		t.Errorf("BYE:\n%s", bye.raw)
	}
	b.far.reply(bye, say{status: "401 U", extra: []string{`WWW-Authenticate: Digest realm="far", nonce="n", qop="auth"`}})
	again := b.far.after(bye, "BYE")
	if again.header("Authorization") == "" {
		t.Errorf("BYE after the challenge:\n%s", again.raw)
	}
	b.far.reply(again, say{status: "200 OK"})
	wait(t, "Recover", done)
}

func TestRecoverEndsInTime(t *testing.T) {
	b, _, left := crashed(t, false)
	incomplete, mute := dialer.Dialog{CallID: "x"}, left
	mute.CallID, mute.Answered, mute.ToTag = "01mute", true, "z"
	garbled := left
	garbled.CallID, garbled.Target = "01garbled", "\x00<"
	done := b.recover(left, incomplete, mute, garbled)
	b.far.next("CANCEL")
	select {
	case d := <-done:
		if d > 5*time.Second {
			t.Errorf("Recover took %s", d)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Recover takes more than 5 s when nobody answers")
	}
}

func TestAnswerForADeadProcess(t *testing.T) {
	b, inv, _ := crashed(t, false)
	wait(t, "Recover", b.recover())
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	bye := b.far.next("BYE")
	b.far.reply(bye, say{status: "200 OK"})
	// One that was never ours is left alone: we are not to be made to send to others.
	foreign := strings.ReplaceAll(b.far.responseTo(inv, say{status: "200 OK", tag: "a"}), inv.header("Call-ID"), "01foreign")
	b.far.send(inv.from, foreign)
	b.far.none("ACK", 8*testT1)
}

func TestPortIsTakenAgainAfterClose(t *testing.T) {
	ep, err := New(Config{Listen: netip.MustParseAddrPort(ourHost + ":0")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Listen: ep.Addr()}); err == nil {
		t.Error("a port in use was taken")
	}
	ep.Close()
	ep.Close()
	l, err := net.Listen("tcp", ep.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
