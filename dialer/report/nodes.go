package report

import (
	"iter"
	"slices"

	"pronto/dialer/journal"
)

// believed reads folders as figures need them: what one node assumed of the calls of
// another that was lost is left out where the lost one's own journal tells how they ended, and where it
// is said twice.
func believed(from journal.Folders, opt journal.ReadOptions) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		known, err := assumedOf(from)
		if err != nil {
			yield(journal.Record{}, err)
			return
		}
		said := map[assumption]bool{}
		for r, err := range from.Read(opt) {
			if err == nil && assumes(r) {
				a := assumption{r.Attempt, r.Kind}
				if known[r.Attempt] || said[a] {
					continue
				}
				said[a] = true
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// assumption is one record of what was assumed of an attempt.
type assumption struct {
	attempt string
	kind    journal.Kind
}

// assumes reports whether a record tells what was assumed of a lost node's attempt.
func assumes(r journal.Record) bool {
	switch r.Kind {
	case journal.Abandoned:
		return detail[journal.AbandonedDetail](r).GivenUp != ""
	case journal.Interrupted:
		return detail[journal.InterruptedDetail](r).GivenUp != ""
	default:
		return false
	}
}

// assumedOf finds the attempts of lost nodes of which something was assumed, and says
// which of them those nodes' own journals have an answer or an end of.
func assumedOf(from journal.Folders) (known map[string]bool, err error) {
	var nodes []string
	for _, dir := range from {
		in, err := journal.Nodes(dir)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, in...)
	}
	known = map[string]bool{}
	if slices.Sort(nodes); len(slices.Compact(nodes)) < 2 {
		return known, nil
	}
	for r, err := range from.Read(journal.ReadOptions{Kinds: []journal.Kind{journal.Interrupted}, Closed: true}) {
		if err != nil {
			return nil, err
		}
		if assumes(r) {
			known[r.Attempt] = false
		}
	}
	if len(known) == 0 {
		return known, nil
	}
	telling := []journal.Kind{journal.Connected, journal.Abandoned, journal.Ended, journal.Interrupted}
	for r, err := range from.Read(journal.ReadOptions{Kinds: telling, Closed: true}) {
		if err != nil {
			return nil, err
		}
		if _, some := known[r.Attempt]; some && !assumes(r) {
			known[r.Attempt] = true
		}
	}
	return known, nil
}
