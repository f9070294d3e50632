package pacing

// forecast is the law, at each knot, of the answers that will have come less the agents that will be free: both means, and the variance and
// third cumulant of the difference.
//
// Each line and each busy agent adds g, g(1-g) and ±g(1-g)(1-2g), taken from the tables by its age bin. These are whole numbers in fixed
// point, so a sum kept up to date as lines and agents pass from bin to bin is the very sum made anew: neither the order nor the instants of
// Decide matter.
type forecast struct {
	valid bool
	at    int64
	answers, releases,
	variance, skew [knots]int64
}

// row is what one line or agent adds to a forecast, in fixed point: its chance before each knot, and that chance's variance and third
// cumulant, the latter with its side's sign.
type row struct{ chance, variance, skew [knots]int64 }

func (r *row) fill(g *[knots]int64, side int64) {
	for k, p := range g {
		v := p * (fixedOne - p) >> fixedBit
		r.chance[k], r.variance[k], r.skew[k] = p, v, side*(v*(fixedOne-2*p)>>fixedBit)
	}
}

// rows are the rows of average lines and of agents, by bin. Like the forecast they are a cache.
type rows struct {
	valid  bool
	lines  [stages * lineBins]row
	agents [serviceLaws * serviceBins]row
}

func (e *Engine) fillRows() {
	e.rows.valid = true
	for s := range stages {
		for b := range lineBins {
			g := e.table.chances(s, b, e.learned.level.lift)
			e.rows.lines[s*lineBins+b].fill(&g, 1)
		}
	}
	for b := range e.services.free {
		e.rows.agents[b].fill(&e.services.free[b], -1)
	}
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

// add adds a row to one side's mean and to what both sides share.
func (f *forecast) add(to *[knots]int64, r *row) {
	for k := range knots {
		to[k] += r.chance[k]
		f.variance[k] += r.variance[k]
		f.skew[k] += r.skew[k]
	}
}

func (f *forecast) take(from *[knots]int64, r *row) {
	for k := range knots {
		from[k] -= r.chance[k]
		f.variance[k] -= r.variance[k]
		f.skew[k] -= r.skew[k]
	}
}

// shift takes one row and adds another.
func (f *forecast) shift(side *[knots]int64, from, to *row) {
	for k := range knots {
		side[k] += to.chance[k] - from.chance[k]
		f.variance[k] += to.variance[k] - from.variance[k]
		f.skew[k] += to.skew[k] - from.skew[k]
	}
}

// ownRow makes the row of a line that is not average.
func (e *Engine) ownRow(p int) (r row) {
	stage, bin := int(e.lines.bin[p])/lineBins, int(e.lines.bin[p])%lineBins
	g := e.table.chances(stage, bin, float64(e.calls[e.lines.call[p]].lift*e.learned.level.lift))
	r.fill(&g, 1)
	return r
}

func (e *Engine) enterLine(p int) {
	switch e.lines.kind[p] {
	case lineAverage:
		e.forecast.add(&e.forecast.answers, &e.rows.lines[e.lines.bin[p]])
	case lineOwn:
		r := e.ownRow(p)
		e.forecast.add(&e.forecast.answers, &r)
	}
}

func (e *Engine) leaveLine(p int) {
	switch e.lines.kind[p] {
	case lineAverage:
		e.forecast.take(&e.forecast.answers, &e.rows.lines[e.lines.bin[p]])
	case lineOwn:
		r := e.ownRow(p)
		e.forecast.take(&e.forecast.answers, &r)
	}
}

// moveLine takes a line from the bin it was in to the one it is in now.
func (e *Engine) moveLine(p int, now int64) {
	if e.lines.kind[p] == lineAverage {
		from := e.lines.bin[p]
		e.placeLine(p, now)
		e.forecast.shift(&e.forecast.answers, &e.rows.lines[from], &e.rows.lines[e.lines.bin[p]])
		return
	}
	e.leaveLine(p)
	e.placeLine(p, now)
	e.enterLine(p)
}

// enterAgent adds an agent who will be free again; one who is leaving will not.
func (e *Engine) enterAgent(p int) {
	if !e.agents[e.busy.agent[p]].leaving {
		e.forecast.add(&e.forecast.releases, &e.rows.agents[e.busy.bin[p]])
	}
}

func (e *Engine) leaveAgent(p int) {
	if !e.agents[e.busy.agent[p]].leaving {
		e.forecast.take(&e.forecast.releases, &e.rows.agents[e.busy.bin[p]])
	}
}

// kind returns what a line adds to the forecast.
func (c *call) kind() uint8 {
	switch {
	case c.reserved != 0:
		return lineReserved
	case c.lift != 1:
		return lineOwn
	}
	return lineAverage
}

// addLine enters a line among those alive.
func (e *Engine) addLine(i int32) {
	c := &e.calls[i]
	c.position = int32(len(e.lines.call))
	if c.reserved != 0 {
		e.kept++
	}
	e.lines.call = append(e.lines.call, i)
	e.lines.bin = append(e.lines.bin, c.state*lineBins)
	e.lines.next = append(e.lines.next, lineNext(c.since, 0))
	e.lines.since = append(e.lines.since, c.since)
	e.lines.kind = append(e.lines.kind, c.kind())
	if e.forecast.valid {
		e.enterLine(int(c.position))
	}
}

// dropLine takes a line out; the last one takes its place.
func (e *Engine) dropLine(i int32) {
	p := int(e.calls[i].position)
	if e.calls[i].reserved != 0 {
		e.kept--
	}
	if e.forecast.valid {
		e.leaveLine(p)
	}
	l, last := &e.lines, len(e.lines.call)-1
	l.call[p], l.next[p], l.bin[p], l.since[p], l.kind[p] = l.call[last], l.next[last], l.bin[last], l.since[last], l.kind[last]
	e.calls[l.call[p]].position = int32(p)
	l.call, l.next, l.bin, l.since, l.kind = l.call[:last], l.next[:last], l.bin[:last], l.since[:last], l.kind[:last]
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
	if e.forecast.valid {
		e.enterAgent(int(a.position))
	}
}

func (e *Engine) dropBusy(a *agent) {
	p := int(a.position)
	if e.forecast.valid {
		e.leaveAgent(p)
	}
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
			e.moveLine(p, now)
		}
	}
	for p, next := range e.busy.next {
		if next <= now {
			e.leaveAgent(p)
			e.placeAgent(p, now)
			e.enterAgent(p)
		}
	}
}

func (e *Engine) foreseeAnew(now int64) {
	e.forecast = forecast{valid: true, at: now}
	if !e.rows.valid {
		e.fillRows()
	}
	for p := range e.lines.call {
		e.placeLine(p, now)
		e.enterLine(p)
	}
	for p := range e.busy.agent {
		e.placeAgent(p, now)
		e.enterAgent(p)
	}
}

func (e *Engine) placeLine(p int, now int64) {
	since, first := e.lines.since[p], uint8(0)
	if e.lines.bin[p] >= lineBins {
		first = lineBins
	}
	bin := lineBin(now - since)
	e.lines.bin[p], e.lines.next[p] = first+uint8(bin), lineNext(since, bin)
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
