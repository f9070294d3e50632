package dialer

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"time"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// ReplayKinds are the records that ReplayPacing reads.
func ReplayKinds() []journal.Kind { return []journal.Kind{journal.Started, journal.Paced} }

// Replayed is what came of feeding a journal's Paced records to new engines.
type Replayed struct {
	Records   int            `json:"records"`   // Paced records that were replayed
	Engines   int            `json:"engines"`   // begun: one for each start of a campaign
	Events    int            `json:"events"`    // observed
	Decisions int            `json:"decisions"` // compared and equal
	Skipped   int            `json:"skipped"`   // Paced records whose engine began before the first record given
	Campaigns map[string]int `json:"campaigns"` // decisions by campaign
	// Difference is the first place where journal and replay differ; nil when there is none.
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is a place where an engine did not do what the journal says.
type Difference struct {
	Seq       uint64           `json:"seq"` // of the record
	Node      string           `json:"node,omitempty"`
	Campaign  string           `json:"campaign"`
	At        time.Time        `json:"at"`                  // of the decision or event
	Place     int              `json:"place"`               // of the decision or event in its record, from 0
	What      string           `json:"what"`                // the field that differs, or what was refused
	Journaled *pacing.Decision `json:"journaled,omitempty"` // nil when no decision differs
	Replayed  *pacing.Decision `json:"replayed,omitempty"`
	Version   string           `json:"version,omitempty"` // of the Pronto that wrote the record, where the journal says it
}

// ReplayPacing feeds the Paced records to new engines and compares every decision,
// to the bit. It stops at the first difference; an error is one of reading.
func ReplayPacing(records iter.Seq2[journal.Record, error]) (Replayed, error) {
	r := replay{Replayed: Replayed{Campaigns: map[string]int{}}, engines: map[engineKey]*pacing.Engine{}, versions: map[string]string{}}
	for rec, err := range records {
		if err != nil {
			return r.Replayed, fmt.Errorf("replay: %w", err)
		}
		switch rec.Kind {
		case journal.Started:
			var d journal.StartedDetail
			if json.Unmarshal(rec.Detail, &d) == nil {
				r.versions[rec.Node] = d.Version
			}
		case journal.Paced:
			if err := r.take(rec); err != nil {
				return r.Replayed, err
			}
		default: // others say nothing of pacing
		}
		if r.Difference != nil {
			break
		}
	}
	return r.Replayed, nil
}

// mostLeads is more than a campaign holds ready to be dialed.
const mostLeads = 1 << 20

// engineKey names an engine: each node paces its own calls.
type engineKey struct{ node, campaign string }

// replay is a replay in progress.
type replay struct {
	Replayed
	engines  map[engineKey]*pacing.Engine
	versions map[string]string // by node
}

// take replays one Paced record.
func (r *replay) take(rec journal.Record) error {
	var d PacedDetail
	if err := json.Unmarshal(rec.Detail, &d); err != nil {
		return fmt.Errorf("replay: record %d: %w", rec.Seq, err)
	}
	engine, ok := r.engine(rec, d)
	if !ok {
		return nil
	}
	r.Records++
	fed := 0
	for i, ask := range d.Decides {
		if ask.After < fed || ask.After > len(d.Events) || ask.Leads > mostLeads {
			return fmt.Errorf("replay: record %d: decision %d, after event %d with %d leads, is none that the dialer writes", rec.Seq, i, ask.After, ask.Leads)
		}
		if fed, ok = r.feed(rec, engine, d.Events, fed, ask.After); !ok {
			return nil
		}
		got := engine.Decide(ask.At, ask.queue())
		if field := unlike(ask.Decision, got); field != "" {
			r.differ(rec, Difference{At: ask.At, Place: i, What: field, Journaled: &ask.Decision, Replayed: &got})
			return nil
		}
		r.Decisions++
		r.Campaigns[rec.Campaign]++
	}
	r.feed(rec, engine, d.Events, fed, len(d.Events))
	return nil
}

// engine finds or makes the engine of a record, under the record's configuration;
// false when there is none or it refuses.
func (r *replay) engine(rec journal.Record, d PacedDetail) (*pacing.Engine, bool) {
	key := engineKey{rec.Node, rec.Campaign}
	engine := r.engines[key]
	var err error
	switch {
	case d.New && d.Config != nil:
		if engine, err = d.engine(); err == nil {
			r.engines[key] = engine
			r.Engines++
		}
	case engine == nil:
		r.Skipped++
		return nil, false
	case d.Config != nil:
		at := d.ConfiguredAt
		if at.IsZero() {
			at = rec.At
		}
		err = engine.Configure(at, *d.Config)
	}
	if err != nil {
		r.differ(rec, Difference{At: rec.At, What: "the configuration is refused: " + err.Error()})
	}
	return engine, err == nil
}

// engine makes the engine that begins with the record.
func (d PacedDetail) engine() (*pacing.Engine, error) {
	if d.Learned == nil {
		return pacing.New(*d.Config)
	}
	return pacing.Resume(*d.Config, d.Learned, d.ResumedAt)
}

// feed observes events from one place to another; false when one is refused.
func (r *replay) feed(rec journal.Record, engine *pacing.Engine, events []pacing.Event, from, to int) (int, bool) {
	for ; from < to; from++ {
		if err := engine.Observe(events[from]); err != nil {
			r.differ(rec, Difference{At: events[from].At, Place: from, What: "an event is refused: " + err.Error()})
			return from, false
		}
		r.Events++
	}
	return from, true
}

func (r *replay) differ(rec journal.Record, d Difference) {
	d.Seq, d.Node, d.Campaign, d.Version = rec.Seq, rec.Node, rec.Campaign, r.versions[rec.Node]
	r.Difference = &d
}

// queue is the next that the decision was asked with, as far as it was read.
func (p PacedDecision) queue() []float64 {
	if p.Leads < 0 {
		return nil
	}
	next := make([]float64, max(p.Leads, len(p.Next)))
	copy(next, p.Next)
	return next
}

// unlike names the first field in which two decisions differ by a bit; empty for none.
func unlike(a, b pacing.Decision) string {
	same := func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }
	switch {
	case a.Dial != b.Dial:
		return "Dial"
	case a.Reason != b.Reason:
		return "Reason"
	case !same(a.Risk, b.Risk):
		return "Risk"
	case !same(a.Credit, b.Credit):
		return "Credit"
	case !same(a.Rate, b.Rate):
		return "Rate"
	case !a.Again.Equal(b.Again):
		return "Again"
	}
	return ""
}
