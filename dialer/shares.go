package dialer

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Bounded is what has bounds that hold over all nodes. Implemented by
// trunk.Endpoint.
type Bounded interface {
	// Divide leaves this node nothing of the bounds but what it is granted.
	Divide()
	Claims() []Claim
	// Room is for how many of so many wanted calls the trunks of these names, all if there are none, have room; what
	// is missing is asked for.
	Room(names []string, wanted int) int
	// Grant says what this node may use of the bounds, by name, until an instant.
	Grant(shares map[string]int, until time.Time)
}

// portions are this node's parts of a campaign's bounds. The loop owns them.
type portions struct {
	lines, starts Part
	turns         Turns
	short         bool // the last turn was held back
}

// ours is how many of n calls may begin by this node's parts.
func (l *loop) ours(n int, now time.Time) int {
	p, limits := &l.portions, l.camp.Pacing
	wanted := n
	if limits.MaxLines > 0 && p.lines.Divided() {
		room := max(p.lines.Limit(limits.MaxLines, time.Now())-len(l.calls), 0)
		if n > room {
			p.lines.Miss(n - room)
			n = room
		}
	}
	if limits.MaxCallsPerSecond > 0 && p.starts.Divided() {
		free := max(p.starts.Limit(limits.MaxCallsPerSecond, time.Now())-p.turns.Lately(time.Second, now), 0)
		if n > free {
			p.starts.Miss(n - free)
			n = free
		}
	}
	if l.svc.Bounds != nil && n > 0 {
		unsent := int(l.intake.unsent.Load()) // have no channel yet
		n = min(n, max(l.svc.Bounds.Room(l.camp.TrunkNames(), n+unsent)-unsent, 0))
	}
	p.short = n < wanted
	return n
}

// shareWait is how long a loop waits that was held back by its part of a bound.
const shareWait = 50 * time.Millisecond

// claims are what the campaign says of its bounds.
func (l *loop) claims(now time.Time) []Claim {
	var all []Claim
	p, limits := &l.portions, l.camp.Pacing
	if limits.MaxLines > 0 {
		all = append(all, p.lines.Held("campaign "+l.name+" lines", limits.MaxLines, len(l.calls)))
	}
	if limits.MaxCallsPerSecond > 0 {
		all = append(all, p.starts.Begun("campaign "+l.name+" calls per second", limits.MaxCallsPerSecond, p.turns.Lately(time.Second, now), time.Second, time.Now()))
	}
	return all
}

// grant takes the campaign's parts over.
func (l *loop) grant(shares map[string]int, until time.Time) {
	now := time.Now()
	if n, ok := shares["campaign "+l.name+" lines"]; ok {
		l.portions.lines.Grant(n, now, until)
	}
	if n, ok := shares["campaign "+l.name+" calls per second"]; ok {
		l.portions.starts.Grant(n, now, until)
	}
}

// share divides bounds with the other nodes. Without an answer each part stays as it
// is for as long as the others count on it.
func (s *Service) share(ctx context.Context) error {
	var loops []*loop
	s.settled(ctx, func() {
		for _, r := range s.loops {
			loops = append(loops, r.loop)
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var claims []Claim
	if s.Bounds != nil {
		claims = s.Bounds.Claims()
	}
	for _, l := range loops {
		answer := make(chan []Claim, 1)
		l.post(func(now time.Time) { answer <- l.claims(now) })
		select {
		case c := <-answer:
			claims = append(claims, c...)
		case <-l.done:
		}
	}
	shares, until, err := s.askShares(ctx, claims)
	if err != nil {
		return err
	}
	if s.Bounds != nil {
		s.Bounds.Grant(shares, until)
	}
	for _, l := range loops {
		l.post(func(time.Time) { l.grant(shares, until) })
	}
	return nil
}

func (s *Service) askShares(ctx context.Context, claims []Claim) (shares map[string]int, until time.Time, err error) {
	asked := time.Now()
	asking, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	granted, err := s.Cluster.Share(asking, claims)
	if err == nil && len(granted) != len(claims) {
		err = fmt.Errorf("%d shares of %d bounds", len(granted), len(claims))
	}
	if err != nil {
		return nil, asked, err
	}
	shares = make(map[string]int, len(claims))
	for i, c := range claims {
		shares[c.Bound] = granted[i]
	}
	return shares, asked.Add(NodeLife), nil
}

// divide has bounds hold over all nodes from now on.
func (s *Service) divide(ctx context.Context) {
	if s.Cluster == nil || s.Bounds == nil {
		return
	}
	s.Bounds.Divide()
	claims := s.Bounds.Claims()
	shares, until, err := s.askShares(ctx, claims)
	if err != nil {
		s.Log.Warn("what this node may use of the trunks is not known yet", zap.Error(err))
		return
	}
	s.Bounds.Grant(shares, until)
}
