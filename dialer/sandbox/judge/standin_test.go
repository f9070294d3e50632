package judge_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"pronto/dialer/sandbox"
	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/judge"
	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fault is what the stand-in dialer does wrong.
type fault string

const (
	none      fault = ""
	nobody    fault = "nobody is put through"
	oneWay    fault = "the agent does not hear the customer"
	crossed   fault = "two customers hear each other's agents"
	leftOver  fault = "the bridge outlives the call"
	bothAgent fault = "a customer hears two agents"
	silent    fault = "the bridge falls silent in mid-call"
)

// leg is one RTP socket of the stand-in. What it receives goes to all of to.
type leg struct {
	conn   *net.UDPConn
	remote netip.AddrPort
	to     atomic.Pointer[[]*leg]
}

// standin is a dialer of a few lines that calls every agent and every lead, joins
// them in order, and errs as it is told.
type standin struct {
	t       *testing.T
	fault   fault
	loop    *loop.Loop
	ua      *sipua.UA
	wg      sync.WaitGroup
	legs    []*leg
	agents  []*leg
	byCall  map[string]*leg
	seq     uint64
	journal []judge.Record
}

func (s *standin) open() *leg {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.ua.Local().Addr(), 0)))
	if err != nil {
		s.t.Error(err)
		return nil
	}
	l := &leg{conn: conn}
	s.legs = append(s.legs, l)
	s.wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if to := l.to.Load(); to != nil {
				for _, o := range *to {
					_, _ = o.conn.WriteToUDPAddrPort(buf[:n], o.remote) // loss is what the judge shall find
				}
			}
		}
	})
	return l
}

func (s *standin) note(kind, attempt, callID, number, agent string) {
	s.seq++
	s.journal = append(s.journal, judge.Record{Seq: s.seq, At: time.Now(), Kind: kind, Attempt: attempt, CallID: callID, Number: truth.Digits(number), Agent: agent})
}

// invite calls uri at to and gives the answered leg to up.
func (s *standin) invite(uri string, to netip.AddrPort, id string, up func(*leg)) {
	l := s.open()
	from := "<sip:dialer@" + s.ua.Local().String() + ">"
	contact := sip.NewHeader("Contact", from)
	r, err := s.ua.NewRequest(sip.INVITE, uri, from+";tag=d"+id, "<"+uri+">", id, 1, contact)
	if err != nil {
		s.t.Error(err)
		return
	}
	r.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	r.SetBody(audio.Session{Codec: tones.PCMA}.SDP(l.conn.LocalAddr().(*net.UDPAddr).AddrPort()))
	s.ua.Request(r, to, func(res *sip.Response) {
		if res == nil || res.StatusCode != 200 {
			s.t.Errorf("%s: %v", uri, res)
			return
		}
		ack, err := s.ua.NewRequest(sip.ACK, uri, from+";tag=d"+id, res.To().Value(), id, 1)
		if err != nil {
			s.t.Error(err)
			return
		}
		s.ua.Send(ack, to)
		session, err := audio.ParseSDP(res.Body())
		if err != nil {
			s.t.Error(err)
			return
		}
		l.remote = session.Remote
		s.byCall[id] = l
		up(l)
	})
}

// join bridges the i-th answered callee with the i-th agent.
func (s *standin) join(i int, callee *leg) {
	agent := s.agents[i]
	toCallee, toAgent := []*leg{callee}, []*leg{agent}
	switch s.fault {
	case nobody:
		return
	case oneWay:
		toAgent = nil
	case bothAgent:
		other := s.agents[1-i]
		more := append([]*leg{callee}, *other.to.Load()...)
		other.to.Store(&more)
	case none, crossed, leftOver: // below, or at the BYE
	case silent:
		s.loop.After(700*time.Millisecond, func() { agent.to.Store(nil) })
	}
	if s.fault == crossed && i == 1 {
		first := *s.agents[0].to.Load()
		agent.to.Store(&first)
		s.agents[0].to.Store(&toCallee)
		callee.to.Store(&toAgent)
		return
	}
	agent.to.Store(&toCallee)
	callee.to.Store(&toAgent)
}

func (s *standin) request(r *sip.Request, from netip.AddrPort) {
	switch r.Method {
	case sip.BYE:
		s.ua.Reply(r, from, 200, "OK")
		part := func() {
			if l := s.byCall[r.CallID().Value()]; l != nil {
				for _, a := range s.agents {
					if to := a.to.Load(); to != nil && slices.Contains(*to, l) {
						a.to.Store(nil)
					}
				}
				l.to.Store(nil)
			}
		}
		if s.fault != leftOver {
			part()
		}
	default:
		s.ua.Reply(r, from, 200, "OK")
	}
}

// The judge finds, in what two real far ends logged, each fault of a dialer that
// joins real RTP, and none in one that does it right.
func TestJudgeOnRealAudio(t *testing.T) {
	cases := []struct {
		fault fault
		says  []string // one of these is among the failures
	}{
		{none, nil},
		{nobody, []string{"without agent or treatment"}},
		{oneWay, []string{"agent01 heard the callee for 0s"}},
		{crossed, []string{"who heard agent"}},
		{leftOver, []string{"after BYE"}},
		{bothAgent, []string{"agent01 and agent02 at once", "agent02 and agent01 at once"}},
		{silent, []string{"heard agent01 for", "heard nobody for"}},
	}
	for i, c := range cases {
		name := string(c.fault)
		if c.fault == none {
			name = "nothing wrong"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := runStandin(t, c.fault, fmt.Sprintf("127.40.7%d", i))
			all := strings.Join(v.Failures, "\n")
			if c.says == nil && !v.Passed() || c.says != nil && !slices.ContainsFunc(c.says, func(s string) bool { return strings.Contains(all, s) }) {
				t.Errorf("want one of %q, failures:\n%s", c.says, all)
			}
			if v.Dialed != 2 || v.Answered != 2 || v.MissingEvidence != 0 || v.ForbiddenRung != 0 {
				t.Errorf("%+v", v)
			}
		})
	}
}

// runStandin runs carrier, two agents and the stand-in with two leads, and judges.
func runStandin(t *testing.T, f fault, net24 string) judge.Verdict {
	t.Helper()
	dir := t.TempDir()
	w := sandbox.Compressed(1, 1)
	w.Busy, w.Vacant, w.Failed, w.Rejected = 0, 0, 0, 0
	w.AnswerRate, w.Patience = 1, 2200*time.Millisecond
	w.Ring = sandbox.Spread{Mean: 300 * time.Millisecond}
	w.Talk = sandbox.Spread{Mean: 2200 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	ready, room := make(chan netip.AddrPort, 1), make(chan struct{})
	defer cancel()
	carrierLog, agentsLog := filepath.Join(dir, "carrier"), filepath.Join(dir, "agents")
	wg.Go(func() {
		if err := sandbox.RunCarrier(ctx, sandbox.CarrierConfig{Listen: net24 + ".1:0", Log: carrierLog, World: w, Ready: func(a netip.AddrPort) { ready <- a }}); err != nil {
			t.Error(err)
			close(ready)
		}
	})
	carrier, ok := <-ready
	if !ok {
		t.FailNow()
	}
	s := &standin{t: t, fault: f, loop: loop.New(), byCall: map[string]*leg{}}
	var err error
	if s.ua, err = sipua.Listen(s.loop, netip.MustParseAddrPort(net24+".2:0"), s.request); err != nil {
		t.Fatal(err)
	}
	wg.Go(s.loop.Run)
	wg.Go(func() {
		cfg := sandbox.AgentsConfig{Registrar: s.ua.Local().String(), Count: 2, First: net24 + ".11", Log: agentsLog, Ready: func() { close(room) }}
		if err := sandbox.RunAgents(ctx, cfg); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-room:
	case <-time.After(5 * time.Second):
		t.Error("the agents' phones do not listen")
	}
	start, leads := time.Now(), []string{"390550000001", "390550000002"}
	over := make(chan struct{})
	s.loop.Post(func() { s.dial(carrier, net24, leads) })
	s.loop.After(5*time.Second, func() { close(over) })
	<-over
	cancel()
	s.loop.Post(func() {
		s.ua.Silence()
		for _, l := range s.legs {
			l.conn.Close()
		}
		s.loop.Stop()
	})
	wg.Wait()
	s.wg.Wait()
	e := judge.Evidence{Leads: leads, Journal: s.journal}
	for path, into := range map[string]*[]truth.Line{carrierLog: &e.Carrier, agentsLog: &e.Agents} {
		if *into, err = truth.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return judge.Judge(e, judge.Rules{Start: start, End: time.Now(), Deadline: 1500 * time.Millisecond, Cap: 0.03, Verified: true})
}

// dial calls the agents, and when both are up the leads.
func (s *standin) dial(carrier netip.AddrPort, net24 string, leads []string) {
	answered := 0
	for i := range 2 {
		phone := netip.MustParseAddrPort(fmt.Sprintf("%s.%d:5060", net24, 11+i))
		s.invite(fmt.Sprintf("sip:agent0%d@%s", i+1, phone), phone, fmt.Sprintf("agent%d", i), func(l *leg) {
			l.to.Store(&[]*leg{})
			s.agents = append(s.agents, l)
			if len(s.agents) < 2 {
				return
			}
			for j, number := range leads {
				id := fmt.Sprintf("lead%d", j)
				s.note("cleared", id, "", number, "")
				s.note("invited", id, id, number, "")
				s.invite("sip:+"+number+"@"+carrier.String(), carrier, id, func(l *leg) {
					s.join(answered, l)
					answered++
				})
			}
		})
	}
}
