package report

import (
	"fmt"
	"strings"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// sentence says a record in plain English.
func sentence(r journal.Record) string {
	switch r.Kind {
	case journal.Cleared:
		return "The gate allowed the call" + evidence(detail[dnc.Verdict](r)) + "."
	case journal.Refused:
		return refusal(r, detail[dnc.Verdict](r))
	case journal.OptedOut, journal.OptedIn:
		return optOut(r, detail[journal.OptOutDetail](r))
	case journal.Consented:
		return consented(detail[dnc.Consent](r), detail[fileDetail](r).Who)
	case journal.Disposed:
		return disposed(r, detail[journal.DisposedDetail](r))
	case journal.CalledBack:
		return calledBack(r)
	case journal.Recording:
		return recorded(r, detail[journal.RecordingDetail](r))
	case journal.Orphaned:
		return fmt.Sprintf("The phone of %s vanished during the call; the customer went to the next agent.", agent("agent", r))
	case journal.Interrupted:
		return interrupted(r, detail[journal.InterruptedDetail](r))
	case journal.Erased:
		d := detail[journal.ErasedDetail](r)
		return fmt.Sprintf("The personal data in all earlier records was erased%s; keys destroyed: %d.", by(d.Who), d.Keys)
	case journal.Config:
		return configured(r)
	case journal.Note:
		return "Note: " + strings.TrimSuffix(detail[journal.NoteDetail](r).Text, ".") + "."
	default:
		return callSentence(r)
	}
}

// callSentence says what happened on the line.
func callSentence(r journal.Record) string {
	switch r.Kind {
	case journal.Invited:
		d := detail[journal.InvitedDetail](r)
		if d.Try > 1 {
			return "The trunk turned it away; another INVITE left" + through(d.Trunk) + "."
		}
		return "An INVITE left" + through(d.Trunk) + showing(d.CallerID) + "."
	case journal.Ringing:
		return "The phone rang."
	case journal.Answered:
		return "The call was answered."
	case journal.Connected:
		d := detail[journal.ConnectedDetail](r)
		again := ""
		if d.Again {
			again = " as the second one"
		}
		return fmt.Sprintf("Put through to %s%s, %.0f ms after the answer.", agent("agent", r), again, d.WaitMS)
	case journal.Heard:
		return fmt.Sprintf("The agent's voice was on its way %.0f ms after the answer.", detail[journal.HeardDetail](r).AnswerToAudioMS)
	case journal.Detected:
		return heard(r, detail[journal.DetectedDetail](r))
	case journal.Abandoned:
		if lost := detail[journal.AbandonedDetail](r).GivenUp; lost != "" {
			return fmt.Sprintf("Node %s, which made the call, was given up: the call may have been answered and counts as abandoned.", lost)
		}
		if r.Reason != "" {
			return fmt.Sprintf("The answer found no agent and counts as abandoned (%s).", words(r.Reason))
		}
		return "The answer found no agent in time and counts as abandoned."
	case journal.Treated:
		d := detail[journal.TreatedDetail](r)
		return fmt.Sprintf("The abandon treatment began %.0f ms after the answer: %s.", d.AfterMS, words(d.Action))
	case journal.Ended:
		return ended(r, detail[journal.EndedDetail](r))
	default:
		return fmt.Sprintf("Record of kind %s.", r.Kind)
	}
}

// heard says what the detector made of who answered.
func heard(r journal.Record, d journal.DetectedDetail) string {
	did := map[string]string{
		"told": "; the agent was told", "audited": "; the agent was told, so that they judge it",
		"released": fmt.Sprintf("; the call was ended, which counts as %g of an abandoned call", d.Counts),
	}[d.Did]
	return fmt.Sprintf("By its sound, %.1f s after the answer: %s (%s)%s.", d.AfterMS/1000, words(r.Outcome), words(r.Reason), did)
}

// evidence says what a clearance rests on.
func evidence(v dnc.Verdict) string {
	var said []string
	if v.Register != "" && v.Status != "" {
		s := fmt.Sprintf("register %s said %s", v.Register, v.Status)
		if !v.CheckedAt.IsZero() {
			s += " on " + instant(v.CheckedAt)
		}
		if !v.ValidUntil.IsZero() {
			s += ", valid until " + instant(v.ValidUntil)
		}
		if v.Import != "" {
			s += " (import " + v.Import + ")"
		}
		said = append(said, s)
	}
	if v.LocalTime != "" {
		said = append(said, fmt.Sprintf("local time %s in %s", v.LocalTime, v.Zone))
	}
	if v.CallerID != "" {
		said = append(said, "caller ID "+string(v.CallerID))
	}
	if v.Trunk != "" {
		said = append(said, "trunk "+v.Trunk)
	}
	if v.Consent != "" {
		said = append(said, "consent "+v.Consent)
	}
	if v.NeedsAgent {
		said = append(said, "only with an agent reserved")
	}
	if v.RuleSet != "" {
		said = append(said, "rule set "+v.RuleSet)
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, "; ")
}

func refusal(r journal.Record, v dnc.Verdict) string {
	s := "The gate refused the call: " + words(r.Reason)
	if v.Detail != "" {
		s += " (" + strings.TrimSuffix(v.Detail, ".") + ")"
	}
	s += evidence(v)
	if !v.NextCallable.IsZero() {
		s += "; callable again from " + instant(v.NextCallable)
	}
	return s + "."
}

func optOut(r journal.Record, d journal.OptOutDetail) string {
	s := "The number was put on the company's list"
	if r.Kind == journal.OptedIn {
		s = "The number was taken off the company's list"
	}
	if d.Seller != "" {
		s += " of seller " + d.Seller
	}
	if d.Campaign != "" {
		s += " for campaign " + d.Campaign
	}
	switch d.Source {
	case "cli":
		return s + by(d.Who) + " on the command line."
	case "file":
		return s + by(d.Who) + " with a file" + phrase(", import ", d.Import) + "."
	}
	if d.Source == "callback" {
		return s + ": the person rang back and pressed the key."
	}
	return s + by(d.Source) + by(d.Who) + "."
}

// consented says what a consent record says.
func consented(c dnc.Consent, who string) string {
	s := "A record was taken in" + by(who) + phrase(" with import ", c.Import) + ": " + string(c.Basis)
	if c.Basis == "" {
		return "A consent record was taken in."
	}
	if c.ID != "" {
		s += " " + c.ID
	}
	s += phrase(" with ", c.Seller) + phrase(" for ", c.Purpose) + phrase(", sector ", c.Sector)
	if !c.GivenAt.IsZero() {
		s += ", given " + instant(c.GivenAt)
	}
	if !c.Ends.IsZero() {
		s += ", ends " + instant(c.Ends)
	}
	return s + phrase(", source ", c.Source) + phrase(", wording ", c.Text) + phrase(", proof ", c.Proof) + "."
}

func interrupted(r journal.Record, d journal.InterruptedDetail) string {
	s := "The service died during this attempt"
	if d.GivenUp != "" {
		s = "Node " + d.GivenUp + ", which made the attempt, was given up"
	}
	if d.Last != "" {
		s += fmt.Sprintf("; its last record was %s", d.Last)
	}
	switch {
	case d.Abandoned:
		s += "; the answer counts as abandoned"
	case !d.Dialed:
		s += "; no INVITE is known to have left"
	}
	return s + fmt.Sprintf("; closed as %s.", words(r.Outcome))
}

func ended(r journal.Record, d journal.EndedDetail) string {
	s := "The attempt ended: " + words(r.Outcome)
	if d.Status != 0 || d.Text != "" {
		s += strings.TrimRight(fmt.Sprintf(" (SIP %d %s", d.Status, d.Text), " ")
		s = strings.Replace(s, "SIP 0 ", "", 1) + ")"
	}
	if d.Q850 != 0 {
		s += fmt.Sprintf(", Q.850 cause %d", d.Q850)
	}
	if d.RingMS > 0 {
		s += fmt.Sprintf(", %.1f s of ringing", d.RingMS/1000)
	}
	if d.TalkMS > 0 {
		s += fmt.Sprintf(", %.1f s of talk", d.TalkMS/1000)
	}
	if d.ByFar {
		s += ", the callee hung up"
	}
	if d.Late {
		s += ", the answer crossed our CANCEL"
	}
	if d.Settled.Done {
		return s + "; no further attempt."
	}
	if !d.Settled.RetryAt.IsZero() {
		return s + "; due again from " + instant(d.Settled.RetryAt) + "."
	}
	return s + "."
}

// agent names the record's agent.
func agent(lead string, r journal.Record) string {
	if r.Agent == "" {
		return lead + " unknown"
	}
	return lead + " " + r.Agent
}

// words makes no_answer readable.
func words(s string) string {
	if s == "" {
		return "unknown"
	}
	return strings.ReplaceAll(s, "_", " ")
}

func by(who string) string       { return phrase(" by ", who) }
func through(what string) string { return phrase(" through trunk ", what) }
func showing(id string) string   { return phrase(" showing ", id) }

func phrase(lead, s string) string {
	if s == "" {
		return ""
	}
	return lead + s
}
