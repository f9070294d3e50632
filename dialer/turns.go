package dialer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// nextAgent is the ready agent who gets the next call, by the campaign's order,
// among those whose phones are there now. A phone that has vanished is found out by watch only
// after seconds; until then nobody should be put through to it.
func (l *loop) nextAgent(now time.Time) *agent {
	rank := func(*agent) int { return 0 }
	switch l.camp.AgentOrder {
	case campaigns.AgentsListed:
		rank = func(a *agent) int { return slices.Index(l.camp.Agents, a.name) }
	case campaigns.AgentsFewest:
		today := l.turns.of(now.In(l.policy.Zone))
		rank = func(a *agent) int { return today[a.name] }
	}
	return l.firstReady(rank)
}

// longestIdle is the ready agent who has waited longest.
func (l *loop) longestIdle() *agent {
	return l.firstReady(func(*agent) int { return 0 })
}

// firstReady is the ready agent of the lowest rank, of equals the one who has
// waited longest; nil when none is ready.
func (l *loop) firstReady(rank func(*agent) int) *agent {
	var best *agent
	for _, a := range l.agents {
		if a.state == Ready && a.line.there() && (best == nil || cmp.Or(cmp.Compare(rank(a), rank(best)), a.since.Compare(best.since), cmp.Compare(a.id, best.id)) < 0) {
			best = a
		}
	}
	return best
}

// turns counts the calls that agents took on a day, by name. The loop owns it.
type turns struct {
	day   string
	taken map[string]int
}

// of is how many calls each agent took on the day of now, which stands in the
// campaign's zone.
func (t *turns) of(now time.Time) map[string]int {
	if day := now.Format(time.DateOnly); t.day != day || t.taken == nil {
		t.day, t.taken = day, map[string]int{}
	}
	return t.taken
}

// took counts a call.
func (t *turns) took(agent string, now time.Time) { t.of(now)[agent]++ }

// countTurns counts the calls that the campaign's agents took today before it was
// started at now, off the loop's goroutine.
func (s *Service) countTurns(ctx context.Context, l *loop, now time.Time) {
	now = now.In(l.sight.zone)
	y, m, d := now.Date()
	before := map[string]int{}
	options := journal.ReadOptions{From: time.Date(y, m, d, 0, 0, 0, 0, now.Location()), To: now, Campaign: l.name, Kinds: []journal.Kind{journal.Connected, journal.CallerConnected}, Closed: true}
	for r, err := range s.Read(options) {
		if err != nil {
			s.Log.Error("calls that agents took today before are not counted", zap.String("campaign", l.name), zap.Error(err))
			return
		}
		if ctx.Err() != nil {
			return
		}
		if r.Campaign == l.name && r.Agent != "" && r.At.Before(now) {
			before[r.Agent]++
		}
	}
	l.post(func(at time.Time) {
		if today := l.turns.of(at.In(l.sight.zone)); at.In(l.sight.zone).Format(time.DateOnly) == now.Format(time.DateOnly) {
			for name, n := range before {
				today[name] += n
			}
		}
	})
}
