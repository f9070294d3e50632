package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// shortSessions has sessions live for seconds.
const shortSessions = ", timers: {min_se: 1s}, session_expires: 90s"

// scripted is sipp as an agent's phone.
type scripted struct {
	*process
	messages string // the file of what it sends and receives
}

// said counts how often a text was sent or received.
func (p scripted) said(text string) int {
	b, _ := os.ReadFile(p.messages) // empty until the first message
	return strings.Count(string(b), text)
}

// phoneScript starts a phone at an address of its own, by a block of
// testdata/peers/phones.xml, and tells the service of the agent.
func (s *stage) phoneScript(n int, block string) scripted {
	s.t.Helper()
	dir, host := s.t.TempDir(), s.host(phoneHost+n)
	writeFile(s.t, filepath.Join(dir, "phone.xml"), phoneScenario(s.t, block))
	writeFile(s.t, filepath.Join(dir, "speech.al"), string(encodeALaw(sine(agentTones[n%len(agentTones)], time.Second))))
	p := startProcess(s.t, dir, "sipp", "-sf", "phone.xml", "-i", host, "-p", "5060", "-mi", host, "-mp", "30000", "-m", "1", "-nostdin",
		"-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages")
	s.t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(dir, "errors")); err == nil && s.t.Failed() {
			s.t.Logf("%s: %s", block, text)
		}
	})
	s.awaitPort(phoneHost + n)
	s.do("agent", "add", s.agent(n), "--phone", "sip:"+s.agent(n)+"@"+host+":5060")
	return scripted{p, filepath.Join(dir, "messages")}
}

// Agents' calls live on over three refreshes of the session, whoever refreshes
// and however; a phone that sends no audio and answers OPTIONS is there. Then each
// of them gets a customer.
func TestPeersAgentsCallsLiveOn(t *testing.T) {
	blocks := []string{"refreshed by us", "refreshed by us, without UPDATE", "refreshes", "sends nothing"}
	var numbers []string
	for i := range blocks {
		numbers = append(numbers, "+3908100054"+strconv.Itoa(i)+"1")
	}
	s := setUp(t, stageOptions{net: "127.63.2", numbers: numbers, talk: 2 * time.Second, sip: shortSessions})
	var phones []scripted
	for i, block := range blocks {
		phones = append(phones, s.phoneScript(i, block))
	}
	for i, p := range phones {
		await(t, 30*time.Second, blocks[i]+": three times", func() bool { return p.said("SIP/2.0 200 OK") > 3 })
		s.awaitState(s.agent(i), time.Second, dialer.NotReady)
	}
	s.do("campaign", "start", "peers")
	s.finish(40 * time.Second)
	for i, p := range phones {
		p.wait(10 * time.Second)
		if !slices.ContainsFunc(s.records(journal.Connected), func(r journal.Record) bool { return r.Agent == s.agent(i) }) {
			t.Errorf("%s had no customer", blocks[i])
		}
	}
	for _, r := range s.records(journal.AgentState) {
		if strings.Contains(r.Reason, "gone") {
			t.Errorf("%s: %s", r.Agent, r.Reason)
		}
	}
}

// An agent who holds the phone gets no customer. One who holds it in a talk keeps
// the customer, and both hear each other again afterwards, also after re-INVITEs from the phone. A
// transfer is refused; when the phone hangs up over it, the agent is called again and gets the customer back.
func TestPeersHold(t *testing.T) {
	c := startCapture(t, "127.63.3.0/24")
	s := setUp(t, stageOptions{net: "127.63.3", agents: 1, numbers: []string{"+390810005504"}})
	p := s.startPhones(0)
	p.add(0, "PCMA")
	agent := s.agent(0)
	p.command("hold", "")
	s.do("campaign", "start", "peers")
	s.record(journal.AgentState, func(r journal.Record) bool { return r.Reason == "phone on hold" })
	if calls := s.records(journal.Cleared); len(calls) != 0 {
		t.Errorf("%d calls for an agent on hold", len(calls))
	}
	p.command("resume", "")
	talk := s.record(journal.Connected, func(journal.Record) bool { return true })
	spans := map[string][2]time.Time{}
	phase := func(name string) {
		t.Helper()
		begin := time.Now().Add(300 * time.Millisecond) // until the phone's request is answered
		end := begin.Add(time.Second)
		await(t, 10*time.Second, "a second "+name, func() bool { return time.Now().After(end) })
		spans[name] = [2]time.Time{begin, end}
	}
	phase("at first")
	p.command("hold", "")
	phase("on hold")
	s.awaitState(agent, time.Second, dialer.Talking)
	p.command("resume", "")
	phase("after the hold")
	for i := range 3 {
		p.command("reinvite", "")
		phase("after re-INVITE " + strconv.Itoa(i+1))
	}
	p.command("transfer", "sip:elsewhere@"+p.host) // baresip hangs up when it is refused
	again := s.record(journal.Connected, func(r journal.Record) bool { return r.Seq > talk.Seq })
	if again.Attempt != talk.Attempt {
		t.Error("the customer was lost with the phone")
	}
	phase("after the transfer")
	p.press(agent, "#")
	s.finish(20 * time.Second)
	w := c.end()
	nailed := slices.IndexFunc(w.packets, func(p packet) bool { return p.method == "REFER" })
	if nailed < 0 {
		t.Fatal("no REFER on the wire")
	}
	call := w.packets[nailed].callID
	if !slices.ContainsFunc(w.packets, func(p packet) bool { return p.callID == call && p.cseq == "REFER" && p.status == 603 }) {
		t.Error("the REFER was not declined")
	}
	fromPhone := 0
	for _, p := range w.sent("INVITE", call) {
		if p.src.Addr() == s.address(phoneHost, 0).Addr() {
			fromPhone++
		}
	}
	if fromPhone < 7 {
		t.Errorf("%d re-INVITEs from the phone, want two holds, two ends of them and three refreshes", fromPhone)
	}
	service, carrier := s.address(serviceHost, 0), s.address(carrierHost, 0)
	phone := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0) // where baresip's audio comes from, whatever its SDP says
	for when, span := range spans {
		then := w.between(span[0], span[1])
		customer, agent := then.audio(service, carrier), then.audio(service, phone)
		if when == "on hold" {
			if len(agent) != 0 || len(customer) == 0 {
				t.Errorf("on hold the phone gets %d samples, the customer %d: want none and some", len(agent), len(customer))
			}
			continue
		}
		if d := listen(customer, agentTones).of[0]; d < 800*time.Millisecond {
			t.Errorf("%s the customer hears the agent for %s of a second", when, d)
		}
		if d := listen(agent, customerTones).of[toneOf(talk.Number)]; d < 800*time.Millisecond {
			t.Errorf("%s the agent hears the customer for %s of a second", when, d)
		}
	}
	for port, numbers := range w.numbers(service.Addr()) {
		slices.Sort(numbers)
		if span := numbers[len(numbers)-1] - numbers[0] + 1; span != len(numbers) {
			t.Errorf("from port %d: %d packets in a span of %d numbers", port, len(numbers), span)
		}
	}
}

// between is what was on the wire in a span of time.
func (w traffic) between(from, to time.Time) traffic {
	in := w
	in.packets = slices.DeleteFunc(slices.Clone(w.packets), func(p packet) bool { return p.at.Before(from) || p.at.After(to) })
	return in
}

// A phone that is killed while its agent waits is found out, called again, and
// up as soon as it is back.
func TestPeersIdlePhoneKilled(t *testing.T) {
	s := setUp(t, stageOptions{net: "127.63.4", agents: 1, numbers: []string{"+390810005604"}})
	p := s.startPhones(0)
	p.add(0, "PCMA")
	p.process.kill()
	at := time.Now()
	s.awaitState(s.agent(0), 6*time.Second, dialer.LoggedOut)
	t.Logf("not ready %s after the phone was killed", time.Since(at).Round(time.Millisecond))
	await(t, 20*time.Second, "two more calls to the phone", func() bool {
		return strings.Count(s.service.out.String(), "agent's phone did not take the call") >= 2
	})
	p = s.startPhones(0)
	at = time.Now()
	p.add(0, "PCMA")
	t.Logf("up within %s of the phone's return", time.Since(at).Round(time.Millisecond))
	s.do("campaign", "start", "peers")
	talk := s.record(journal.Connected, func(journal.Record) bool { return true })
	s.awaitTone(p, talk.Agent, talk.Number)
	p.press(talk.Agent, "#")
	s.finish(20 * time.Second)
}
