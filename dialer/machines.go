package dialer

import (
	"hash/fnv"
	"time"

	"pronto/campaigns"
	"pronto/dialer/detect"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// Who answered is listened for after the call was put through, so that nobody waits for the answer: a person hears the
// agent, and the agent hears the tone that says it is a machine, or is free. See docs/decisions/0013-answering-machines.md.

// What was done about a finding, in the journal.
const (
	didTell    = "told"     // the agent heard the tone
	didRelease = "released" // the call was ended
	didAudit   = "audited"  // told instead of released, so that the agent says whether it was one
)

// correctable is the longest wrap-up after a released call: time for the agent to say that it was a person.
const correctable = 5 * time.Second

// listen has the desk find out who answered, where the campaign asks for it.
func (l *loop) listen(c *call) {
	if c.camp.Machines.Do == campaigns.MachinesOff {
		return
	}
	l.svc.Desk.Listen(c.audio, func(f detect.Finding) {
		l.post(func(now time.Time) { l.found(c, f, now) })
	})
}

// found takes what was heard. A call that is over, or being ended, is left alone; so is one of which the agent has
// said already what it is.
func (l *loop) found(c *call, f detect.Finding, now time.Time) {
	if l.calls[c.id] != c || c.state != waiting && c.state != connected {
		return
	}
	rec := c.entry(journal.Detected, now, c.leg.CallID())
	rec.Outcome, rec.Reason = string(f.Verdict), string(f.Reason)
	if c.agent != nil {
		rec.Agent = c.agent.name
	}
	d := journal.DetectedDetail{AfterMS: ms(now.Sub(c.answered)), SoundMS: ms(f.After)}
	if f.Verdict != detect.Machine || c.said.Word != "" {
		l.svc.scribe.note(rec, d)
		return
	}
	c.machine = f.Reason
	l.tally.Machines++
	d.Did = c.remedy()
	if d.Did == didRelease {
		l.tally.Released++
		d.Counts = c.camp.Machines.FalsePositives
		l.svc.scribe.note(rec, d)
		l.releaseMachine(c, now)
		return
	}
	if c.agent != nil {
		l.svc.Desk.Signal(c.agent.line.audio)
	}
	l.svc.scribe.note(rec, d)
}

// remedy is what is done about a machine: the attempt's id decides whether it is one that agents judge.
func (c *call) remedy() string {
	m := c.camp.Machines
	if m.Do != campaigns.MachinesRelease {
		return didTell
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.attempt)) // never fails
	if float64(h.Sum32()>>8)/(1<<24) < m.Audit {
		return didAudit
	}
	return didRelease
}

// releaseMachine ends the call and frees its agent. The estimated part of it that is a person counts as abandoned.
func (l *loop) releaseMachine(c *call, now time.Time) {
	c.released = true
	if c.state == waiting {
		l.unwait(c)
		if !c.unpaced() {
			l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: pacing.Machine})
		}
	}
	l.estimate(c, now)
	l.hangUp(c, now)
	c.state = ending
}

// estimate corrects what a released call counts for: the campaign's estimate, or the whole of an abandoned call once the
// agent says that it was a person. It returns by how much.
func (l *loop) estimate(c *call, now time.Time) float64 {
	counts := c.camp.Machines.FalsePositives
	if c.person() {
		counts = 1
	}
	more := counts - c.counted
	if more != 0 {
		c.counted = counts
		l.pace.observe(pacing.Event{At: now, Kind: pacing.Counted, AbandonedElsewhere: more})
	}
	return more
}

// person reports whether the agent said that a released call was answered by a person.
func (c *call) person() bool {
	return c.released && c.said.Word != "" && c.camp.Does(c.said.Word) != campaigns.EffectMachine
}

// judged is the outcome of a released call by the agent's word, or without one by what was heard.
func (c *call) judged() campaigns.Outcome {
	if c.person() {
		return campaigns.Bridged
	}
	return campaigns.Machine
}
