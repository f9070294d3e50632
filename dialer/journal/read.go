package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"time"
)

// ReadOptions choose what Read gives. The zero value gives everything.
type ReadOptions struct {
	From, To time.Time // From <= At < To; zero: no bound
	Node     string    // empty: all nodes
	Kinds    []Kind    // empty: all
	Campaign string    // empty: all; else its records and those of no campaign
	// Number gives the records about the number and those of its attempts, those
	// written before the attempt was known left out. From and To should span whole attempts.
	Number string
	// Closed leaves sealed fields closed, which is faster and all that figures need.
	Closed bool

	after uint64 // ReadFrom
}

// Read gives the records of a folder in the order of their chains, several nodes
// merged by At, in constant memory. It may run while a process appends; a line that is being written is left
// out. Sealed fields come back while their key exists. An error, such as a line that is not what its hash
// says, names the file and line and ends the sequence.
func Read(dir string, opt ReadOptions) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		all, err := segments(dir)
		if err != nil {
			yield(Record{}, err)
			return
		}
		f := filter{ReadOptions: opt, attempts: map[string]bool{}}
		if opt.Number != "" {
			k, err := readSecret(dir)
			if err != nil {
				yield(Record{}, fmt.Errorf("journal: %w", err))
				return
			}
			f.subject = []byte(k.subject(opt.Number).String())
		}
		var nodes []iter.Seq2[Record, error]
		for _, node := range slices.Sorted(maps.Keys(all)) {
			if opt.Node == "" || opt.Node == node {
				nodes = append(nodes, readNode(all[node], &f))
			}
		}
		merge(nodes, yield)
	}
}

// ReadFrom gives a node's records with a seq of at least seq. It skips whole
// segments and, in the newest, most of what comes before.
func ReadFrom(dir, node string, seq uint64) iter.Seq2[Record, error] {
	return Read(dir, ReadOptions{Node: node, after: max(seq, 1) - 1})
}

// ReadFrom gives the records with a seq of at least seq that have been written.
func (j *Journal) ReadFrom(seq uint64) iter.Seq2[Record, error] {
	return ReadFrom(j.dir, j.opt.Node, seq)
}

// merge gives the records of several nodes by time.
func merge(nodes []iter.Seq2[Record, error], yield func(Record, error) bool) {
	if len(nodes) == 1 {
		nodes[0](yield)
		return
	}
	type source struct {
		next func() (Record, error, bool)
		head Record
		err  error
	}
	var sources []*source
	for _, n := range nodes {
		next, stop := iter.Pull2(n)
		defer stop()
		s := &source{next: next}
		var ok bool
		if s.head, s.err, ok = next(); ok {
			sources = append(sources, s)
		}
	}
	for len(sources) > 0 {
		first := slices.MinFunc(sources, func(a, b *source) int { return a.head.At.Compare(b.head.At) })
		if !yield(first.head, first.err) || first.err != nil {
			return
		}
		var ok bool
		if first.head, first.err, ok = first.next(); !ok {
			sources = slices.DeleteFunc(sources, func(s *source) bool { return s == first })
		}
	}
}

// readNode gives what the filter lets through of one node's segments.
func readNode(list []segment, f *filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if len(list) == 0 {
			return
		}
		keys := &slots{name: keyPath(list[0].dir, list[0].node+subjectsExt)}
		defer keys.close()
		var prev link
		for i, s := range list {
			skip, err := f.skips(s, list[i+1:])
			if err == nil && skip {
				prev = link{}
				continue
			}
			more := false
			if err == nil {
				prev, more, err = readSegment(s, i == len(list)-1, prev, f, keys, yield)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("journal: read: %w", err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// readSegment gives what the filter lets through of one segment; prev has seq 0
// when the line before is not known. more is false when the reader wants no more.
func readSegment(s segment, newest bool, prev link, f *filter, keys *slots, yield func(Record, error) bool) (last link, more bool, err error) {
	o, err := openSegment(s)
	if err != nil {
		return prev, false, err
	}
	defer o.close()
	if f.after > 0 && newest {
		if err := o.seek(f.after + 1); err != nil {
			return prev, false, err
		}
		prev = link{}
	}
	in := newLines(o)
	for {
		line, whole, err := in.next()
		if errors.Is(err, io.EOF) || err == nil && !whole && newest {
			return prev, true, nil
		}
		if err == nil && !whole {
			err = errors.New("unfinished line")
		}
		var l link
		if err == nil {
			l, err = parseLink(line)
		}
		if err == nil && prev.seq != 0 {
			err = follows(prev, l)
		}
		if err != nil {
			return prev, false, fmt.Errorf("%s:%d: %w", o.name, in.n, err)
		}
		prev = l
		r, ok, err := f.take(line, l.seq, keys)
		if err != nil {
			return prev, false, fmt.Errorf("%s:%d: %w", o.name, in.n, err)
		}
		if ok && !yield(r, nil) {
			return prev, false, nil
		}
	}
}

// filter is ReadOptions at work.
type filter struct {
	ReadOptions
	subject  []byte          // of Number
	attempts map[string]bool // of the subject
}

// skips reports whether nothing in a closed segment can be wanted, by what its
// head says of it. File names do not serve: records carry the time of their event.
func (f *filter) skips(s segment, later []segment) (bool, error) {
	if f.after == 0 && f.From.IsZero() && f.To.IsZero() || len(later) == 0 {
		return false, nil
	}
	h, err := ReadHead(s.path(headExt))
	if err != nil {
		return false, err
	}
	return h.Last <= f.after || !f.From.IsZero() && h.To.Before(f.From) || !f.To.IsZero() && !h.From.Before(f.To), nil
}

var attemptMark = []byte(`"attempt":"`)

// take decodes a line that is wanted.
func (f *filter) take(line []byte, seq uint64, keys *slots) (r Record, ok bool, err error) {
	if seq <= f.after {
		return r, false, nil
	}
	_, at, _, kind, err := peek(line)
	if err != nil {
		return r, false, err
	}
	if !f.From.IsZero() && at.Before(f.From) || !f.To.IsZero() && !at.Before(f.To) ||
		len(f.Kinds) > 0 && !slices.Contains(f.Kinds, kind) && f.subject == nil || !f.mayConcern(line) {
		return r, false, nil
	}
	r, sealed, err := decodeLine(line)
	if err != nil || !f.concerns(r) {
		return r, false, err
	}
	if sealed != "" && !f.Closed {
		err = keys.unseal(&r, sealed)
	}
	return r, err == nil, err
}

// mayConcern is a quick look at whether the line can be about the number.
func (f *filter) mayConcern(line []byte) bool {
	if f.subject == nil || bytes.Contains(line, f.subject) {
		return true
	}
	_, rest, ok := bytes.Cut(line, attemptMark)
	attempt, _, _ := bytes.Cut(rest, []byte{'"'})
	return ok && f.attempts[string(attempt)]
}

func (f *filter) concerns(r Record) bool {
	if f.Campaign != "" && r.Campaign != "" && r.Campaign != f.Campaign {
		return false
	}
	if f.subject == nil {
		return true
	}
	about := r.Subject == string(f.subject) || r.Attempt != "" && f.attempts[r.Attempt]
	if about && r.Attempt != "" {
		f.attempts[r.Attempt] = true
	}
	return about && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, r.Kind))
}
