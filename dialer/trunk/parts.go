package trunk

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pronto/dialer"
)

var _ dialer.Bounded = (*Endpoint)(nil)

// parts are this node's parts of a trunk's bounds.
type parts struct {
	channels, rate dialer.Part
	turns          dialer.Turns
	units          int // calls that may begin in span, over all nodes
	span           time.Duration
}

// longestSpan is the most seconds over which calls per second are counted whole.
const longestSpan = 20

// wholeCalls writes calls per second as whole calls in a span of whole seconds, never
// more; under one in 20 seconds the span is that of one call.
func wholeCalls(perSecond float64) (units int, span time.Duration) {
	for k := 1.0; k <= longestSpan; k++ {
		if n := math.Round(perSecond * k); n >= 1 && math.Abs(n-perSecond*k) < 1e-9 {
			return int(n), time.Duration(k) * time.Second
		}
	}
	if n := math.Floor(perSecond * longestSpan); n >= 1 {
		return int(n), longestSpan * time.Second
	}
	return 1, time.Duration(float64(time.Second) / perSecond)
}

// channels are those that this node may use now.
func (t *carrier) channels() int { return t.parts.channels.Limit(t.cfg.Channels, time.Now()) }

// turn takes this node's next turn to begin a call, at an instant or within wait after it.
func (t *carrier) turn(from time.Time, wait time.Duration) (at time.Time, ok bool) {
	p := &t.parts
	if !p.rate.Divided() {
		return from, true
	}
	return p.turns.Reserve(p.rate.Limit(p.units, time.Now()), p.span, wait, from)
}

// spent reports whether this node has no turn left that comes within wait.
func (t *carrier) spent(wait time.Duration) bool {
	p, now := &t.parts, time.Now()
	if t.rate == nil || !p.rate.Divided() {
		return false
	}
	at, ok := p.turns.Next(p.rate.Limit(p.units, now), p.span, now)
	return !ok || at.Sub(now) > wait
}

// Divide implements dialer.Bounded.
func (ep *Endpoint) Divide() {
	for _, t := range ep.trunks {
		t.parts.channels.Divide()
		t.parts.rate.Divide()
	}
}

func (t *carrier) channelsName() string { return "trunk " + t.cfg.Name + " channels" }

func (t *carrier) rateName() string {
	return fmt.Sprintf("trunk %s calls in %s", t.cfg.Name, t.parts.span)
}

// Claims implements dialer.Bounded.
func (ep *Endpoint) Claims() []dialer.Claim {
	var all []dialer.Claim
	now := time.Now()
	for _, t := range ep.trunks {
		p := &t.parts
		if t.cfg.Channels > 0 {
			all = append(all, p.channels.Held(t.channelsName(), t.cfg.Channels, int(t.inUse.Load())))
		}
		if t.rate != nil {
			all = append(all, p.rate.Begun(t.rateName(), p.units, p.turns.Lately(p.span, now), p.span, now))
		}
	}
	return all
}

// Room implements dialer.Bounded.
func (ep *Endpoint) Room(names []string, wanted int) int {
	room, now := 0, time.Now()
	var busy []*carrier
	for _, t := range ep.trunks {
		if len(names) > 0 && !slices.Contains(names, t.cfg.Name) {
			continue
		}
		p, free := &t.parts, wanted
		if !p.channels.Divided() {
			return wanted
		}
		if t.cfg.Channels > 0 {
			free = min(free, t.channels()-int(t.inUse.Load()))
		}
		if t.rate != nil {
			free = min(free, p.rate.Limit(p.units, now)-p.turns.Lately(p.span, now))
		}
		if free < wanted {
			busy = append(busy, t)
		}
		room += max(free, 0)
	}
	if short := wanted - room; short > 0 {
		for _, t := range busy {
			t.parts.channels.Miss(short)
			t.parts.rate.Miss(short)
		}
	}
	return min(room, wanted)
}

// Grant implements dialer.Bounded.
func (ep *Endpoint) Grant(shares map[string]int, until time.Time) {
	now := time.Now()
	for _, t := range ep.trunks {
		if n, ok := shares[t.channelsName()]; ok {
			t.parts.channels.Grant(n, now, until)
		}
		if n, ok := shares[t.rateName()]; ok {
			t.parts.rate.Grant(n, now, until)
		}
	}
}
