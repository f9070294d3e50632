package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/pacing"
	"pronto/pacing/sim"
)

// scriptPaced is "paced campaign [flaw]": the data folder's journal gets the pacing
// of twenty simulated minutes. With a flaw, one decision is written as another.
func scriptPaced(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: paced campaign [flaw]")
	}
	ts.Check(writePaced(filepath.Join(ts.Getenv("PRONTO_DATA"), journalFolder), journal.Options{}, args[0], len(args) > 1))
}

// writePaced writes what the dialer would of a simulated campaign's pacing.
func writePaced(dir string, o journal.Options, campaign string, flaw bool) error {
	j, err := journal.Open(dir, o)
	if err != nil {
		return err
	}
	m := sim.Base(1)
	s := sim.Scenario{Agents: 5, Length: 20 * time.Minute, Grace: 2 * time.Second, Lead: m.Lead}
	cfg := pacing.Config{Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace}
	engine, err := pacing.New(cfg)
	if err != nil {
		return err
	}
	p := &noting{Engine: engine, journal: j, campaign: campaign, detail: dialer.PacedDetail{New: true, Config: &cfg}, flaw: flaw}
	_, err = sim.Run(s, p)
	return errors.Join(err, p.write(s.End()), j.Close())
}

// noting is an engine whose events and decisions go to a journal.
type noting struct {
	*pacing.Engine
	journal  *journal.Journal
	campaign string
	detail   dialer.PacedDetail
	written  int
	flaw     bool
}

// Observe implements sim.Pacer.
func (n *noting) Observe(e pacing.Event) error {
	n.detail.Events = append(n.detail.Events, e)
	return n.Engine.Observe(e)
}

// Decide implements sim.Pacer.
func (n *noting) Decide(now time.Time, next []float64) pacing.Decision {
	d := n.Engine.Decide(now, next)
	noted := d
	if n.flaw && n.written == 5 && len(n.detail.Decides) == 0 {
		noted.Dial += 2
	}
	n.detail.Decides = append(n.detail.Decides, dialer.PacedDecision{At: now, After: len(n.detail.Events), Leads: -1, Decision: noted})
	if len(n.detail.Events) > 20 {
		if err := n.write(now); err != nil {
			panic(err)
		}
	}
	return d
}

func (n *noting) write(at time.Time) error {
	r := journal.Record{At: at, Kind: journal.Paced, Campaign: n.campaign, Detail: journal.Detailed(n.detail)}
	n.detail = dialer.PacedDetail{}
	n.written++
	_, err := n.journal.Commit(context.Background(), r)
	return err
}
