package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/sandbox"
	"pronto/dialer/sandbox/truth"
)

// step is a named step of the work with its parts: before and after it, say.
type step []string

// stepsOf spells out a list of steps: each name with each of its parts.
func stepsOf(names, parts string) []step {
	var all []step
	for name := range strings.SplitSeq(names, ", ") {
		var s step
		for part := range strings.SplitSeq(parts, ", ") {
			s = append(s, name+": "+part)
		}
		all = append(all, s)
	}
	return all
}

// workSteps are the steps of a service's work from start to end: what it asks of
// its parts, each write of the journal before, between write and sync, and after, and each
// write of the store.
func workSteps() []step {
	return slices.Concat(
		stepsOf("journal started, journal keys, journal agent not ready, journal agent ready, journal agent talking, journal agent wrap up, "+
			"journal paced, journal refused, journal cleared, journal invited, journal ringing, journal answered, journal connected, journal heard, journal abandoned, journal treated, "+
			"journal ended, journal disposed, journal opted out", "before, written, synced"),
		stepsOf("agent's phone called, registration remembered, agent's call remembered, dialing, ringing, answer noted, answer synced, bridge, "+
			"comfort noise, hang-up, intent stored, settlement stored, amendment stored, opt-out stored, leads given back", "before, after"),
		[]step{{"leads leased"}, {"gate asked: before", "gate asked: allowed", "gate asked: refused"}, {"INVITE sent"}, {"call answered"}, {"call not answered"}},
	)
}

// endSteps are those of an end in good order.
func endSteps() []step {
	return append(stepsOf("agent's call forgotten", "before, after"), stepsOf("journal stopped", "before, written, synced")...)
}

// atEnd reports whether a step is one of endSteps.
func atEnd(name string) bool {
	return slices.ContainsFunc(endSteps(), func(parts step) bool { return slices.Contains(parts, name) })
}

// restartSteps are those of a restart that finds calls of a dead process, beside
// the ordinary ones.
func restartSteps() []step {
	return slices.Concat(
		stepsOf("journal interrupted, journal abandoned", "before, written, synced"),
		stepsOf("registrations taken over, calls of a dead process ended, answer met, settlement stored", "before, after"),
	)
}

// tornSteps are those of a restart that finds an unfinished write in the journal.
func tornSteps() []step { return stepsOf("journal note", "before, written, synced") }

// rareSteps are taken only when the machine is so loaded that a phone is not heard
// for seconds: nobody can be sure to be there when they are.
func rareSteps() []step {
	return stepsOf("journal agent logged out, journal orphaned", "before, written, synced")
}

// death is a service that kills itself once or twice.
type death struct {
	at, again string // steps; again of the restart, empty: it lives
	lose      uint64 // seed; what the journal has not synced is lost. 0: it survives
}

func (d death) String() string {
	name := d.at
	if d.again != "" {
		name = "restart, " + d.again
	}
	if d.lose != 0 {
		name += ", unsynced bytes lost"
	}
	return name
}

// deaths are those of a soak: each part of each step, with and without the loss of
// what was not synced. Those of a test run are one part of each step, in turn with and without.
func deaths() []death {
	var all []death
	add := func(steps []step, with func(part string, lose uint64) death) {
		for i, parts := range steps {
			if os.Getenv("PRONTO_STEPS") != "all" {
				all = append(all, with(parts[(i+1)%len(parts)], uint64(i%2)))
				continue
			}
			for _, part := range parts {
				all = append(all, with(part, 0), with(part, uint64(i+1)))
			}
		}
	}
	add(slices.Concat(workSteps(), endSteps()), func(part string, lose uint64) death { return death{at: part, lose: lose} })
	add(restartSteps(), func(part string, lose uint64) death { return death{at: midCalls, again: part, lose: lose} })
	add(tornSteps(), func(part string, lose uint64) death { return death{at: midWrite, again: part, lose: lose + 1} })
	return all
}

// midCalls is a step at which some phones ring and others have been answered.
const midCalls = "ringing: after"

// midWrite is a step at which bytes that are not synced can be lost.
const midWrite = "journal cleared: written"

// TestKilledAtEachStep kills the service at each named step of its work, restarts
// it, and holds what it then does to what the carrier saw. A step that is not in the table, or is in it and not
// taken, fails the test.
func TestKilledAtEachStep(t *testing.T) {
	c := &crashes{site: newCrashSite(t), world: crashWorld(), took: map[string]bool{}}
	t.Run("without a kill", func(t *testing.T) { c.run(t, death{}) })
	all := deaths()
	var work sync.WaitGroup
	next := make(chan death)
	for range crashLanes {
		work.Go(func() {
			for d := range next {
				t.Run(d.String(), func(t *testing.T) { c.run(t, d) })
			}
		})
	}
	for _, d := range all {
		next <- d
	}
	close(next)
	work.Wait()
	c.complete(t)
	t.Logf("%d kills", len(all))
}

// crashLanes is how many installations run side by side: they wait most of the
// time.
const crashLanes = 10

// crashes is what the runs have in common.
type crashes struct {
	site  *field
	world sandbox.World

	mu   sync.Mutex // protects took
	took map[string]bool
}

// run lets a service die and another one go on. When the machine stood still
// meanwhile, so that services and far ends did not run for seconds, it is done again.
func (c *crashes) run(t *testing.T, d death) {
	for range 2 {
		if c.attempt(t, d, true) {
			return
		}
	}
	c.attempt(t, d, false)
}

// attempt is run once; false when the machine stood still and the result is to be
// left aside for that.
func (c *crashes) attempt(t *testing.T, d death, aside bool) bool {
	f := c.site.copied(t)
	stop := f.farEnds(c.world, crashAgents)
	defer stop()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the carrier's log:\n%s", f.show())
		}
	})
	p := &proof{t: t, offset: f.offset(), notes: map[string]int{}}
	if d.at != "" {
		c.note(p.life(f, orders{At: d.at, Lose: d.lose}))
	}
	if d.again != "" {
		if d.at == midCalls {
			f.awaitAnswer()
		}
		c.note(p.life(f, orders{At: d.again, Lose: d.lose}))
	}
	c.note(p.life(f, orders{}))
	stop()
	if aside && f.stood() {
		t.Log("the machine stood still")
		return false
	}
	p.untroubled()
	p.turns(f)
	f.sameBooks(t, c.site)
	return true
}

// stood reports whether a process of the installation did not run for a second.
func (f *field) stood() bool {
	if strings.Contains(readText(f.path("victim.log")), "the process stood still") {
		return true
	}
	agents, err := truth.ReadFile(f.path("agents.log"))
	if err != nil {
		f.t.Fatal(err)
	}
	return slices.ContainsFunc(append(agents, f.heard()...), func(l truth.Line) bool {
		return l.Kind == truth.Stall && l.Until.Sub(l.Since) > time.Second
	})
}

// awaitAnswer waits until a callee has answered.
func (f *field) awaitAnswer() {
	f.t.Helper()
	await(f.t, 10*time.Second, "an answer", func() bool {
		return slices.ContainsFunc(readRung(f.heard()), func(r *rung) bool { return !r.answered.IsZero() })
	})
}

func (c *crashes) note(steps []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range steps {
		c.took[s] = true
	}
}

// complete checks that the table holds all steps that were taken. That those of
// the table are taken, each run has shown.
func (c *crashes) complete(t *testing.T) {
	known := map[string]bool{}
	for _, parts := range slices.Concat(workSteps(), endSteps(), restartSteps(), tornSteps(), rareSteps()) {
		for _, s := range parts {
			known[s] = true
		}
	}
	for s := range c.took {
		if !known[s] {
			t.Errorf("a step that no kill covers: %q", s)
		}
	}
}

// verify checks the journal's chain.
func (f *field) verify() {
	f.t.Helper()
	v, err := journal.Verify(filepath.Join(f.data, journalFolder))
	if err != nil {
		f.t.Fatal(err)
	}
	if !v.OK {
		f.t.Errorf("the journal does not hold: %v", v.Broken)
	}
}

// show is the story of the calls, for a failure.
func (f *field) show() string {
	var b strings.Builder
	lines := f.heard()
	slices.SortStableFunc(lines, func(a, b truth.Line) int { return a.At.Compare(b.At) })
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %-9s %s %s %d %s %s\n", clock(l.At), l.Kind, l.Number, l.CallID, l.Status, l.By, l.Voice)
	}
	return b.String()
}
