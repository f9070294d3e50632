package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
)

// scriptCalled is "called campaign N": the journal gets N calls of the campaign,
// from ten o'clock on, of which each third is answered.
func scriptCalled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: called campaign N")
	}
	n := 0
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(writeCalls(filepath.Join(ts.Getenv("PRONTO_DATA"), journalFolder), journal.Options{}, args[0], n))
}

func writeCalls(dir string, o journal.Options, campaign string, n int) error {
	j, err := journal.Open(dir, o)
	if err != nil {
		return err
	}
	var records []journal.Record
	add := func(at time.Time, k journal.Kind, attempt, agent, outcome string, detail any) {
		r := journal.Record{At: at, Kind: k, Campaign: campaign, Attempt: attempt, Agent: agent, Outcome: outcome}
		if detail != nil {
			r.Detail = journal.Detailed(detail)
		}
		records = append(records, r)
	}
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for i := range n {
		at := begin.Add(time.Duration(i) * 10 * time.Second)
		attempt := fmt.Sprintf("call-%s-%d", o.Node, i)
		add(at, journal.Invited, attempt, "", "", nil)
		add(at.Add(2*time.Second), journal.Ringing, attempt, "", "", nil)
		if i%3 != 0 {
			add(at.Add(24*time.Second), journal.Ended, attempt, "", string(campaigns.NoAnswer), journal.EndedDetail{Dialed: true, Status: 487})
			continue
		}
		talk := time.Duration(40+i%50) * time.Second
		add(at.Add(10*time.Second), journal.Answered, attempt, "", "", nil)
		add(at.Add(10*time.Second+talk), journal.AgentState, "", "ada", string(dialer.WrapUp), nil)
		add(at.Add(10*time.Second+talk), journal.Ended, attempt, "ada", string(campaigns.Bridged), journal.EndedDetail{Dialed: true, Status: 200, TalkMS: float64(talk.Milliseconds())})
		add(at.Add(18*time.Second+talk), journal.AgentState, "", "ada", string(dialer.Ready), nil)
	}
	slices.SortStableFunc(records, func(a, b journal.Record) int { return a.At.Compare(b.At) })
	for _, r := range records {
		_, e := j.Append(r)
		err = errors.Join(err, e)
	}
	return errors.Join(err, j.Close())
}
