package pacing

// The law of a line.
//
// A line is first dialing, then, once its 180 or 183 is seen, ringing; in both stages it is answered by a person, ends otherwise, or (while
// dialing) begins to ring. For each stage and age bin b the law keeps the time that lines were alive in b, and the ends by cause, both fading
// with every line that ends. Their ratios are the hazards λ of each cause. Counting time alive, and not ends alone, keeps the first minutes
// honest, when only fast ends have been seen yet.
//
// From the hazards, with S the share still alive at the start of a bin of width w:
//
//	S(b+1) = S(b) exp(-w Σλ),    f(b) = (S(b) - S(b+1)) λ_live / Σλ,    U_live(b) = Σ_{j≥b} f(j)
//
// and likewise U_other. A line of age a will thus be answered with odds U_live(a) / U_other(a), and if so within τ with probability
// 1 - U_live(a+τ) / U_live(a). A lead whose prior odds are m times the average keeps that factor at every age (Bayes), so only the odds are
// its own; the delay is common.
const (
	knots     = 8                    // instants at which the forecast is taken
	fixedOne  = int64(1) << fixedBit // probabilities are whole multiples of 2^-30: their sums are exact in any order
	fixedBit  = 30
	fineSteps = 64 // of the even grid on which answer delays are tabulated
)

// stage of a line.
const (
	dialing = iota
	ringing
	stages
)

// cause of a line leaving its stage.
const (
	byLive = iota
	byOther
	byRing
	causes
)

// lineLaw is what is learned of lines; all of it is state.
type lineLaw struct {
	alive  [stages][lineBins]float64         // seconds alive, weighted
	ends   [stages][causes][lineBins]float64 // ends by cause, weighted
	weight float64                           // of the next end; grows, so that older ones fade
	tried  float64                           // lines ended, weighted
	live   float64                           // of them answered by a person
}

// lineTable is what forecasts need, made from a lineLaw now and then.
type lineTable struct {
	share  float64                        // of new lines answered by a person
	odds   [stages][lineBins]float64      // of an answer by a person, still to come
	within [stages][lineBins][knots]int64 // given one, that it comes before each knot; fixed point
	rate   [stages][lineBins]float64      // hazard of an answer by a person, per second
	knot   [knots]int64                   // instants from now, nanoseconds
}

// The law before anything is seen: six lines' worth of a ringing that ends within 15 s or so, three of ten answered by a person. A high share
// is the cautious side: it dials fewer.
const (
	priorLines   = 6
	priorLive    = 0.03
	priorOther   = 0.05
	priorRing    = 0.5
	priorMeanAge = 15
	priorTimeout = 25 // seconds of ringing that the above suits
)

// newLineLaw scales what is assumed by the longest ringing, where that is known: a campaign of short rings is a faster one.
func newLineLaw(ringTimeout int64) lineLaw {
	scale := 1.0
	if ringTimeout > 0 {
		scale = clamp(seconds(ringTimeout)/priorTimeout, 0.05, 2)
	}
	l := lineLaw{weight: 1, tried: priorLines, live: priorLines * 0.3}
	for b := range lineBins {
		width := seconds(lineEdges[b+1] - lineEdges[b])
		alive := float64(float64(priorLines*width) * exp(-seconds(lineEdges[b])/float64(priorMeanAge*scale)))
		for s := range stages {
			l.alive[s][b] = alive
			l.ends[s][byLive][b] = float64(alive*priorLive) / scale
			l.ends[s][byOther][b] = float64(alive*priorOther) / scale
		}
		l.ends[dialing][byLive][b] = float64(alive*(priorLive/10)) / scale
		l.ends[dialing][byRing][b] = float64(alive*priorRing) / scale
	}
	return l
}

// expose counts that a line was alive in a stage from one age to another, and returns the number of live answers the table expected of it:
// with odds m times the average o, the average hazard times m (1 + o) / (1 + m o).
func (l *lineLaw) expose(t *lineTable, stage int, from, to int64, lift float64) float64 {
	expected := 0.0
	for b := lineBin(from); from < to; b++ {
		end := to
		if b < lineBins-1 {
			end = min(to, lineEdges[b+1])
		}
		dt := seconds(end - from)
		l.alive[stage][b] += float64(dt * l.weight)
		rate := t.rate[stage][b]
		if o := t.odds[stage][b]; lift != 1 {
			rate = float64(rate*float64(lift*(1+o))) / (1 + float64(lift*o))
		}
		expected += float64(dt * rate)
		from = end
	}
	return expected
}

// leave counts that a line left a stage.
func (l *lineLaw) leave(stage, cause, bin int) { l.ends[stage][cause][bin] += l.weight }

// Memory, in lines: about 150 live answers.
const (
	memoryAnswers  = 600
	memoryLinesMin = 400
	memoryLinesMax = 12000
)

// finish counts that a line is over and lets what was learned before fade by one line.
func (l *lineLaw) finish(live bool, haste float64) {
	l.tried += l.weight
	if live {
		l.live += l.weight
	}
	memory := clamp(float64(memoryAnswers*l.tried)/max(l.live, 1e-9), memoryLinesMin, memoryLinesMax) / haste
	l.weight += l.weight / memory
	if l.weight > 1e9 {
		l.rescale(1 / l.weight)
	}
}

func (l *lineLaw) rescale(by float64) {
	for s := range stages {
		for b := range lineBins {
			l.alive[s][b] *= by
			for c := range causes {
				l.ends[s][c][b] *= by
			}
		}
	}
	l.tried *= by
	l.live *= by
	l.weight *= by
}

// incidence returns, of lines that enter the stage, the share that leaves it in each bin by each cause.
func (l *lineLaw) incidence(stage int) (out [causes][lineBins]float64) {
	survive := 1.0
	for b := range lineBins {
		var rate [causes]float64
		total := 0.0
		alive := smooth(&l.alive[stage], b)
		for c := range causes {
			rate[c] = smooth(&l.ends[stage][c], b) / max(alive, 1e-300)
			total += rate[c]
		}
		if total <= 0 {
			continue
		}
		gone := survive
		if b < lineBins-1 {
			gone = float64(survive * (1 - exp(-float64(total*seconds(lineEdges[b+1]-lineEdges[b])))))
		}
		for c := range causes {
			out[c][b] = float64(gone*rate[c]) / total
		}
		survive -= gone
	}
	return out
}

// smooth returns a bin's value with a quarter of each neighbour's in place of half its own.
func smooth(v *[lineBins]float64, b int) float64 {
	return v[b]/2 + v[max(b-1, 0)]/4 + v[min(b+1, lineBins-1)]/4
}
