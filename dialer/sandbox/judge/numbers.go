package judge

import (
	"fmt"
	"time"
)

// class says why the number may not be rung at the instant of the dialer's
// clock; empty: it may.
func (t *trial) class(number string, at time.Time) Class {
	if t.OptOuts[number] {
		return OptedOut
	}
	if t.rules.ValidFor == 0 {
		return ""
	}
	e, ok := t.Register[number]
	switch {
	case !ok:
		return Missing
	case e.Registered:
		return Registered
	case !at.Before(e.CheckedAt.Add(t.rules.ValidFor)):
		return Expired
	}
	return ""
}

// numbers judges which numbers were rung.
func (t *trial) numbers() {
	leads := map[string]bool{}
	for _, n := range t.Leads {
		leads[n] = true
	}
	out := map[string]time.Time{}
	for _, r := range t.Journal {
		if r.Kind == "opted_out" && out[r.Number].IsZero() {
			out[r.Number] = r.At
		}
	}
	before := map[string]time.Time{}
	for _, c := range t.calls {
		at := c.invited.Add(t.rules.ClockOffset)
		why := string(t.class(c.number, at))
		if since := out[c.number]; why == "" && !since.IsZero() && at.After(since.Add(optOutLag)) {
			why = "opted out during the run"
		}
		if why == "" && !leads[c.number] {
			why = "not a lead"
		}
		if why != "" {
			t.verdict.ForbiddenRung++
			t.fail("forbidden number rung: %s: %s", c, why)
		}
		if prev, ok := before[c.number]; ok && c.invited.Sub(prev) < t.rules.RetryDelay {
			t.verdict.RungTwice++
			t.fail("%s came %s after the one before, retry delay %s", c, c.invited.Sub(prev).Round(time.Millisecond), t.rules.RetryDelay)
		}
		before[c.number] = c.invited
	}
	t.verdict.Dialed = len(t.calls)
}

// evidence finds INVITEs without a clearance of their own in the journal before them.
func (t *trial) evidence() {
	cleared := map[string]Record{}    // by attempt
	attempt := map[string]Record{}    // first invited record, by Call-ID
	byNumber := map[string][]Record{} // cleared, by number
	for _, r := range t.Journal {
		switch r.Kind {
		case "cleared":
			if _, ok := cleared[r.Attempt]; !ok {
				cleared[r.Attempt] = r
				byNumber[r.Number] = append(byNumber[r.Number], r)
			}
		case "invited":
			if _, ok := attempt[r.CallID]; !ok {
				attempt[r.CallID] = r
			}
		}
	}
	used := map[string]bool{}
	for _, c := range t.calls {
		why := t.proof(c, cleared, attempt, byNumber, used)
		if why != "" {
			t.verdict.MissingEvidence++
			t.fail("%s has no evidence: %s", c, why)
		}
	}
}

// proof is empty when the call has its own clearance, else what is wrong.
func (t *trial) proof(c *call, cleared, invited map[string]Record, byNumber map[string][]Record, used map[string]bool) string {
	at := c.invited.Add(t.rules.ClockOffset).Add(clearLag)
	inv, known := invited[c.id]
	if !known {
		// The process may have died between INVITE and record: then a clearance of the number that no other call used must do.
		for _, r := range byNumber[c.number] {
			if !used[r.Attempt] && !r.At.After(at) {
				used[r.Attempt] = true
				return ""
			}
		}
		return "the journal knows neither its Call-ID nor an unused clearance of the number"
	}
	r, ok := cleared[inv.Attempt]
	switch {
	case !ok:
		return "its attempt was never cleared"
	case used[r.Attempt]:
		return "its clearance was used for another call"
	case r.Number != "" && r.Number != c.number:
		return "its clearance is for another number"
	case r.Seq >= inv.Seq:
		return "it was cleared after the INVITE"
	case r.At.After(at):
		return fmt.Sprintf("it was cleared %s after the INVITE arrived", r.At.Sub(at).Round(time.Millisecond))
	}
	used[r.Attempt] = true
	return ""
}
