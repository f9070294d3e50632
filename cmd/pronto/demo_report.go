package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"pronto/dialer/journal"
	"pronto/dialer/sandbox"
	"pronto/dialer/sandbox/judge"
	"pronto/dnc/rules"
)

// demoReport is what a demo prints at its end.
type demoReport struct {
	judge.Verdict
	Seed       uint64       `json:"seed"`
	Agents     int          `json:"agents"`
	Seconds    float64      `json:"seconds"` // of dialing
	PerMinute  float64      `json:"calls_per_minute"`
	Records    uint64       `json:"journal_records"`
	Folder     string       `json:"folder"`
	TotalSpent float64      `json:"total_seconds"`
	RangBack   demoCallback `json:"rang_back"`
}

// judge reads what the far ends, the inputs and the journal say, and nothing else.
func (d *demo) judge(_ context.Context) (demoReport, error) {
	r := demoReport{Seed: d.seed, Agents: d.agents, Seconds: d.duration.Seconds(), Folder: d.dir}
	dir := filepath.Join(d.data, journalFolder)
	verified, err := journal.Verify(dir)
	if err != nil {
		return r, fmt.Errorf("verify journal: %w", err)
	}
	offset, err := clockOffset(dir)
	if err != nil {
		return r, err
	}
	evidence, err := judge.Load(judge.Files{
		Leads: d.path("leads.csv"), OptOuts: d.path("optouts.csv"), Registers: []judge.Result{{Path: d.path("rpo.csv")}},
		Carrier: d.path("carrier.log"), Agents: d.path("agents.log"), Country: "39",
	}, judgeRecords(dir))
	if err != nil {
		return r, err
	}
	rules, err := d.rulesOfTheRun(offset, evidence)
	if err != nil {
		return r, err
	}
	rules.Verified = verified.OK
	r.Verdict = judge.Judge(evidence, rules)
	failures, err := d.judgeCallback(&d.callback)
	if err != nil {
		return r, err
	}
	r.RangBack, r.Failures = d.callback, append(r.Failures, failures...)
	r.Records = verified.Records
	r.PerMinute = float64(r.Dialed) / d.duration.Minutes()
	r.TotalSpent = time.Since(d.began).Round(100 * time.Millisecond).Seconds()
	return r, nil
}

// rulesOfTheRun are what the Italian rule set and the demo's promises ask for.
func (d *demo) rulesOfTheRun(offset time.Duration, e judge.Evidence) (judge.Rules, error) {
	book, err := rules.Embedded()
	if err != nil {
		return judge.Rules{}, err
	}
	clock, err := time.Parse(time.RFC3339, callClock)
	if err != nil {
		return judge.Rules{}, err
	}
	set, ok := book.Lookup("it", clock)
	if !ok || len(set.Screenings) == 0 {
		return judge.Rules{}, errors.New("no Italian rule set for the day of the demo")
	}
	headline := set.Abandon.Windows[0]
	validFor := set.Screenings[0].Screening.MaxAge.Std()
	numbers := callable(e, d.dialing.Add(offset).Add(-validFor))
	world := sandbox.Compressed(d.seed, d.answerRate)
	one := world.Progressive(numbers, sandbox.Shift{Agents: d.agents, Duration: d.duration, WrapUp: demoWrapUp, RingTimeout: demoRing})
	return judge.Rules{
		Start: d.dialing, End: d.dialing.Add(d.duration), ClockOffset: offset,
		Deadline: set.Abandon.Deadline.Std(), Message: set.Abandon.Treatment == rules.Message, NoSilence: true,
		ValidFor: validFor, Cap: headline.Cap, OfConnected: headline.Base == rules.OfConnected,
		WrapUp: demoWrapUp, Progressive: one.Utilisation, RetryDelay: 15 * time.Minute,
		Provoked: judge.Provoked{Glares: 1, Bursts: 1, Vanish: 2}, Classes: judge.AllClasses(), Small: d.small(),
	}, nil
}

// callable are the leads that register and opt-outs allow, in the list's order.
func callable(e judge.Evidence, oldest time.Time) []string {
	var numbers []string
	for _, n := range e.Leads {
		if entry, ok := e.Register[n]; ok && !entry.Registered && entry.CheckedAt.After(oldest) && !e.OptOuts[n] {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// clockOffset is the service's clock minus the wall clock, as its journal says.
func clockOffset(dir string) (time.Duration, error) {
	offset, found := 0.0, false
	for r, err := range journal.Read(dir, journal.ReadOptions{Kinds: []journal.Kind{journal.Started}}) {
		if err != nil {
			return 0, fmt.Errorf("read journal: %w", err)
		}
		var d journal.StartedDetail
		if err := json.Unmarshal(r.Detail, &d); err == nil && d.Command == "serve" {
			offset, found = d.ClockOffset, true
		}
	}
	if !found {
		return 0, errors.New("the journal does not tell of the service's start")
	}
	return time.Duration(offset * float64(time.Millisecond)), nil
}

// judgeRecords gives the judge the journal as it needs it.
func judgeRecords(dir string) iter.Seq2[judge.Record, error] {
	return func(yield func(judge.Record, error) bool) {
		for r, err := range journal.Read(dir, journal.ReadOptions{}) {
			if err != nil {
				yield(judge.Record{}, fmt.Errorf("read journal: %w", err))
				return
			}
			if !yield(judge.Record{Seq: r.Seq, At: r.At, Kind: string(r.Kind), Attempt: r.Attempt, CallID: r.CallID, Number: r.Number, Agent: r.Agent, Reason: r.Reason}, nil) {
				return
			}
		}
	}
}

// write prints the report for people.
func (r demoReport) write(w io.Writer) {
	fmt.Fprintln(w)
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	row := func(name, value string) { t.AppendRow(table.Row{name, value}) }
	row("leads", fmt.Sprint(r.Leads))
	for _, reason := range sortedKeys(r.Refused) {
		row("refused: "+reason, fmt.Sprint(r.Refused[reason]))
	}
	row("dialed", fmt.Sprintf("%d (%.0f a minute)", r.Dialed, r.PerMinute))
	row("answered", fmt.Sprint(r.Answered))
	row("connected", fmt.Sprint(r.Connected))
	row("abandoned", fmt.Sprint(r.Abandoned))
	row("abandon rate, cap", fmt.Sprintf("%s of %s", rate(r.AbandonRate), rate(r.Cap)))
	row("agent utilisation", fmt.Sprintf("%s (one line for each free agent: %s)", rate(r.Utilisation), rate(r.Progressive)))
	row("mean wait between calls", fmt.Sprintf("%.1f s", r.Wait))
	row("answer to agent's voice", fmt.Sprintf("p50 %.0f ms, p99 %.0f ms", r.AnswerToAudio.P50, r.AnswerToAudio.P99))
	row("rang back", r.RangBack.text())
	row("journal", fmt.Sprintf("%d records, verified: %v", r.Records, r.JournalVerified))
	t.Render()
	fmt.Fprintf(w, "\nProvoked: %d answers that crossed a CANCEL, %s of answers, %d phones that vanished.\n", r.Provoked.Glares, plural(r.Provoked.Bursts, "burst"), r.Provoked.Vanish)
	fmt.Fprintf(w, "Judged by carrier's and agents' logs: %d forbidden numbers rung, %d answers untreated, %d bridges silent, %d crossed, %d left over, %d calls without evidence.\n",
		r.ForbiddenRung, r.UntreatedAnswers, r.SilentBridges, r.Crossed, r.LeftOver, r.MissingEvidence)
	if len(r.Unmet) > 0 {
		fmt.Fprintf(w, "Too small a run to meet everything; %d agents and %s do:\n", demoAgents, demoDuration)
		for _, u := range r.Unmet {
			fmt.Fprintln(w, "  - "+u)
		}
	}
	if len(r.Failures) == 0 {
		fmt.Fprintf(w, "Every promise held, in %.0f s. Logs and journal: %s\n", r.TotalSpent, r.Folder)
		return
	}
	fmt.Fprintln(w, "NOT HELD:")
	for _, f := range r.Failures {
		fmt.Fprintln(w, "  - "+f)
	}
	fmt.Fprintf(w, "Logs and journal: %s\n", r.Folder)
}

// sortedKeys are a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
