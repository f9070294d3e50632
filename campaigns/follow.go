package campaigns

import "time"

// Said is what an agent said came of a call. The zero value is nothing.
type Said struct {
	Word  string    // disposition
	At    time.Time // agreed with the person, where the disposition does callback; zero: soon
	Agent string    // who shall call then; empty: any agent
}

// Following is what becomes of a lead after an attempt.
type Following struct {
	Due      time.Time // when it is due again, unless Done
	Done     bool      // no further attempt
	Callback bool      // Due is what was agreed with the person,
	Agent    string    // for this agent; empty: for any
	Turn     int       // which of the lead's numbers is called next, from 0
	Refusal  bool      // the rule set's cool-off begins
	OptOut   bool      // the number goes on the company's list
}

// Follow says what becomes of a lead whose attempt ended with o at at, and of
// which the agent said something, or nothing. l is the lead as it was leased.
func (c *Campaign) Follow(l Lead, o Outcome, said Said, at time.Time) Following {
	effect := c.Does(said.Word)
	if effect == EffectMachine && o == Bridged {
		o = Machine
	}
	f := Following{Turn: l.Turn}
	f.Due, f.Done = c.After(l, o, at)
	rule := c.retry(o)
	if c.isAgreed(l, o) && !f.Done {
		f.Callback, f.Agent = true, l.Agent
		rule = c.Appointments.Retry
	}
	if rule.NextNumber && !f.Done {
		f.turn(l)
	}
	if o == Vacant {
		f.elsewhere(c, l, at)
	}
	switch effect {
	case EffectRetry:
		c.again(&f, l, o, c.Words()[said.Word].Retry, at)
	case EffectCallback:
		f = Following{Due: said.At, Callback: true, Agent: said.Agent, Turn: l.Turn}
		if f.Due.IsZero() {
			f.Due = at.Add(c.RetryDelay(NoAnswer))
		}
	case EffectOptOut:
		f.Done, f.OptOut = true, true
	case EffectRefusal:
		f.Done, f.Refusal = true, true
	case EffectWrongNumber:
		f.Done = true
		f.elsewhere(c, l, at)
	default: // done, machine and nothing: as the outcome says
	}
	return f
}

// turn goes on to the lead's next number.
func (f *Following) turn(l Lead) {
	if next, ok := l.Turned(); ok {
		f.Turn = next.Turn
	}
}

// elsewhere goes on at once to a number of the lead that comes after one which
// does not reach them, while there is one and attempts are left.
func (f *Following) elsewhere(c *Campaign, l Lead, at time.Time) {
	if l.Turn+1 < len(l.Numbers) && l.Attempts+1 < c.mostAttempts() {
		f.Due, f.Done, f.Callback, f.Agent, f.Turn = at, false, false, "", l.Turn+1
	}
}

// again applies a disposition's own retry.
func (c *Campaign) again(f *Following, l Lead, o Outcome, r Retry, at time.Time) {
	tries := 1
	if l.LastOutcome == o {
		tries += max(l.Tries, 0)
	}
	f.Done = tries > r.Max || l.Attempts+1 >= c.mostAttempts()
	if f.Done {
		f.Due = time.Time{}
		return
	}
	f.Due = at.Add(r.after(tries))
	if r.NextNumber {
		f.turn(l)
	}
}

// isAgreed reports whether a call at an agreed time that ended with o is tried
// again as such.
func (c *Campaign) isAgreed(l Lead, o Outcome) bool {
	switch o {
	case NoAnswer, Busy, Machine, Congested, Failed, Interrupted:
	default:
		return false
	}
	tries := 1
	if l.LastOutcome == o {
		tries += max(l.Tries, 0)
	}
	return l.Callback && tries <= c.Appointments.Retry.Max
}

// mostAttempts is the campaign's bound on attempts per lead.
func (c *Campaign) mostAttempts() int {
	if c.MaxAttempts <= 0 {
		return defaultMaxAttempts
	}
	return c.MaxAttempts
}
