package trunk

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
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

// A carrier that was silent is asked every two seconds while its trunk rests, and has its turn as soon as it
// answers, however long the rest would have been.
func TestCarrierIsBack(t *testing.T) {
	t.Parallel()
	far := newFar(t, hostOf(t, "carrier"))
	b := formBench(t, toward(far.addr()), func(c *Config) { c.Trunks[0].Health = time.Hour })
	carrier := b.ep.trunk("")
	longRest(&carrier.health, time.Now())
	if carrier.health.due(time.Now()) {
		t.Fatal("the trunk does not rest")
	}
	lost := far.next("OPTIONS")
	again := far.next("OPTIONS")
	for again.header("Call-ID") == lost.header("Call-ID") {
		again = far.next("OPTIONS")
	}
	if carrier.health.due(time.Now()) {
		t.Error("has its turn although nothing was answered")
	}
	far.reply(again, say{status: "200 OK", tag: "a"})
	until(t, "the trunk has its turn", func() bool { return carrier.health.due(time.Now()) })
}

// longRest has calls get nowhere until the rest is minutes long.
func longRest(h *health, now time.Time) {
	for range restAfter {
		h.nowhere("no response in time", false, now)
	}
	for range 10 {
		h.turn(now.Add(time.Hour))
		h.nowhere("no response in time", false, now)
	}
}

// What OPTIONS say of a trunk whose calls get nowhere.
func TestOptionsWhileResting(t *testing.T) {
	for name, c := range map[string]struct {
		pings string // answered or not
		due   bool
	}{
		"answered all the while":   {"yyyyy", false},
		"never answered":           {"nnnnn", false},
		"answered after a silence": {"nny", true},
		"silent once":              {"yny", true},
		"silent again":             {"ynyn", true},
	} {
		ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"})
		ep.log = zap.NewNop()
		tr := ep.trunk("a")
		longRest(&tr.health, *now)
		for _, p := range c.pings {
			ep.note(tr, map[rune]string{'n': "no response in time"}[p])
		}
		if got := tr.health.due(*now); got != c.due {
			t.Errorf("%s: has its turn %t, want %t", name, got, c.due)
		}
		if !tr.health.rests() {
			t.Errorf("%s: is taken for well before a call met anybody", name)
		}
	}
	ep, now := crossing(TrunkConfig{Name: "a", Address: "127.61.0.2"})
	h := &ep.trunk("a").health
	longRest(h, *now)
	h.back(*now)
	h.turn(*now)
	h.nowhere("503 Service Unavailable", false, *now)
	if h.due(now.Add(firstRest)) || !h.due(now.Add(2*firstRest)) {
		t.Errorf("after a try that got nowhere it does not rest for twice %s", firstRest)
	}
}
