package report

import (
	"fmt"
	"strings"

	"pronto/dialer/journal"
)

// Callbacks counts the calls of people who rang a caller ID.
type Callbacks struct {
	Answered int  `json:"answered"`
	Missed   int  `json:"missed"`    // rang, and were not answered
	OptedOut int  `json:"opted_out"` // by key, in the call
	Agent    int  `json:"agent"`     // put through
	Later    int  `json:"later"`     // want to be called back
	NoLead   int  `json:"no_lead"`   // of those: no lead, so that somebody must call
	Withheld int  `json:"withheld"`  // showed no number
	Wait     Mean `json:"answer_to_agent_seconds"`
}

// take counts a CalledBack record; put tells whether the call was put through before.
func (c *Callbacks) take(r journal.Record, put bool) {
	d := detail[journal.CalledBackDetail](r)
	switch r.Outcome {
	case journal.CallerAnswered:
		c.Answered++
		if d.Withheld {
			c.Withheld++
		}
	case journal.CallerMissed:
		c.Missed++
	case journal.CallerKey:
		if d.Does == journal.WishLater && d.Text == "" {
			c.Later++
			if d.NoLead {
				c.NoLead++
			}
		}
	case journal.CallerConnected:
		if !put {
			c.Agent++
			c.Wait.addPositive(d.WaitMS / 1000)
		}
	case journal.CallerEnded:
		if d.Result == journal.WishOptOut {
			c.OptedOut++
		}
	}
}

func (c *Callbacks) plus(o *Callbacks) *Callbacks {
	if o == nil {
		return c
	}
	if c == nil {
		c = &Callbacks{}
	}
	c.Answered += o.Answered
	c.Missed += o.Missed
	c.OptedOut += o.OptedOut
	c.Agent += o.Agent
	c.Later += o.Later
	c.NoLead += o.NoLead
	c.Withheld += o.Withheld
	c.Wait.plus(o.Wait)
	return c
}

// calledBack says a record of a call from somebody who rang back in plain English.
func calledBack(r journal.Record) string {
	d := detail[journal.CalledBackDetail](r)
	switch r.Outcome {
	case journal.CallerMissed:
		return "Somebody rang" + phrase(" ", d.CallerID) + through(d.Trunk) + " and was not answered" + phrase(": ", d.Text) + "."
	case journal.CallerAnswered:
		s := "The person rang" + phrase(" ", d.CallerID) + through(d.Trunk) + " and was answered"
		return s + phrase(" with the prompt ", d.Prompt) + "."
	case journal.CallerKey:
		return pressed(d)
	case journal.CallerConnected:
		return fmt.Sprintf("Put through to %s, %.0f ms after the answer.", agent("agent", r), d.WaitMS)
	case journal.CallerTalked:
		s := fmt.Sprintf("The talk with %s lasted %.1f s", agent("agent", r), d.TalkMS/1000)
		if d.Disposition != "" {
			s += ", who entered: " + words(d.Disposition)
		}
		return s + lead(d) + "."
	case journal.CallerDisposed:
		return fmt.Sprintf("%s entered: %s%s.", agent("Agent", r), words(d.Disposition), lead(d))
	}
	s := "The call is over"
	switch {
	case r.Reason != "":
		return s + ": the service had died (" + words(r.Reason) + ")."
	case d.ByFar:
		s += ", the caller hung up"
	}
	return s + fmt.Sprintf(" after %.1f s.", d.LastMS/1000)
}

// pressed says what a key was for.
func pressed(d journal.CalledBackDetail) string {
	wishes := map[string]string{
		journal.WishOptOut: "to be called no more", journal.WishAgent: "for an agent", journal.WishLater: "to be called back",
	}
	s := "The caller pressed " + d.Key + " " + wishes[d.Does]
	switch {
	case d.Text != "":
		s += ", which was not done: " + d.Text
	case d.NoLead:
		s += "; there is no lead to be called, somebody must see to it"
	}
	return s + lead(d) + "."
}

// lead says what becomes of the lead.
func lead(d journal.CalledBackDetail) string {
	switch {
	case d.Settled == nil:
		return ""
	case d.Settled.Done:
		return "; no further attempt"
	}
	return "; due again from " + instant(d.Settled.RetryAt)
}

// disposed says what an agent entered.
func disposed(r journal.Record, d journal.DisposedDetail) string {
	s := fmt.Sprintf("%s entered: %s", agent("Agent", r), words(r.Outcome)) + phrase(", entered by ", d.Who)
	if !d.Callback.IsZero() {
		s += "; a call is agreed for " + instant(d.Callback) + phrase(", by ", d.For)
	}
	if len(d.Missing) > 0 {
		s += "; without the answers that it needs: " + strings.Join(d.Missing, ", ")
	}
	return s + "."
}
