package main

import "strings"

// lineDiff lists the lines of an old and a new text that differ, "- " before one
// that goes and "+ " before one that comes, with the unindented line above a
// changed nested one for its place. It walks back along a longest common
// subsequence: with c[i][j] the length of that of old[i:] and new[j:], c[i][j] is
// c[i+1][j+1]+1 where the two lines are the same, else the greater of c[i+1][j] and c[i][j+1].
func lineDiff(before, after string) []string {
	a, b := strings.Split(strings.TrimRight(before, "\n"), "\n"), strings.Split(strings.TrimRight(after, "\n"), "\n")
	c := make([][]int, len(a)+1)
	for i := range c {
		c[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				c[i][j] = c[i+1][j+1] + 1
			} else {
				c[i][j] = max(c[i+1][j], c[i][j+1])
			}
		}
	}
	var out []string
	head := ""
	change := func(mark, line string) {
		if head != "" && strings.HasPrefix(line, " ") {
			out = append(out, "  "+head)
		}
		head = "" // told, or what follows is below this line
		out = append(out, mark+line)
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			if !strings.HasPrefix(a[i], " ") {
				head = a[i]
			}
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && c[i+1][j] >= c[i][j+1]:
			change("- ", a[i])
			i++
		default:
			change("+ ", b[j])
			j++
		}
	}
	return out
}
