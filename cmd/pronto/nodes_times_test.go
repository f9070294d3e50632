package main

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// stillness is when this process did not run because the machine was too busy, and
// the far ends neither.
type stillness struct {
	mu    sync.Mutex // protects spans
	spans []stretch
}

type stretch struct{ from, to time.Time }

// watch takes note of it until the test ends.
func (s *stillness) watch(t *testing.T) {
	const every = 20 * time.Millisecond
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		last := time.Now()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			now := time.Now()
			if now.Sub(last) > 5*every {
				s.mu.Lock()
				s.spans = append(s.spans, stretch{last, now})
				s.mu.Unlock()
			}
			last = now
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
}

// between is how long it was in some time.
func (s *stillness) between(from, to time.Time) (total time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.spans {
		begin, end := x.from, x.to
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		total += max(0, end.Sub(begin))
	}
	return total
}

// resumed is, by kind of trouble, how long after its end the nodes that it hit
// dialed again: the last of them. A node that another trouble hit before that is left out.
func (s *shared) resumed() map[kind][]time.Duration {
	byNode := map[int][]time.Time{}
	for _, r := range s.calls {
		byNode[s.node(r)] = append(byNode[s.node(r)], r.invited)
	}
	all := map[kind][]time.Duration{}
	for _, x := range s.c.happened {
		longest := time.Duration(-1)
		for i := range s.c.all {
			k, _ := slices.BinarySearchFunc(byNode[i], x.ended, time.Time.Compare)
			if !x.hits(i) || k == len(byNode[i]) {
				continue
			}
			first := byNode[i][k]
			alone := !slices.ContainsFunc(s.c.happened, func(o *trouble) bool {
				return o != x && o.hits(i) && o.began.Before(first) && o.ended.After(x.began)
			})
			if alone {
				longest = max(longest, first.Sub(x.ended))
			}
		}
		if longest >= 0 {
			all[x.kind] = append(all[x.kind], longest)
		}
	}
	return all
}

// tell prints what happened.
func (s *shared) tell() {
	s.t.Helper()
	t, past := s.t, s.c.options.nodes*s.c.options.past
	if len(s.calls) == 0 {
		t.Error("no carrier saw a call")
		return
	}
	took := s.calls[len(s.calls)-1].invited.Sub(s.calls[0].invited)
	answered := 0
	for _, r := range s.calls {
		if !r.answered.IsZero() {
			answered++
		}
	}
	t.Logf("%d leads, %d nodes: %d calls in %s, %.0f a second over all nodes, %d of them at sipp's carriers, %d answered", s.c.options.leads, len(s.c.all), len(s.calls), took.Round(time.Second),
		float64(len(s.calls))/took.Seconds(), s.sipp, answered)
	t.Logf("%d calls to numbers rung before, %d numbers rung by more than one node, %d calls to numbers that rang when their node was killed", s.again, s.both, s.orphan)
	t.Logf("%d put through, %d abandoned, of which %d by dead processes: %.2f %%; with the %d calls before, %.2f %%", s.connected-past, s.abandoned, s.interrupted,
		100*float64(s.abandoned)/float64(max(1, s.connected-past)), past, 100*float64(s.abandoned)/float64(max(1, s.connected)))
	t.Logf("rung twice within %s: %d; leads lost: %d; calls in no journal, or in two: %d", s.c.options.delay, s.notes["rung twice"], s.notes["lead lost"], s.notes["not in one node's journal"])
	t.Logf("%d times a node ended at its start because Redis did not answer, and was started again", s.c.restarts)
	resumed := s.resumed()
	for _, k := range slices.Concat(nodeKinds, redisKinds) {
		n, broken := 0, time.Duration(0)
		for _, x := range s.c.happened {
			if x.kind == k {
				n++
				broken += x.ended.Sub(x.began)
			}
		}
		if n == 0 {
			continue
		}
		d := resumed[k]
		slices.Sort(d)
		if len(d) == 0 {
			t.Logf("%-34s %3d times, %5s on average", k, n, (broken / time.Duration(n)).Round(100*time.Millisecond))
			continue
		}
		t.Logf("%-34s %3d times, %5s on average; dialing again after %s at the median of %d, %s at most", k, n, (broken / time.Duration(n)).Round(100*time.Millisecond),
			d[len(d)/2].Round(10*time.Millisecond), len(d), d[len(d)-1].Round(10*time.Millisecond))
	}
}
