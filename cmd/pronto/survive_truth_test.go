package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/sandbox/truth"
)

// rung is one call as the carrier met it.
type rung struct {
	id, number string
	invited    time.Time
	answered   time.Time // 200 sent
	agent      time.Time // an agent's voice was first heard
	voices     []string  // of agents, in order
	over       time.Time // final response other than 200, or BYE; zero: neither came
	status     int       // of that response
	cancelled  bool
	byDialer   bool // the BYE
	rang       bool // 180 or 183 sent
	mute       bool // at a carrier without audio
}

func (r *rung) String() string {
	return fmt.Sprintf("call %s to ...%s, rung %s", r.id, r.number[max(0, len(r.number)-4):], clock(r.invited))
}

// readRung puts the carrier's lines together, in the order of the INVITEs.
func readRung(lines []truth.Line) []*rung {
	byID := map[string]*rung{}
	var all []*rung
	for _, l := range lines {
		r := byID[l.CallID]
		if r == nil {
			if l.Kind != truth.Invite {
				continue
			}
			r = &rung{id: l.CallID, number: truth.Digits(l.Number), invited: l.At}
			byID[l.CallID] = r
			all = append(all, r)
		}
		switch l.Kind {
		case truth.Ringing:
			r.rang = true
		case truth.Answered:
			r.answered = l.At
		case truth.Hears:
			if !strings.HasPrefix(l.Voice, "agent") {
				continue
			}
			if r.agent.IsZero() {
				r.agent = l.Since
			}
			if !slices.Contains(r.voices, l.Voice) {
				r.voices = append(r.voices, l.Voice)
			}
		case truth.Cancel:
			r.cancelled = true
		case truth.Refused:
			r.over, r.status = l.At, l.Status
		case truth.Bye:
			r.over, r.byDialer = l.At, l.By == truth.ByDialer
		}
	}
	return all
}

// life is one run of the service.
type life struct {
	began time.Time
	ended time.Time // killed, or told to end
}

// proof is what the far ends and the inputs say about a run with kills.
type proof struct {
	t       *testing.T
	calls   []*rung
	lives   []life
	allowed map[string]bool             // digits of the numbers that may be rung
	journal map[string][]journal.Record // by Call-ID
	offset  time.Duration               // the service's clock minus the machine's
	notes   map[string]int              // failures by kind: only the first few are shown
	trouble []string                    // what went wrong while the service ran
}

// failf reports the first failures of a kind.
func (p *proof) failf(kind, format string, args ...any) {
	p.t.Helper()
	if p.notes[kind]++; p.notes[kind] <= 5 {
		p.t.Errorf(kind+": "+format, args...)
	}
}

// of is the index of the life that placed the call.
func (p *proof) of(r *rung) int {
	i := len(p.lives) - 1
	for i > 0 && p.lives[i].began.After(r.invited) {
		i--
	}
	return i
}

const (
	// stall is what the machine may add to an instant in a far end's log: the
	// tests run beside others on few cores, and a process may not run for a while.
	stall = 300 * time.Millisecond
	// mercy is when a restart must have ended every call of a dead process, and
	// late what a loaded machine may add to it: the start of the process counts too.
	mercy = 5 * time.Second
	late  = 1500 * time.Millisecond
	// settledBy is how long before a kill a call must have ended for its outcome to
	// be on disk for certain: journal and store follow in a few syncs.
	settledBy = time.Second
)

// retryAfter is the campaign's delay after how a call ended at the carrier; false:
// the number must not be rung again.
func (r *rung) retryAfter() (time.Duration, bool) {
	switch {
	case !r.answered.IsZero() || r.status == 404:
		return 0, false // spoke to an agent, was abandoned (days), left (a day), or does not exist
	case r.status == 486:
		return busyDelay, true
	case r.status == 503:
		return failedDelay, true
	case r.status == 603:
		return rejectedDelay, true
	default:
		return noAnswerDelay, true
	}
}

// redials checks that no number was rung again too early, and counts redials.
func (p *proof) redials() (n int) {
	last := map[string]*rung{}
	for _, r := range p.calls {
		before := last[r.number]
		last[r.number] = r
		if before == nil {
			continue
		}
		n++
		if gap := r.invited.Sub(before.invited); gap < interruptedDelay-stall {
			p.failf("rung too early", "%s: %s after %s", r, gap.Round(time.Millisecond), before)
		}
		if life := p.lives[p.of(before)]; before.over.IsZero() || before.over.After(life.ended.Add(-settledBy)) {
			continue // perhaps dialed: the delay of an interrupted call holds
		}
		delay, ever := before.retryAfter()
		if gap := r.invited.Sub(before.over); !ever || gap < delay-stall {
			p.failf("rung again against its outcome", "%s: %s after the end of %s, status %d, answered %v", r, gap.Round(time.Millisecond), before, before.status, !before.answered.IsZero())
		}
	}
	return n
}

// evidence checks that every INVITE was cleared before it and that no forbidden
// number was rung.
func (p *proof) evidence() {
	for _, r := range p.calls {
		if p.allowed != nil && !p.allowed[r.number] {
			p.failf("forbidden number rung", "%s", r)
		}
		cleared := p.find(r, journal.Cleared)
		switch {
		case cleared == nil:
			p.failf("no evidence", "%s", r)
		case truth.Digits(cleared.Number) != r.number:
			p.failf("no evidence", "%s: its clearance is for another number", r)
		case cleared.At.After(r.invited.Add(p.offset + 5*time.Millisecond)):
			p.failf("no evidence", "%s: cleared %s after the INVITE", r, cleared.At.Sub(r.invited.Add(p.offset)))
		}
	}
}

// find is the call's first record of a kind.
func (p *proof) find(r *rung, kinds ...journal.Kind) *journal.Record {
	for i, rec := range p.journal[r.id] {
		if slices.Contains(kinds, rec.Kind) {
			return &p.journal[r.id][i]
		}
	}
	return nil
}

// answers checks that every answer is in the journal and was ended in time, and
// counts those that met a dead process and no agent.
func (p *proof) answers() (met int) {
	for _, r := range p.calls {
		if r.answered.IsZero() {
			continue
		}
		if p.find(r, journal.Answered, journal.Interrupted) == nil {
			p.failf("answer unaccounted", "%s", r)
		}
		died := p.lives[p.of(r)].ended
		if !r.over.IsZero() && r.over.Before(died) {
			continue
		}
		if r.over.IsZero() || r.over.After(p.deadline(r)) {
			p.failf("left in silence", "%s, answered %s: ended %s, the restart had until %s", r, clock(r.answered), clock(r.over), clock(p.deadline(r)))
		}
		if r.agent.IsZero() && r.byDialer {
			if p.counted(r, died) {
				met++
			}
		}
	}
	return met
}

// bridges checks that who was put through heard that agent and no other.
func (p *proof) bridges() {
	for _, r := range p.calls {
		c := p.find(r, journal.Connected)
		if c == nil {
			continue
		}
		if len(r.voices) > 1 || len(r.voices) == 1 && r.voices[0] != c.Agent {
			p.failf("crossed bridge", "%s was put through to %s and heard %v", r, c.Agent, r.voices)
		}
		until := p.lives[p.of(r)].ended
		if !r.over.IsZero() && r.over.Before(until) {
			until = r.over
		}
		if joined := c.At.Add(-p.offset); r.agent.IsZero() && until.Sub(joined) > deaf {
			p.failf("silent bridge", "%s was put through to %s for %s and heard nobody", r, c.Agent, until.Sub(joined))
		}
	}
}

// deaf is how long a callee may need to make out a voice.
const deaf = time.Second

// deadline is when a call that outlived its process must be over: the first
// restart that lived long enough had time for it.
func (p *proof) deadline(r *rung) time.Time {
	for _, l := range p.lives[p.of(r)+1:] {
		from := l.began
		if r.answered.After(from) {
			from = r.answered
		}
		if by := from.Add(mercy + late); l.ended.After(by) {
			return by
		}
	}
	return time.Now()
}

// counted reports whether an answer that met a dead process is counted as
// abandoned, as it must be. One that was put through in the last moment need not be: the callee
// takes a while to make out the agent's voice.
func (p *proof) counted(r *rung, died time.Time) bool {
	p.t.Helper()
	if p.find(r, journal.Abandoned) != nil {
		return true
	}
	if c := p.find(r, journal.Connected); c == nil || c.At.Before(died.Add(p.offset-deaf)) {
		p.failf("not counted as abandoned", "%s, answered %s, process died %s", r, clock(r.answered), clock(died))
	}
	return false
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }

// leads checks that none was lost: what the inputs allow was rung or is still
// due, every INVITE counts as an attempt, and nothing stands as leased or dialing.
func (p *proof) leads(doc leadsDoc) {
	times := map[string]int{}
	for _, r := range p.calls {
		times[r.number]++
	}
	if c := doc.Counts; c.Leased != 0 || c.Dialing != 0 {
		p.t.Errorf("after the end %d leads are leased and %d are being dialed", c.Leased, c.Dialing)
	}
	seen := map[string]bool{}
	for _, l := range doc.Leads {
		n := truth.Digits(string(l.Number))
		seen[n] = true
		switch rung := times[n]; {
		case l.Attempts < rung:
			p.failf("attempt not counted", "lead %d: %d attempts, rung %d times", l.ID, l.Attempts, rung)
		case l.Attempts > rung+len(p.lives)-1:
			p.failf("attempt without a call", "lead %d: %d attempts, rung %d times", l.ID, l.Attempts, rung)
		case p.allowed[n] && rung == 0 && l.Done:
			p.failf("lead lost", "lead %d is done and was never rung", l.ID)
		case !p.allowed[n] && l.Attempts > 0:
			p.failf("attempt on a forbidden lead", "lead %d: %d attempts", l.ID, l.Attempts)
		}
	}
	for n := range p.allowed {
		if !seen[n] {
			p.failf("lead lost", "...%s is in the list and not in the store", n[len(n)-4:])
		}
	}
}
