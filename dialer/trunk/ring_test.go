package trunk

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

const (
	shown       = campaigns.Number("+390844000123")
	ringingBack = "+393331234567" // who rings back
)

func TestRungBackAndAnswered(t *testing.T) {
	b := newAnswering(t)
	inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000, "a=ptime:30"), extra: []string{"Record-Route: <sip:" + b.far.addrString() + ";lr;n=1>, <sip:" + farHost + ":1;lr;n=2>"}})
	b.far.response(inv, "100")
	ringing := b.far.response(inv, "180")
	r := b.ring()
	if r.Caller() != ringingBack || r.Called() != shown || r.Trunk() != "carrier" || r.CallID() != inv.header("Call-ID") {
		t.Errorf("ring of %s at %s by %s, Call-ID %s", r.Caller(), r.Called(), r.Trunk(), r.CallID())
	}
	out := b.take(r)
	ok := b.far.response(inv, "200")
	if ok.header("To") != ringing.header("To") || !strings.Contains(ok.header("To"), "tag=") {
		t.Errorf("To %q in the 200, %q in the 180, want one tag", ok.header("To"), ringing.header("To"))
	}
	if len(b.dialed()) != 1 {
		t.Error("the dialog was not written down before the 200")
	}
	again := b.far.response(inv, "200") // until the ACK
	if again.body() != ok.body() {
		t.Error("the 200 changes when it is repeated")
	}
	b.far.within(inv, ok, "ACK", inv.cseq(), "")
	got := wait(t, "the leg", out)
	if got.err != nil {
		t.Fatal(got.err)
	}
	want := dialer.Remote{Addr: netip.MustParseAddrPort(farHost + ":4000"), Codec: dialer.PCMA, Digits: 96, Ptime: 30 * time.Millisecond}
	if far := b.audio.connected(); len(far) != 1 || far[0] != want {
		t.Errorf("audio connected to %+v, want %+v", far, want)
	}
	b.far.drain(6 * testT1)
	b.far.none("SIP/2.0", 6*testT1)

	got.leg.Hangup()
	bye := b.far.next("BYE")
	if bye.header("From") != ok.header("To") || bye.header("To") != inv.header("From") {
		t.Errorf("BYE from %q to %q", bye.header("From"), bye.header("To"))
	}
	if routes := bye.headers("Route"); len(routes) != 2 || !strings.Contains(routes[0], "n=1") || !strings.Contains(routes[1], "n=2") {
		t.Errorf("the BYE's routes are %v, want those of the INVITE in their order", routes)
	}
	b.far.reply(bye, say{status: "200 OK"})
	wait(t, "the end", got.leg.Done())
	if n := b.ep.callers.open.Load(); n != 0 {
		t.Errorf("%d channels in use after the end", n)
	}
}

func TestRungBackWithoutAnOffer(t *testing.T) {
	b := newAnswering(t)
	inv := b.far.invite(b.ep.Addr(), dials{})
	out := b.take(b.ring())
	ok := b.far.response(inv, "200")
	if !strings.Contains(ok.body(), "m=audio") || !strings.Contains(ok.body(), "telephone-event") {
		t.Fatalf("the 200 has no offer:\n%s", ok.body())
	}
	b.far.within(inv, ok, "ACK", inv.cseq(), sdpAt(farHost, 4002))
	if got := wait(t, "the leg", out); got.err != nil {
		t.Fatal(got.err)
	}
	if far := b.audio.connected(); len(far) != 1 || far[0].Addr.Port() != 4002 {
		t.Errorf("audio connected to %+v, want the ACK's address", far)
	}
}

func TestRungBackNumbers(t *testing.T) {
	b := newAnswering(t)
	for name, c := range map[string]struct {
		to, want string
	}{
		"e164":                 {"+390844000123", "180"},
		"00":                   {"00390844000123", "180"},
		"digits":               {"390844000123", "180"},
		"national":             {"0844000123", "180"},
		"with a parameter":     {"+390844000123;npdi", "180"},
		"with an escaped plus": {"%2B390844000123", "180"},
		"another number":       {"+390844000124", "404"},
		"a name":               {"pronto", "404"},
	} {
		t.Run(name, func(_ *testing.T) {
			inv := b.far.invite(b.ep.Addr(), dials{to: c.to, body: sdpAt(farHost, 4000)})
			b.far.response(inv, c.want)
			if c.want == "180" {
				b.ring().Refuse(603)
				b.far.response(inv, "603")
			}
		})
	}
}

func TestRungBackCaller(t *testing.T) {
	b := newAnswering(t)
	for name, c := range map[string]struct {
		from  string
		extra []string
		want  campaigns.Number
	}{
		"from":                          {"<sip:+393331234567@x.example>", nil, "+393331234567"},
		"national":                      {"<sip:3331234567@x.example>", nil, "+393331234567"},
		"00":                            {`"Ann" <sip:00393331234567@x.example>`, nil, "+393331234567"},
		"asserted outranks from":        {"<sip:+393331234567@x.example>", []string{"P-Asserted-Identity: <sip:+390612345678@x.example;user=phone>"}, "+390612345678"},
		"asserted by tel":               {"<sip:pbx@x.example>", []string{"P-Asserted-Identity: \"A\" <sip:pbx@x.example>, <tel:+390612345678>"}, "+390612345678"},
		"anonymous":                     {"\"Anonymous\" <sip:anonymous@anonymous.invalid>", nil, ""},
		"anonymous but asserted":        {"<sip:anonymous@anonymous.invalid>", []string{"P-Asserted-Identity: <tel:+390612345678>"}, "+390612345678"},
		"private although asserted":     {"<sip:anonymous@anonymous.invalid>", []string{"P-Asserted-Identity: <tel:+390612345678>", "Privacy: id"}, ""},
		"private in several words":      {"<sip:+393331234567@x.example>", []string{"Privacy: header;user"}, ""},
		"privacy not wanted":            {"<sip:+393331234567@x.example>", []string{"Privacy: none"}, "+393331234567"},
		"an extension":                  {"<sip:201@x.example>", nil, ""},
		"an identity that says nothing": {"<sip:+393331234567@x.example>", []string{"P-Asserted-Identity: nonsense"}, "+393331234567"},
	} {
		t.Run(name, func(t *testing.T) {
			inv := b.far.invite(b.ep.Addr(), dials{from: c.from, extra: c.extra, body: sdpAt(farHost, 4000)})
			r := b.ring()
			if r.Caller() != c.want {
				t.Errorf("the caller is %q, want %q", r.Caller(), c.want)
			}
			r.Refuse(486)
			b.far.response(inv, "486")
		})
	}
}

func TestRungBackAndGivenUp(t *testing.T) {
	b := newAnswering(t)
	inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000)})
	r := b.ring()
	b.far.response(inv, "180")
	b.far.send(b.ep.Addr(), strings.NewReplacer("INVITE sip", "CANCEL sip", " INVITE\r\n", " CANCEL\r\n").Replace(strings.SplitN(inv.raw, "Contact:", 2)[0])+"Content-Length: 0\r\n\r\n")
	b.far.response(inv, "487")
	until(t, "the end of the ring", func() bool { return b.ep.callers.open.Load() == 0 })
	if got := wait(t, "the end", b.take(r)); !errors.Is(got.err, errGaveUp) {
		t.Errorf("answered after the CANCEL: %v, want %v", got.err, errGaveUp)
	}
	if len(b.dialed()) != 0 {
		t.Error("a dialog was written down for a call that was given up")
	}
}

func TestRungBackWithoutAck(t *testing.T) {
	b := newAnswering(t)
	inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000)})
	out := b.take(b.ring())
	b.far.response(inv, "200")
	bye := b.far.next("BYE") // RFC 3261 section 13.3.1.4
	b.far.reply(bye, say{status: "200 OK"})
	if got := wait(t, "the end", out); !errors.Is(got.err, errNoAck) {
		t.Errorf("without an ACK: %v", got.err)
	}
	until(t, "the channel given back", func() bool { return b.ep.callers.open.Load() == 0 })
}

func TestRungBackTooMany(t *testing.T) {
	b := newAnswering(t, func(c *Config) { c.Limits.Callers = 2 })
	var legs []dialer.Leg
	for range 2 {
		_, _, leg := b.accepted(dials{body: sdpAt(farHost, 4000)})
		legs = append(legs, leg)
	}
	inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000)})
	b.far.response(inv, "486")
	b.hangup(legs[0])
	b.accepted(dials{body: sdpAt(farHost, 4000)})
}

func TestRungBackRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bench)
		d      dials
		want   string
	}{
		"not ready":                 {func(b *bench) { b.ep.Take(nil) }, dials{}, "503"},
		"no numbers":                {func(b *bench) { b.ep.Take([]campaigns.Number{}) }, dials{}, "404"},
		"no codec in common":        {nil, dials{body: strings.NewReplacer("AVP 8 96", "AVP 9", "a=rtpmap:8 PCMA", "a=rtpmap:9 G722").Replace(sdpAt(farHost, 4000))}, "488"},
		"no SDP":                    {nil, dials{body: "hello"}, "488"},
		"something that we lack":    {nil, dials{extra: []string{"Require: magic"}}, "420"},
		"too short a session":       {nil, dials{extra: []string{"Supported: timer", "Session-Expires: 89"}}, "422"},
		"a dialog that we know not": {nil, dials{to: string(shown) + "@x>;tag=old;x=<"}, "481"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newAnswering(t)
			if c.change != nil {
				c.change(b)
			}
			inv := b.far.invite(b.ep.Addr(), c.d)
			b.far.response(inv, c.want)
		})
	}
}

func TestRungBackByAStranger(t *testing.T) {
	b := newAnswering(t)
	stranger := newFar(t, "127.30.0.9")
	stranger.invite(b.ep.Addr(), dials{body: sdpAt("127.30.0.9", 4000)})
	stranger.none("SIP/2.0", 6*testT1)
	select {
	case r := <-b.ep.Rings():
		t.Errorf("a stranger's call rings: %s", r.CallID())
	default:
	}
}

func TestRungBackByTwoWays(t *testing.T) {
	b := newAnswering(t)
	d := dials{body: sdpAt(farHost, 4000), callID: "back-twice"}
	inv := b.far.invite(b.ep.Addr(), d)
	b.ring()
	b.far.response(inv, "180")
	b.far.invite(b.ep.Addr(), d) // another branch
	b.far.response(inv, "482")
}

func TestRungBackInDialog(t *testing.T) {
	b := newAnswering(t)
	inv, ok, leg := b.accepted(dials{body: sdpAt(farHost, 4000)})
	b.far.drain(4 * testT1)
	b.far.within(inv, ok, "INVITE", inv.cseq()+1, sdpAt(farHost, 4010, "a=sendonly"))
	again := b.far.response(inv, "200")
	if !strings.Contains(again.body(), "a=recvonly") {
		t.Errorf("a hold is answered with\n%s", again.body())
	}
	b.far.within(inv, ok, "ACK", inv.cseq()+1, "")
	if far := b.audio.connected(); len(far) != 2 || far[1].Addr.Port() != 4010 || !far[1].SendOnly {
		t.Errorf("audio connected to %+v", far)
	}
	b.far.drain(4 * testT1)
	b.far.within(inv, ok, "INVITE", inv.cseq(), sdpAt(farHost, 4010)) // below the last
	b.far.response(inv, "500")
	b.far.within(inv, ok, "BYE", inv.cseq()+2, "")
	b.far.response(inv, "200")
	wait(t, "the end", leg.Done())
	if !leg.Ended().ByFar {
		t.Error("the far end's BYE is not its")
	}
}

// A restart finds the dialog that was written down and ends it with a BYE.
func TestRungBackLeftByACrash(t *testing.T) {
	b := newAnswering(t)
	inv, ok, _ := b.accepted(dials{body: sdpAt(farHost, 4000)})
	left := b.dialed()
	second := newBench(t, func(c *Config) {
		c.Listen = netip.MustParseAddrPort("127.30.0.7:0")
		c.Trunks[0].Address = b.far.addrString()
	})
	over := make(chan struct{})
	go func() {
		second.ep.Recover(t.Context(), left, func(dialer.Dialog, time.Time) {})
		close(over)
	}()
	bye := b.far.next("BYE")
	if bye.header("Call-ID") != inv.header("Call-ID") || bye.header("From") != ok.header("To") || bye.header("To") != inv.header("From") {
		t.Errorf("the BYE is of another dialog:\n%s", bye.raw)
	}
	b.far.reply(bye, say{status: "200 OK"})
	wait(t, "the end of Recover", over)
}

// A caller that wants a session timer gets it, and the session ends when nobody
// keeps it (RFC 4028).
func TestRungBackSessionTimer(t *testing.T) {
	b := newAnswering(t, func(c *Config) { c.Limits.SessionMin = 2 * time.Second })
	inv, ok, leg := b.accepted(dials{body: sdpAt(farHost, 4000), extra: []string{"Supported: timer", "Session-Expires: 3;refresher=uac"}})
	if got := ok.header("Session-Expires"); got != "3;refresher=uac" || ok.header("Require") != "timer" {
		t.Errorf("Session-Expires %q, Require %q", got, ok.header("Require"))
	}
	b.far.drain(4 * testT1)
	b.far.within(inv, ok, "UPDATE", inv.cseq()+1, "")
	b.far.response(inv, "200")
	bye := b.far.next("BYE") // nothing more comes
	b.far.reply(bye, say{status: "200 OK"})
	wait(t, "the end", leg.Done())
	short := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000), extra: []string{"Supported: timer", "Session-Expires: 1"}})
	if got := b.far.response(short, "422").header("Min-SE"); got != "2" {
		t.Errorf("Min-SE %q", got)
	}
}

// Who insists on reliable provisional responses gets none but the 100 (RFC 3262 section 3).
func TestRungBackReliably(t *testing.T) {
	b := newAnswering(t)
	inv := b.far.invite(b.ep.Addr(), dials{body: sdpAt(farHost, 4000), extra: []string{"Require: 100rel"}})
	b.far.response(inv, "100")
	out := b.take(b.ring())
	ok := b.far.next("SIP/2.0")
	if ok.line != "SIP/2.0 200 OK" {
		t.Fatalf("after the 100 came %q, want the 200", ok.line)
	}
	b.far.within(inv, ok, "ACK", inv.cseq(), "")
	if got := wait(t, "the leg", out); got.err != nil {
		t.Fatal(got.err)
	}
}
