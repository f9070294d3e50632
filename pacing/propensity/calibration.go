package propensity

// Bin is the leads whose predicted propensity was within a range, and what became of them. Predictions are made before the outcome is learned,
// so the table shows how right they were when they counted.
type Bin struct {
	// From and To bound the predicted propensity.
	From, To float64
	// Leads were dialed, Answered of them answered in person, and Expected were predicted to.
	Leads, Answered int
	Expected        float64
}

// edges part the bins.
var edges = [...]float64{0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3}

// calibrate enters a lead in its bin, once predictions are made at all.
func (m *Model) calibrate(levels []int, p float64, live bool) {
	c := m.Propensity(levels)
	if c == 0 {
		return
	}
	i := 0
	for i < len(edges) && c >= edges[i] {
		i++
	}
	b := &m.bins[i]
	b.Leads++
	b.Expected += p
	if live {
		b.Answered++
	}
}

// Calibration lists the bins that have leads, from the least likely to the most.
func (m *Model) Calibration() []Bin {
	var out []Bin
	for i, b := range m.bins {
		if b.Leads == 0 {
			continue
		}
		b.To = mostPropensity
		if i > 0 {
			b.From = edges[i-1]
		}
		if i < len(edges) {
			b.To = edges[i]
		}
		out = append(out, b)
	}
	return out
}
