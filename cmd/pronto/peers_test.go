package main

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
)

// address is a host of the stage with a port; 0 is any.
func (s *stage) address(host int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(s.host(host)), port)
}

// sipp as carrier, baresip as three agents' phones: every call ends as the callee
// has it, and each party hears the one it talks with, and nobody else.
func TestPeersCompleteCalls(t *testing.T) {
	c := startCapture(t, "127.51.1.0/24")
	s := setUp(t, stageOptions{
		net: "127.51.1", agents: 3, talk: 2 * time.Second,
		numbers: []string{
			"+390810005018", "+390810005021", "+390810005032", "+390810005043", "+390810005052",
			"+390810005065", "+390810005076", "+390810005087", "+390810005091",
		},
	})
	p := s.startPhones(0)
	for i := range 3 {
		p.add(i, "PCMA")
	}
	s.do("campaign", "start", "peers")
	s.finish(40 * time.Second)
	s.checkOutcomes(map[byte]campaigns.Outcome{
		'1': campaigns.Bridged, '2': campaigns.Bridged, '3': campaigns.Bridged,
		'5': campaigns.Busy, '6': campaigns.Vacant, '7': campaigns.Congested, '8': campaigns.NoAnswer,
	}, 9)
	w := c.end()
	w.checkMarks(s.address(serviceHost, 0).Addr())
	s.checkAudio(w, 5, p)
	s.checkStreams(w, p)
}

// The same through kamailio, which stays in the path: BYE from either side, the
// CANCEL and every answer go by it.
func TestPeersThroughProxy(t *testing.T) {
	c := startCapture(t, "127.51.2.0/24")
	s := setUp(t, stageOptions{
		net: "127.51.2", agents: 2, talk: 1500 * time.Millisecond, proxy: true,
		numbers: []string{"+390810005108", "+390810005111", "+390810005124", "+390810005135", "+390810005142"},
	})
	p := s.startPhones(0)
	for i := range 2 {
		p.add(i, "PCMA")
	}
	s.do("campaign", "start", "peers")
	stays := s.record(journal.Connected, func(r journal.Record) bool { return strings.HasSuffix(r.Number, "4") })
	s.awaitTone(p, stays.Agent, stays.Number)
	p.press(stays.Agent, "1")
	s.record(journal.Disposed, func(r journal.Record) bool { return r.Attempt == stays.Attempt && r.Outcome == "sale" })
	p.press(stays.Agent, "#")
	s.finish(40 * time.Second)
	s.checkOutcomes(map[byte]campaigns.Outcome{
		'1': campaigns.Bridged, '2': campaigns.Bridged, '4': campaigns.Bridged, '5': campaigns.Busy, '8': campaigns.NoAnswer,
	}, 5)
	w := c.end()
	s.checkAudio(w, 3, p)
	s.checkStreams(w, p)
	s.checkRoute(w)
}

// A phone that has µ-law alone and a carrier that has A-law alone hear each other.
func TestPeersOfDifferentLaws(t *testing.T) {
	c := startCapture(t, "127.51.3.0/24")
	s := setUp(t, stageOptions{net: "127.51.3", agents: 1, talk: 2 * time.Second, numbers: []string{"+390810005201"}})
	p := s.startPhones(0)
	p.add(0, "PCMU")
	s.do("campaign", "start", "peers")
	s.finish(20 * time.Second)
	w := c.end()
	s.checkAudio(w, 1, p)
	s.checkStreams(w, p)
	service, carrier := s.address(serviceHost, 0), s.address(carrierHost, 0)
	for _, leg := range []struct {
		name     string
		src, dst netip.AddrPort
		law      int
	}{
		{"service to phone", service, s.address(phoneHost, 0), 0},
		{"service to carrier", service, carrier, 8},
		{"carrier to service", carrier, service, 8},
	} {
		if laws := w.laws(leg.src, leg.dst); !slices.Equal(laws, []int{leg.law}) {
			t.Errorf("%s: payload types %v, want %d alone", leg.name, laws, leg.law)
		}
	}
}

// The phone of an agent in a call is killed: the customer goes to the other
// agent. That one's is killed too: the customer gets the treatment in time.
func TestPeersPhoneKilled(t *testing.T) {
	const notReady, deadline = 6 * time.Second, 3 * time.Second // the latter by the Italian rules
	c := startCapture(t, "127.51.4.0/24")
	s := setUp(t, stageOptions{net: "127.51.4", agents: 2, numbers: []string{"+390810005304"}})
	of := map[string]*phones{}
	for i := range 2 {
		p := s.startPhones(i)
		p.add(i, "PCMA")
		of[s.agent(i)] = p
	}
	s.do("campaign", "start", "peers")
	first := s.record(journal.Connected, func(journal.Record) bool { return true })
	s.awaitTone(of[first.Agent], first.Agent, first.Number)
	kill := func(agent string) time.Time {
		of[agent].process.kill()
		at := time.Now()
		s.awaitState(agent, notReady, dialer.LoggedOut, dialer.NotReady)
		t.Logf("%s is not ready %s after its phone was killed", agent, time.Since(at).Round(time.Millisecond))
		return at
	}
	kill(first.Agent)
	second := s.record(journal.Connected, func(r journal.Record) bool { return r.Agent != first.Agent })
	if second.Attempt != first.Attempt {
		t.Errorf("%s got another call than the one that %s lost", second.Agent, first.Agent)
	}
	s.awaitTone(of[second.Agent], second.Agent, second.Number)
	at := kill(second.Agent)
	s.finish(20 * time.Second)
	w := c.end()
	bye := w.sent("BYE", first.CallID)
	if len(bye) == 0 || bye[0].src.Addr() != s.address(serviceHost, 0).Addr() {
		t.Fatalf("%d BYE in the customer's call, the first not ours", len(bye))
	}
	after := bye[0].at.Sub(at)
	t.Logf("BYE at the carrier %s after the second phone was killed", after.Round(time.Millisecond))
	if after > notReady+deadline {
		t.Errorf("the customer was left alone for %s", after)
	}
	s.record(journal.Treated, func(r journal.Record) bool { return r.Attempt == first.Attempt })
}

// awaitTone waits until a second of the tone of a number is in an agent's recording.
func (s *stage) awaitTone(p *phones, agent, number string) {
	s.t.Helper()
	await(s.t, 10*time.Second, agent+" hears "+number, func() bool {
		return listen(p.heard(agent), customerTones).of[toneOf(number)] >= time.Second
	})
}

// toneOf is the place of a number's tone among the customers'.
func toneOf(number string) int { return int(number[len(number)-1] - '1') }

// checkOutcomes compares the journal with what the numbers' last digits ask for.
func (s *stage) checkOutcomes(want map[byte]campaigns.Outcome, calls int) {
	s.t.Helper()
	ended := s.records(journal.Ended)
	if len(ended) != calls {
		s.t.Errorf("%d calls ended, want %d", len(ended), calls)
	}
	for _, r := range ended {
		if o := want[r.Number[len(r.Number)-1]]; r.Outcome != string(o) {
			s.t.Errorf("call to %s ended %s, want %s", r.Number, r.Outcome, o)
		}
	}
}

// checkAudio compares each connection in the journal with the agent's recording
// and with what the carrier received.
func (s *stage) checkAudio(w traffic, calls int, p *phones) {
	s.t.Helper()
	connected := s.records(journal.Connected)
	if len(connected) != calls {
		s.t.Errorf("%d calls connected, want %d", len(connected), calls)
	}
	expected, talks := map[string][]time.Duration{}, map[string]int{}
	for _, r := range connected {
		agent, err := strconv.Atoi(strings.TrimPrefix(r.Agent, "agent"))
		if err != nil {
			s.t.Fatal(err)
		}
		ours := s.address(serviceHost, w.port(r.CallID))
		customer := w.audio(s.address(carrierHost, 0), ours)
		talk := time.Duration(len(customer)) * time.Second / sampleRate
		if talk < time.Second {
			s.t.Errorf("call to %s: the customer spoke for %s", r.Number, talk)
		}
		if expected[r.Agent] == nil {
			expected[r.Agent] = make([]time.Duration, len(customerTones))
		}
		expected[r.Agent][toneOf(r.Number)] += talk
		want := make([]time.Duration, len(agentTones))
		want[agent-1] = talk
		talks[r.Agent]++
		compare(s.t, "the customer "+r.Number, listen(w.audio(ours, s.address(carrierHost, 0)), agentTones), want, 1)
	}
	for _, agent := range p.agents {
		if talks[agent] == 0 {
			s.t.Errorf("%s had no call", agent)
			continue
		}
		compare(s.t, agent, listen(p.heard(agent), customerTones), expected[agent], talks[agent])
	}
}

// compare wants of each tone nearly as much as was sent, no more, and clean but
// for the edges of a talk and the service's own short tone at its beginning.
func compare(t testing.TB, who string, got heardTones, want []time.Duration, talks int) {
	t.Helper()
	if got.mixed > 0 {
		t.Errorf("%s hears two parties at once for %s", who, got.mixed)
	}
	if limit := time.Duration(talks) * 300 * time.Millisecond; got.foul > limit {
		t.Errorf("%s hears the other party unclean for %s, more than %s", who, got.foul, limit)
	}
	for i, d := range got.of {
		if w := want[i]; w == 0 && d > 0 || d > w+300*time.Millisecond || d < w*4/5 {
			t.Errorf("%s hears tone %d for %s, want nearly %s", who, i+1, d, w)
		}
	}
}

// checkStreams wants one stream, whole by its sequence numbers, from each of the
// service's ports: to each phone for the whole shift, to the carrier in each
// answered call. A phone's may turn to another address, which its audio comes from.
func (s *stage) checkStreams(w traffic, p *phones) {
	s.t.Helper()
	service, carrier := s.address(serviceHost, 0).Addr(), s.address(carrierHost, 0).Addr()
	toCarrier, toPhones := map[uint16]bool{}, map[uint16]bool{}
	for _, r := range w.streams {
		if r.src.Addr() != service {
			continue
		}
		if r.lost != 0 {
			s.t.Errorf("stream from %s to %s: %d packets lost by sequence", r.src, r.dst, r.lost)
		}
		if r.dst.Addr() == carrier {
			toCarrier[r.src.Port()] = true
		} else {
			toPhones[r.src.Port()] = true
		}
	}
	if n, calls := len(toCarrier), len(s.records(journal.Connected)); n != calls {
		s.t.Errorf("%d calls have audio to the carrier, want %d", n, calls)
	}
	if len(toPhones) != len(p.agents) {
		s.t.Errorf("audio to %d phones, want %d", len(toPhones), len(p.agents))
	}
	for port, numbers := range w.numbers(service) {
		slices.Sort(numbers)
		if span := numbers[len(numbers)-1] - numbers[0] + 1; span != len(numbers) || len(slices.Compact(numbers)) != span {
			s.t.Errorf("from port %d: %d packets in a span of %d numbers", port, len(numbers), span)
		}
	}
}

// checkRoute wants every request of the carrier's calls on the way through the
// proxy, and a BYE in each answered call, from the side that has to send it.
func (s *stage) checkRoute(w traffic) {
	s.t.Helper()
	host := func(n int) netip.Addr { return s.address(n, 0).Addr() }
	service, proxy, carrier := host(serviceHost), host(proxyHost), host(carrierHost)
	for _, p := range w.packets {
		ends := []netip.Addr{p.src.Addr(), p.dst.Addr()}
		if p.ssrc == "" && slices.Contains(ends, service) && slices.Contains(ends, carrier) {
			s.t.Errorf("%s %d %s went past the proxy, from %s to %s", p.method, p.status, p.cseq, p.src, p.dst)
		}
	}
	for _, r := range s.records(journal.Connected) {
		path := []netip.Addr{carrier, proxy, service}
		if strings.HasSuffix(r.Number, "4") {
			path = []netip.Addr{service, proxy, carrier}
		}
		byes := w.sent("BYE", r.CallID)
		for hop := range 2 {
			if !slices.ContainsFunc(byes, func(p packet) bool {
				return p.src.Addr() == path[hop] && p.dst.Addr() == path[hop+1] && (hop > 0 || strings.Contains(p.route, proxy.String()))
			}) {
				s.t.Errorf("call to %s: none of %d BYE from %s to %s by its route", r.Number, len(byes), path[hop], path[hop+1])
			}
		}
	}
}
