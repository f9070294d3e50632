package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// race is what comes of a call that meets one.
type race struct {
	name    string
	outcome campaigns.Outcome
	status  int // SIP, of the end; 0: any
	q850    int
	text    string // part of the end's
	late    bool
	ours    bool // we ended the call; else the far end did, as it says
}

// races are what carriers do to calls: the name is a block of
// testdata/peers/races.xml, the place decides the number's last two digits.
var races = []race{
	{name: "200 crosses CANCEL", outcome: campaigns.Bridged, late: true},
	{name: "481 to CANCEL", outcome: campaigns.NoAnswer, text: "no answer to CANCEL"},
	{name: "180 after 200", outcome: campaigns.Bridged},
	{name: "200 retransmitted", outcome: campaigns.Bridged},
	{name: "BYE crosses BYE", outcome: campaigns.Bridged, ours: true},
	{name: "forked answers", outcome: campaigns.Bridged},
	{name: "401 and 407", outcome: campaigns.Bridged},
	{name: "302", outcome: campaigns.Failed, status: 302},
	{name: "500", outcome: campaigns.Failed, status: 500},
	{name: "600", outcome: campaigns.Busy, status: 600},
	{name: "603", outcome: campaigns.Rejected, status: 603},
	{name: "silence", outcome: campaigns.Failed, text: "no response"},
	{name: "announcement, then 404", outcome: campaigns.Vacant, status: 404, q850: 1, text: "Unallocated number"},
	{name: "announcement, then 503 for a busy callee", outcome: campaigns.Busy, status: 503, q850: 17},
	{name: "twelve provisional responses", outcome: campaigns.Bridged},
	{name: "hold in each form", outcome: campaigns.Bridged},
	{name: "re-INVITE without an offer, crossed by UPDATE", outcome: campaigns.Bridged},
	{name: "our re-INVITE crosses theirs", outcome: campaigns.Bridged},
	{name: "we refresh", outcome: campaigns.Bridged},
	{name: "they refresh", outcome: campaigns.Bridged},
	{name: "they cease to refresh", outcome: campaigns.Bridged, status: 408, text: "not refreshed", ours: true},
	{name: "our interval is too small", outcome: campaigns.Bridged},
	{name: "reliable 183", outcome: campaigns.Bridged},
	{name: "requests in the dialog", outcome: campaigns.Bridged},
}

// raceNumber is the number whose call meets a race.
func raceNumber(i int) string { return fmt.Sprintf("+3908100099%02d", i+10) }

// Whatever a carrier does to a call, it ends as it must: the scenario goes to its
// end, the journal has the outcome, the customer an agent, and nothing is left open.
func TestPeersRaces(t *testing.T) {
	var numbers []string
	for i := range races {
		numbers = append(numbers, raceNumber(i))
	}
	c := startCapture(t, "127.63.1.0/24")
	s := setUp(t, stageOptions{
		net: "127.63.1", agents: 3, numbers: numbers, carrier: raceScenario(t),
		sip: ", timers: {t1: 100ms, t2: 400ms, t4: 400ms, min_se: 1s}, session_expires: 100s",
	})
	t.Cleanup(func() {
		if text, err := os.ReadFile(s.path("errors")); err == nil && t.Failed() {
			t.Logf("sipp's errors:\n%s", text)
		}
	})
	p := s.startPhones(0)
	for i := range 3 {
		p.add(i, "PCMA")
	}
	s.do("campaign", "start", "peers")
	crossing := raceNumber(slices.IndexFunc(races, func(r race) bool { return r.name == "BYE crosses BYE" }))
	talk := s.record(journal.Connected, func(r journal.Record) bool { return r.Number == crossing })
	p.press(talk.Agent, "#")
	s.finish(60 * time.Second)
	w := c.end()
	ended := map[string]journal.Record{}
	for _, r := range s.records(journal.Ended) {
		if _, twice := ended[r.Number]; twice {
			t.Errorf("call to %s ended twice", r.Number)
		}
		ended[r.Number] = r
	}
	for i, race := range races {
		t.Run(race.name, func(t *testing.T) {
			r, ok := ended[raceNumber(i)]
			var d journal.EndedDetail
			if err := json.Unmarshal(r.Detail, &d); !ok || err != nil {
				t.Fatalf("no end in the journal: %v", err)
			}
			byFar := race.outcome == campaigns.Bridged && !race.ours
			if byFar {
				race.q850 = 16
			}
			if r.Outcome != string(race.outcome) || d.ByFar != byFar || d.Late != race.late || !strings.Contains(d.Text, race.text) ||
				race.status != 0 && d.Status != race.status || d.Q850 != race.q850 {
				t.Errorf("ended %s, %+v", r.Outcome, d)
			}
			w.checkClosed(t, r.CallID)
		})
	}
}

// checkClosed wants every final response to an INVITE of ours acknowledged, and
// an answered call ended by a BYE that was answered.
func (w traffic) checkClosed(t *testing.T, callID string) {
	t.Helper()
	answered, refused, ended := 0, 0, 0
	for _, p := range w.packets {
		switch {
		case p.callID != callID || p.status < 200:
		case p.cseq == "INVITE" && p.status < 300:
			answered++
		case p.cseq == "INVITE":
			refused++
		case p.cseq == "BYE":
			ended++
		}
	}
	if acks := len(w.sent("ACK", callID)); acks < min(answered+refused, 1) {
		t.Errorf("%d final responses, no ACK", answered+refused)
	}
	if answered > 0 && ended == 0 {
		t.Errorf("answered, and no BYE was answered")
	}
}
