package redis

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"

	"pronto/campaigns"
	"pronto/dialer"
)

// What was loaded of a lead, as the campaign's script keeps it: priority i4, list
// load u4, external id with its length u2, then the core: how many numbers u1, each number's digits as
// u7 (0: text with its length u1 follows), and what the script does not look into: name, address, zone, region,
// language, then the types of the numbers, best hours and fields as JSON.

// The states and classes of a lead in campaign.lua.
const (
	untouched = 0
	waiting   = 1
	ready     = 2
	dialing   = 4
	done      = 5

	callback = 0
	retry    = 1
	fresh    = 2
	behind   = 3 // fresh, after the others of its priority
)

// more is what a core holds as JSON.
type more struct {
	Types  []string          `json:"t,omitempty"` // of the numbers; absent: the lead has one number of no stated type
	Best   campaigns.Hours   `json:"b,omitempty"`
	Fields map[string]string `json:"f,omitempty"`
}

// core encodes what a list says of a lead.
func core(l *campaigns.Lead) ([]byte, error) {
	numbers, types := []campaigns.Number{l.Number}, []string(nil)
	if len(l.Numbers) > 1 || len(l.Numbers) == 1 && l.Numbers[0].Type != "" {
		numbers = numbers[:0]
		for _, n := range l.Numbers {
			numbers, types = append(numbers, n.Number), append(types, n.Type)
		}
	} else if len(l.Numbers) == 1 {
		numbers[0] = l.Numbers[0].Number
	}
	if len(numbers) > math.MaxUint8 {
		return nil, fmt.Errorf("a lead has %d numbers", len(numbers))
	}
	w := writer{uint8(len(numbers))}
	for _, n := range numbers {
		if err := w.number(n); err != nil {
			return nil, err
		}
	}
	for _, text := range []string{l.Name, l.Address, l.Zone, l.Region, l.Language} {
		w.text(text)
	}
	rest := more{types, l.BestHours, l.Fields}
	if types == nil && len(rest.Best) == 0 && len(rest.Fields) == 0 {
		return w, nil
	}
	text, err := json.Marshal(rest)
	return append(w, text...), err
}

// number writes a number as the script reads it.
func (w *writer) number(n campaigns.Number) error {
	digits, ok := plain(n)
	for shift := 48; shift >= 0; shift -= 8 {
		w.u8(uint8(digits >> shift))
	}
	if ok {
		return nil
	}
	if len(n) > math.MaxUint8 {
		return fmt.Errorf("a number has %d characters", len(n))
	}
	w.u8(uint8(len(n)))
	*w = append(*w, n...)
	return nil
}

// plain gives the digits of an E.164 number; false when it is not one.
func plain(n campaigns.Number) (uint64, bool) {
	digits, plus := strings.CutPrefix(string(n), "+")
	v, err := strconv.ParseUint(digits, 10, 64)
	if !plus || err != nil || v == 0 || v > 999_999_999_999_999 || strconv.FormatUint(v, 10) != digits {
		return 0, false
	}
	return v, true
}

// entry is a number as the campaign's index of numbers has it.
func entry(n campaigns.Number) string {
	if _, ok := plain(n); ok {
		return string(n[1:])
	}
	return string(n)
}

// stands encodes where a new lead stands; nothing, when it is fresh and due at
// once. A list that was exported brings its history along, another store the attempts too.
func stands(l *campaigns.Lead, past ...tried) ([]byte, error) {
	fresher := l.Due.IsZero() && l.Attempts == 0 && l.Tries == 0 && l.LastOutcome == "" && l.LastAttempt.IsZero() && l.Disposition == "" && !l.Done && l.Turn == 0
	if fresher && !l.Callback && l.Agent == "" && len(l.Answers) == 0 && len(past) == 0 {
		return nil, nil
	}
	w := writer{stateOf(l, past), classOf(l, past)}
	w.u16(uint16(min(l.Attempts, math.MaxUint16)))
	w.u16(uint16(min(l.Tries, math.MaxUint16)))
	w.time(l.LastAttempt)
	w.time(l.Due)
	for _, text := range []string{string(l.LastOutcome), l.Disposition, ""} {
		if err := w.text8(text); err != nil {
			return nil, err
		}
	}
	w.u32(0) // batch of the lease
	w.u8(uint8(min(l.Turn, math.MaxUint8)))
	if err := w.text8(l.Agent); err != nil {
		return nil, err
	}
	answers := ""
	if len(l.Answers) > 0 {
		var err error
		if answers, err = answersText(l.Answers); err != nil {
			return nil, err
		}
	}
	w.text16(answers)
	for _, t := range past {
		w.tried(t)
	}
	return w, nil
}

// stateOf is the state of a lead that nobody has leased.
func stateOf(l *campaigns.Lead, past []tried) uint8 {
	switch {
	case l.Done:
		return done
	case slices.ContainsFunc(past, func(t tried) bool { return !t.settled }):
		return dialing
	default:
		return waiting
	}
}

// classOf is the class of a lead: one that is called for the first time is fresh.
func classOf(l *campaigns.Lead, past []tried) uint8 {
	switch {
	case l.Attempts == 1 && l.LastOutcome == "" && stateOf(l, past) == dialing:
		return fresh
	case l.Callback || l.Disposition == callbackDisposition:
		return callback
	case l.Attempts > 0:
		return retry
	default:
		return fresh
	}
}

// tried writes an attempt as a lead remembers it.
func (w *writer) tried(t tried) {
	*w = append(*w, t.hash...)
	w.bool(t.settled)
	w.u16(uint16(t.seq >> 32))
	w.u32(uint32(t.seq))
	*w = append(*w, t.node...)
	w.time(t.at)
}

// row encodes a lead for a list load, or for its place in another store's campaign with its attempts.
func row(l *campaigns.Lead, past ...tried) ([]byte, error) {
	c, err := core(l)
	if err != nil {
		return nil, err
	}
	s, err := stands(l, past...)
	if err != nil {
		return nil, err
	}
	var w writer
	w.u32(uint32(priority(l.Priority)))
	if len(l.External) > math.MaxUint16 {
		return nil, fmt.Errorf("an external id has %d characters", len(l.External))
	}
	w.text16(l.External)
	w.text16(string(s))
	return append(w, c...), nil
}

// priority is a priority as the script keeps it.
func priority(p int) int32 { return int32(max(min(p, math.MaxInt32), math.MinInt32)) }

// callbackDisposition is the agent's word for an agreed time to call again, in
// journals from before Callback said so.
const callbackDisposition = "callback"

// classAfter is the lead's class after the settled attempt a.
func classAfter(a dialer.Attempt) int {
	if a.Callback || a.Disposition == callbackDisposition {
		return callback
	}
	return retry
}

// hashOf stands for an attempt among those of its lead: FNV-1a, 64 bits.
func hashOf(attempt string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(attempt)) // it never fails
	return string(h.Sum(nil))
}

// markOf stands for a node among those that dialed a lead: FNV-1a, 32 bits.
func markOf(node string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(node)) // it never fails
	return string(h.Sum(nil))
}
