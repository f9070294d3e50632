package pacing

// trust is how far the caller's propensities are believed.
//
// A lead of propensity c is said to be answered with probability p c, where p is the mean: by a factor m in odds, ln m in log odds. The engine
// takes w ln m instead and learns w. With σ the probability this gives and y the outcome, 0 or 1, each line's log likelihood has slope
// (y - σ) ln m in w and curvature σ (1 - σ) (ln m)², so w moves by the slope over the curvature gathered so far (Newton), which fades. A
// propensity that says nothing drives w to 0, one that overstates its case to below 1.
type trust struct {
	weight, curvature float64
}

const (
	trustBegin  = 5 // curvature behind the first belief that w = 1: about twenty telling lines
	trustMemory = 4000
	trustMost   = 1.3
)

func newTrust() trust { return trust{weight: 1, curvature: trustBegin} }

// learn takes the outcome of a line whose propensity said lean = ln m.
func (t *trust) learn(share, lean float64, live bool) {
	own := float64(share*exp(float64(t.weight*lean))) / (1 - share)
	own /= 1 + own
	miss := -own
	if live {
		miss++
	}
	t.curvature += float64(float64(own*(1-own))*float64(lean*lean)) - t.curvature/trustMemory
	t.weight = clamp(t.weight+float64(miss*lean)/max(t.curvature, 1), 0, trustMost)
}

// lean returns ln m for a propensity; 0 is unknown and counts as average.
func (e *Engine) lean(propensity float64) float64 {
	if !(propensity > 0) || propensity == 1 {
		return 0
	}
	p := e.table.share
	own := clamp(float64(p*propensity), 0.001, 0.95)
	return log(float64(own*(1-p)) / float64((1-own)*p))
}

// lift returns by how much odds are multiplied, at the trust there is now.
func (e *Engine) lift(lean float64) float64 { return exp(float64(e.learned.trust.weight * lean)) }
