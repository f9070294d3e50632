package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"pronto/campaigns"
)

// leadRow is a lead as its list gives it, in the form of the table.
type leadRow struct {
	external, number, numbers, name, address, zone, region, language string
	bestHours, fields, outcome, disposition, agent, answers          string

	priority, due                                         int64
	attempts, tries, lastAttempt, turn, completed, agreed int64 // with outcome and disposition: what an exported list says became of the lead

	sum  int64    // digest, when read back
	more []string // further, when read back
}

// texts and numbers are the row's parts in the order in which they are set aside.
func (r *leadRow) texts() []*string {
	return []*string{
		&r.external, &r.number, &r.numbers, &r.name, &r.address, &r.zone, &r.region, &r.language,
		&r.bestHours, &r.fields, &r.outcome, &r.disposition, &r.agent, &r.answers,
	}
}

func (r *leadRow) integers() []*int64 {
	return []*int64{&r.priority, &r.due, &r.attempts, &r.tries, &r.lastAttempt, &r.turn, &r.completed, &r.agreed}
}

// rowOf is the lead as a row.
func rowOf(l *campaigns.Lead) (leadRow, error) {
	r := leadRow{
		external: l.External, number: string(l.Number), name: l.Name, address: l.Address, zone: l.Zone, region: l.Region,
		language: l.Language, outcome: string(l.LastOutcome), disposition: l.Disposition, agent: l.Agent,
		priority: int64(l.Priority), due: nanos(l.Due), attempts: int64(l.Attempts), tries: int64(l.Tries),
		lastAttempt: nanos(l.LastAttempt), turn: int64(l.Turn),
	}
	if l.Done {
		r.completed = 1
	}
	if l.Callback {
		r.agreed = 1
	}
	if len(l.Numbers) > 0 {
		r.number = string(l.Numbers[0].Number)
	}
	for _, part := range []struct {
		some bool
		from any
		to   *string
	}{
		{len(l.Numbers) > 1 || len(l.Numbers) == 1 && l.Numbers[0].Type != "", l.Numbers, &r.numbers},
		{len(l.BestHours) > 0, l.BestHours, &r.bestHours},
		{len(l.Fields) > 0, l.Fields, &r.fields},
		{len(l.Answers) > 0, l.Answers, &r.answers},
	} {
		if !part.some {
			continue
		}
		text, err := json.Marshal(part.from)
		if err != nil {
			return r, err
		}
		*part.to = string(text)
	}
	return r, nil
}

// all are the row's numbers beyond the first.
func (r *leadRow) further() ([]string, error) {
	if r.numbers == "" {
		return nil, nil
	}
	var list []campaigns.LeadNumber
	if err := json.Unmarshal([]byte(r.numbers), &list); err != nil {
		return nil, fmt.Errorf("numbers: %w", err)
	}
	var out []string
	for i, n := range list {
		if i > 0 && string(n.Number) != r.number {
			out = append(out, string(n.Number))
		}
	}
	return out, nil
}

// digest stands for what the list says of the lead, its external id left out.
// Never 0.
func (r *leadRow) digest() int64 {
	b := make([]byte, 0, 512)
	for _, s := range []string{r.number, r.numbers, r.name, r.address, r.zone, r.region, r.language, r.bestHours, r.fields} {
		b = appendText(b, s)
	}
	sum := sha256.Sum256(binary.AppendVarint(b, r.priority))
	return int64(binary.LittleEndian.Uint64(sum[:8]) | 1)
}

// state and class are those of a lead that the row makes.
func (r *leadRow) state() int {
	switch {
	case r.completed != 0:
		return done
	case r.due == 0:
		return ready
	default:
		return waiting
	}
}

func (r *leadRow) class() int {
	switch {
	case r.agreed != 0 || r.disposition == callbackDisposition:
		return callback
	case r.attempts > 0:
		return retry
	default:
		return fresh
	}
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// append sets the row aside behind b.
func (r *leadRow) append(b []byte) []byte {
	for _, s := range r.texts() {
		b = appendText(b, *s)
	}
	for _, n := range r.integers() {
		b = binary.AppendVarint(b, *n)
	}
	return b
}

// errRows says that rows which were set aside cannot be read.
var errRows = errors.New("staged rows are damaged")

// unpack reads the rows set aside in b.
func unpack(b []byte) ([]leadRow, error) {
	rows, text := make([]leadRow, 0, stageChunk), string(b)
	for len(b) > 0 {
		rows = append(rows, leadRow{})
		var err error
		if b, err = rows[len(rows)-1].take(b, text); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// take reads the first of the rows in b, which text ends with. The row's texts are
// parts of it.
func (r *leadRow) take(b []byte, text string) (rest []byte, err error) {
	for _, s := range r.texts() {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, errRows
		}
		from := len(text) - len(b) + size
		*s, b = text[from:from+int(n)], b[size+int(n):]
	}
	for _, i := range r.integers() {
		n, size := binary.Varint(b)
		if size <= 0 {
			return nil, errRows
		}
		*i, b = n, b[size:]
	}
	return b, nil
}

// isNew reports whether the list says nothing of what became of the lead.
func (r *leadRow) isNew() bool {
	return r.due == 0 && r.completed == 0 && r.agreed == 0 && r.attempts == 0 && r.tries == 0 && r.lastAttempt == 0 && r.turn == 0 &&
		r.outcome == "" && r.disposition == "" && r.agent == "" && r.answers == ""
}
