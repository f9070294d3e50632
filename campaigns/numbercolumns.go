package campaigns

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The types of a lead's numbers that lists are brought to. A list may use words
// of its own beside them.
const (
	TypeMobile = "mobile"
	TypeHome   = "home"
	TypeWork   = "work"
	TypeFixed  = "fixed" // a line at a place that is not told
)

// numberStems are the headings of columns of numbers, without a number at their
// end, and the types that they tell.
func numberStems() map[string]string {
	stems := map[string]string{}
	for typ, names := range map[string][]string{
		"": {
			"phone", "phone_number", "phonenumber", "phone_no", "telephone", "telephone_number", "tel", "telefono", "numero_telefono",
			"numero_di_telefono", "numero_telefonico", "recapito", "msisdn", "e164", "telefon", "telefonnummer", "alt_phone", "alternative_phone",
		},
		TypeMobile: {
			"mobile", "mobile_number", "mobile_phone", "phone_mobile", "cell", "cell_phone", "cellphone", "cellulare", "telefono_cellulare", "tel_cellulare",
			"telefono_mobile", "numero_cellulare", "handy", "mobil",
		},
		TypeHome: {"home_phone", "phone_home", "home_number", "telefono_casa", "tel_casa", "telefono_abitazione", "tel_abitazione"},
		TypeWork: {
			"work_phone", "phone_work", "work_number", "office_phone", "business_phone", "telefono_ufficio", "tel_ufficio", "telefono_lavoro", "tel_lavoro",
		},
		TypeFixed: {"landline", "landline_number", "fixed_line", "fixed_phone", "telefono_fisso", "tel_fisso", "numero_fisso", "fisso", "festnetz"},
	} {
		for _, name := range names {
			stems[name] = typ
		}
	}
	return stems
}

// stemTypes is numberStems, made once.
var stemTypes = numberStems()

// weakNumber are headings that mean the telephone number only when nothing
// surer does.
func weakNumber() []string { return []string{"number", "numero", "num", "contact"} }

// numberHeading reads a heading of numbers: its place among those of its name
// (0 where it has none: phone, then phone1 or phone_1) and its type.
func numberHeading(plain string) (place int, typ string, ok bool) {
	if typ, ok = stemTypes[plain]; ok {
		return 0, typ, true
	}
	stem := strings.TrimRight(plain, "0123456789")
	if len(plain)-len(stem) > 2 || stem == plain {
		return 0, "", false
	}
	place, err := strconv.Atoi(plain[len(stem):])
	if err != nil {
		return 0, "", false
	}
	typ, ok = stemTypes[strings.TrimSuffix(stem, "_")]
	return place, typ, ok
}

// numberTypeOf is the heading whose numbers' types a column tells, as phone2 for
// phone2_type; empty: it tells none.
func numberTypeOf(plain string) string {
	for _, end := range []string{"_type", "_tipo", "_typ"} {
		if of, ok := strings.CutSuffix(plain, end); ok {
			if _, _, ok := numberHeading(of); ok {
				return of
			}
		}
	}
	return ""
}

// findNumbers finds the columns of numbers by their names: all sure ones, by the
// numbers at their ends, then as they stand, or the only weak one.
func (c *columns) findNumbers(plain []string, taken []bool) error {
	var places []int
	for i, h := range plain {
		if place, typ, ok := numberHeading(h); ok && !taken[i] {
			at, _ := slices.BinarySearch(places, place+1)
			places = slices.Insert(places, at, place)
			c.numbers = slices.Insert(c.numbers, at, numberFrom{at: i, typ: typ, typeAt: -1})
			taken[i] = true
		}
	}
	if len(c.numbers) > 0 {
		return nil
	}
	var at []int
	var which []string
	for i, h := range plain {
		if slices.Contains(weakNumber(), h) && !taken[i] {
			at, which = append(at, i), append(which, c.titles[i])
		}
	}
	switch {
	case len(at) == 1:
		c.numbers, taken[at[0]] = []numberFrom{{at: at[0], typeAt: -1}}, true
		return nil
	case len(at) > 1:
		return fmt.Errorf("%s could each be the number to call: say which", quoteAll(which))
	}
	if slices.ContainsFunc(c.titles, func(s string) bool { return strings.Count(s, "") > 6 && strings.Trim(s, "+0123456789 -./()") == "" }) {
		return fmt.Errorf("it looks like a row of leads: begin the file with a line that names the columns, as in phone,name")
	}
	return fmt.Errorf("no column of numbers: call it phone, or say which of %s it is", quoteAll(c.titles))
}

// findTypes finds the columns that tell the types of numbers.
func (c *columns) findTypes(plain []string, taken []bool) {
	for i, h := range plain {
		of := numberTypeOf(h)
		for j := range c.numbers {
			if n := &c.numbers[j]; of != "" && plain[n.at] == of && !taken[i] {
				n.typeAt, taken[i], c.plural = i, true, true
			}
		}
	}
	c.plural = c.plural || len(c.numbers) > 1
}

// numberType brings a list's word for a type of number to ours; one that is not
// known stays as it is.
func numberType(word string) string {
	word = strings.TrimSpace(word)
	switch plainHeading(word) {
	case "mobile", "cell", "cellphone", "cellulare", "handy", "m":
		return TypeMobile
	case "home", "casa", "abitazione", "h":
		return TypeHome
	case "work", "office", "business", "ufficio", "lavoro", "w":
		return TypeWork
	case "fixed", "landline", "fisso", "fixed_line":
		return TypeFixed
	default:
		return word
	}
}

// maxNumberType bounds the word for a type, in bytes.
const maxNumberType = 40

// fillNumbers reads the row's numbers. One that stands there twice counts once.
func (r *rows) fillNumbers(lead *Lead, cells []cell) error {
	for _, from := range r.numbers {
		if cells[from.at].text == "" {
			continue
		}
		n, err := ParseNumber(cells[from.at].text, r.opt.Country)
		if err != nil {
			return r.flaw(cells, from.at, FlawNumber, "is "+err.Error())
		}
		typ := from.typ
		if from.typeAt >= 0 {
			typ = cmp.Or(numberType(cells[from.typeAt].text), typ)
			if len(typ) > maxNumberType {
				return r.flaw(cells, from.typeAt, FlawText, fmt.Sprintf("is longer than %d characters", maxNumberType))
			}
		}
		if !slices.ContainsFunc(lead.Numbers, func(o LeadNumber) bool { return o.Number == n }) {
			lead.Numbers = append(lead.Numbers, LeadNumber{n, typ})
		}
	}
	if len(lead.Numbers) == 0 {
		_, err := ParseNumber("", r.opt.Country)
		return r.flaw(cells, r.numbers[0].at, FlawNumber, "is "+err.Error())
	}
	lead.Number = lead.Numbers[0].Number
	if !r.plural || len(lead.Numbers) == 1 && lead.Numbers[0].Type == "" {
		lead.Numbers = nil
	}
	return nil
}
