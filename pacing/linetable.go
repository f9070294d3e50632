package pacing

// fill makes the table.
func (t *lineTable) fill(l *lineLaw) {
	t.share = clamp(l.live/l.tried, 0.002, 0.95)
	for s := range stages {
		for b := range lineBins {
			t.rate[s][b] = smooth(&l.ends[s][byLive], b) / max(smooth(&l.alive[s], b), 1e-300)
		}
	}
	ring, dial := l.incidence(ringing), l.incidence(dialing)
	var stillRing [lineBins + 1]float64 // answers of a ringing line still to come at the start of each bin
	otherRing := 0.0
	for b := lineBins - 1; b >= 0; b-- {
		stillRing[b] = stillRing[b+1] + ring[byLive][b]
		t.odds[ringing][b] = odds(stillRing[b+1]+ring[byLive][b]/2, otherRing+ring[byOther][b]/2)
		otherRing += ring[byOther][b]
	}
	t.placeKnots(&dial, &ring)
	for b := range lineBins {
		t.fillRinging(b, &stillRing)
	}
	t.fillDialing(&dial, &stillRing)
}

func odds(live, other float64) float64 {
	return clamp(max(live, 1e-12)/max(other, 1e-12), 1e-6, 1e3)
}

// placeKnots puts the knots at even quantiles of the time from dialing to a live answer, so that each stands for as many answers.
func (t *lineTable) placeKnots(dial, ring *[causes][lineBins]float64) {
	var when [lineBins]float64
	total := 0.0
	add := func(age int64, share float64) {
		when[lineBin(age)] += share
		total += share
	}
	for i := range lineBins {
		mid := (lineEdges[i] + lineEdges[i+1]) / 2
		add(mid, dial[byLive][i])
		if dial[byRing][i] < 1e-3 {
			continue
		}
		for j := range lineBins {
			if ring[byLive][j] > 1e-4 {
				add(mid+(lineEdges[j]+lineEdges[j+1])/2, float64(dial[byRing][i]*ring[byLive][j]))
			}
		}
	}
	sum, b := 0.0, 0
	for k := range knots {
		want := float64(total * ((float64(k) + 0.5) / knots))
		for b < lineBins-1 && sum+when[b] < want {
			sum += when[b]
			b++
		}
		part := 0.5
		if when[b] > 0 {
			part = clamp((want-sum)/when[b], 0, 1)
		}
		t.knot[k] = lineEdges[b] + nanoseconds(float64(part*seconds(lineEdges[b+1]-lineEdges[b])))
	}
}

// fillRinging tabulates, for a ringing line in the middle of bin b, how soon its answer comes if one comes.
func (t *lineTable) fillRinging(b int, still *[lineBins + 1]float64) {
	mid := (lineEdges[b] + lineEdges[b+1]) / 2
	now := (still[b] + still[b+1]) / 2
	at := b
	for k := range knots {
		if now <= 1e-9 {
			t.within[ringing][b][k] = fixedOne
			continue
		}
		var later float64
		later, at = stillAt(still, mid+t.knot[k], at)
		t.within[ringing][b][k] = fixed(1 - later/now)
	}
}

// stillAt interpolates still at an age, searching from bin b on; it returns the bin too.
func stillAt(still *[lineBins + 1]float64, age int64, b int) (float64, int) {
	for b < lineBins-1 && age >= lineEdges[b+1] {
		b++
	}
	part := min(seconds(age-lineEdges[b])/seconds(lineEdges[b+1]-lineEdges[b]), 1)
	return still[b] + float64(part*(still[b+1]-still[b])), b
}

// fillDialing does the same for dialing lines, whose answers mostly come by way of ringing.
func (t *lineTable) fillDialing(dial *[causes][lineBins]float64, still *[lineBins + 1]float64) {
	var ringBy [fineSteps + 1]float64 // share of live answers within i steps of the first ringing
	step := max(t.knot[knots-1]/fineSteps, 1)
	for i, b := 1, 0; i <= fineSteps; i++ {
		var later float64
		later, b = stillAt(still, int64(i)*step, b)
		ringBy[i] = still[0] - later
	}
	live, other := 0.0, 0.0
	for b := lineBins - 1; b >= 0; b-- {
		newLive := dial[byLive][b] + float64(dial[byRing][b]*still[0])
		newOther := dial[byOther][b] + float64(dial[byRing][b]*(1-still[0]))
		mass := live + newLive/2
		t.odds[dialing][b] = odds(mass, other+newOther/2)
		live, other = live+newLive, other+newOther
		if mass <= 1e-9 {
			t.within[dialing][b] = t.within[dialing][min(b+1, lineBins-1)]
			continue
		}
		mid := (lineEdges[b] + lineEdges[b+1]) / 2
		var sum [knots]float64
		for j := b; j < lineBins; j++ {
			wait, part := (lineEdges[j]+lineEdges[j+1])/2-mid, 1.0
			if j == b {
				wait, part = (lineEdges[j+1]-lineEdges[j])/4, 0.5
			}
			if wait >= t.knot[knots-1] {
				break
			}
			direct, rings := float64(part*dial[byLive][j]), float64(part*dial[byRing][j])
			if direct+rings < 1e-7 {
				continue
			}
			for k := range knots {
				if left := t.knot[k] - wait; left > 0 {
					sum[k] += direct + float64(rings*even(&ringBy, left, step))
				}
			}
		}
		for k := range knots {
			t.within[dialing][b][k] = fixed(sum[k] / mass)
		}
	}
}

// even interpolates a table on an even grid.
func even(v *[fineSteps + 1]float64, at, step int64) float64 {
	i := at / step
	if i >= fineSteps {
		return v[fineSteps]
	}
	part := float64(at-i*step) / float64(step)
	return v[i] + float64(part*(v[i+1]-v[i]))
}

// fixed converts a probability to fixed point.
func fixed(p float64) int64 { return int64(float64(clamp(p, 0, 1) * float64(fixedOne))) }
