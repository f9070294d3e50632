package redis

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"pronto/campaigns"
)

// stored is a lead with what only the store knows of it.
type stored struct {
	campaigns.Lead
	load  uint32
	state uint8
	lane  int // number of its list
	tried []tried
}

// tried is an attempt as a lead remembers it.
type tried struct {
	hash    string
	settled bool
	seq     uint64 // of its record
	node    string // that wrote it, as markOf says it
	at      time.Time
}

// decodeLead reads a lead from what was loaded of it and where it stands; the
// time of the load is left out.
func decodeLead(campaign string, no, place int64, loaded, stands string) (stored, error) {
	l := stored{Lead: campaigns.Lead{ID: leadID(no, place), Campaign: campaign}}
	r := reader{b: []byte(loaded)}
	l.Priority, l.load, l.External = int(int32(r.u32())), r.u32(), r.text16()
	numbers := make([]campaigns.Number, r.u8())
	for i := range numbers {
		numbers[i] = r.number()
	}
	for _, text := range []*string{&l.Name, &l.Address, &l.Zone, &l.Region, &l.Language} {
		*text = r.text()
	}
	if r.err == nil && len(r.b) > 0 {
		var rest more
		if err := json.Unmarshal(r.b, &rest); err != nil {
			return l, fmt.Errorf("lead %d: %w", l.ID, err)
		}
		l.BestHours, l.Fields = rest.Best, rest.Fields
		for i, t := range rest.Types[:min(len(rest.Types), len(numbers))] {
			l.Numbers = append(l.Numbers, campaigns.LeadNumber{Number: numbers[i], Type: t})
		}
	}
	if err := l.decodeStands(stands); err != nil || r.err != nil || len(numbers) == 0 {
		return l, fmt.Errorf("lead %d: %w", l.ID, errCut)
	}
	l.Number = numbers[0]
	if len(l.Numbers) > 0 {
		l.Turn = min(l.Turn, len(l.Numbers)-1)
		l.Number = l.Numbers[l.Turn].Number
	}
	return l, nil
}

// number reads a number that writer.number wrote.
func (r *reader) number() campaigns.Number {
	var v uint64
	for _, b := range r.take(7) {
		v = v<<8 | uint64(b)
	}
	if v != 0 {
		return campaigns.Number("+" + strconv.FormatUint(v, 10))
	}
	return campaigns.Number(r.text8())
}

// decodeStands reads where a lead stands.
func (l *stored) decodeStands(blob string) error {
	if len(blob) <= 1 {
		for _, lane := range []byte(blob) {
			l.lane = int(lane)
		}
		return nil
	}
	r := reader{b: []byte(blob)}
	state, class := r.u8(), r.u8()
	l.lane, class = int(class/4), class%4
	l.state, l.Done, l.Callback, l.Behind = state, state == done, class == callback, class == behind
	l.Attempts, l.Tries = int(r.u16()), int(r.u16())
	l.LastAttempt, l.Due = r.time(), r.time()
	l.LastOutcome, l.Disposition = campaigns.Outcome(r.text8()), r.text8()
	r.text8() // the node that has it leased
	r.u32()   // in which batch
	l.Turn, l.Agent = int(r.u8()), r.text8()
	if answers := r.text16(); answers != "" {
		if err := json.Unmarshal([]byte(answers), &l.Answers); err != nil {
			return err
		}
		if len(l.Answers) == 0 { // all were taken back
			l.Answers = nil
		}
	}
	if len(l.Answers) == 0 {
		l.Answers = nil
	}
	for r.err == nil && len(r.b) > 0 {
		t := tried{hash: string(r.take(8)), settled: r.bool(), seq: uint64(r.u16())<<32 | uint64(r.u32())}
		t.node, t.at = string(r.take(4)), r.time()
		l.tried = append(l.tried, t)
	}
	return r.err
}
