package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pronto/dialer"
	"pronto/dnc"
	"pronto/pacing"
)

// pacedDoc is how a running campaign's pacing stands.
type pacedDoc struct {
	dialer.CampaignLive
	Agents map[dialer.AgentState]int `json:"agents"`      // the campaign's, by state
	Ago    float64                   `json:"decided_ago"` // seconds since the last decision
	Reason string                    `json:"reason"`      // of the decision
	Why    string                    `json:"why"`         // the reason in words
	// Callers are the people who rang back and are on a line, by what they do.
	Callers map[dialer.CallerState]int `json:"callers,omitempty"`
}

// paced tells how a campaign's pacing stands; nil when no service runs it.
func (h *house) paced(name string) *pacedDoc {
	if h.live == nil {
		return nil
	}
	live := h.live()
	for _, c := range live.Campaigns {
		if c.Name != name {
			continue
		}
		doc := pacedDoc{CampaignLive: c, Agents: map[dialer.AgentState]int{}, Reason: c.Decision.Reason.String(), Why: reasonText(c.Decision.Reason)}
		if !c.DecidedAt.IsZero() {
			doc.Ago = max(h.now().Sub(c.DecidedAt).Seconds(), 0)
		}
		for _, a := range live.Agents {
			if a.Campaign == name {
				doc.Agents[a.State]++
			}
		}
		for _, b := range live.Callers {
			if b.Campaign == name {
				if doc.Callers == nil {
					doc.Callers = map[dialer.CallerState]int{}
				}
				doc.Callers[b.State]++
			}
		}
		return &doc
	}
	return nil
}

// text tells it to a manager.
func (p *pacedDoc) text(mode string) string {
	var b strings.Builder
	line := func(head, format string, args ...any) {
		fmt.Fprintf(&b, "  %-8s"+format+"\n", append([]any{head}, args...)...)
	}
	d := p.Decision
	if p.DecidedAt.IsZero() {
		fmt.Fprintf(&b, "pacing, %s: nothing decided yet\n", mode)
	} else {
		fmt.Fprintf(&b, "pacing, %s: %s to dial, decided %.1f s ago\n", mode, plural(d.Dial, "line"), p.Ago)
		line("why", "%s: %s", d.Reason, p.Why)
		if d.Risk > 0 {
			line("risk", "%s", riskText(d))
		}
		if p.Cap > 0 {
			line("budget", "%.2f %% abandoned in the tightest window, whose cap is %s; %s", 100*d.Rate, rate(p.Cap), creditText(d.Credit))
		}
	}
	if p.Unrecordable != "" {
		line("halted", "%s", unrecordableText(p.Unrecordable))
	}
	a := p.Agents
	line("sees", "%s dialing or ringing, %d answered and waiting; agents: %d ready, %d talking, %d in wrap-up, %d away",
		plural(p.Lines, "line"), p.Waiting, a[dialer.Ready]+a[dialer.Reserved], a[dialer.Talking], a[dialer.WrapUp], a[dialer.NotReady])
	if b := p.Callers; len(b) > 0 || p.Tally.CalledBack > 0 {
		line("inbound", "people who rang back: %d hear the prompt, %d wait for an agent, %d talk; %d put through since the service started",
			b[dialer.CallerGreeted]+b[dialer.CallerLeaving], b[dialer.CallerWaiting], b[dialer.CallerTalking], p.Tally.CalledBack)
	}
	t := p.Tally
	line("did", "%d dialed, %d answered, %d connected, %d abandoned, %d hung up while waiting, since the service started", t.Dialed, t.Answered, t.Connected, t.Abandoned, t.HungUp)
	if text := machinesText(t); text != "" {
		line("heard", "answering machines: %s, since the service started", text)
	}
	if t.Unrecorded > 0 {
		line("sound", "%s could not be recorded, or not to the end, since the service started", plural(t.Unrecorded, "call"))
	}
	if p.Held > 0 {
		line("held", "%s more wait: %d attempts are on their way through gate, journal and trunk, and no more are begun until they are out", plural(p.Held, "line"), p.Unsent)
	}
	if len(t.Refused) > 0 {
		line("refused", "%s, since the service started", refusedText(t.Refused))
	}
	return b.String()
}

// unrecordableText says why a campaign whose calls must be recorded dials nobody.
func unrecordableText(why string) string {
	return "nobody is dialed until there is room: recording.required, and " + why
}

// machinesText counts the answering machines that were heard; empty: none.
func machinesText(t dialer.Tally) string {
	switch {
	case t.Machines == 0:
		return ""
	case t.Released == 0:
		return fmt.Sprintf("of %d the agents were told", t.Machines)
	case t.Released == t.Machines:
		return fmt.Sprintf("%d released", t.Machines)
	}
	return fmt.Sprintf("%d released, of %d the agents were told", t.Released, t.Machines-t.Released)
}

// refusedText counts refusals by reason.
func refusedText(refused map[dnc.Reason]int) string {
	var parts []string
	for _, r := range slices.Sorted(maps.Keys(refused)) {
		parts = append(parts, fmt.Sprintf("%s %d", r, refused[r]))
	}
	return strings.Join(parts, ", ")
}

// riskText says what a decision's risk is the chance of.
func riskText(d pacing.Decision) string {
	if d.Dial == 0 {
		return fmt.Sprintf("one line more, if answered, would lack an agent with a chance of %.2f %%", 100*d.Risk)
	}
	return fmt.Sprintf("the last of them, if answered, lacks an agent with a chance of %.2f %%", 100*d.Risk)
}

// creditText says how many abandoned calls a window still has.
func creditText(credit float64) string {
	if credit < 0 {
		return fmt.Sprintf("%.1f abandoned calls more than it allows so far", -credit)
	}
	return fmt.Sprintf("%.1f more can be afforded", credit)
}

// reasonText says a decision's reason in words.
func reasonText(r pacing.Reason) string {
	switch r {
	case pacing.Predictive:
		return "as many as the forecast of answers and free agents allows"
	case pacing.Progressive:
		return "one line for each ready agent"
	case pacing.Ratio:
		return "the fixed number of lines for each ready agent"
	case pacing.ColdStart:
		return "few lines have ended yet, so the number grows slowly"
	case pacing.Floor:
		return "the forecast allows less, but one line for each ready agent is always safe"
	case pacing.OverBudget:
		return "what a window still allows is kept in hand, so no abandoned call is risked"
	case pacing.MaxLines:
		return "max_lines of the campaign allows no more"
	case pacing.MaxLinesPerAgent:
		return "max_lines_per_agent of the campaign allows no more"
	case pacing.MaxCallsPerSecond:
		return "max_calls_per_second of the campaign allows no more"
	case pacing.NoAgents:
		return "no agent is ready, talking or in wrap-up"
	case pacing.NoLeads:
		return "no leads are due now that the gate has not just refused"
	}
	return ""
}
