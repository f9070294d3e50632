package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/sandbox"
)

const (
	crashAgents = 2
	// crashTimers make a far end that does not answer known after 3 s, and let the
	// callees' repetitions be seen soon.
	crashTimers = "{t1: 50ms, t2: 400ms, t4: 400ms}"
)

// crashPlans are what the callees do when they are first rung, in the order of the
// list: two of the first six are put through and two meet no agent.
var crashPlans = []sandbox.Plan{sandbox.Live, sandbox.Live, sandbox.NoAnswer, sandbox.Live, sandbox.Busy, sandbox.Live, sandbox.NoAnswer, sandbox.Live}

// crashNumber is the digits of a number on the list.
func crashNumber(i int) string { return fmt.Sprintf("3935612345%02d", i) }

// crashWorld is a world in which the callees first do what crashPlans says, and
// then what they like.
func crashWorld() sandbox.World {
	w := sandbox.World{
		AnswerRate: 0.5, Busy: 0.1,
		PostDial: sandbox.Spread{Mean: 60 * time.Millisecond, CV: 0.2, Least: 30 * time.Millisecond},
		Ring:     sandbox.Spread{Mean: 400 * time.Millisecond, CV: 0.3, Least: 200 * time.Millisecond},
		Talk:     sandbox.Spread{Mean: 3600 * time.Millisecond, CV: 0.05, Least: 3300 * time.Millisecond},
		Patience: 20 * time.Second,
		RingFor:  1500 * time.Millisecond,
	}
	for fits := false; !fits; {
		w.Seed++
		fits = true
		for i, plan := range crashPlans {
			fits = fits && w.Behave(crashNumber(i), 1).Plan == plan
		}
	}
	return w
}

// crashCampaign is that of the random kills with a wrap-up.
func crashCampaign(line string) string {
	if strings.HasPrefix(line, "wrap_up:") {
		return "wrap_up: 600ms"
	}
	return killedCampaign(line)
}

// newCrashSite lays out an installation with a few leads: what the tests begin
// with a copy of.
func newCrashSite(t *testing.T) *field { return newSite(t, len(crashPlans), crashAgents) }

// newSite lays out an installation with as many leads and agents.
func newSite(t *testing.T, leads, agents int) *field {
	t.Helper()
	f := &field{dir: t.TempDir(), net: "127.66.0", timers: crashTimers, began: time.Now()}
	f.installation = &installation{t: t, data: f.path("data"), config: f.path("pronto.yaml")}
	writeFile(t, f.path("campaign.yaml"), string(sample(t, "campaigns/demo-it.yaml")))
	f.editCampaign(crashCampaign)
	list, result := "id,phone,name\nC99,+"+crashNumber(99)+",Ada Neri\n", "" // the first is not screened
	for i := range leads {
		list += fmt.Sprintf("C%d,+%s,Ada Neri\n", i, crashNumber(i))
		result += fmt.Sprintf("%s,0,2026-11-24\n", crashNumber(i)[2:])
	}
	writeFile(t, f.config, f.configFile(applyClock))
	f.in("campaign apply", applyArgs{File: "campaign.yaml"}, string(f.read("campaign.yaml")))
	f.in("leads load", loadArgs{Campaign: demoCampaign, File: "list.csv"}, list)
	f.past(crashPast)
	writeFile(t, f.config, f.configFile(callClock))
	f.in("dnc import", importArgs{Register: "rpo", File: "rpo.csv", NoSubmission: true, Reason: "test"}, result)
	f.in("campaign set", setArgs{Name: demoCampaign, State: dialer.Running, What: "campaign started"}, "")
	for i := range agents {
		f.in("agent add", agentArgs{Name: agentName(i), Password: demoSeed}, "")
	}
	return f
}

// crashPast is how many calls were put through just before: they let the
// campaign afford to abandon some.
const crashPast = 400

// past writes calls that have just been into the journal.
func (f *field) past(calls int) {
	f.t.Helper()
	at := f.began.Add(f.offset())
	j, err := journal.Open(filepath.Join(f.data, journalFolder), journal.Options{Now: func() time.Time { return at }})
	if err != nil {
		f.t.Fatal(err)
	}
	for range calls {
		_, e := j.Append(journal.Record{At: at, Kind: journal.Connected, Campaign: demoCampaign})
		err = errors.Join(err, e)
	}
	if err := errors.Join(err, j.Close()); err != nil {
		f.t.Fatal(err)
	}
}

// in does an operation in this process.
func (f *field) in(name string, args any, body string) {
	f.t.Helper()
	if _, err := askAny(f.t.Context(), &globals{data: f.data, config: f.config}, name, args, strings.NewReader(body)); err != nil {
		f.t.Fatalf("%s: %v", name, err)
	}
}

// copied is an installation of its own, with the files of f as they stand and
// addresses that no other has.
func (f *field) copied(t *testing.T) *field {
	t.Helper()
	c := &field{dir: t.TempDir(), net: freeNet(t), timers: f.timers, began: f.began}
	c.installation = &installation{t: t, data: c.path("data"), config: c.path("pronto.yaml")}
	if err := os.CopyFS(c.data, os.DirFS(f.data)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.config, c.configFile(callClock))
	return c
}

// freeNet takes 256 addresses, until the test ends, that no other test has, in
// this process or another.
func freeNet(t *testing.T) string {
	t.Helper()
	for range 1000 {
		name := fmt.Sprintf("127.66.%d", rand.IntN(256))
		guard, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(name+".254:5060")))
		if err == nil {
			t.Cleanup(func() { _ = guard.Close() })
			return name
		}
	}
	t.Fatal("no network is free in 127.66.0.0/16")
	return ""
}

// farEnds runs carrier and agents in this process until stop is called, which
// also the end of the test does.
func (f *field) farEnds(w sandbox.World, agents int) (stop func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	ready := make(chan struct{}, 2)
	work.Go(func() {
		err := sandbox.RunCarrier(ctx, sandbox.CarrierConfig{
			Listen: f.address(2) + ":5060", Log: f.path("carrier.log"), World: w, Linger: 100 * time.Millisecond,
			Ready: func(netip.AddrPort) { ready <- struct{}{} },
		})
		if err != nil {
			f.t.Error(err)
		}
	})
	work.Go(func() {
		err := sandbox.RunAgents(ctx, sandbox.AgentsConfig{
			Registrar: f.address(1) + ":5060", Count: agents, First: f.address(11), Password: demoSeed, Log: f.path("agents.log"),
			Retry: 200 * time.Millisecond, Keys: []sandbox.Key{{Digit: '3', Share: 1, After: 100 * time.Millisecond}},
			Ready: func() { ready <- struct{}{} },
		})
		if err != nil {
			f.t.Error(err)
		}
	})
	for range 2 {
		select {
		case <-ready:
		case <-time.After(10 * time.Second):
			f.t.Error("the far ends do not start")
		}
	}
	return sync.OnceFunc(func() { cancel(); work.Wait() })
}

// victim starts the test binary as a service with orders.
func (f *field) victim(o orders) *process {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	o.CarrierLog = f.path("carrier.log")
	text, err := json.Marshal(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return startProcess(f.t, f.dir, "env", victimData+"="+f.data, victimConfig+"="+f.config, victimOrders+"="+string(text), self)
}

// life runs the service until it kills itself at the step of its orders. Without a
// step, or with one of those of an ordinary end, it runs until the numbers have had their turns, and is told
// to end.
func (p *proof) life(f *field, o orders) (took []string) {
	f.t.Helper()
	o.Seen = f.path("seen" + strconv.Itoa(len(p.lives)))
	began := time.Now()
	v := f.victim(o)
	defer func() {
		p.lives = append(p.lives, life{up(o.Seen, began), time.Now()})
		writeFile(f.t, f.path("victim.log"), readText(f.path("victim.log"))+v.out.String())
		took = stepNames(o.Seen)
	}()
	if o.At == "" || atEnd(o.At) {
		p.awaitTurns(f, v, began)
		if o.At == "" {
			v.stop(syscall.SIGTERM, 30*time.Second)
			return
		}
		_ = v.cmd.Process.Signal(syscall.SIGTERM) // it ends by itself otherwise
	}
	select {
	case <-v.done:
	case <-time.After(crashPatience):
		v.kill()
		p.trouble = append(p.trouble, fmt.Sprintf("the step %q was not taken:\n%s", o.At, lastLines(v.out.String(), 30)))
	}
	if v.err == nil || !strings.Contains(v.err.Error(), "killed") {
		p.trouble = append(p.trouble, fmt.Sprintf("the service ended by itself (%v) and not at %q:\n%s", v.err, o.At, lastLines(v.out.String(), 30)))
	}
	return
}

// stepNames are the steps that a life has taken.
func stepNames(seen string) []string {
	var names []string
	for line := range strings.Lines(readText(seen)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		names = append(names, name)
	}
	return names
}

// up is when the clock of a restart begins: with its process, but for what a
// loaded machine needs beyond starting to load it and open its files.
func up(seen string, began time.Time) time.Time {
	for line := range strings.Lines(readText(seen)) {
		at, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "journal started: before" {
			if t, err := time.Parse(time.RFC3339Nano, at); err == nil && t.Add(-starting).After(began) {
				return t.Add(-starting)
			}
		}
	}
	return began
}

// starting is what a machine with nothing else to do needs to start a service.
const starting = 500 * time.Millisecond

// crashPatience is when a number that is due must have been rung: a phone whose
// registration was granted in the last moment of a service comes back after 30 s.
const crashPatience = 45 * time.Second

// awaitTurns waits until each number has been answered, or rung again after it
// was not, and at least as long as an early redial could come.
func (p *proof) awaitTurns(f *field, v *process, began time.Time) {
	f.t.Helper()
	least := began.Add(interruptedDelay + 1500*time.Millisecond)
	limit := began.Add(crashPatience)
	for {
		f.pass(50*time.Millisecond, v)
		waiting := f.notYet()
		if len(waiting) == 0 && time.Now().After(least) {
			return
		}
		if time.Now().After(limit) {
			p.trouble = append(p.trouble, fmt.Sprintf("not rung, or not rung again: %v", waiting))
			return
		}
	}
}

// notYet are the numbers that were neither answered nor rung again.
func (f *field) notYet() []string {
	f.t.Helper()
	done := map[string]int{}
	for _, r := range readRung(f.heard()) {
		done[r.number]++
		if !r.answered.IsZero() {
			done[r.number] = 2
		}
	}
	var waiting []string
	for i := range crashPlans {
		if n := crashNumber(i); done[n] < 2 {
			waiting = append(waiting, n)
		}
	}
	return waiting
}
