package trunk

import (
	"context"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

func TestRestartKeepsRegistrationsAndEndsTheirCalls(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	expect(t, p.signIn("Expires: 60"), "200")
	bound, ok := ep.Binding("ann")
	want := dialer.Binding{Agent: "ann", Contact: strings.Trim(p.contact(), "<>"), Source: p.addrString(), Transport: "udp", Expires: bound.Expires}
	if !ok || bound != want || time.Until(bound.Expires) > time.Minute {
		t.Fatalf("bound %+v, want %+v", bound, want)
	}
	if _, ok := ep.Binding("bob"); ok {
		t.Error("bob has not registered")
	}
	call := func(ep *Endpoint) (*heard, dialer.Leg) {
		legs := make(chan dialer.Leg, 1)
		go func() {
			leg, err := ep.Call(context.Background(), "ann", newFakeAudio(t, ourHost))
			if err != nil {
				t.Error(err)
			}
			legs <- leg
		}()
		inv := p.next("INVITE")
		p.reply(inv, say{status: "200 OK", tag: "p", sdp: sdpAt("127.30.2.1", 4000), extra: []string{"Contact: <sip:ann@10.9.9.9:5060>"}, bare: true})
		p.next("ACK")
		return inv, wait(t, "the answer", legs)
	}
	inv, leg := call(ep)
	left := leg.Dialog()
	if left.Hop != "udp:"+p.addrString() {
		t.Errorf("the dialog %+v does not say where the phone is behind its NAT", left)
	}
	ep.Close()

	cfg := ep.cfg
	cfg.Listen = ep.Addr()
	again, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	over := bound
	over.Agent, over.Expires = "bob", time.Now().Add(-time.Second)
	broken, byTCP := bound, bound
	broken.Agent, broken.Source = "bob", "nowhere"
	byTCP.Agent, byTCP.Transport = "bob", "tcp"
	again.Restore([]dialer.Binding{bound, over, broken, byTCP})
	if !again.Registered("ann") || again.Registered("bob") {
		t.Errorf("after the restart: ann %v, bob %v", again.Registered("ann"), again.Registered("bob"))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		again.Recover(context.Background(), []dialer.Dialog{left}, func(dialer.Dialog, time.Time) {})
	}()
	bye := p.next("BYE")
	if bye.header("Call-ID") != inv.header("Call-ID") || !strings.Contains(bye.header("To"), "tag=p") || !strings.HasPrefix(bye.line, "BYE sip:ann@10.9.9.9") {
		t.Errorf("BYE:\n%s", bye.raw)
	}
	p.reply(bye, say{status: "200 OK"})
	wait(t, "Recover", done)
	_, leg = call(again)
	leg.Hangup()
	p.reply(p.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", leg.Done())
}

func TestRestoreYieldsToANewerRegistration(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	expect(t, p.signIn("Expires: 60"), "200")
	old, _ := ep.Binding("ann")
	old.Source = "127.30.2.9:5060"
	ep.Restore([]dialer.Binding{old})
	if now, _ := ep.Binding("ann"); now.Source != p.addrString() {
		t.Errorf("ann is at %s, she registered from %s", now.Source, p.addrString())
	}
}

// A phone by TCP is reached over a new connection, where its Contact says that it
// listens: the old one has gone with the process.
func TestRestartReachesAPhoneByTCP(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	p.alsoTCP()
	contact := "sip:ann@" + p.addrString() + ";transport=tcp"
	known := dialer.Binding{Agent: "ann", Contact: contact, Source: "127.30.2.1:9", Transport: "tcp", Expires: time.Now().Add(time.Minute)}
	natted := known
	natted.Agent, natted.Source = "bob", "127.30.2.9:9"
	ep.Restore([]dialer.Binding{known, natted})
	if _, bound := ep.Binding("bob"); bound || !ep.Registered("ann") {
		t.Fatalf("ann %v, bob, behind a NAT, %v", ep.Registered("ann"), bound)
	}
	left := dialer.Dialog{
		CallID: "left", FromTag: "us", ToTag: "p", CSeq: 1, Target: contact, From: "sip:pronto@127.30.2.0", To: "sip:ann@pronto", Hop: "tcp:127.30.2.1:9", Answered: true,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ep.Recover(context.Background(), []dialer.Dialog{left}, func(dialer.Dialog, time.Time) {})
	}()
	bye := p.next("BYE")
	if bye.tcp == nil || bye.header("Call-ID") != "left" {
		t.Errorf("BYE:\n%s", bye.raw)
	}
	p.reply(bye, say{status: "200 OK"})
	wait(t, "Recover", done)

	legs := make(chan dialer.Leg, 1)
	go func() {
		leg, err := ep.Call(context.Background(), "ann", newFakeAudio(t, ourHost))
		if err != nil {
			t.Error(err)
		}
		legs <- leg
	}()
	inv := p.next("INVITE")
	if inv.tcp == nil {
		t.Error("the INVITE did not come by TCP")
	}
	p.reply(inv, say{status: "200 OK", tag: "q", sdp: sdpAt("127.30.2.1", 4000), extra: []string{"Contact: <" + contact + ">"}, bare: true})
	p.next("ACK")
	leg := wait(t, "the answer", legs)
	leg.Hangup()
	p.reply(p.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", leg.Done())
}

func TestParseHop(t *testing.T) {
	for text, good := range map[string]bool{
		"udp:127.0.0.1:5060": true, "tcp:[2001:db8::1]:5061": true, "": false, "udp:": false, "sctp:127.0.0.1:5060": false, "udp:host:5060": false,
	} {
		h, err := parseHop(text)
		if (err == nil) != good || good && h.String() != text {
			t.Errorf("%q: %v, %v", text, h, err)
		}
	}
}
