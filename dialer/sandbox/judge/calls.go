package judge

import (
	"slices"
	"strings"
	"time"

	"pronto/dialer/sandbox/truth"
)

// span is a stretch of hearing one voice, or sound without one.
type span struct {
	voice        string
	since, until time.Time
	level        float64
}

func (s span) length() time.Duration { return s.until.Sub(s.since) }

// overlap is how long two spans last together.
func overlap(a, b span) time.Duration {
	since, until := a.since, a.until
	if b.since.After(since) {
		since = b.since
	}
	if b.until.Before(until) {
		until = b.until
	}
	return max(0, until.Sub(since))
}

// clipped is the part of s between from and to.
func clipped(s span, from, to time.Time) span {
	if s.since.Before(from) {
		s.since = from
	}
	if s.until.After(to) {
		s.until = to
	}
	if s.until.Before(s.since) {
		s.until = s.since
	}
	return s
}

// call is one INVITE at the carrier and what became of it.
type call struct {
	id, number string
	plan       string // what the callee meant to do
	invited    time.Time
	answered   time.Time // 200 sent; zero: never
	cancelled  time.Time
	bye        time.Time
	by, why    string
	voice      string
	glare      bool
	mute       bool   // a silent bridge was found
	spans      []span // voices heard
	noise      []span
}

// agent is one phone and what it heard.
type agent struct {
	name   string
	up     time.Time // of its first call
	spans  []span
	vanish time.Time // zero: never
	away   time.Time // until when it was away; zero after a vanish: to the end
}

// gone reports whether the phone was dark at any time between from and to.
func (a *agent) gone(from, to time.Time) bool {
	return a != nil && !a.vanish.IsZero() && a.vanish.Before(to) && (a.away.IsZero() || a.away.After(from))
}

func isAgent(voice string) bool { return strings.HasPrefix(voice, "agent") }

// readCalls gathers the carrier's log by call, in order of INVITE.
func readCalls(lines []truth.Line) (calls []*call, last time.Time) {
	byID := map[string]*call{}
	open := map[string]span{}
	for _, l := range lines {
		if l.At.After(last) {
			last = l.At
		}
		c := byID[l.CallID]
		if l.Kind == truth.Invite {
			c = &call{id: l.CallID, number: truth.Digits(l.Number), plan: l.Plan, invited: l.At}
			byID[l.CallID] = c
			calls = append(calls, c)
		}
		if c != nil {
			c.take(l, open)
		}
	}
	for _, c := range calls {
		c.spans = closeOpen(c.spans, open, c.id, last)
	}
	return calls, last
}

func (c *call) take(l truth.Line, open map[string]span) {
	switch l.Kind {
	case truth.Answered:
		c.answered, c.voice = l.At, l.Voice
	case truth.Cancel:
		c.cancelled = l.At
	case truth.Glare:
		c.glare = true
	case truth.Bye:
		c.bye, c.by, c.why = l.At, l.By, l.Text
	case truth.Noise:
		c.noise = append(c.noise, span{since: l.Since, until: l.Until, level: l.Level})
	default:
		c.spans = takeSpan(c.spans, l, open, c.id)
	}
}

// takeSpan adds what was heard. A voice that is heard and not over when the log
// ends was heard to the end.
func takeSpan(spans []span, l truth.Line, open map[string]span, who string) []span {
	if l.Kind == truth.Hears {
		open[who+" "+l.Voice] = span{voice: l.Voice, since: l.Since}
	}
	if l.Kind == truth.Heard {
		delete(open, who+" "+l.Voice)
		spans = append(spans, span{voice: l.Voice, since: l.Since, until: l.Until})
	}
	return spans
}

func closeOpen(spans []span, open map[string]span, who string, last time.Time) []span {
	for key, s := range open {
		if strings.HasPrefix(key, who+" ") {
			s.until = last
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.since.Compare(b.since) })
	return spans
}

// readAgents gathers the agents' log by agent.
func readAgents(lines []truth.Line) map[string]*agent {
	agents := map[string]*agent{}
	open := map[string]span{}
	var last time.Time
	for _, l := range lines {
		if l.At.After(last) {
			last = l.At
		}
		if l.Agent == "" {
			continue
		}
		a := agents[l.Agent]
		if a == nil {
			a = &agent{name: l.Agent}
			agents[l.Agent] = a
		}
		switch l.Kind {
		case truth.CallUp:
			if a.up.IsZero() {
				a.up = l.At
			}
		case truth.Vanish:
			a.vanish = l.At
		case truth.Back:
			a.away = l.At
		default:
			a.spans = takeSpan(a.spans, l, open, a.name)
		}
	}
	for _, a := range agents {
		a.spans = closeOpen(a.spans, open, a.name, last)
	}
	return agents
}

// firstAgent is when the callee first heard an agent; zero: never.
func (c *call) firstAgent() time.Time {
	for _, s := range c.spans {
		if isAgent(s.voice) {
			return s.since
		}
	}
	return time.Time{}
}
