package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"math"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

// pseudonym is a person in the journal.
type pseudonym [16]byte

// forever is later than every purge.
const forever = math.MaxInt64

// journal destroys the keys of people about whom the journal has nothing that must
// still be kept. One walk: what is old finds the people, what is newer keeps those of
// whom there is more, so that memory holds the former alone.
func (p *purger) journal(ctx context.Context) error {
	row := purgedDoc{What: "people in the journal", Of: "node " + p.h.journal.Node()}
	rule, shortest := p.callRules()
	if rule == nil {
		p.removed = append(p.removed, row)
		return nil
	}
	before := p.now.Add(-shortest)
	row.Rule, row.Before = rule.ID, &before
	until := map[pseudonym]int64{} // Unix seconds
	for r, err := range journal.Read(p.h.journalDir(), journal.ReadOptions{Node: p.h.journal.Node(), Closed: true}) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		var who pseudonym
		if raw, err := hex.DecodeString(r.Subject); err != nil || copy(who[:], raw) < len(who) {
			continue // about nobody
		}
		if r.Kind == journal.Config || r.Kind == journal.Note {
			continue // about what was done with the records, such as a hold
		}
		known, there := until[who]
		switch {
		case r.Kind == journal.Erased:
			delete(until, who)
		case there || r.At.Before(before):
			until[who] = max(known, p.keeps(r))
		}
	}
	for n := range p.on.numbers {
		delete(until, pseudonymOf(p.h.journal.Subject(string(n))))
	}
	return p.forget(ctx, row, until)
}

func pseudonymOf(subject string) (who pseudonym) {
	_, _ = hex.Decode(who[:], []byte(subject)) // the journal's own
	return who
}

// callRules are the rule that keeps calls longest and the shortest time that any keeps
// them; nil: no campaign has one.
func (p *purger) callRules() (longest *rules.Rule, shortest time.Duration) {
	var most time.Duration
	for _, name := range sortedKeys(p.records) {
		rule, span := p.h.retention(p.records[name], rules.KeepCalls)
		if rule == nil {
			continue
		}
		if longest == nil || span < shortest {
			shortest = span
		}
		if longest == nil || span > most {
			longest, most = rule, span
		}
	}
	return longest, shortest
}

// keeps says until when a record keeps its person: by the rule of its campaign, or by
// those of all campaigns where it has none.
func (p *purger) keeps(r journal.Record) int64 {
	return max(p.keepsCall(r), keepsRecording(r))
}

// keepsRecording says until when a recording needs its person's key.
func keepsRecording(r journal.Record) int64 {
	var d journal.RecordingDetail
	if r.Kind != journal.Recording || r.Outcome != journal.RecordingEnded || json.Unmarshal(r.Detail, &d) != nil {
		return 0
	}
	return d.Until.Unix()
}

func (p *purger) keepsCall(r journal.Record) int64 {
	of := map[string]string{r.Campaign: p.records[r.Campaign]}
	if r.Campaign == "" {
		of = p.records
	}
	var most time.Duration
	for name, jurisdiction := range of {
		rule, span := p.h.retention(jurisdiction, rules.KeepCalls)
		if rule == nil || p.on.campaigns[name] != nil {
			return forever
		}
		most = max(most, span)
	}
	return r.At.Add(most).Unix()
}

// forget destroys the keys of those whose time is over.
func (p *purger) forget(ctx context.Context, row purgedDoc, until map[pseudonym]int64) (err error) {
	var gone []string
	for who, end := range until {
		if end < p.now.Unix() {
			gone = append(gone, hex.EncodeToString(who[:]))
		}
	}
	row.Count = len(gone)
	if !p.dry && len(gone) > 0 {
		var done journal.Purged
		done, err = p.h.journal.EraseSubjects(ctx, gone, p.who)
		row.Count = done.Subjects
	}
	p.removed = append(p.removed, row)
	return err
}
