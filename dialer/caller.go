package dialer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// caller is somebody who rang one of our caller IDs. The goroutine in run owns
// it; others hand it tasks.
type caller struct {
	svc  *Service
	log  *zap.Logger
	ring Ring
	id   string              // ULID
	camp *campaigns.Campaign // whose call is returned; nil: none's
	plan campaigns.Callback  // with its defaults
	// seller is on whose behalf the number was called.
	seller string
	last   Attempt // the last call to the number for the seller; no ID: none

	audio Audio
	leg   Leg
	loop  *loop // of the campaign, once it was asked for an agent
	call  *call // in that loop's books

	state    CallerState
	playing  int    // counts what is played: what is heard of earlier ones is stale
	rounds   int    // how often the greeting was played
	waits    int    // counts the waits for an agent
	opting   bool   // an opt-out is being written
	result   string // what came of the call, for the journal
	answered time.Time
	tasks    chan task
	over     chan struct{} // closed when run has returned
}

const (
	greetings = 3               // how often the greeting is played
	keyWait   = 5 * time.Second // for a key after each
	lastWait  = 10 * time.Second
)

// tell hands the caller a task. It does not wait.
func (c *caller) tell(t task) {
	select {
	case c.tasks <- t:
	default:
		go func() {
			select {
			case c.tasks <- t:
			case <-c.over:
			}
		}()
	}
}

// run answers, and serves the caller until the call is over.
func (c *caller) run(ctx context.Context) {
	defer close(c.over)
	if !c.answer(ctx) {
		return
	}
	defer c.audio.Close()
	go func() {
		if !present(c.leg, c.audio) {
			c.log.Warn("the far end of a call has gone without a BYE")
			c.leg.Hangup()
		}
	}()
	c.greet()
	stop := ctx.Done()
	for {
		select {
		case t := <-c.tasks:
			t(c.svc.Now())
		case <-stop:
			stop = nil
			c.leg.Hangup()
		case <-c.leg.Done():
			c.end(c.svc.Now())
			return
		}
	}
}

// answer takes the call. The store knows of it before the 200 leaves.
func (c *caller) answer(ctx context.Context) bool {
	var err error
	if c.audio, err = c.svc.Desk.Open(func(d byte) { c.tell(func(now time.Time) { c.key(d, now) }) }); err != nil {
		c.log.Error("no media port", zap.Error(err))
		c.ring.Refuse(statusUnavailable)
		c.missed(err)
		return false
	}
	c.svc.Desk.Part(c.audio, Comfort)
	leg, err := c.ring.Answer(ctx, c.audio, func(d Dialog) error {
		return c.svc.CallerBook.RememberCaller(ctx, Caller{ID: c.id, Number: c.ring.Caller(), Campaign: c.campaign(), Dialog: d, At: c.svc.Now()})
	})
	if err != nil {
		c.audio.Close()
		c.forget()
		c.missed(err)
		return false
	}
	c.leg, c.answered = leg, c.svc.Now()
	c.setState(CallerGreeted)
	c.note(journal.CallerAnswered, c.answered, journal.CalledBackDetail{CallerID: string(c.ring.Called()), Trunk: c.ring.Trunk(), Prompt: c.greeting()})
	return true
}

// missed journals a call that was not answered.
func (c *caller) missed(why error) {
	c.log.Info("somebody who rang back was not answered", zap.Error(why))
	c.note(journal.CallerMissed, c.svc.Now(), journal.CalledBackDetail{CallerID: string(c.ring.Called()), Trunk: c.ring.Trunk(), Text: why.Error()})
}

func (c *caller) campaign() string {
	if c.camp == nil {
		return ""
	}
	return c.camp.Name
}

// entry begins a journal record about the call.
func (c *caller) entry(step string, now time.Time) journal.Record {
	return journal.Record{
		At: now, Kind: journal.CalledBack, Campaign: c.campaign(), Attempt: c.id, Lead: int64(c.last.Lead),
		CallID: c.ring.CallID(), Number: string(c.ring.Caller()), Outcome: step,
	}
}

func (c *caller) note(step string, now time.Time, d journal.CalledBackDetail) {
	d.Withheld = c.ring.Caller() == ""
	c.svc.scribe.note(c.entry(step, now), d)
}

func (c *caller) setState(s CallerState) {
	c.state = s
	c.svc.mu.Lock()
	defer c.svc.mu.Unlock()
	c.svc.callers[c.id] = CallerLive{Campaign: c.campaign(), State: s, Since: c.answered}
}

// forget takes the call out of what a restart would end.
func (c *caller) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), bookWait)
	defer cancel()
	if err := c.svc.CallerBook.ForgetCaller(ctx, c.id); err != nil {
		c.log.Warn("the call is not forgotten: the next start will try to end it", zap.Error(err))
	}
}

// after runs a task when d has passed, unless something else is played first.
func (c *caller) after(d time.Duration, t task) {
	n := c.playing
	time.AfterFunc(d, func() {
		c.tell(func(now time.Time) {
			if n == c.playing {
				t(now)
			}
		})
	})
}

// play plays the first prompt that there is, then runs a task, unless something
// else is played or the caller put through before.
func (c *caller) play(then task, prompts ...string) {
	c.playing++
	n := c.playing
	for _, p := range prompts {
		if p == "" || !c.svc.Desk.HasPrompt(p) {
			continue
		}
		err := c.svc.Desk.Play(c.audio, p, func() {
			c.tell(func(now time.Time) {
				if n == c.playing {
					then(now)
				}
			})
		})
		if err == nil {
			return
		}
		c.log.Error("prompt not played", zap.String("prompt", p), zap.Error(err))
	}
	c.after(keyWait, then)
}

// greeting is the prompt that says who called and why, or the tone in its place.
func (c *caller) greeting() string {
	for _, p := range []string{c.plan.Prompt, c.svc.Callbacks.Prompt} {
		if p != "" && c.svc.Desk.HasPrompt(p) {
			return p
		}
	}
	return ToneHello
}

// greet says who called and why, a few times, and waits for a key after each.
func (c *caller) greet() {
	c.rounds++
	c.setState(CallerGreeted)
	c.play(func(time.Time) {
		c.after(keyWait, func(time.Time) {
			if c.rounds < greetings {
				c.greet()
				return
			}
			c.leg.Hangup()
		})
	}, c.greeting())
}

// end writes the end of the call.
func (c *caller) end(now time.Time) {
	c.forget()
	e := c.leg.Ended()
	d := journal.CalledBackDetail{ByFar: e.ByFar, Result: c.result, LastMS: ms(now.Sub(c.answered))}
	if e.Err != nil && !errors.Is(e.Err, context.Canceled) {
		d.Text = e.Err.Error()
	}
	c.note(journal.CallerEnded, now, d)
	c.svc.mu.Lock()
	defer c.svc.mu.Unlock()
	delete(c.svc.callers, c.id)
}
