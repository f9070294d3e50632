package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// The further hosts of a crossing.
const (
	firstHost = 20 + iota
	secondHost
)

// crossing is a stage with two trunks, of which the first goes first and does not
// carry calls.
type crossing struct {
	*stage
	began  time.Time
	first  *process // nil: nobody is there
	second *process
}

// meet sets up a crossing whose second carrier has so many calls. scenario is the first carrier's file,
// oldnew what stands in it for names; without a scenario nothing listens there.
func meet(t *testing.T, network, number string, calls int, scenario string, oldnew ...string) *crossing {
	t.Helper()
	c := &crossing{stage: &stage{net: network, dir: t.TempDir()}, began: time.Now()}
	config := func(clock string) string {
		return fmt.Sprintf(`
sip: {listen: "%[1]s:5060", timers: {t1: 100ms, t2: 400ms, t4: 500ms}}
media: {address: %[1]s, ports: 20000-20999, ranges: [127.0.0.0/8]}
trunks:
  - {name: second, address: "%[3]s:5060", priority: 2, country: IT}
  - {name: first, address: "%[2]s:5060", priority: 1, country: IT}
rehearsal: {clock: %[4]s, since: %[5]s}
`, c.host(serviceHost), c.host(firstHost), c.host(secondHost), clock, c.began.Format(time.RFC3339Nano))
	}
	c.installation = install(t, config(callClock))
	c.take(stageOptions{numbers: []string{number}, agents: 1}, config(applyClock))
	for i, f := range customerTones {
		writeFile(t, c.path(fmt.Sprintf("customer%d.al", i+1)), string(encodeALaw(sine(f, time.Second))))
	}
	if scenario != "" {
		writeFile(t, c.path("first.xml"), fill(t, scenario, oldnew...))
		c.first = c.sipp("first.xml", firstHost, 1)
	}
	writeFile(t, c.path("carrier.xml"), fill(t, "carrier.xml", "TALK", "1500"))
	c.second = c.sipp("carrier.xml", secondHost, calls)
	c.service = c.serve("--drain", "5s")
	return c
}

// sipp starts a carrier for so many calls, OPTIONS among them.
func (s *stage) sipp(scenario string, host, calls int) *process {
	s.t.Helper()
	p := startProcess(s.t, s.dir, "sipp", "-sf", scenario, "-i", s.host(host), "-p", "5060", "-mi", s.host(host), "-mp", strconv.Itoa(30000+100*host),
		"-m", strconv.Itoa(calls), "-nostdin", "-trace_err", "-error_file", "errors"+strconv.Itoa(host))
	s.awaitPort(host)
	return p
}

// dial has an agent ready and starts the campaign.
func (c *crossing) dial() {
	c.t.Helper()
	c.startPhones(0).add(0, "PCMA")
	c.do("campaign", "start", "peers")
}

// offset is the service's clock minus the machine's.
func (c *crossing) offset() time.Duration {
	clock, err := time.Parse(time.RFC3339, callClock)
	if err != nil {
		c.t.Fatal(err)
	}
	return clock.Sub(c.began)
}

// checkEvidence wants a record for each INVITE on the wire, before it and in its
// order, under one clearance that names the first trunk.
func (c *crossing) checkEvidence(w traffic, trunks ...string) {
	c.t.Helper()
	cleared, invited := c.records(journal.Cleared), c.records(journal.Invited)
	if len(cleared) != 1 || len(invited) != len(trunks) {
		c.t.Fatalf("%d clearances and %d INVITEs on record, want one and %d", len(cleared), len(invited), len(trunks))
	}
	var v dnc.Verdict
	if err := json.Unmarshal(cleared[0].Detail, &v); err != nil || v.Trunk != "first" || slices.Contains(v.NotChecked, "trunk") {
		c.t.Errorf("the clearance names trunk %q and leaves unchecked %v: %v", v.Trunk, v.NotChecked, err)
	}
	for i, rec := range invited {
		var d journal.InvitedDetail
		if err := json.Unmarshal(rec.Detail, &d); err != nil || d.Trunk != trunks[i] || d.Try != i+1 || d.Evidence != cleared[0].Seq || rec.Attempt != cleared[0].Attempt {
			c.t.Errorf("INVITE %d on record: %s under attempt %s: %v", i+1, rec.Detail, rec.Attempt, err)
		}
		host := map[string]int{"first": firstHost, "second": secondHost}[trunks[i]]
		for n, p := range w.sent("INVITE", rec.CallID) {
			if at := p.at.Add(c.offset()); p.dst.Addr() != c.address(host, 0).Addr() || n == 0 && rec.At.After(at) {
				c.t.Errorf("the INVITE to %s was on the wire at %s, its record is of %s", p.dst, at, rec.At)
			}
		}
	}
}

// A call that the first carrier turns away is carried by the second, and the
// journal knows of each INVITE before it leaves.
func TestPeersFailover(t *testing.T) {
	for name, x := range map[string]struct {
		net, scenario string
		fill          []string
	}{
		"503":  {"127.61.1", "refuses.xml", []string{"RING", "100 Trying", "WAIT", "50"}},
		"ICMP": {"127.61.2", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startCapture(t, x.net+".0/24")
			c := meet(t, x.net, "+390810006111", 1, x.scenario, x.fill...)
			c.dial()
			if c.first != nil {
				c.first.wait(20 * time.Second)
			}
			c.carrier = c.second
			c.finish(20 * time.Second)
			c.checkOutcomes(map[byte]campaigns.Outcome{'1': campaigns.Bridged}, 1)
			traffic := w.end()
			if n := len(traffic.sent("INVITE", c.records(journal.Invited)[0].CallID)); n == 0 {
				t.Error("no INVITE to the first carrier on the wire")
			}
			c.checkEvidence(traffic, "first", "second")
		})
	}
}

// A call that may ring at the first carrier goes nowhere else.
func TestPeersNoFailover(t *testing.T) {
	for name, x := range map[string]struct {
		net, scenario string
		fill          []string
		outcome       campaigns.Outcome
	}{
		"503 after a 180": {"127.61.3", "refuses.xml", []string{"RING", "180 Ringing", "WAIT", "100"}, campaigns.Congested},
		"silence":         {"127.61.4", "silent.xml", nil, campaigns.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startCapture(t, x.net+".0/24")
			c := meet(t, x.net, "+390810006111", 1, x.scenario, x.fill...)
			c.dial()
			ended := c.record(journal.Ended, func(journal.Record) bool { return true })
			if ended.Outcome != string(x.outcome) {
				t.Errorf("ended %s, want %s", ended.Outcome, x.outcome)
			}
			traffic := w.end()
			c.checkEvidence(traffic, "first")
			for _, p := range traffic.packets {
				if p.method == "INVITE" && p.dst.Addr() == c.address(secondHost, 0).Addr() {
					t.Error("an INVITE went to the second carrier")
				}
			}
		})
	}
}

// A process that dies while the second carrier's callee rings is followed by one
// that gives up just that call; one that dies before the second INVITE dials nobody.
func TestPeersFailoverAndCrash(t *testing.T) {
	t.Run("the second rings", func(t *testing.T) {
		t.Parallel()
		w := startCapture(t, "127.61.5.0/24")
		c := meet(t, "127.61.5", "+390810006118", 1, "refuses.xml", "RING", "100 Trying", "WAIT", "50")
		c.dial()
		c.record(journal.Ringing, func(journal.Record) bool { return true })
		c.service.kill()
		c.service = c.serve("--drain", "5s")
		c.second.wait(20 * time.Second) // after CANCEL and the ACK of its 487
		interrupted := c.record(journal.Interrupted, func(journal.Record) bool { return true })
		traffic := w.end()
		cancels := traffic.sent("CANCEL", interrupted.CallID)
		if len(cancels) == 0 || cancels[0].dst.Addr() != c.address(secondHost, 0).Addr() || !strings.HasSuffix(interrupted.CallID, "-2") {
			t.Errorf("%d CANCELs of %s", len(cancels), interrupted.CallID)
		}
		c.checkEvidence(traffic, "first", "second")
	})
	t.Run("the first has it", func(t *testing.T) {
		t.Parallel()
		w := startCapture(t, "127.61.6.0/24")
		c := meet(t, "127.61.6", "+390810006118", 1, "refuses.xml", "RING", "100 Trying", "WAIT", "3000")
		c.dial()
		c.record(journal.Invited, func(journal.Record) bool { return true })
		c.service.kill()
		c.service = c.serve("--drain", "5s")
		c.record(journal.Interrupted, func(journal.Record) bool { return true })
		for _, p := range w.end().packets {
			if p.method == "INVITE" && p.dst.Addr() == c.address(secondHost, 0).Addr() {
				t.Error("the dead call went on to the second carrier")
			}
		}
	})
}

// tested runs pronto trunk test and gives its document and exit status.
func (c *crossing) tested(args ...string) (doc trunkTestDoc, status int) {
	c.t.Helper()
	out, err := c.command(append([]string{"--json", "trunk", "test"}, args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		c.t.Fatalf("trunk test %v: %v\n%s", args, err, out)
	}
	return doc, status
}

// pronto trunk test with a running service and without: exit status, ladder and
// journal.
func TestPeersTrunkTest(t *testing.T) {
	for network, running := range map[string]bool{"127.61.7": true, "127.61.8": false} {
		t.Run(fmt.Sprintf("running %t", running), func(t *testing.T) {
			t.Parallel()
			c := meet(t, network, "+390810006114", 3, "")
			if !running {
				c.service.stop(os.Interrupt, 20*time.Second)
			}
			doc, status := c.tested("second", "--call", "081 0006118", "--campaign", "peers")
			if status != 4 || doc.Options.Status != 200 || doc.Options.RoundTripMS <= 0 || doc.Call == nil || doc.Call.Verdict.Reason != dnc.Unscreened || len(doc.Call.Ladder) > 0 {
				t.Errorf("exit status %d for a number without a verdict: %+v", status, doc.Call)
			}
			doc, status = c.tested("first")
			if status != 1 || doc.Options.Status != 0 || doc.Options.Why == "" {
				t.Errorf("exit status %d for a trunk where nothing listens: %+v", status, doc.Options)
			}
			doc, status = c.tested("second", "--call", "+390810006114", "--campaign", "peers")
			if status != 0 || doc.Call == nil || doc.Call.Outcome != campaigns.Abandoned {
				t.Fatalf("exit status %d, %+v", status, doc)
			}
			var rungs []string
			for _, p := range doc.Call.Ladder {
				rungs = append(rungs, p.Direction+" "+p.Message)
			}
			if got, want := strings.Join(slices.Compact(rungs), ", "), "out INVITE, in 100 Trying, in 180 Ringing, in 200 OK, out ACK, out BYE, in 200 OK"; got != want {
				t.Errorf("ladder %s, want %s", got, want)
			}
			c.second.wait(20 * time.Second)
			var kinds []string
			for _, r := range c.records() {
				if r.Attempt == doc.Call.Attempt {
					kinds = append(kinds, string(r.Kind))
				}
			}
			if got, want := strings.Join(kinds, " "), "cleared invited ringing answered abandoned treated ended"; got != want {
				t.Errorf("records %s, want %s", got, want)
			}
			var list trunksDoc
			if err := json.Unmarshal([]byte(c.do("--json", "trunk", "list")), &list); err != nil || list.Running != running || len(list.Trunks) != 2 {
				t.Fatalf("%+v, %v", list, err)
			}
			if l := list.Trunks[0]; running && (l.Name != "second" || l.State != dialer.TrunkUp || l.Hour.Answered != 1 || l.Hour.PostDialP50 <= 0) {
				t.Errorf("%+v", l)
			}
		})
	}
}
