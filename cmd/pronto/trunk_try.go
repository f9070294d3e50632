package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/trunk"
	"pronto/dnc"
)

// optionsPatience is how long a carrier has to answer OPTIONS.
const optionsPatience = 5 * time.Second

func newTrunkTestCommand(g *globals) *cobra.Command {
	args := trunkTestArgs{}
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Ask a trunk's carrier with OPTIONS, and place one call",
		Long: `Asks the carrier with OPTIONS and tells how the trunk stands. With --call it places one call by this trunk alone and shows its SIP
messages. The call is one of the campaign: the gate clears it, the journal keeps it, it counts as an attempt on the number. There is no
agent for it: one that is answered hears comfort noise, gets the campaign's abandon treatment and counts as abandoned.

Without a running service it opens the SIP address of the configuration for as long as it takes.

EXIT STATUS
  0  the trunk answers, and the call met somebody
  1  it does not, or the call failed
  2  the command line is wrong
  3  the configuration is wrong
  4  the gate refused the call`,
		Args: needs("NAME"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Trunk = words[0]
			if (args.Number == "") != (args.Campaign == "") {
				return usageError(errors.New("--call and --campaign go together: the campaign's rules and caller IDs hold for the call"))
			}
			return runTrunkTest(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Number, "call", "", "number to call, one where somebody expects it")
	f.StringVar(&args.Campaign, "campaign", "", "whose rules, caller IDs and treatment hold for the call")
	return cmd
}

// trunkTestArgs say what is to be tried.
type trunkTestArgs struct {
	Trunk    string `json:"trunk"`
	Number   string `json:"number,omitempty"`
	Campaign string `json:"campaign,omitempty"`
}

// trunkTestDoc is the JSON of trunk test.
type trunkTestDoc struct {
	Trunk dialer.TrunkLive `json:"trunk"`
	// Registration is empty for a trunk that does not register, else registered or why not.
	Registration string       `json:"registration,omitempty"`
	Options      optionsDoc   `json:"options"`
	Call         *testCallDoc `json:"call,omitempty"`
}

// optionsDoc is the answer to OPTIONS.
type optionsDoc struct {
	Status      int     `json:"status,omitempty"`
	RoundTripMS float64 `json:"round_trip_ms,omitempty"`
	Why         string  `json:"why,omitempty"` // there is no answer
}

// testCallDoc is the call that was placed, or why none was.
type testCallDoc struct {
	Attempt string            `json:"attempt"`
	Number  campaigns.Number  `json:"number"`
	Verdict dnc.Verdict       `json:"verdict"`
	Outcome campaigns.Outcome `json:"outcome,omitempty"`
	Cause   *dialer.Cause     `json:"cause,omitempty"`
	Ladder  []passedDoc       `json:"ladder"`
}

// passedDoc is one SIP message of the call.
type passedDoc struct {
	At        time.Time `json:"at"`
	AfterMS   float64   `json:"after_ms"`  // since the first
	Direction string    `json:"direction"` // out, in
	Message   string    `json:"message"`
}

func runTrunkTest(cmd *cobra.Command, g *globals, args trunkTestArgs) error {
	doc, err := ask[trunkTestDoc](cmd.Context(), g, "trunk test", args, nil)
	if err != nil {
		return err
	}
	if err := show(cmd, g, doc, func() { showTrunkTest(cmd, doc) }); err != nil {
		return err
	}
	switch {
	case doc.Call != nil && !doc.Call.Verdict.Allowed:
		return silently(forbidden(fmt.Errorf("%s may not be called: %s", doc.Call.Number, doc.Call.Verdict.Reason)))
	case doc.Call != nil && (doc.Call.Outcome == campaigns.Failed || doc.Call.Outcome == campaigns.Congested || doc.Call.Outcome == campaigns.Refused):
		return silently(fmt.Errorf("the call ended %s", doc.Call.Outcome))
	case doc.Call == nil && doc.Options.Status == 0:
		return silently(errors.New("the carrier does not answer"))
	}
	return nil
}

func showTrunkTest(cmd *cobra.Command, doc trunkTestDoc) {
	l := doc.Trunk
	cmd.Printf("%s  %s/%s  %s", l.Name, l.Address, l.Transport, l.State)
	if l.Why != "" {
		cmd.Printf(": %s", l.Why)
	}
	cmd.Println()
	if doc.Registration != "" {
		cmd.Println(doc.Registration)
	}
	if doc.Options.Status != 0 {
		cmd.Printf("OPTIONS answered with %d after %.1f ms\n", doc.Options.Status, doc.Options.RoundTripMS)
	} else {
		cmd.Printf("OPTIONS not answered: %s\n", doc.Options.Why)
	}
	c := doc.Call
	if c == nil {
		return
	}
	if !c.Verdict.Allowed {
		cmd.Printf("%s may not be called: %s\n%s\n", c.Number, c.Verdict.Reason, c.Verdict.Detail)
		return
	}
	cmd.Printf("attempt %s to %s, cleared under %s, caller ID %s\n", c.Attempt, c.Number, c.Verdict.RuleSet, c.Verdict.CallerID)
	for _, p := range c.Ladder {
		cmd.Println(ladderLine(p))
	}
	cmd.Printf("ended: %s", c.Outcome)
	if c.Cause != nil && c.Cause.Text != "" {
		cmd.Printf(" (%s)", c.Cause.Text)
	}
	cmd.Println()
}

func testTrunk(ctx context.Context, h *house, args trunkTestArgs, _ request) (trunkTestDoc, error) {
	var doc trunkTestDoc
	if err := h.config.trunkNamed(args.Trunk); err != nil {
		return doc, err
	}
	var call *dialer.TestCall
	if args.Number != "" {
		var err error
		if call, err = h.testCall(ctx, args); err != nil {
			return doc, err
		}
	}
	err := h.withStation(ctx, func(ctx context.Context, st *station) error {
		asking, cancel := context.WithTimeout(ctx, optionsPatience)
		defer cancel()
		e, err := st.endpoint.Examine(asking, args.Trunk)
		if err != nil {
			return err
		}
		doc.tell(e)
		if call == nil {
			return nil
		}
		tested, err := st.service.Test(ctx, *call)
		if err != nil {
			return err
		}
		doc.Call = describeTest(call.Lead.Number, tested)
		return nil
	})
	return doc, err
}

// testCall is the call that is asked for.
func (h *house) testCall(ctx context.Context, args trunkTestArgs) (*dialer.TestCall, error) {
	r, err := h.campaign(ctx, args.Campaign)
	if err != nil {
		return nil, err
	}
	n, err := h.number(ctx, args.Number, countryOf(r.Campaign.Jurisdiction))
	if err != nil {
		return nil, err
	}
	lead, err := h.leadOf(ctx, args.Campaign, n)
	if err != nil {
		return nil, err
	}
	return &dialer.TestCall{Trunk: args.Trunk, Campaign: r, Lead: lead}, nil
}

func (d *trunkTestDoc) tell(e trunk.Examined) {
	d.Trunk = e.Trunk
	if e.Registers {
		d.Registration = "registered"
		if e.NoPlace != "" {
			d.Registration = "not registered: " + e.NoPlace
		}
	}
	d.Options = optionsDoc{Status: e.Options, RoundTripMS: float64(e.RoundTrip) / float64(time.Millisecond), Why: e.Why}
}

func describeTest(n campaigns.Number, t dialer.TestedCall) *testCallDoc {
	doc := &testCallDoc{Attempt: t.Attempt, Number: n, Verdict: t.Verdict, Outcome: t.Outcome, Ladder: []passedDoc{}}
	if t.Cause != (dialer.Cause{}) {
		doc.Cause = &t.Cause
	}
	for _, p := range t.Passed {
		direction := "in"
		if p.Out {
			direction = "out"
		}
		doc.Ladder = append(doc.Ladder, passedDoc{
			At: p.At, AfterMS: float64(p.At.Sub(t.Passed[0].At)) / float64(time.Millisecond), Direction: direction, Message: p.Text,
		})
	}
	return doc
}
