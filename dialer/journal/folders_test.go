package journal

import (
	"testing"
	"time"
)

func TestFoldersAreReadAndVerifiedAsOne(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var all Folders
	var heads []Head
	for i, node := range []string{"n1", "n2"} {
		dir := t.TempDir()
		now := at
		j, err := Open(dir, Options{Node: node, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			if _, err := j.Append(Record{At: at.Add(time.Duration(2*k+i) * time.Second), Kind: Note}); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, dir)
		heads = append(heads, Head{Node: node, Last: 9})
	}
	var order []string
	for r, err := range all.Read(ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, r.Node)
	}
	if len(order) != 6 || order[0] != "n1" || order[1] != "n2" || order[4] != "n1" {
		t.Errorf("read in the order %v, want by time", order)
	}
	if v, err := all.Verify(); err != nil || !v.OK || v.Records != 6 || len(v.Nodes) != 2 {
		t.Errorf("verified as %+v, %v", v, err)
	}
	if v, err := all.Verify(heads...); err != nil || v.OK || len(v.Broken) != 2 {
		t.Errorf("heads beyond the chains: %+v, %v; want both broken", v, err)
	}
	if v, err := all.Verify(Head{Node: "n3", Last: 1}); err != nil || v.OK || len(v.Broken) != 1 {
		t.Errorf("a head of a node that has no journal: %+v, %v", v, err)
	}
}
