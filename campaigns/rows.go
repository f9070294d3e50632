package campaigns

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxValue bounds a value that is kept, in characters.
const maxValue = 4000

// rows turns the text's rows into leads.
type rows struct {
	*records
	*columns
	opt     LoadOptions
	numbers map[uint64]uint32   // digits of each number seen, and its line
	ids     map[[16]byte]uint32 // hash of each external id seen, and its line
	zones   map[string]bool     // zones looked up, and whether they exist
}

// next gives the next lead. A *RowError leaves the reader at the next row.
func (r *rows) next() (Lead, error) {
	cells, err := r.records.next()
	if err != nil {
		return Lead{}, err
	}
	if err := r.count(cells); err != nil {
		return Lead{}, err
	}
	for i := range cells {
		cells[i].text = strings.TrimSpace(cells[i].text)
		if utf8.RuneCountInString(cells[i].text) > maxValue {
			return Lead{}, r.flaw(cells, i, FlawText, fmt.Sprintf("is longer than %d characters", maxValue))
		}
	}
	lead := Lead{Campaign: r.opt.Campaign, LoadedAt: r.opt.Now}
	if err := r.fill(&lead, cells); err != nil {
		return Lead{}, err
	}
	if err := r.unique(&lead, cells); err != nil {
		return Lead{}, err
	}
	return lead, nil
}

// count checks that the row has the header's number of fields; empty ones at
// the end do not matter, nor does a column without heading that has no value.
func (r *rows) count(cells []cell) error {
	for i, c := range cells {
		if (i >= len(r.titles) || r.titles[i] == "") && strings.TrimSpace(c.text) != "" {
			return &RowError{
				Line: c.line, Column: c.column, Value: snippet(c.text), Flaw: FlawFields,
				Reason: fmt.Sprintf("stands in field %d, which has no heading: is a separator too many, or a field without quotes?", i+1),
			}
		}
	}
	if len(cells) < len(r.titles) {
		last := cells[len(cells)-1]
		return &RowError{
			Line: last.line, Column: last.column, Flaw: FlawFields,
			Reason: fmt.Sprintf("the row has %d fields, the header %d", len(cells), len(r.titles)),
		}
	}
	return nil
}

// fill reads the row's values into the lead.
func (r *rows) fill(lead *Lead, cells []cell) error {
	at := r.at[roleNumber]
	n, err := ParseNumber(cells[at].text, r.opt.Country)
	if err != nil {
		return r.flaw(cells, at, FlawNumber, "is "+err.Error())
	}
	lead.Number = n
	lead.Name = strings.TrimSpace(r.value(cells, roleName) + " " + r.value(cells, roleSurname))
	lead.External = r.value(cells, roleExternal)
	lead.Region = r.value(cells, roleRegion)
	lead.Language = r.value(cells, roleLanguage)
	lead.Zone = r.value(cells, roleZone)
	if lead.Zone != "" && !r.zoneExists(lead.Zone) {
		return r.flaw(cells, r.at[roleZone], FlawZone, "is not an IANA time zone: write it as in Europe/Rome, or leave it empty")
	}
	if p := r.value(cells, rolePriority); p != "" {
		v, err := strconv.ParseInt(p, 10, 32)
		if err != nil {
			return r.flaw(cells, r.at[rolePriority], FlawPriority, "is not a whole number")
		}
		lead.Priority = int(v)
	}
	for i, c := range cells {
		if i >= len(r.titles) || c.text == "" || r.has(i) {
			continue
		}
		if lead.Fields == nil {
			lead.Fields = make(map[string]string)
		}
		lead.Fields[r.titles[i]] = c.text
	}
	return nil
}

// unique refuses a number or an external id that came before.
func (r *rows) unique(lead *Lead, cells []cell) error {
	digits, err := strconv.ParseUint(string(lead.Number[1:]), 10, 64)
	if err != nil {
		return r.flaw(cells, r.at[roleNumber], FlawNumber, "is not in E.164 form")
	}
	if first, ok := r.numbers[digits]; ok {
		return r.flaw(cells, r.at[roleNumber], FlawDuplicate, fmt.Sprintf("is the number of line %d", first))
	}
	if lead.External != "" {
		key := idKey(lead.External)
		if first, ok := r.ids[key]; ok {
			return r.flaw(cells, r.at[roleExternal], FlawDuplicateID, fmt.Sprintf("is the id of line %d", first))
		}
		r.ids[key] = uint32(r.row)
	}
	r.numbers[digits] = uint32(r.row)
	return nil
}

// idKey stands for an external id in the set of those seen: half a SHA-256, so
// that two ids do not collide.
func idKey(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

// value is the row's value for a role, empty when the list has no such column.
func (r *rows) value(cells []cell, which role) string {
	if i := r.at[which]; i >= 0 {
		return cells[i].text
	}
	return ""
}

// has reports whether column i has a role of its own.
func (c *columns) has(i int) bool {
	for role := roleNumber; role < roles; role++ {
		if c.at[role] == i {
			return true
		}
	}
	return false
}

func (r *rows) zoneExists(zone string) bool {
	exists, known := r.zones[zone]
	if !known {
		_, err := time.LoadLocation(zone)
		exists = err == nil && zone != "Local"
		if len(r.zones) < 1000 {
			r.zones[zone] = exists
		}
	}
	return exists
}

// flaw reports the value in column i.
func (r *rows) flaw(cells []cell, i int, f Flaw, reason string) error {
	c := cells[i]
	return &RowError{Line: c.line, Column: c.column, Field: r.titles[i], Value: snippet(c.text), Flaw: f, Reason: reason}
}
