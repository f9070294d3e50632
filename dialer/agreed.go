package dialer

import (
	"time"

	"pronto/campaigns"
)

// forAnyAgent are the leads that whoever is free may talk to; those that are due
// for one agent are set aside until that agent is free.
func (l *loop) forAnyAgent(leads []campaigns.Lead) []campaigns.Lead {
	rest := leads[:0]
	for _, lead := range leads {
		if lead.Callback && lead.Agent != "" {
			l.owed = append(l.owed, lead)
			continue
		}
		rest = append(rest, lead)
	}
	return rest
}

// worksElsewhere reports whether the agent for whom a call was agreed may wait for it at another
// node: then it goes back for that one to find.
func (l *loop) worksElsewhere(lead campaigns.Lead, now time.Time) bool {
	return l.svc.Cluster != nil && l.awaits(lead, now) && !l.svc.here(lead.Agent)
}

// awaits reports whether a call is still for the agent alone for whom it was agreed.
func (l *loop) awaits(lead campaigns.Lead, now time.Time) bool {
	return lead.Callback && lead.Agent != "" && now.Before(lead.Due.Add(l.camp.Appointments.AgentWait))
}

// agentFor is the ready agent for a lead that was set aside: the one for whom the
// call was agreed, and, when that one did not come in time, or it is for nobody in particular,
// the next one.
func (l *loop) agentFor(lead campaigns.Lead, now time.Time) *agent {
	if l.awaits(lead, now) {
		a := l.agents[lead.Agent]
		if a != nil && a.state == Ready && a.line.there() {
			return a
		}
		return nil
	}
	return l.nextAgent(now)
}
