package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/sandbox/truth"
)

// shared is what carriers and journals say about a run of several nodes.
type shared struct {
	*proof
	c  *nodes
	by map[string][]string // nodes that cleared a call, by attempt

	again  int // calls to numbers that had been rung
	both   int // numbers rung by more than one node
	orphan int // calls to numbers that rang when their node died

	connected, abandoned, interrupted int // of all journals; those that met a dead process are among the abandoned
	sipp                              int // calls at sipp's carriers
}

// judge reads everything once all nodes have ended.
func (c *nodes) judge() *shared {
	c.t.Helper()
	s := &shared{
		proof: &proof{t: c.options.t, offset: c.offset(), notes: map[string]int{}, calls: c.rungs(), journal: map[string][]journal.Record{}},
		c:     c, by: map[string][]string{},
	}
	for _, n := range c.all {
		s.readNode(n)
	}
	s.evidence()
	s.onePlacedIt()
	s.redials()
	s.accounted()
	s.voices()
	s.books()
	s.caps()
	return s
}

// rungs is what all carriers met so far, in the order of the INVITEs. The calls are
// known by their attempts: one that a trunk turned away may come by the next.
func (c *nodes) rungs() []*rung {
	all := append(readRung(c.heard()), c.heardBySipp()...)
	for _, r := range all {
		r.id, _, _ = strings.Cut(r.id, "-")
	}
	slices.SortStableFunc(all, func(a, b *rung) int { return a.invited.Compare(b.invited) })
	return all
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
		r.Personal, r.Detail = nil, nil // nobody asks for them
		s.journal[id] = append(s.journal[id], r)
		if r.Kind == journal.Cleared {
			s.by[id] = append(s.by[id], n.name)
		}
	}
	n.do("audit", "verify")
}

// onePlacedIt checks that each call that a carrier saw is in the journal of one
// node.
func (s *shared) onePlacedIt() {
	for _, r := range s.calls {
		if by := s.by[r.id]; len(by) != 1 {
			s.failf("not in one node's journal", "%s: %v", r, by)
		}
		if r.mute {
			s.sipp++
		}
	}
}

// node is the one that placed the call; faraway: none or several.
func (s *shared) node(r *rung) int {
	return slices.IndexFunc(s.c.all, func(n *oneNode) bool { return len(s.by[r.id]) == 1 && s.by[r.id][0] == n.name })
}

// redials checks that no number was rung again before its delay had passed,
// whichever node rang it and whatever had happened.
func (s *shared) redials() {
	last, nodes, mixed := map[string]*rung{}, map[string]int{}, map[string]bool{}
	for _, r := range s.calls {
		before, node := last[r.number], s.node(r)
		last[r.number] = r
		if before == nil {
			nodes[r.number] = node
			continue
		}
		if before.turnedAway() && before.id == r.id {
			continue // by the next trunk
		}
		s.again++
		if nodes[r.number] != node && !mixed[r.number] {
			mixed[r.number] = true
			s.both++
		}
		least := s.c.options.delay - stall - s.c.missed(before.invited)
		if gap := r.invited.Sub(before.invited); gap < least {
			s.failf("rung twice", "%s by %v: %s after %s by %v; %s", r, s.by[r.id], gap.Round(time.Millisecond), before, s.by[before.id], s.c.about(before))
		}
		if s.orphaned(before) {
			s.orphan++
		}
		if s.rough(before) {
			continue // perhaps dialed: what the node knows of the end need not be what the carrier knows
		}
		ever := before.answered.IsZero() && before.status != 404 // else it spoke to somebody, or does not exist
		if gap := r.invited.Sub(before.over); !ever || gap < least {
			s.failf("rung again against its outcome", "%s by %v: %s after the end of %s by %v, status %d, answered %v; %s",
				r, s.by[r.id], gap.Round(time.Millisecond), before, s.by[before.id], before.status, !before.answered.IsZero(), s.c.about(before))
		}
	}
}

// turnedAway reports whether the carrier did not take the call.
func (r *rung) turnedAway() bool {
	return !r.rang && r.answered.IsZero() && r.status >= 500 && r.status < 600
}

// missed is how much of the time before an instant a far end may have taken to
// note what came: this process did not run then either.
func (c *nodes) missed(at time.Time) time.Duration {
	return c.still.between(at.Add(-5*time.Second), at)
}

// orphaned reports whether a call was in progress when its node died.
func (s *shared) orphaned(r *rung) bool {
	return slices.ContainsFunc(s.c.happened, func(x *trouble) bool {
		return x.kind == killed && x.node == s.node(r) && r.invited.Before(x.began) && (r.over.IsZero() || r.over.After(x.began))
	})
}

// rough reports whether something was broken at the call's node while it lasted, or
// so soon after that its end need not have reached the store.
func (s *shared) rough(r *rung) bool {
	begun := r.invited // as the node has it: the first INVITE may have been lost
	if c := s.find(r, journal.Cleared); c != nil {
		begun = c.At.Add(-s.offset)
	}
	return r.over.IsZero() || slices.ContainsFunc(s.c.happened, func(x *trouble) bool {
		return x.hits(s.node(r)) && x.began.Before(r.over.Add(settledBy)) && x.ended.Add(settledBy).After(begun)
	})
}

// about names the troubles that a call met.
func (c *nodes) about(r *rung) string {
	var met []string
	for _, x := range c.happened {
		if x.began.Before(cmp.Or(r.over, r.invited).Add(10*time.Second)) && x.ended.After(r.invited.Add(-10*time.Second)) {
			met = append(met, x.String())
		}
	}
	return strings.Join(met, "; ")
}

// accounted checks that each answer is in the journal, unless the node was cut off
// from the carriers and need not have heard of it.
func (s *shared) accounted() {
	for _, r := range s.calls {
		if r.answered.IsZero() || s.find(r, journal.Answered, journal.Interrupted, journal.Abandoned) != nil {
			continue
		}
		deaf := slices.ContainsFunc(s.c.happened, func(x *trouble) bool {
			return x.hits(s.node(r)) && x.kind != cutRedis && x.node != faraway && x.began.Before(r.answered.Add(time.Minute)) && x.ended.After(r.answered)
		})
		if !deaf {
			s.failf("answer unaccounted", "%s, answered %s; %s", r, clock(r.answered), s.c.about(r))
		}
	}
}

// voices checks that who was put through heard the agent that they were put through
// to, or the next one when that one's phone was gone, and no other.
func (s *shared) voices() {
	for _, r := range s.calls {
		var agents []string
		for _, rec := range s.journal[r.id] {
			if rec.Kind == journal.Connected {
				agents = append(agents, rec.Agent)
			}
		}
		for _, v := range r.voices {
			if !slices.Contains(agents, v) {
				s.failf("crossed bridge", "%s was put through to %v and heard %v", r, agents, r.voices)
			}
		}
	}
}

// books checks that no lead was lost: each stands in the store, none as leased or
// dialing, every attempt counts, and what was never rung is not done and is due before long: a
// quarter of an hour after a clearance that a node did not use before it died.
func (s *shared) books() {
	s.t.Helper()
	doc := s.c.leads("0")
	if n := doc.Counts; n.Leased != 0 || n.Dialing != 0 {
		s.t.Errorf("after the end %d leads are leased and %d are being dialed", n.Leased, n.Dialing)
	}
	times, attempts := map[string]int{}, map[string]bool{}
	for _, r := range s.calls {
		if !attempts[r.id] {
			attempts[r.id] = true
			times[r.number]++
		}
	}
	ours := 0
	for _, l := range doc.Leads {
		n := truth.Digits(string(l.Number))
		if l.Attempts < times[n] {
			s.failf("attempt not counted", "lead %d: %d attempts, rung %d times", l.ID, l.Attempts, times[n])
		}
		if strings.HasPrefix(l.External, "X") {
			ours++
			if soon := time.Now().Add(s.offset + s.c.options.delay + 15*time.Minute); times[n] == 0 && (l.Done || l.Due.After(soon)) {
				s.failf("lead lost", "lead %d was never rung: done %v, due %s, %d attempts, last %q", l.ID, l.Done, l.Due, l.Attempts, l.LastOutcome)
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
