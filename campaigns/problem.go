package campaigns

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a file that a person wrote.
type Problem struct { //nolint:errname // one thing wrong is a value first, an error second
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`   // from 1; 0: unknown
	Column int    `json:"column,omitempty"` // from 1, in characters; 0: unknown
	Key    string `json:"key,omitempty"`    // path of the key, as in pacing.cap
	Value  string `json:"value,omitempty"`
	Wrong  string `json:"wrong"`          // what is wrong
	Mend   string `json:"mend,omitempty"` // what to write instead
}

// Error is the problem on one line:
//
//	demo.yaml:7:8: pacing.cap: "3" must lie between 0 and 1: write 0.03 for 3%
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, "%d:", p.Column)
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	if p.Value != "" {
		fmt.Fprintf(&b, "%q ", p.Value)
	}
	b.WriteString(p.Wrong)
	if p.Mend != "" {
		b.WriteString(": " + p.Mend)
	}
	return b.String()
}

// Problems is everything wrong in a file, in the order of its lines.
type Problems []Problem //nolint:errname // as Problem

// Error is one problem per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems to errors.Is and errors.As.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, one := range p {
		errs[i] = one
	}
	return errs
}

// err is nil when there is no problem.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// nearest is the word of the choices that word was most likely meant to be;
// empty when none is near.
func nearest(word string, choices []string) string {
	best, most := "", max(1, len(word)/3)
	for _, c := range choices {
		if d := distance(strings.ToLower(word), c, most+1); d <= most {
			best, most = c, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make b of a; it gives up at limit.
func distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return min(rows[len(a)][len(b)], limit)
}

func abs(n int) int { return max(n, -n) }

// sortByPlace puts problems in the order of the file.
func (p Problems) sortByPlace() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
