package journal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Verification is what Verify found.
type Verification struct {
	OK         bool    `json:"ok"`
	Records    uint64  `json:"records"`
	Segments   int     `json:"segments"`
	Signatures int     `json:"signatures"` // heads in the folder that hold
	Heads      int     `json:"heads"`      // heads given that lie on the chain
	Nodes      []Chain `json:"nodes"`
	// Broken is the first thing that is wrong in each chain, nothing when OK.
	Broken []Broken `json:"broken,omitempty"`
}

// Chain is one node's part of a Verification, up to where it holds.
type Chain struct {
	Node     string    `json:"node"`
	Segments int       `json:"segments"`
	Records  uint64    `json:"records"` // also the seq of the last one
	Hash     string    `json:"hash"`    // of the last one
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	// Unfinished counts bytes behind the last whole record: a line that is being
	// written, or was when the process died. They are no record and prove nothing.
	Unfinished int64 `json:"unfinished,omitempty"`
	// Torn lists files that keep what a crash cut off.
	Torn []string `json:"torn,omitempty"`
}

// Broken says where a chain does not hold.
type Broken struct { //nolint:errname // a result first, an error on the way there
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Seq  uint64 `json:"seq,omitempty"` // the record that should stand there
	What string `json:"what"`
}

func (b Broken) Error() string {
	if b.Line == 0 {
		return fmt.Sprintf("%s: %s", b.File, b.What)
	}
	return fmt.Sprintf("%s:%d: record %d: %s", b.File, b.Line, b.Seq, b.What)
}

// Verify walks all chains of a folder from their first records: each line's
// hash, its place behind the one before, each closed segment's signed head, and that no
// segment is missing. Heads that were kept elsewhere must lie on the chain and be signed with the folder's
// key; they show a chain that was rewritten or cut as a whole. What is broken is a
// result; an error means that the folder could not be read.
func Verify(dir string, heads ...Head) (Verification, error) {
	all, err := segments(dir)
	if err != nil {
		return Verification{}, err
	}
	var v Verification
	for _, node := range slices.Sorted(maps.Keys(all)) {
		c := &check{dir: dir, chain: Chain{Node: node}, last: link{hash: genesis}, heads: map[uint64][]Head{}}
		for _, h := range heads {
			if h.Node == node {
				c.heads[h.Last] = append(c.heads[h.Last], h)
			}
		}
		err := c.walk(all[node])
		var broken Broken
		if errors.As(err, &broken) {
			v.Broken = append(v.Broken, broken)
		} else if err != nil {
			return Verification{}, fmt.Errorf("journal: verify: %w", err)
		}
		v.Records += c.chain.Records
		v.Segments += c.chain.Segments
		v.Signatures += c.signatures
		v.Heads += c.found
		v.Nodes = append(v.Nodes, c.chain)
	}
	for _, h := range heads {
		if _, ok := all[h.Node]; !ok {
			v.Broken = append(v.Broken, Broken{File: h.Segment, Seq: h.Last, What: "the folder has no segment of node " + h.Node})
		}
	}
	v.OK = len(v.Broken) == 0
	return v, nil
}

// check walks one chain.
type check struct {
	dir        string
	chain      Chain
	last       link
	times      extent            // of the segment's records so far
	key        string            // base64 of the node's public key
	heads      map[uint64][]Head // given, by Last
	signatures int
	found      int
}

func (c *check) walk(list []segment) error {
	for _, s := range list {
		if has, err := s.has(tornExt); err != nil {
			return err
		} else if has {
			c.chain.Torn = append(c.chain.Torn, filepath.Base(s.path(tornExt)))
		}
	}
	pub, err := readPublic(c.dir, c.chain.Node)
	if err != nil {
		return Broken{File: keyPath(c.dir, c.chain.Node+publicExt), What: "the node's public key cannot be read: " + err.Error()}
	}
	c.key = base64.StdEncoding.EncodeToString(pub)
	for i, s := range list {
		if err := c.segment(s, i == len(list)-1); err != nil {
			return err
		}
		c.chain.Segments++
	}
	for seq := range c.heads {
		if seq > c.last.seq {
			return Broken{File: list[len(list)-1].path(liveExt), Seq: seq, What: fmt.Sprintf(
				"the chain ends at record %d, but a head kept elsewhere proves record %d", c.last.seq, seq)}
		}
	}
	return nil
}

func (c *check) segment(s segment, newest bool) error {
	first := link{seq: c.last.seq + 1, prev: c.last.hash}
	c.times = extent{}
	head, err := os.ReadFile(s.path(headExt)) // before the lines: a live segment may be closed meanwhile
	if err := c.lines(s, newest); err != nil {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) && newest {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Broken{File: s.path(headExt), Seq: c.last.seq, What: "the signed head of a closed segment is missing"}
	}
	if err != nil {
		return err
	}
	h, err := ParseHead(head)
	switch {
	case err != nil:
		return Broken{File: s.path(headExt), Seq: c.last.seq, What: err.Error()}
	case h.Key != c.key:
		return Broken{File: s.path(headExt), Seq: c.last.seq, What: "signed with another key than the node's"}
	case !h.From.Equal(c.times.from) || !h.To.Equal(c.times.to):
		return Broken{File: s.path(headExt), Seq: c.last.seq, What: "the head tells of other times than the segment's records"}
	case h.Node != s.node || h.Segment != s.name() || h.First != first.seq || h.Prev != first.prev.String() ||
		h.Last != c.last.seq || h.Hash != c.last.hash.String():
		return Broken{File: s.path(headExt), Seq: c.last.seq, What: fmt.Sprintf(
			"the head tells of %s, records %d to %d, and the segment holds %d to %d or other hashes", h.Segment, h.First, h.Last, first.seq, c.last.seq)}
	}
	c.signatures++
	return nil
}

// lines walks one segment.
func (c *check) lines(s segment, newest bool) error {
	o, err := openSegment(s)
	if err != nil {
		return err
	}
	defer o.close()
	in := newLines(o)
	for {
		line, whole, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && !whole && newest && o.dec == nil {
			c.chain.Unfinished = int64(len(line))
			return nil
		}
		broken := func(err error) error {
			return Broken{File: o.name, Line: in.n, Seq: c.last.seq + 1, What: err.Error()}
		}
		if err != nil {
			return broken(err)
		}
		if !whole {
			return broken(errors.New("unfinished line"))
		}
		if err := c.line(s, line); err != nil {
			return broken(err)
		}
	}
}

// line checks one line and moves on to it.
func (c *check) line(s segment, line []byte) error {
	l, err := parseLink(line)
	if err != nil {
		return err
	}
	if err := follows(c.last, l); err != nil {
		if c.chain.Records > 0 && l.seq > c.last.seq+1 {
			return fmt.Errorf("%w: %d records are missing before it", err, l.seq-c.last.seq-1)
		}
		return err
	}
	_, at, node, _, err := peek(line)
	if err != nil {
		return err
	}
	if node != s.node {
		return fmt.Errorf("record of node %q in a segment of node %q", node, s.node)
	}
	for _, h := range c.heads[l.seq] {
		if h.Hash != l.hash.String() {
			return errors.New("the head kept elsewhere has another hash: the chain was rewritten")
		}
		if h.Key != c.key {
			return errors.New("the head kept elsewhere was signed with another key than the folder's")
		}
		c.found++
	}
	c.last = l
	c.times.take(extent{at, at})
	c.chain.Records, c.chain.Hash, c.chain.To = l.seq, l.hash.String(), at
	if c.chain.From.IsZero() {
		c.chain.From = at
	}
	return nil
}
