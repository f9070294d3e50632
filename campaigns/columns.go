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
	roleZone
	roleRegion
	roleLanguage
	rolePriority
	roles // how many
)

// headings are the names under which a role's column is found, the surest
// first. They are compared in lower case with spaces, dots and hyphens as
// underscores.
func headings(r role) []string {
	switch r {
	case roleNumber:
		return []string{
			"phone", "phone_number", "phonenumber", "phone_no", "telephone", "telephone_number", "tel", "mobile", "mobile_number",
			"mobile_phone", "cell", "cell_phone", "cellphone", "cellulare", "telefono", "telefono_cellulare", "numero_telefono",
			"numero_di_telefono", "numero_telefonico", "numero_cellulare", "msisdn", "e164", "telefon", "telefonnummer",
		}
	case roleName:
		return []string{"name", "full_name", "fullname", "nominativo", "nome_e_cognome", "nome", "first_name", "firstname"} //nolint:misspell // Italian
	case roleSurname:
		return []string{"last_name", "lastname", "surname", "cognome"}
	case roleExternal:
		return []string{"external_id", "externalid", "id", "lead_id", "customer_id", "codice", "codice_cliente", "id_cliente"}
	case roleZone:
		return []string{"zone", "timezone", "time_zone", "tz", "fuso_orario"}
	case roleRegion:
		return []string{"region", "regione", "state", "province", "provincia"}
	case roleLanguage:
		return []string{"language", "lang", "lingua"}
	case rolePriority:
		return []string{"priority", "priorita", "priorità"}
	default:
		return nil
	}
}

// weakNumber are headings that mean the telephone number only when nothing
// surer does.
func weakNumber() []string { return []string{"number", "numero", "num", "contact"} }

// maxColumns bounds the columns of a list.
const maxColumns = 1000

// columns says where a row's values are.
type columns struct {
	titles []string   // as in the file
	at     [roles]int // index by role, -1 when there is none
}

// plainHeading brings a heading to the form of headings.
func plainHeading(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" \t._-", r) })
	return strings.Join(words, "_")
}

// readHeader finds out the delimiter and the columns from the first line: the
// delimiter is the one that makes the most fields, among those that give a
// column of numbers.
func (r *records) readHeader(numberColumn string) (*columns, error) {
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
		return nil, fmt.Errorf("header: line %d: a quote is not closed", r.line)
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
			cols, err = findColumns(cells, numberColumn)
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

// findColumns gives each column its role. The number's must be clear: one
// column under a sure name, or one under a weak one.
func findColumns(cells []cell, numberColumn string) (*columns, error) {
	if len(cells) > maxColumns {
		return nil, fmt.Errorf("more than %d columns", maxColumns)
	}
	cols := &columns{titles: make([]string, len(cells))}
	plain := make([]string, len(cells))
	for i := range cols.at {
		cols.at[i] = -1
	}
	for i, c := range cells {
		cols.titles[i] = strings.TrimSpace(c.text)
		plain[i] = plainHeading(c.text)
		if j := slices.Index(plain[:i], plain[i]); j >= 0 && plain[i] != "" {
			return nil, fmt.Errorf("columns %d and %d are both called %q: rename one", j+1, i+1, cols.titles[i])
		}
	}
	at, err := numberAt(cols.titles, plain, numberColumn)
	if err != nil {
		return nil, err
	}
	cols.at[roleNumber] = at
	for role := roleNumber + 1; role < roles; role++ {
		for _, h := range headings(role) {
			if i := slices.Index(plain, h); i >= 0 && i != at {
				cols.at[role] = i
				break
			}
		}
	}
	return cols, nil
}

// numberAt is the index of the column of numbers.
func numberAt(titles, plain []string, wanted string) (int, error) {
	if wanted != "" {
		if i := slices.Index(plain, plainHeading(wanted)); i >= 0 {
			return i, nil
		}
		return 0, fmt.Errorf("no column %q: the columns are %s", wanted, quoteAll(titles))
	}
	for _, names := range [][]string{headings(roleNumber), weakNumber()} {
		var at []int
		var which []string
		for i, h := range plain {
			if slices.Contains(names, h) {
				at, which = append(at, i), append(which, titles[i])
			}
		}
		switch len(at) {
		case 0:
		case 1:
			return at[0], nil
		default:
			return 0, fmt.Errorf("%s could each be the number to call: say which", quoteAll(which))
		}
	}
	if slices.ContainsFunc(titles, func(s string) bool { return strings.Count(s, "") > 6 && strings.Trim(s, "+0123456789 -./()") == "" }) {
		return 0, fmt.Errorf("it looks like a row of leads: begin the file with a line that names the columns, as in phone,name")
	}
	return 0, fmt.Errorf("no column of numbers: call it phone, or say which of %s it is", quoteAll(titles))
}

func quoteAll(s []string) string {
	quoted := make([]string, len(s))
	for i, one := range s {
		quoted[i] = fmt.Sprintf("%q", snippet(one))
	}
	return strings.Join(quoted, ", ")
}
