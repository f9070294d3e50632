package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/dialer"
)

func newTrunkCommand(g *globals) *cobra.Command {
	return newGroup("trunk", "List trunks and try them out",
		newTrunkListCommand(g),
		newTrunkTestCommand(g),
	)
}

func newTrunkListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List trunks and how they stand",
		Long: `Lists the trunks in the order of the configuration. With a running service it tells how each stands: up; full: its own bounds are
reached; resting: its calls got nowhere, it is tried again now and then; down: not registered, or its OPTIONS are not answered.
The figures are those of the last hour.

EXIT STATUS
  0  listed
  1  failed
  3  the configuration is wrong`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTrunkList(cmd, g) },
	}
}

// trunksDoc is the JSON of trunk list.
type trunksDoc struct {
	Running bool               `json:"running"` // a service runs; without one there is the configuration alone
	Trunks  []dialer.TrunkLive `json:"trunks"`
}

func runTrunkList(cmd *cobra.Command, g *globals) error {
	doc, err := ask[trunksDoc](cmd.Context(), g, "trunk list", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Trunks) == 0 {
			cmd.Println("no trunks: add some to the configuration")
			return
		}
		t := newTable(cmd.OutOrStdout(), "TRUNK", "ADDRESS", "PRIO/WEIGHT", "STATE", "CHANNELS", "CALLS/S", "ANSWERED", "DELAY", "FAILED", "FALSE")
		for _, l := range doc.Trunks {
			t.AppendRow(trunkRow(l))
		}
		t.Render()
		for _, l := range doc.Trunks {
			if l.Why != "" {
				cmd.Printf("%s is %s: %s\n", l.Name, l.State, l.Why)
			}
		}
		if !doc.Running {
			cmd.Println("no service runs on this data folder: this is the configuration")
		}
	})
}

// trunkRow is a trunk's line in the table.
func trunkRow(l dialer.TrunkLive) table.Row {
	where := l.Address + "/" + l.Transport
	order := fmt.Sprintf("%d/%d", l.Priority, l.Weight)
	if l.State == "" {
		return table.Row{l.Name, where, order, "-", "-/" + bound(float64(l.Channels)), "-/" + bound(l.MaxPerSecond), "-", "-", "-", "-"}
	}
	answered, delay := "-", "-"
	if l.Hour.Calls > 0 {
		answered = fmt.Sprintf("%.0f %% of %d", 100*l.Hour.AnswerRatio, l.Hour.Calls)
	}
	if l.Hour.PostDialP50 > 0 {
		delay = fmt.Sprintf("%.1f s", l.Hour.PostDialP50/1000)
	}
	return table.Row{
		l.Name, where, order, l.State, fmt.Sprintf("%d/%s", l.InUse, bound(float64(l.Channels))), fmt.Sprintf("%.1f/%s", l.CallsPerSecond, bound(l.MaxPerSecond)),
		answered, delay, l.Hour.Failures, l.Hour.FalseAnswers,
	}
}

// bound writes a limit; none as a dash.
func bound(n float64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%g", n)
}

func listTrunks(_ context.Context, h *house, _ struct{}, _ request) (trunksDoc, error) {
	doc := trunksDoc{Trunks: []dialer.TrunkLive{}}
	if h.station != nil {
		doc.Running = true
		doc.Trunks = append(doc.Trunks, h.station.endpoint.Trunks()...)
		return doc, nil
	}
	c, err := h.config.trunk()
	if err != nil {
		return doc, invalidFile(err)
	}
	for _, t := range c.Trunks {
		doc.Trunks = append(doc.Trunks, t.Live())
	}
	return doc, nil
}

// withStation does a work with the service's SIP endpoint, or without a service
// with one of its own, after what the last process left has been ended.
func (h *house) withStation(ctx context.Context, work func(ctx context.Context, st *station) error) error {
	if h.station != nil {
		return work(ctx, h.station)
	}
	log, err := newLogger("error")
	if err != nil {
		return err
	}
	st, err := wire(ctx, parts{cfg: h.config, store: h.store, journal: h.journal, gate: h.gate, book: h.book, log: log, now: h.now, changed: h.changed})
	if err != nil {
		return err
	}
	defer st.close()
	return st.service.Alone(ctx, func(ctx context.Context) error { return work(ctx, st) })
}

// trunkNamed says whether the configuration has a trunk of the name.
func (c config) trunkNamed(name string) error {
	if len(c.Trunks) == 0 {
		return usageError(errors.New("the configuration has no trunk: name one that has with --config"))
	}
	if err := dialer.CheckTrunks([]string{name}, c.trunkNames()); err != nil {
		return usageError(err)
	}
	return nil
}

// ladderLine is a message of a call, told from its first.
func ladderLine(p passedDoc) string {
	at := fmt.Sprintf("%9.3f s  ", time.Duration(p.AfterMS*float64(time.Millisecond)).Seconds())
	if p.Direction == "out" {
		return at + p.Message + " ->"
	}
	return strings.TrimRight(at+"<- "+p.Message, " ")
}
