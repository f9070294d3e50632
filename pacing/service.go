package pacing

// The law of agents: how long they talk and wrap up.
//
// As with lines, time spent and ends are counted by age bin, and their ratio is the hazard; both are taken over two bins to each side, and two
// ends at the mean hazard are added, so that a bin seen rarely says little. An agent talking at age a is free within T when the talk ends
// after u <= T and the wrap-up takes at most T - u:
//
//	R(a, T) = (1 - away) Σ_u P(talk ends at u | alive at a) W(T - u)
//
// taken over even slices of the longest T. The caller who is answered at knot τ waits up to the grace, so T = τ + grace.
const (
	talkLaw = iota
	wrapLaw
	serviceLaws
)

const (
	serviceSlices = 24
	memoryEnds    = 800
	priorEnds     = 2
	priorTalk     = 1.0 / 90 // hazard per second
	priorWrap     = 1.0 / 15
)

// serviceLaw is what is learned of agents; all of it is state.
type serviceLaw struct {
	alive  [serviceLaws][serviceBins]float64 // seconds
	ends   [serviceLaws][serviceBins]float64
	weight float64
	away   [2]float64 // wrap-ups and talks that ended in ready, in away
	direct [2]float64 // talks that ended in wrap-up, in ready or away at once
}

// serviceTable is the probability of being free by each knot and grace, by law and age bin; fixed point.
type serviceTable struct {
	free [serviceLaws * serviceBins][knots]int64
}

func newServiceLaw() serviceLaw {
	s := serviceLaw{weight: 1, away: [2]float64{20, 0.2}, direct: [2]float64{4, 0}}
	for law, rate := range [serviceLaws]float64{priorTalk, priorWrap} {
		for b := range serviceBins {
			width := seconds(serviceEdges[b+1] - serviceEdges[b])
			s.alive[law][b] = float64(float64(priorEnds*width) * exp(-float64(rate*seconds(serviceEdges[b]))))
			s.ends[law][b] = float64(s.alive[law][b] * rate)
		}
	}
	return s
}

// expose counts that an agent was in that law's stage from one age to another.
func (s *serviceLaw) expose(law int, from, to int64) {
	for b := serviceBin(from); from < to; b++ {
		end := to
		if b < serviceBins-1 {
			end = min(to, serviceEdges[b+1])
		}
		s.alive[law][b] += float64(seconds(end-from) * s.weight)
		from = end
	}
}

// finish counts that a talk or wrap-up ended at that age.
func (s *serviceLaw) finish(law int, age int64) {
	s.ends[law][serviceBin(age)] += s.weight
	s.weight += s.weight / memoryEnds
	if s.weight > 1e9 {
		s.rescale(1 / s.weight)
	}
}

func (s *serviceLaw) rescale(by float64) {
	for law := range serviceLaws {
		for b := range serviceBins {
			s.alive[law][b] *= by
			s.ends[law][b] *= by
		}
	}
	for i := range 2 {
		s.away[i] *= by
		s.direct[i] *= by
	}
	s.weight *= by
}

// survival returns the share still there at each edge.
func (s *serviceLaw) survival(law int) (out [serviceBins + 1]float64) {
	alive, ends := 0.0, 0.0
	for b := range serviceBins {
		alive += s.alive[law][b]
		ends += s.ends[law][b]
	}
	mean := max(ends, 1e-12) / max(alive, 1e-12)
	pseudo := float64(2 * s.weight)
	out[0] = 1
	for b := range serviceBins {
		alive, ends := pseudo/mean, pseudo
		for j := max(b-2, 0); j <= min(b+2, serviceBins-1); j++ {
			alive += s.alive[law][j]
			ends += s.ends[law][j]
		}
		rate := ends / alive
		out[b+1] = float64(out[b] * exp(-float64(rate*seconds(serviceEdges[b+1]-serviceEdges[b]))))
	}
	return out
}

// fill makes the table for these knots.
func (t *serviceTable) fill(s *serviceLaw, knot *[knots]int64, grace int64) {
	talk, wrap := s.survival(talkLaw), s.survival(wrapLaw)
	stay := 1 - clamp(s.away[1]/max(s.away[0]+s.away[1], 1e-12), 0, 0.9)
	direct := clamp(s.direct[1]/max(s.direct[0]+s.direct[1], 1e-12), 0, 1)
	step := max((knot[knots-1]+grace)/serviceSlices, 1)
	var at [knots]float64 // knots in slices
	for k := range knots {
		at[k] = float64(knot[k]+grace) / float64(step)
	}
	var done [serviceSlices + 1]float64 // share of wrap-ups done within i slices
	for i, b := 1, 0; i <= serviceSlices; i++ {
		var left float64
		left, b = survivalAt(&wrap, int64(i)*step, b)
		done[i] = 1 - left
	}
	var by [knots][serviceSlices]float64 // share of wrap-ups begun in slice i that are done at knot k
	for k := range knots {
		for i := range serviceSlices {
			by[k][i] = doneBy(&done, at[k]-float64(i)-0.5)
		}
	}
	for b := range serviceBins {
		t.fillTalk(b, &talk, &by, step, stay, direct)
		t.fillWrap(b, &wrap, knot, grace, stay)
	}
}

func (t *serviceTable) fillTalk(b int, talk *[serviceBins + 1]float64, by *[knots][serviceSlices]float64, step int64, stay, direct float64) {
	mid := (serviceEdges[b] + serviceEdges[b+1]) / 2
	now := max((talk[b]+talk[b+1])/2, 1e-300)
	bin, last := b, now
	var sum [knots]float64
	for i := range serviceSlices {
		var left float64
		left, bin = survivalAt(talk, mid+int64(i+1)*step, bin)
		ended := (last - left) / now
		last = left
		for k := range knots {
			share := by[k][i]
			if share > 0 {
				share = direct + float64((1-direct)*share)
			}
			sum[k] += float64(ended * share)
		}
	}
	for k := range knots {
		t.free[talkLaw*serviceBins+b][k] = fixed(float64(sum[k] * stay))
	}
}

func (t *serviceTable) fillWrap(b int, wrap *[serviceBins + 1]float64, knot *[knots]int64, grace int64, stay float64) {
	mid := (serviceEdges[b] + serviceEdges[b+1]) / 2
	now := max((wrap[b]+wrap[b+1])/2, 1e-300)
	bin := b
	for k := range knots {
		var left float64
		left, bin = survivalAt(wrap, mid+knot[k]+grace, bin)
		t.free[wrapLaw*serviceBins+b][k] = fixed(float64((1 - left/now) * stay))
	}
}

// survivalAt interpolates a survival at an age, searching from bin b on; it returns the bin too.
func survivalAt(v *[serviceBins + 1]float64, age int64, b int) (float64, int) {
	for b < serviceBins-1 && age >= serviceEdges[b+1] {
		b++
	}
	part := min(seconds(age-serviceEdges[b])/seconds(serviceEdges[b+1]-serviceEdges[b]), 1)
	return v[b] + float64(part*(v[b+1]-v[b])), b
}

// doneBy interpolates at x slices; below 0 nothing is done.
func doneBy(done *[serviceSlices + 1]float64, x float64) float64 {
	if x <= 0 {
		return 0
	}
	i := int(x)
	if i >= serviceSlices {
		return done[serviceSlices]
	}
	return done[i] + float64((x-float64(i))*(done[i+1]-done[i]))
}
