package campaigns

import "fmt"

// Flaw says what sort of thing is wrong with a row of a list.
type Flaw string

// The flaws.
const (
	FlawNumber      Flaw = "number"       // the number is missing or not one
	FlawDuplicate   Flaw = "duplicate"    // the number came before in the file
	FlawDuplicateID Flaw = "duplicate_id" // the external id came before in the file
	FlawZone        Flaw = "zone"         // not an IANA time zone
	FlawPriority    Flaw = "priority"     // not a whole number
	FlawHours       Flaw = "best_hours"   // hours that cannot be read
	FlawHistory     Flaw = "history"      // a column of an exported list that cannot be read
	FlawKnown       Flaw = "known"        // the campaign has the lead, and the list is to bring new ones alone
	FlawElsewhere   Flaw = "elsewhere"    // another campaign of the seller has the number
	FlawFields      Flaw = "fields"       // more or fewer fields than the header
	FlawQuote       Flaw = "quote"        // quotes that do not match
	FlawText        Flaw = "text"         // control characters, or a value that is too long
	FlawLong        Flaw = "long"         // a row that is too long
)

// RowError is a row of a list that was not loaded, and why.
type RowError struct {
	Line   int    `json:"line"`            // from 1, the header included
	Column int    `json:"column"`          // where the field begins, in characters from 1
	Field  string `json:"field,omitempty"` // the column's header
	Value  string `json:"value,omitempty"` // as in the file, shortened; may be a telephone number, not for logs
	Flaw   Flaw   `json:"flaw"`
	Reason string `json:"reason"` // one plain sentence, with the mend where one can be told

	Row []string `json:"-"` // the whole row by the header's columns; nil: it could not be cut into them
	Raw string   `json:"-"` // the row that could not, as far as it was read
}

// Error is the flaw on one line:
//
//	line 7, column 12: phone: "12" not a telephone number: too short for IT
func (e *RowError) Error() string {
	s := fmt.Sprintf("line %d, column %d: ", e.Line, e.Column)
	if e.Field != "" {
		s += e.Field + ": "
	}
	if e.Value != "" {
		s += fmt.Sprintf("%q ", e.Value)
	}
	return s + e.Reason
}
