package campaigns

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// role is what a column of a list is for.
type role int

const (
	roleField role = iota // kept for the agent's screen
	roleNumber
	roleName
	roleSurname
	roleExternal
	roleAddress
	roleZone
	roleRegion
	roleLanguage
	rolePriority
	roleBestHours
	roleAttempts // from here on what an exported list says became of the lead
	roleTries
	roleLastOutcome
	roleLastAttempt
	roleDue
	roleDone
	roleDisposition
	roleNextNumber
	roleCallback
	roleAgent
	roleList // passed over: a load has one list
	roles    // how many
)

// roleNames are what a list's columns can be said to be for.
func roleNames() map[string]role {
	return map[string]role{
		"field": roleField, "number": roleNumber, "name": roleName, "surname": roleSurname, "id": roleExternal, "address": roleAddress, "zone": roleZone,
		"region": roleRegion, "language": roleLanguage, "priority": rolePriority, "best_hours": roleBestHours,
	}
}

// maxColumns bounds the columns of a list.
const maxColumns = 1000

// columns says where a row's values are.
type columns struct {
	titles  []string     // as in the file
	at      [roles]int   // index by role, -1 when there is none
	numbers []numberFrom // columns of numbers in the order of calling
	answers []string     // question of the script that the column answers; empty: none
	keep    []string     // name under which the column is kept for the agent; empty: it is not
	plural  bool         // numbers keep their types
}

// numberFrom is a column of numbers.
type numberFrom struct {
	at     int
	typ    string // of the heading
	typeAt int    // column of the type, -1: none
}

// ColumnError says what is wrong with a column that was said to be for something.
type ColumnError struct {
	Role    string // what it is for
	Heading string // as it was said
	Wrong   string
	Mend    string
}

// Error is the flaw on one line.
func (e *ColumnError) Error() string {
	return fmt.Sprintf("column for %s: %q %s: %s", e.Role, e.Heading, e.Wrong, e.Mend)
}

// readHeader finds out the delimiter and the columns from the first line: the
// delimiter is the one that makes the most fields, among those that give a
// column of numbers.
func (r *records) readHeader(wanted map[string][]string) (*columns, error) {
	text, err := r.firstLine()
	delims := []rune{',', ';', '\t', '|'}
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "sep="); ok && err == nil {
		if len([]rune(rest)) != 1 || !slices.Contains(delims, []rune(rest)[0]) {
			return nil, fmt.Errorf("line %d: sep= must name a comma, semicolon, tab or bar", r.line)
		}
		delims = []rune(rest)
		text, err = r.firstLine()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: it needs a header row and rows of leads")
	case err != nil:
		return nil, err
	case strings.Count(text, `"`)%2 != 0:
		return nil, fmt.Errorf("header: line %d: a quote is not closed: close it or take it away", r.line)
	}
	var found *columns
	var wrong error
	var delim rune
	most, wrongMost := 0, 0
	for _, d := range delims {
		r.delim = d
		cells, err := r.split(text)
		var cols *columns
		if err == nil {
			cols, err = findColumns(cells, wanted)
		}
		if err == nil && len(cells) > most {
			found, delim, most = cols, d, len(cells)
		}
		if err != nil && (wrong == nil || len(cells) > wrongMost) {
			wrong, wrongMost = err, len(cells)
		}
	}
	if found == nil {
		return nil, fmt.Errorf("header: line %d: %w", r.line, wrong)
	}
	r.delim = delim
	return found, nil
}

// firstLine is the next line that is not blank.
func (r *records) firstLine() (string, error) {
	for {
		text, err := r.readLine()
		if err != nil || strings.TrimSpace(text) != "" {
			return text, err
		}
	}
}

// findColumns gives each column its role: those that were said, then those that
// their names tell.
func findColumns(cells []cell, wanted map[string][]string) (*columns, error) {
	if len(cells) > maxColumns {
		return nil, fmt.Errorf("more than %d columns: keep those that are needed", maxColumns)
	}
	cols := &columns{titles: make([]string, len(cells)), keep: make([]string, len(cells)), answers: make([]string, len(cells))}
	plain := make([]string, len(cells))
	for i := range cols.at {
		cols.at[i] = -1
	}
	for i, c := range cells {
		cols.titles[i] = strings.TrimSpace(unguard(c.text))
		plain[i] = plainHeading(cols.titles[i])
		if _, _, ok := prefixed(cols.titles[i]); ok {
			plain[i] = "\x00" + cols.titles[i] // compared as it stands
		}
		if j := slices.Index(plain[:i], plain[i]); j >= 0 && plain[i] != "" {
			return nil, fmt.Errorf("columns %d and %d are both called %q: rename one", j+1, i+1, cols.titles[i])
		}
	}
	taken := make([]bool, len(cells))
	if err := cols.assign(plain, taken, wanted); err != nil {
		return nil, err
	}
	cols.byName(plain, taken)
	for i, title := range cols.titles {
		prefix, name, ok := prefixed(title)
		switch {
		case taken[i], strings.HasPrefix(plain[i], rejectPrefix):
		case ok && prefix == FieldPrefix:
			cols.keep[i] = name
		case ok && cols.at[roleAttempts] >= 0:
			cols.answers[i] = name
		default:
			cols.keep[i] = title
		}
	}
	return cols, nil
}

// prefixed takes the prefix off a heading that an export made.
func prefixed(title string) (prefix, name string, ok bool) {
	for _, prefix := range []string{FieldPrefix, AnswerPrefix} {
		if len(title) > len(prefix) && strings.EqualFold(title[:len(prefix)], prefix) {
			return prefix, title[len(prefix):], true
		}
	}
	return "", "", false
}

// assign gives columns the roles that were said, and finds those of numbers.
func (c *columns) assign(plain []string, taken []bool, wanted map[string][]string) error {
	known := roleNames()
	for _, name := range sortedNames(wanted) {
		r, ok := known[name]
		if !ok {
			return fmt.Errorf("no column can be for %q: one of %s", name, strings.Join(sortedNames(known), ", "))
		}
		for _, heading := range wanted[name] {
			i := slices.Index(plain, plainHeading(heading))
			switch {
			case i < 0:
				return &ColumnError{Role: name, Heading: heading, Wrong: "is no column of the list", Mend: "its columns are " + quoteAll(c.titles)}
			case taken[i]:
				return &ColumnError{Role: name, Heading: heading, Wrong: "is said to be for two things", Mend: "leave one out"}
			}
			taken[i] = true
			switch {
			case r == roleField:
				c.keep[i] = c.titles[i]
			case r == roleNumber:
				_, typ, _ := numberHeading(plain[i])
				c.numbers = append(c.numbers, numberFrom{at: i, typ: typ, typeAt: -1})
			case c.at[r] >= 0:
				return &ColumnError{Role: name, Heading: heading, Wrong: "is the second column for it", Mend: "leave one out"}
			default:
				c.at[r] = i
			}
		}
	}
	if len(c.numbers) == 0 {
		if err := c.findNumbers(plain, taken); err != nil {
			return err
		}
	}
	c.at[roleNumber] = c.numbers[0].at
	c.findTypes(plain, taken)
	return nil
}

// byName gives the columns that are left their roles by their names.
func (c *columns) byName(plain []string, taken []bool) {
	exported := true
	for _, h := range HistoryColumns() {
		exported = exported && slices.Contains(plain, h)
	}
	for r := roleNumber + 1; r < roles; r++ {
		if c.at[r] >= 0 || r >= roleAttempts && !exported {
			continue
		}
		for _, h := range headings(r) {
			if i := slices.Index(plain, h); i >= 0 && !taken[i] {
				c.at[r], taken[i] = i, true
				break
			}
		}
	}
}

func quoteAll(s []string) string {
	quoted := make([]string, len(s))
	for i, one := range s {
		quoted[i] = fmt.Sprintf("%q", snippet(one))
	}
	return strings.Join(quoted, ", ")
}

// sortedNames are the keys of a table in order.
func sortedNames[V any](table map[string]V) []string {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
