package main

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/sandbox/truth"
)

// shared is what carrier and journals say about a run of several nodes.
type shared struct {
	*proof
	c  *nodes
	by map[string][]string // nodes that cleared a call, by Call-ID
	// lost are calls to numbers rung again that were in progress when their node died.
	lost int

	connected, abandoned, interrupted int // of all journals; those that met a dead process are among the abandoned
}

// judge reads everything once all nodes have ended.
func (c *nodes) judge() *shared {
	c.t.Helper()
	s := &shared{
		proof: &proof{t: c.options.t, offset: c.offset(), notes: map[string]int{}, calls: readRung(c.heard()), journal: map[string][]journal.Record{}},
		c:     c, by: map[string][]string{},
	}
	for _, n := range c.all {
		s.readNode(n)
	}
	s.evidence()
	s.onePlacedIt()
	s.again()
	s.voices()
	s.books()
	s.caps()
	return s
}

// readNode gathers a node's records.
func (s *shared) readNode(n *oneNode) {
	s.t.Helper()
	for r, err := range journal.Read(filepath.Join(n.data, journalFolder), journal.ReadOptions{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		switch r.Kind {
		case journal.Connected:
			s.connected++
		case journal.Abandoned:
			s.abandoned++
			if r.Reason != "" {
				s.interrupted++
			}
		}
		if r.Attempt == "" {
			continue
		}
		id := strings.ToLower(r.Attempt)
		s.journal[id] = append(s.journal[id], r)
		if r.Kind == journal.Cleared {
			s.by[id] = append(s.by[id], n.name)
		}
	}
	n.do("audit", "verify")
}

// onePlacedIt checks that each call that the carrier saw is in the journal of one
// node.
func (s *shared) onePlacedIt() {
	for _, r := range s.calls {
		if by := s.by[r.id]; len(by) != 1 {
			s.failf("not in one node's journal", "%s: %v", r, by)
		}
	}
}

// again checks that no number was rung again too early, whichever node rang it.
func (s *shared) again() {
	last := map[string]*rung{}
	for _, r := range s.calls {
		before := last[r.number]
		last[r.number] = r
		if before == nil {
			continue
		}
		if gap := r.invited.Sub(before.invited); gap < interruptedDelay-stall {
			s.failf("rung twice", "%s by %v: %s after %s by %v", r, s.by[r.id], gap.Round(time.Millisecond), before, s.by[before.id])
		}
		if gap := r.invited.Sub(before.invited); s.perhaps(before) && gap < perhapsDelay-stall {
			s.failf("perhaps dialed, rung too early", "%s by %v: %s after %s by %v", r, s.by[r.id], gap.Round(time.Millisecond), before, s.by[before.id])
		}
		if before.over.IsZero() || s.c.wasRough(before.over) {
			continue // perhaps dialed: the delay of an interrupted call holds
		}
		delay, ever := before.retryAfter()
		if gap := r.invited.Sub(before.over); !ever || gap < delay-stall {
			s.failf("rung again against its outcome", "%s by %v: %s after the end of %s by %v, status %d, answered %v",
				r, s.by[r.id], gap.Round(time.Millisecond), before, s.by[before.id], before.status, !before.answered.IsZero())
		}
	}
}

// perhaps reports whether a call was in progress when its node died.
func (s *shared) perhaps(r *rung) bool {
	for _, x := range s.c.rough {
		if slices.Contains(s.by[r.id], x.died) && r.invited.Before(x.from) && (r.over.IsZero() || r.over.After(x.from)) {
			s.lost++
			return true
		}
	}
	return false
}

// redialed counts the numbers that were rung again, and those rung by two nodes.
func (s *shared) redialed() (again, both int) {
	nodes := map[string]map[string]bool{}
	for _, r := range s.calls {
		if nodes[r.number] == nil {
			nodes[r.number] = map[string]bool{}
		} else {
			again++
		}
		for _, n := range s.by[r.id] {
			nodes[r.number][n] = true
		}
	}
	for _, n := range nodes {
		if len(n) > 1 {
			both++
		}
	}
	return again, both
}

// wasRough reports whether something was broken at an instant, or so soon after
// it that what ended then need not have reached the store.
func (c *nodes) wasRough(at time.Time) bool {
	for _, r := range c.rough {
		if at.After(r.from.Add(-settledBy)) && at.Before(r.to) {
			return true
		}
	}
	return false
}

// voices checks that who was put through heard that agent and no other.
func (s *shared) voices() {
	for _, r := range s.calls {
		c := s.find(r, journal.Connected)
		if c != nil && (len(r.voices) > 1 || len(r.voices) == 1 && r.voices[0] != c.Agent) {
			s.failf("crossed bridge", "%s was put through to %s and heard %v", r, c.Agent, r.voices)
		}
	}
}

// books checks that no lead was lost: each stands in the store, none as leased or
// dialing, every INVITE counts, and none is done that was never rung.
func (s *shared) books() {
	s.t.Helper()
	var doc leadsDoc
	first := *s.c.field
	first.installation = s.c.all[0].installation
	first.ask(&doc, "leads", "list", demoCampaign, "--limit", "0")
	if n := doc.Counts; n.Leased != 0 || n.Dialing != 0 {
		s.t.Errorf("after the end %d leads are leased and %d are being dialed", n.Leased, n.Dialing)
	}
	times := map[string]int{}
	for _, r := range s.calls {
		times[r.number]++
	}
	ours := 0
	for _, l := range doc.Leads {
		n := truth.Digits(string(l.Number))
		if l.Attempts < times[n] {
			s.failf("attempt not counted", "lead %d: %d attempts, rung %d times", l.ID, l.Attempts, times[n])
		}
		if strings.HasPrefix(l.External, "X") {
			ours++
			if soon := time.Now().Add(s.offset + 90*time.Second); times[n] == 0 && (l.Done || l.Due.After(soon)) {
				s.failf("lead lost", "lead %d was never rung: done %v, due %s", l.ID, l.Done, l.Due)
			}
		}
	}
	if ours != s.c.options.leads {
		s.t.Errorf("%d of %d leads are in the store", ours, s.c.options.leads)
	}
}

// caps checks the abandon rate of all nodes together, by their journals.
func (s *shared) caps() {
	const cap = 0.03 // of connected calls (rule set it)
	if float64(s.abandoned) > cap*float64(s.connected) {
		s.t.Errorf("%d of %d connected calls were abandoned, %d of them by dead processes: the cap is 3 %%", s.abandoned, s.connected, s.interrupted)
	}
}

// unrung are the numbers of the leads that nobody has rung.
func (c *nodes) unrung() map[string]bool {
	c.t.Helper()
	left := map[string]bool{}
	for line := range strings.Lines(string(c.read("leads.csv"))) {
		if id, rest, _ := strings.Cut(line, ","); strings.HasPrefix(id, "X") {
			number, _, _ := strings.Cut(rest, ",")
			left[truth.Digits(number)] = true
		}
	}
	for _, r := range readRung(c.heard()) {
		delete(left, r.number)
	}
	return left
}

// awaitAllRung waits until every lead was rung, and says of those that are not how
// they stand.
func (c *nodes) awaitAllRung(patience time.Duration) {
	c.t.Helper()
	for limit := time.Now().Add(patience); len(c.unrung()) > 0; c.let(500 * time.Millisecond) {
		if time.Now().Before(limit) {
			continue
		}
		left := c.unrung()
		var doc leadsDoc
		c.ask(&doc, "leads", "list", demoCampaign, "--limit", "0")
		c.t.Errorf("%d leads are not rung after %s; of all, %+v", len(left), patience, doc.Counts)
		for _, l := range doc.Leads {
			if len(left) < 20 && left[truth.Digits(string(l.Number))] {
				c.t.Logf("lead %d: %d attempts, last %q, due %s", l.ID, l.Attempts, l.LastOutcome, l.Due)
			}
		}
		return
	}
}
