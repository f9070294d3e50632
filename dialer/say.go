package dialer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/detect"
	"pronto/dialer/journal"
)

// Said is what an agent enters about the call that they are on or have just had.
type Said struct {
	Agent   string
	Word    string            // disposition
	Answers map[string]string // to the script, beside those given before; an empty answer takes one back
	At      time.Time         // agreed with the person, of a disposition that does callback
	Mine    bool              // the agreed call is for this agent
	Note    string            // in the agent's own words; kept in the journal
	Next    bool              // the wrap-up is over
	Via     string            // dtmf, cli, desk
	Who     string            // who entered it, where that is not the agent's own phone
}

// Screen is what an agent is to see of the call that they are on or have just had.
type Screen struct {
	Agent        string                           `json:"agent"`
	State        AgentState                       `json:"state"`
	Campaign     string                           `json:"campaign"`
	Attempt      string                           `json:"attempt"`
	CalledBack   bool                             `json:"called_back,omitempty"` // the person rang us
	Lead         campaigns.Lead                   `json:"lead"`
	Machine      detect.Reason                    `json:"machine,omitempty"`     // why the call is taken for an answering machine's
	Disposition  string                           `json:"disposition,omitempty"` // entered so far
	Answers      map[string]string                `json:"answers,omitempty"`     // given so far, those of earlier calls included
	Missing      []string                         `json:"missing,omitempty"`     // required questions without an answer
	Script       []campaigns.Question             `json:"script,omitempty"`
	Dispositions map[string]campaigns.Disposition `json:"dispositions"`
	Recording    TapeState                        `json:"recording,omitempty"`
}

// ErrNoCall says that an agent has no call to look at or to speak of.
var ErrNoCall = errors.New("the agent is on no call and has had none since they became ready")

// farthest is how far ahead a call may be agreed.
const farthest = 365 * 24 * time.Hour

// Screen is what the agent is to see.
func (s *Service) Screen(name string) (Screen, error) {
	return s.atDesk(name, func(*loop, *agent, *call, time.Time) error { return nil })
}

// Say takes what an agent enters, or says what is wrong with it and changes
// nothing. Problems with answers are campaigns.Problems.
func (s *Service) Say(said Said) (Screen, error) {
	return s.atDesk(said.Agent, func(l *loop, a *agent, c *call, now time.Time) error {
		if err := l.check(c, said, now); err != nil {
			return err
		}
		l.dispose(a, c, said, now)
		if said.Next && a.state == WrapUp {
			l.next(a, "agent asked for the next call", now)
		}
		return nil
	})
}

// atDesk does something with an agent's call on its loop's goroutine and returns
// the screen that follows.
func (s *Service) atDesk(name string, do func(*loop, *agent, *call, time.Time) error) (Screen, error) {
	type answer struct {
		screen Screen
		err    error
	}
	answers := make(chan answer, 2)
	s.do(func() {
		st := s.floor.seats[name]
		if st == nil || st.loop == nil {
			answers <- answer{err: ErrNoCall}
			return
		}
		l := st.loop
		s.floorTask(func() {
			l.post(func(now time.Time) {
				a := l.agents[name]
				c := a.subject()
				if c == nil {
					answers <- answer{err: ErrNoCall}
					return
				}
				if err := do(l, a, c, now); err != nil {
					answers <- answer{err: err}
					return
				}
				answers <- answer{screen: a.screen(c)}
			})
			go func() {
				<-l.done
				answers <- answer{err: ErrNoCall}
			}()
		})
	})
	select {
	case got := <-answers:
		return got.screen, got.err
	case <-s.done:
		return Screen{}, ErrNoCall
	}
}

// subject is the call that an agent speaks of; nil: none.
func (a *agent) subject() *call {
	switch {
	case a == nil:
		return nil
	case a.call != nil && a.state != Reserved:
		return a.call
	default:
		return a.last
	}
}

func (a *agent) screen(c *call) Screen {
	lead := c.lead
	lead.Answers = nil
	return Screen{
		Agent: a.name, State: a.state, Campaign: lead.Campaign, Attempt: c.attempt, CalledBack: c.back != nil, Lead: lead, Machine: c.machine,
		Disposition: c.said.Word, Answers: c.allAnswers(nil), Missing: c.camp.Missing(c.allAnswers(nil)), Script: c.camp.Script, Dispositions: c.camp.Words(), Recording: c.tape.state,
	}
}

// allAnswers are the lead's answers with those given in this call and more; an
// empty one takes an answer back.
func (c *call) allAnswers(more map[string]string) map[string]string {
	all := maps.Clone(c.lead.Answers)
	for _, given := range []map[string]string{c.answers, more} {
		for name, answer := range given {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = answer
		}
	}
	maps.DeleteFunc(all, func(_, answer string) bool { return answer == "" })
	return all
}

// newAnswers are all of the lead's answers when this call changed them; nil: it
// did not.
func (c *call) newAnswers() map[string]string {
	if len(c.answers) == 0 {
		return nil
	}
	if all := c.allAnswers(nil); all != nil {
		return all
	}
	return map[string]string{}
}

// check says what is wrong with what an agent enters by hand.
func (l *loop) check(c *call, said Said, now time.Time) error {
	words := c.camp.Words()
	if _, ok := words[said.Word]; !ok {
		return fmt.Errorf("disposition %q: campaign %s has %s", said.Word, c.camp.Name, strings.Join(slices.Sorted(maps.Keys(words)), ", "))
	}
	callback := c.camp.Does(said.Word) == campaigns.EffectCallback
	switch {
	case !callback && (!said.At.IsZero() || said.Mine):
		return fmt.Errorf("disposition %q agrees no call: leave the time and the agent out", said.Word)
	case !said.At.IsZero() && !said.At.After(now):
		return fmt.Errorf("time of the agreed call: %s has passed", said.At.Format(time.RFC3339))
	case said.At.After(now.Add(farthest)):
		return fmt.Errorf("time of the agreed call: %s is more than a year ahead", said.At.Format(time.RFC3339))
	case len(said.Note) > 4000:
		return fmt.Errorf("note: %d bytes, 4000 are the most", len(said.Note))
	}
	return c.camp.CheckAnswers(said.Word, c.askedAnswers(said.Answers))
}

// askedAnswers are all answers but those of earlier calls that the script does
// not ask any more.
func (c *call) askedAnswers(given map[string]string) map[string]string {
	all := c.allAnswers(given)
	for name := range c.lead.Answers {
		_, now := given[name]
		_, before := c.answers[name]
		i := slices.IndexFunc(c.camp.Script, func(q campaigns.Question) bool { return q.Name == name })
		if !now && !before && (i < 0 || !c.camp.Script[i].Asked(all)) {
			delete(all, name)
		}
	}
	return all
}

// press notes the word of a key on the agent's phone.
func (l *loop) press(a *agent, key byte, now time.Time) {
	c := a.subject()
	if c == nil {
		return
	}
	if l.tapeKey(a, c, key, now) {
		return
	}
	if word := c.camp.WordOf(key); word != "" {
		l.dispose(a, c, Said{Agent: a.name, Word: word, Via: "dtmf"}, now)
	}
}

// dispose notes what an agent says of a call. What was said before stands as far
// as it is not said anew.
func (l *loop) dispose(a *agent, c *call, said Said, now time.Time) {
	c.answers = c.ownAnswers(said.Answers)
	c.said = campaigns.Said{Word: said.Word, At: said.At}
	if said.Mine {
		c.said.Agent = a.name
	}
	if c.back != nil {
		l.disposeCaller(a, c, now)
		return
	}
	rec := c.entry(journal.Disposed, now, c.result.Dialog.CallID)
	rec.Agent, rec.Outcome = a.name, said.Word
	if all := c.newAnswers(); all != nil || said.Note != "" {
		rec.Personal = encode(journal.DisposedPersonal{Answers: all, Note: said.Note})
	}
	d := journal.DisposedDetail{Does: string(c.camp.Does(said.Word)), Via: said.Via, Who: said.Who, Callback: said.At, For: c.said.Agent}
	if c.camp.Words()[said.Word].Complete {
		d.Missing = c.camp.Missing(c.allAnswers(nil))
	}
	if c.released {
		d.Counts = l.estimate(c, now)
	}
	if c.settled { // the call has ended: its settlement changes
		before := c.outcome
		if c.released {
			c.outcome = c.judged()
		}
		amended := settlement(c, c.outcome, now)
		settled := settledDetail(amended)
		if c.outcome != before {
			settled.Outcome = string(c.outcome)
		}
		d.Settled = &settled
		l.svc.scribe.settle(rec, d, amended)
	} else {
		l.svc.scribe.note(rec, d)
	}
	if c.camp.Does(said.Word) == campaigns.EffectOptOut {
		l.optOut(c, "agent", now)
	}
}

// ownAnswers are the answers given in this call, with more.
func (c *call) ownAnswers(more map[string]string) map[string]string {
	if len(c.answers) == 0 {
		return maps.Clone(more)
	}
	all := maps.Clone(c.answers)
	maps.Copy(all, more)
	return all
}

// disposeCaller notes the agent's word for somebody who rang back.
func (l *loop) disposeCaller(a *agent, k *call, now time.Time) {
	l.settleCaller(k, journal.CallerDisposed, a.name, now)
	if k.camp.Does(k.said.Word) != campaigns.EffectOptOut {
		return
	}
	if k.lead.Number == "" {
		l.log.Warn("somebody whose number is withheld cannot be put on the company's list", zap.String("attempt", k.attempt))
		return
	}
	l.svc.optOut(k, "agent", now)
}
