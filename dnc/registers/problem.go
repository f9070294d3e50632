package registers

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line  int    // from 1; 0: the file as a whole
	Field string // number, status, date; empty: the line
	Value string // as it stands there, cut
	Text  string // what is wrong and how to mend it
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "%s ", p.Field)
	}
	if p.Value != "" {
		fmt.Fprintf(&b, "%q: ", p.Value)
	}
	b.WriteString(p.Text)
	return b.String()
}

// Rejected says that a file was refused as a whole, and why. Nothing of it was
// applied.
type Rejected struct { //nolint:errname // a list of findings first, an error second
	File     string
	Problems []Problem // the first maxProblems
	Total    int
}

// maxProblems is how many problems of one file are kept; more are counted.
const maxProblems = 100

// Error lists the problems, one a line, each with the file's name.
func (r *Rejected) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was refused and nothing of it was applied:", r.File)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\n%s: %s", r.File, p)
	}
	if more := r.Total - len(r.Problems); more > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more", r.File, more)
	}
	return b.String()
}

func (r *Rejected) add(line int, field, value, format string, args ...any) {
	r.Total++
	if len(r.Problems) >= maxProblems {
		return
	}
	const longest = 40
	if len(value) > longest {
		value = value[:longest] + "..."
	}
	r.Problems = append(r.Problems, Problem{line, field, value, fmt.Sprintf(format, args...)})
}

// err is r when it holds a problem.
func (r *Rejected) err() error {
	if r.Total == 0 {
		return nil
	}
	return r
}
