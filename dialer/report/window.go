package report

import (
	"strings"
	"time"

	"pronto/dnc/rules"
)

// judge holds one window against the answers of the span.
func judge(live []answer, w rules.Window, rule Rule) Window {
	found := Window{Period: w.Period, Base: w.Base, Cap: w.Cap}
	length := w.Length.Std()
	if length > 0 {
		found.Length = short(length)
	}
	if len(live) == 0 {
		found.Held = true
		return found
	}
	switch {
	case w.Period == rules.Rolling && length > 0:
		found.Worst, found.Rate = rolling(live, length, w.Base)
	default:
		for _, part := range split(live, bucket(w, rule, live[0].at)) {
			c := count(part)
			found.Rate = c.rate(w.Base)
			if found.Worst.End.IsZero() || found.Rate > found.Worst.Rate {
				found.Worst = Worst{c.Connected, c.Abandoned, c.Estimated, found.Rate, part[len(part)-1].at}
			}
		}
	}
	found.Held = found.Worst.Rate <= w.Cap+1e-12
	return found
}

// bucket tells to which window of its kind an answer belongs.
func bucket(w rules.Window, rule Rule, first time.Time) func(answer) int64 {
	length := w.Length.Std()
	start := rule.Start
	if start.IsZero() {
		start = first
	}
	return func(x answer) int64 {
		switch {
		case w.Period == rules.Month:
			at := x.at.In(rule.zone())
			return int64(at.Year())*12 + int64(at.Month())
		case w.Period == rules.Successive && length > 0:
			n := int64(x.at.Sub(start) / length)
			if x.at.Before(start) {
				n--
			}
			return n
		}
		return 0
	}
}

// rolling walks a window of fixed length over the answers. Its rate can only
// change when an answer enters or leaves; instants before the window has run its length do
// not count, unless all answers lie within one length.
func rolling(live []answer, length time.Duration, base rules.Base) (worst Worst, last float64) {
	full := live[0].at.Add(length)
	end := live[len(live)-1].at
	var sum sums
	head := 0
	judge := func(at time.Time) {
		if at.Before(full) && at.Before(end) {
			return
		}
		if last = sum.rate(base); worst.End.IsZero() || last > worst.Rate {
			worst = sum.worst(last, at)
		}
	}
	leave := func(until time.Time) {
		for head < len(live) && !live[head].at.Add(length).After(until) {
			gone := live[head].at.Add(length)
			for head < len(live) && !live[head].at.Add(length).After(gone) {
				sum.add(live[head], -1)
				head++
			}
			if gone.Before(until) {
				judge(gone)
			}
		}
	}
	for i, x := range live {
		leave(x.at)
		sum.add(x, 1)
		if i+1 == len(live) || live[i+1].at.After(x.at) {
			judge(x.at)
		}
	}
	return worst, last
}

// split cuts answers in time order where their key changes.
func split[K comparable](live []answer, key func(answer) K) [][]answer {
	var parts [][]answer
	for i, x := range live {
		if i == 0 || key(x) != key(live[i-1]) {
			parts = append(parts, nil)
		}
		last := len(parts) - 1
		parts[last] = append(parts[last], x)
	}
	return parts
}

// short writes 24h0m0s as 24h.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
