package dialer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/pacing"
)

// TestCall is a call that a person places to see a trunk work. The law knows no
// test: it is cleared, journaled and counted as every call of its campaign, and
// its answer, for which there is no agent, gets the campaign's abandon treatment.
type TestCall struct {
	Trunk    string
	Campaign CampaignRecord
	Lead     campaigns.Lead // with its number; a lead of the list is not touched
}

// TestedCall is what became of a TestCall.
type TestedCall struct {
	Attempt string
	Verdict dnc.Verdict       // without Allowed nothing was dialed
	Outcome campaigns.Outcome // of a call that was allowed
	Cause   Cause
	Passed  []Passed // the SIP messages of the call, in the order in which they passed
}

// Test places the call and returns when it is over. An ended ctx gives it up. Like
// any other call it waits until what the last process left is settled: else it would be taken for a part of that.
func (s *Service) Test(ctx context.Context, t TestCall) (TestedCall, error) {
	select {
	case <-s.begun:
	case <-s.done:
		return TestedCall{}, errors.New("the service has ended")
	case <-ctx.Done():
		return TestedCall{}, fmt.Errorf("test call: %w", ctx.Err())
	}
	policy, err := s.policyOf(t.Campaign.Campaign, t.Campaign.CreatedAt)
	if err != nil {
		return TestedCall{}, err
	}
	now := s.Now()
	camp := t.Campaign.Campaign
	c := &call{
		lead: t.Lead, camp: &camp, terms: t.Campaign.Terms(), attempt: s.newAttemptID(now), mark: s.pulse.mark(), countries: policy.TrunkCountries,
	}
	c.lead.ID, c.lead.Campaign = 0, camp.Name
	routes := s.Routing.Routes(Wish{Attempt: c.attempt, Trunks: []string{t.Trunk}})
	if len(routes) == 0 {
		return TestedCall{}, fmt.Errorf("no trunk %q", t.Trunk)
	}
	clearance, verdict, fenced := s.clear(ctx, c, routes)
	out := TestedCall{Attempt: c.attempt, Verdict: verdict}
	if !verdict.Allowed {
		return out, nil
	}
	if fenced != nil {
		s.settleTest(c, campaigns.Failed, End{Cause: Cause{Text: fenced.Error()}})
		return out, fenced
	}
	audio, err := s.Desk.Open(nil)
	if err != nil {
		s.settleTest(c, campaigns.Failed, End{Cause: Cause{Text: err.Error()}})
		return out, err
	}
	defer audio.Close()
	var ladder ladder
	leg, result := s.Trunk.Originate(ctx, clearance, Placing{
		Trunk: t.Trunk, Audio: audio, RingTimeout: camp.RingTimeout, Trace: ladder.add,
		Dialing: func(d Dialog) error { return s.invited(c, d) },
		Ringing: func(at time.Time, early Dialog) { s.noteRinging(c, at, early) },
		Answered: func(at time.Time, d Dialog) func() {
			return s.noteAnswered(c, at, d)
		},
	})
	c.result = result
	end := End{Cause: result.Cause}
	out.Outcome = result.Outcome
	if leg != nil {
		out.Outcome = s.treatTest(ctx, c, leg, audio, policy)
		end = leg.Ended()
	}
	s.settleTest(c, out.Outcome, end)
	if out.Outcome == campaigns.Unwanted {
		s.optOut(c, "sip607", s.Now())
	}
	out.Cause, out.Passed = end.Cause, ladder.all()
	return out, nil
}

// treatTest lets an answered call hear what one without an agent hears, to its end.
func (s *Service) treatTest(ctx context.Context, c *call, leg Leg, audio Audio, p Policy) campaigns.Outcome {
	s.Desk.Part(audio, Comfort)
	c.answered = c.result.Answered
	wait := time.NewTimer(p.Grace() - s.Now().Sub(c.answered))
	defer wait.Stop()
	outcome := campaigns.Abandoned
	select {
	case <-wait.C:
	case <-ctx.Done():
	case <-leg.Done():
		if !p.HangUps {
			return campaigns.HungUp
		}
	}
	now := s.Now()
	s.scribe.note(c.entry(journal.Abandoned, now, leg.CallID()), nil)
	s.countTest(c.camp.Name)
	action := p.Action
	if action == Message && ctx.Err() == nil {
		if err := s.Desk.Play(audio, c.camp.Message, leg.Hangup); err != nil {
			action = HangUp
		}
	}
	s.scribe.note(c.entry(journal.Treated, now, leg.CallID()), journal.TreatedDetail{Action: string(action), AfterMS: ms(now.Sub(c.answered))})
	if action != Message || ctx.Err() != nil {
		leg.Hangup()
	}
	<-leg.Done()
	return outcome
}

// countTest tells the campaign's pacing of an answer that it did not dial.
func (s *Service) countTest(campaign string) {
	s.floorTask(func() {
		if r := s.loops[campaign]; r != nil {
			r.loop.post(func(at time.Time) {
				r.loop.pace.observe(pacing.Event{At: at, Kind: pacing.Counted, AbandonedElsewhere: 1})
			})
		}
	})
}

func (s *Service) settleTest(c *call, o campaigns.Outcome, e End) {
	now := s.Now()
	rec := c.entry(journal.Ended, now, c.result.Dialog.CallID)
	rec.Outcome = string(o)
	a := settlement(c, o, now)
	s.scribe.settle(rec, endedDetail(c, e, a, now), a)
}

// ladder keeps the messages of a call.
type ladder struct {
	mu     sync.Mutex // protects passed
	passed []Passed
}

func (l *ladder) add(p Passed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passed = append(l.passed, p)
}

func (l *ladder) all() []Passed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Passed(nil), l.passed...)
}
