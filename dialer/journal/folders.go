package journal

import (
	"iter"
	"maps"
	"slices"
)

// Folders are journals' folders that are read as one, as those of several nodes.
type Folders []string

// Read gives the records of all folders by time, each folder's as Read gives them.
func (f Folders) Read(opt ReadOptions) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		all := make([]iter.Seq2[Record, error], len(f))
		for i, dir := range f {
			all[i] = Read(dir, opt)
		}
		merge(all, yield)
	}
}

// Verify verifies every folder's chains, and adds them up. A head that was kept elsewhere
// is looked for in the folder that has its node.
func (f Folders) Verify(heads ...Head) (Verification, error) {
	if len(f) == 1 {
		return Verify(f[0], heads...)
	}
	var sum Verification
	for _, dir := range f {
		nodes, err := Nodes(dir)
		if err != nil {
			return sum, err
		}
		var here []Head
		heads = slices.DeleteFunc(slices.Clone(heads), func(h Head) bool {
			ours := slices.Contains(nodes, h.Node)
			if ours {
				here = append(here, h)
			}
			return ours
		})
		v, err := Verify(dir, here...)
		if err != nil {
			return sum, err
		}
		sum.Records += v.Records
		sum.Segments += v.Segments
		sum.Signatures += v.Signatures
		sum.Heads += v.Heads
		sum.Nodes = append(sum.Nodes, v.Nodes...)
		sum.Broken = append(sum.Broken, v.Broken...)
	}
	for _, h := range heads {
		sum.Broken = append(sum.Broken, Broken{File: h.Segment, Seq: h.Last, What: "no folder has a segment of node " + h.Node})
	}
	sum.OK = len(sum.Broken) == 0
	return sum, nil
}

// Nodes lists the nodes whose chains are in the folder.
func Nodes(dir string) ([]string, error) {
	all, err := segments(dir)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(all)), nil
}
