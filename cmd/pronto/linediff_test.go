package main

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLineDiff(t *testing.T) {
	cases := []struct {
		name, before, after string
		want                []string
	}{
		{"same", "a: 1\n", "a: 1\n", nil},
		{"changed", "a: 1\nb: 2\n", "a: 1\nb: 3\n", []string{"- b: 2", "+ b: 3"}},
		{"added at the end", "a: 1\n", "a: 1\nb: 2\n", []string{"+ b: 2"}},
		{"nested", "a:\n  x: 1\n  y: 2\nb: 3\n", "a:\n  x: 1\n  y: 9\nb: 3\n", []string{"  a:", "-   y: 2", "+   y: 9"}},
		{"added with lines below it", "a:\n  x: 1\n", "a:\n  x: 1\nb:\n  y: 2\n", []string{"+ b:", "+   y: 2"}},
		{"added before another", "a: 1\n", "b:\n  y: 2\na: 1\n", []string{"+ b:", "+   y: 2"}},
	}
	for _, c := range cases {
		if got := lineDiff(c.before, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLineDiffMends applies what a diff says: the old lines without those that go
// and with those that come have as many of each line as the new ones.
func TestLineDiffMends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		before, after := rapid.SliceOfN(line, 1, 12).Draw(t, "before"), rapid.SliceOfN(line, 1, 12).Draw(t, "after")
		count := map[string]int{}
		for _, l := range before {
			count[l]++
		}
		for _, l := range after {
			count[l]--
		}
		for _, l := range lineDiff(strings.Join(before, "\n"), strings.Join(after, "\n")) {
			if strings.HasPrefix(l, "- ") {
				count[l[2:]]--
			} else {
				count[l[2:]]++
			}
		}
		for l, n := range count {
			if n != 0 {
				t.Fatalf("%q is off by %d", l, n)
			}
		}
	})
}
