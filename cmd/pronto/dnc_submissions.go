package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pronto/dnc/registers"
)

func newDNCSubmissionsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "submissions [REGISTER]",
		Short: "List what was submitted to registers and what came of it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			args := submissionsArgs{}
			if len(words) > 0 {
				args.Register = words[0]
			}
			return runDNCSubmissions(cmd, g, args)
		},
	}
}

// submissionsArgs choose submissions.
type submissionsArgs struct {
	Register string `json:"register,omitempty"`
}

// submissionsDoc is the JSON of dnc submissions.
type submissionsDoc struct {
	Submissions []registers.Submitted `json:"submissions"`
}

func runDNCSubmissions(cmd *cobra.Command, g *globals, args submissionsArgs) error {
	doc, err := ask[submissionsDoc](cmd.Context(), g, "dnc submissions", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		t := newTable(cmd.OutOrStdout(), "SUBMISSION", "REGISTER", "SELLER", "CAMPAIGN", "MADE", "NUMBERS", "FILE", "STATE")
		for _, s := range doc.Submissions {
			state := "open"
			switch {
			case s.Answer != "":
				state = "answered by import " + s.Answer
			case s.Closed != "":
				state = "withdrawn: " + s.Closed
			}
			t.AppendRow([]any{s.ID, s.Register, s.Seller, s.Campaign, day(s.At), s.Count, s.File, state})
		}
		t.Render()
	})
}

func listSubmissions(_ context.Context, h *house, args submissionsArgs, _ request) (submissionsDoc, error) {
	if args.Register != "" {
		p, ok, err := h.profile(args.Register)
		if err != nil {
			return submissionsDoc{}, err
		}
		if !ok || p.Submit == nil {
			return submissionsDoc{}, usageError(fmt.Errorf("no register %s that numbers are submitted to: give one of %s", args.Register, strings.Join(h.submittable(), ", ")))
		}
		args.Register = p.RegisterName()
	}
	all, err := h.submissions()
	if err != nil {
		return submissionsDoc{}, err
	}
	list, err := all.List(args.Register)
	return submissionsDoc{Submissions: append([]registers.Submitted{}, list...)}, err
}

func newDNCWithdrawCommand(g *globals) *cobra.Command {
	args := withdrawArgs{}
	cmd := &cobra.Command{
		Use:   "withdraw SUBMISSION",
		Short: "Note that a submission was not sent or will not be answered",
		Args:  needs("SUBMISSION"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Submission = words[0]
			return runDNCWithdraw(cmd, g, args)
		},
	}
	cmd.Flags().StringVar(&args.Reason, "reason", "", "why")
	return cmd
}

// withdrawArgs name a submission and say why it is withdrawn.
type withdrawArgs struct {
	Submission string `json:"submission"`
	Reason     string `json:"reason"`
}

func runDNCWithdraw(cmd *cobra.Command, g *globals, args withdrawArgs) error {
	if args.Reason == "" {
		return usageError(errors.New("give --reason"))
	}
	doc, err := ask[registers.Submitted](cmd.Context(), g, "dnc withdraw", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() { cmd.Printf("submission %s to %s is withdrawn\n", doc.ID, doc.Register) })
}

func withdrawSubmission(ctx context.Context, h *house, args withdrawArgs, r request) (registers.Submitted, error) {
	all, err := h.submissions()
	if err != nil {
		return registers.Submitted{}, err
	}
	s, err := all.Find("", args.Submission)
	if err != nil {
		return s, usageError(err)
	}
	if !s.Open() {
		return s, fmt.Errorf("submission %s is not open", s.ID)
	}
	s.Closed = args.Reason
	if err := h.record(ctx, submittedRecord(s), submissionDetail{s, r.who}); err != nil {
		return s, err
	}
	return s, all.Withdraw(s, args.Reason)
}
