package campaigns

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// maxValue bounds a value that is kept, in characters.
const maxValue = 4000

// rows turns the text's rows into leads.
// After the header, parse may be called by several goroutines, each with rows of its own.
type rows struct {
	*records
	*columns
	opt LoadOptions

	zones      sync.Map // zones looked up, and whether they exist
	zonesKnown atomic.Int64
}

// parse reads a row into a lead. A *RowError says what is wrong with the row.
func (r *rows) parse(cells []cell) (Lead, error) {
	if err := r.count(cells); err != nil {
		return Lead{}, err
	}
	for i := range cells {
		cells[i].text = unguard(strings.TrimSpace(cells[i].text))
		if len(cells[i].text) > maxValue && utf8.RuneCountInString(cells[i].text) > maxValue {
			return Lead{}, r.flaw(cells, i, FlawText, fmt.Sprintf("is longer than %d characters", maxValue))
		}
	}
	lead := Lead{Campaign: r.opt.Campaign, LoadedAt: r.opt.Now}
	if err := r.fill(&lead, cells); err != nil {
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
				Line: c.line, Column: c.column, Value: snippet(c.text), Flaw: FlawFields, Raw: rawOf(cells, r.delim),
				Reason: fmt.Sprintf("stands in field %d, which has no heading: is a separator too many, or a field without quotes?", i+1),
			}
		}
	}
	if len(cells) < len(r.titles) {
		last := cells[len(cells)-1]
		return &RowError{
			Line: last.line, Column: last.column, Flaw: FlawFields, Raw: rawOf(cells, r.delim),
			Reason: fmt.Sprintf("the row has %d fields, the header %d: add the separators that are missing", len(cells), len(r.titles)),
		}
	}
	return nil
}

// fill reads the row's values into the lead.
func (r *rows) fill(lead *Lead, cells []cell) error {
	if err := r.fillNumbers(lead, cells); err != nil {
		return err
	}
	lead.Name = strings.TrimSpace(r.value(cells, roleName) + " " + r.value(cells, roleSurname))
	lead.External = r.value(cells, roleExternal)
	lead.Address = r.value(cells, roleAddress)
	lead.Region = r.value(cells, roleRegion)
	lead.Language = r.value(cells, roleLanguage)
	lead.Zone = r.value(cells, roleZone)
	if lead.Zone != "" && !r.zoneExists(lead.Zone) {
		return r.flaw(cells, r.at[roleZone], FlawZone, "is not an IANA time zone: write it as in Europe/Rome, or leave it empty")
	}
	if p := r.value(cells, rolePriority); p != "" {
		v, err := strconv.ParseInt(p, 10, 32)
		if err != nil {
			return r.flaw(cells, r.at[rolePriority], FlawPriority, "is not a whole number: write it as in 3, or leave it empty")
		}
		lead.Priority = int(v)
	}
	if text := r.value(cells, roleBestHours); text != "" {
		var err error
		if lead.BestHours, err = ParseHours(text); err != nil {
			return r.flaw(cells, r.at[roleBestHours], FlawHours, err.Error()+": write it as in mon-fri 18:00-20:00; sat 10:00-12:00, or leave it empty")
		}
	}
	for i, c := range cells {
		if i >= len(r.keep) || r.keep[i] == "" || c.text == "" {
			continue
		}
		if lead.Fields == nil {
			lead.Fields = make(map[string]string)
		}
		lead.Fields[r.keep[i]] = c.text
	}
	if r.opt.History {
		return r.fillHistory(lead, cells)
	}
	return nil
}

// value is the row's value for a role, empty when the list has no such column.
func (r *rows) value(cells []cell, which role) string {
	if i := r.at[which]; i >= 0 {
		return cells[i].text
	}
	return ""
}

// maxZones bounds the zones that are remembered.
const maxZones = 1000

func (r *rows) zoneExists(zone string) bool {
	if known, ok := r.zones.Load(zone); ok {
		return known.(bool)
	}
	_, err := time.LoadLocation(zone)
	exists := err == nil && zone != "Local"
	if r.zonesKnown.Add(1) <= maxZones {
		r.zones.Store(zone, exists)
	}
	return exists
}

// flaw reports the value in column i.
func (r *rows) flaw(cells []cell, i int, f Flaw, reason string) error {
	return rowFlaw(r.columns, cells, i, f, reason)
}

// rowFlaw reports the value in column i of a row that has its columns.
func rowFlaw(of *columns, cells []cell, i int, f Flaw, reason string) *RowError {
	c := cells[i]
	e := &RowError{Line: c.line, Column: c.column, Field: of.titles[i], Value: snippet(c.text), Flaw: f, Reason: reason, Row: make([]string, len(of.titles))}
	for j := range e.Row {
		e.Row[j] = cells[j].text
	}
	return e
}

// rawOf is a row that does not fit its header, as it may have stood in the file.
func rawOf(cells []cell, delim rune) string {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = c.text
	}
	return strings.Join(texts, string(delim))
}
