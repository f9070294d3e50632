package trunk

import (
	"context"
	"strings"
	"testing"
	"time"
)

const everySoOften = 100 * time.Millisecond

func watched(c *Config) { c.Trunks[0].Health = everySoOften }

// answersOptions is a carrier that is there: it answers OPTIONS.
const answersOptions = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE scenario SYSTEM "sipp.dtd"><scenario name="options">
<recv request="OPTIONS" crlf="true"><action>
<ereg regexp="^OPTIONS sip:127[.0-9]+:[0-9]+ SIP/2.0" search_in="msg" check_it="true" assign_to="1"/>
<ereg regexp="sip:pronto@127.62.0.1:[0-9]+" search_in="hdr" header="Contact:" check_it="true" assign_to="2"/>
<ereg regexp="application/sdp" search_in="hdr" header="Accept:" check_it="true" assign_to="3"/>
</action></recv><Reference variables="1,2,3"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=o
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send></scenario>`

// The carrier answers, goes, comes again.
func TestHealthBySipp(t *testing.T) {
	t.Parallel()
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", answersOptions, "-m", "3")
	b := formBench(t, toward(addr), watched)
	carrier := b.ep.trunk("")
	finished(t, p)
	if why := carrier.down(); why != "" {
		t.Errorf("down although it answered: %s", why)
	}
	until(t, "the trunk is down", func() bool { return strings.HasPrefix(carrier.down(), "the carrier does not answer: ") })
	again := sippAs(t, addr, "u1", answersOptions, "-m", "2")
	until(t, "the trunk is up again", func() bool { return carrier.down() == "" })
	finished(t, again)
}

// What the carrier says to OPTIONS, and whether it counts as there.
func TestHealthByResponse(t *testing.T) {
	for status, isUp := range map[string]bool{
		"200 OK": true, "404 Not Found": true, "405 Method Not Allowed": true, "401 Unauthorized": true, "500 Server Internal Error": true,
		"408 Request Timeout": false, "503 Service Unavailable": false,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			far := newFar(t, "127.62.0.6")
			b := formBench(t, toward(far.addr()), watched)
			carrier := b.ep.trunk("")
			first := far.next("OPTIONS")
			far.reply(first, say{status: "503 Service Unavailable", tag: "a"})
			second := far.next("OPTIONS")
			if second.header("Call-ID") == first.header("Call-ID") {
				t.Error("two OPTIONS have one Call-ID")
			}
			if why := carrier.down(); why != "" {
				t.Errorf("down after the first: %s", why)
			}
			far.reply(second, say{status: status, tag: "a"})
			far.next("OPTIONS")
			if why := carrier.down(); (why == "") != isUp {
				t.Errorf("after the second: %q", why)
			}
		})
	}
}

// A call that rings shows that the carrier is there.
func TestHealthByCall(t *testing.T) {
	t.Parallel()
	far := newFar(t, "127.62.0.6")
	b := formBench(t, toward(far.addr()))
	carrier := b.ep.trunk("")
	if carrier.watch.missed("no answer") || !carrier.watch.missed("no answer") || carrier.down() == "" {
		t.Fatal("two OPTIONS unanswered, and the trunk is not down")
	}
	out := b.dial(context.Background(), time.Minute, 0)
	inv := far.next("INVITE")
	far.reply(inv, say{status: "180 Ringing", tag: "a"})
	far.reply(inv, say{status: "486 Busy Here", tag: "a"})
	wait(t, "the outcome", out)
	if why := carrier.down(); why != "" {
		t.Errorf("still down: %s", why)
	}
}
