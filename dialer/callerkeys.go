package dialer

import (
	"context"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// key obeys a key. Who talks to an agent, or hears the last word, is past keys.
func (c *caller) key(d byte, now time.Time) {
	asking := c.state == CallerWaiting && c.loop == nil // the campaign is being asked
	if c.opting || asking || c.state == CallerTalking || c.state == CallerLeaving {
		return
	}
	switch string(d) {
	case c.plan.OptOut:
		c.withdraw(func() { c.optOut(now) })
	case c.plan.Agent:
		if c.state != CallerWaiting {
			c.askAgent(now)
		}
	case c.plan.Later:
		c.withdraw(func() { c.askLater(now) })
	}
}

// pressed journals a key and what it does.
func (c *caller) pressed(key, does, refused string, now time.Time) {
	c.note(journal.CallerKey, now, journal.CalledBackDetail{Key: key, Does: does, Text: refused})
}

// withheld says that a wish cannot be met without a number. An agent can help, where one is offered.
func (c *caller) withheld(key, does string, now time.Time) {
	c.pressed(key, does, "the number is withheld", now)
	c.play(func(time.Time) { c.greet() }, PromptWithheld, ToneSorry)
}

// optOut puts the caller's number on the company's list. It is acknowledged when it is in force.
func (c *caller) optOut(now time.Time) {
	if c.ring.Caller() == "" {
		c.withheld(c.plan.OptOut, journal.WishOptOut, now)
		return
	}
	c.opting = true
	c.playing++ // whatever plays goes on, and nothing follows it
	c.setState(CallerGreeted)
	c.pressed(c.plan.OptOut, journal.WishOptOut, "", now)
	o := dnc.OptOut{Number: c.ring.Caller(), Seller: c.seller, At: now, Source: "callback"}
	rec := c.entry("", now)
	rec.Kind, rec.Reason = journal.OptedOut, o.Source
	token := c.svc.scribe.begin()
	c.svc.background(func(ctx context.Context) {
		err := c.svc.putOptOut(ctx, token, rec, o)
		c.tell(func(time.Time) { c.optedOut(err) })
	})
}

// optedOut tells the caller what came of an opt-out.
func (c *caller) optedOut(err error) {
	c.opting = false
	if err != nil {
		c.play(func(time.Time) { c.greet() }, ToneSorry)
		return
	}
	c.result = journal.WishOptOut
	c.setState(CallerLeaving)
	c.play(func(time.Time) { c.leg.Hangup() }, PromptOptedOut, ToneDone)
}

// askLater makes the lead due again. An own wish is no consent: the gate decides
// about that call as about any other.
func (c *caller) askLater(now time.Time) {
	if c.ring.Caller() == "" {
		c.withheld(c.plan.Later, journal.WishLater, now)
		return
	}
	rec, d := c.entry(journal.CallerKey, now), journal.CalledBackDetail{Key: c.plan.Later, Does: journal.WishLater}
	if c.last.ID == "" || c.last.Outcome == "" { // never called, or being called just now
		d.NoLead = true
		c.svc.scribe.note(rec, d)
	} else {
		a := c.last
		a.Disposition, a.RetryAt, a.Done, a.Callback = "callback", now.Add(c.plan.Delay), false, true
		settled := settledDetail(a)
		d.Attempt, d.Settled = a.ID, &settled
		c.svc.scribe.settle(rec, d, a)
	}
	c.result = journal.WishLater
	c.setState(CallerLeaving)
	c.play(func(time.Time) { c.leg.Hangup() }, PromptLater, ToneDone)
}
