package pacing

// forecast is the law, at each knot, of the answers that will have come less the agents that will be free: both means, and the variance and
// third cumulant of the difference.
//
// Each line and each busy agent adds g, g(1-g) and ±g(1-g)(1-2g), taken from the tables by its age bin. These are whole numbers in fixed point, so a sum
// kept up to date as lines and agents pass from bin to bin is the very sum made anew: neither the order nor the instants of Decide matter.
type forecast struct {
	valid bool
	at    int64
	answers, releases,
	variance, skew [knots]int64
}

// chances returns a line's probability of an answer by a person before each knot, in fixed point.
func (t *lineTable) chances(stage, bin int, lift float64) (g [knots]int64) {
	o := float64(t.odds[stage][bin] * lift)
	live := int64(float64(o / (1 + o) * float64(fixedOne)))
	for k := range knots {
		g[k] = live * t.within[stage][bin][k] >> fixedBit
	}
	return g
}

// add adds or takes one line's chances of an answer, or one agent's of a release, which count against answers.
func (f *forecast) add(to, g *[knots]int64, sign, side int64) {
	for k := range knots {
		p := g[k]
		v := p * (fixedOne - p) >> fixedBit
		to[k] += sign * p
		f.variance[k] += sign * v
		f.skew[k] += sign * side * (v * (fixedOne - 2*p) >> fixedBit)
	}
}

// weighLine adds or takes a line; one that is reserved needs no agent of the team.
func (e *Engine) weighLine(p int, sign int64) {
	c := &e.calls[e.lines.call[p]]
	if !e.forecast.valid || c.reserved != 0 {
		return
	}
	g := e.table.chances(int(c.state), int(e.lines.bin[p]), float64(c.lift*e.learned.level.lift))
	e.forecast.add(&e.forecast.answers, &g, sign, 1)
}

func (e *Engine) weighAgent(p int, sign int64) {
	if !e.forecast.valid || e.agents[e.busy.agent[p]].leaving {
		return
	}
	e.forecast.add(&e.forecast.releases, &e.services.free[e.busy.bin[p]], sign, -1)
}

// addLine enters a line among those alive.
func (e *Engine) addLine(i int32) {
	c := &e.calls[i]
	c.position = int32(len(e.lines.call))
	if c.reserved != 0 {
		e.kept++
	}
	e.lines.call = append(e.lines.call, i)
	e.lines.bin = append(e.lines.bin, 0)
	e.lines.next = append(e.lines.next, lineNext(c.since, 0))
	e.weighLine(int(c.position), 1)
}

// dropLine takes a line out; the last one takes its place.
func (e *Engine) dropLine(i int32) {
	p := int(e.calls[i].position)
	if e.calls[i].reserved != 0 {
		e.kept--
	}
	e.weighLine(p, -1)
	l, last := &e.lines, len(e.lines.call)-1
	l.call[p], l.next[p], l.bin[p] = l.call[last], l.next[last], l.bin[last]
	e.calls[l.call[p]].position = int32(p)
	l.call, l.next, l.bin = l.call[:last], l.next[:last], l.bin[:last]
	e.calls[i].position = -1
}

// addBusy enters an agent who begins to talk or to wrap up.
func (e *Engine) addBusy(a *agent) {
	a.position = int32(len(e.busy.agent))
	bin := uint8(0)
	if a.state == agentWrapUp {
		bin = serviceBins
	}
	e.busy.agent = append(e.busy.agent, e.agentAt[a.id])
	e.busy.bin = append(e.busy.bin, bin)
	e.busy.next = append(e.busy.next, serviceNext(a.since, 0))
	e.weighAgent(int(a.position), 1)
}

func (e *Engine) dropBusy(a *agent) {
	p := int(a.position)
	e.weighAgent(p, -1)
	b, last := &e.busy, len(e.busy.agent)-1
	b.agent[p], b.next[p], b.bin[p] = b.agent[last], b.next[last], b.bin[last]
	e.agents[b.agent[p]].position = int32(p)
	b.agent, b.next, b.bin = b.agent[:last], b.next[:last], b.bin[:last]
}

// foresee brings the forecast to an instant.
func (e *Engine) foresee(now int64) {
	if !e.forecast.valid || now < e.forecast.at {
		e.foreseeAnew(now)
		return
	}
	e.forecast.at = now
	for p, next := range e.lines.next {
		if next <= now {
			e.weighLine(p, -1)
			e.placeLine(p, now)
			e.weighLine(p, 1)
		}
	}
	for p, next := range e.busy.next {
		if next <= now {
			e.weighAgent(p, -1)
			e.placeAgent(p, now)
			e.weighAgent(p, 1)
		}
	}
}

func (e *Engine) foreseeAnew(now int64) {
	e.forecast = forecast{valid: true, at: now}
	for p := range e.lines.call {
		e.placeLine(p, now)
		e.weighLine(p, 1)
	}
	for p := range e.busy.agent {
		e.placeAgent(p, now)
		e.weighAgent(p, 1)
	}
}

func (e *Engine) placeLine(p int, now int64) {
	since := e.calls[e.lines.call[p]].since
	bin := lineBin(now - since)
	e.lines.bin[p], e.lines.next[p] = uint8(bin), lineNext(since, bin)
}

func (e *Engine) placeAgent(p int, now int64) {
	a := &e.agents[e.busy.agent[p]]
	bin := serviceBin(now - a.since)
	e.busy.next[p] = serviceNext(a.since, bin)
	if a.state == agentWrapUp {
		bin += serviceBins
	}
	e.busy.bin[p] = uint8(bin)
}
