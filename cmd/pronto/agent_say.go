package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
)

// errNoService says that a command needs a running service.
var errNoService = errors.New("no service runs on this data folder: start it with pronto serve")

func newAgentScreenCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "screen NAME",
		Short: "Show what the agent is to see: the person, the script and the dispositions",
		Long: `Shows the call that the agent is on or has just had: who the person is, with all that the list has of them, the
campaign's script with the answers so far, and what may be said of the call. pronto agent say enters it.

EXIT STATUS
  0  shown
  1  failed, or the agent has no call`,
		Args: needs("NAME"),
		RunE: func(cmd *cobra.Command, words []string) error {
			doc, err := ask[dialer.Screen](cmd.Context(), g, "agent screen", nameArgs{Name: words[0]}, nil)
			if err != nil {
				return err
			}
			return show(cmd, g, doc, func() { showScreenText(cmd, doc) })
		},
	}
}

// showScreenText shows a screen to a person.
func showScreenText(cmd *cobra.Command, s dialer.Screen) {
	t := newTable(cmd.OutOrStdout())
	row := func(name, value string) {
		if value != "" {
			t.AppendRow(table.Row{name, value})
		}
	}
	row("agent", s.Agent+", "+stateText(s.State))
	row("campaign", s.Campaign)
	row("name", s.Lead.Name)
	row("number", string(s.Lead.Number))
	row("address", s.Lead.Address)
	row("language", s.Lead.Language)
	for _, name := range slices.Sorted(maps.Keys(s.Lead.Fields)) {
		row(name, s.Lead.Fields[name])
	}
	if s.Machine != "" {
		row("sounds like", "an answering machine ("+string(s.Machine)+")")
	}
	row("said so far", s.Disposition)
	row("recording", string(s.Recording))
	t.Render()
	for _, q := range s.Script {
		if !q.Asked(s.Answers) {
			continue
		}
		form := strings.ReplaceAll(string(q.Type), "_", " ")
		if len(q.Choices) > 0 {
			form = strings.Join(q.Choices, " | ")
		}
		if q.Required {
			form += ", required"
		}
		cmd.Println(strings.TrimSpace(fmt.Sprintf("%s (%s) %s", q.Name, form, q.Says)))
		if answer := s.Answers[q.Name]; answer != "" {
			cmd.Printf("  %s\n", answer)
		}
	}
	cmd.Printf("dispositions: %s\n", strings.Join(slices.Sorted(maps.Keys(s.Dispositions)), ", "))
}

// sayArgs are what an agent enters.
type sayArgs struct {
	Agent   string            `json:"agent"`
	Word    string            `json:"word"`
	Answers map[string]string `json:"answers,omitempty"`
	At      string            `json:"at,omitempty"`
	Mine    bool              `json:"mine,omitempty"`
	Note    string            `json:"note,omitempty"`
	Next    bool              `json:"next,omitempty"`
}

func newAgentSayCommand(g *globals) *cobra.Command {
	args := sayArgs{}
	var answers []string
	cmd := &cobra.Command{
		Use:   "say NAME DISPOSITION",
		Short: "Enter what came of the agent's call, with the answers to the script",
		Long: `Enters the disposition of the call that the agent is on or has just had, and the answers to the campaign's script;
again to correct it. What it does with the lead stands in the campaign file: pronto campaign show. Answers stay with
the lead; those of earlier calls stand until they are given anew.

  pronto agent say anna sale --answer offer=yes --answer email=rossi@example.com
  pronto agent say anna callback --at "2026-11-25 15:00" --mine
  pronto agent say anna not_interested --next

EXIT STATUS
  0  entered
  1  failed, or the agent has no call
  2  the command line is wrong
  3  an answer is wrong or missing; nothing was entered`,
		Args: needs("NAME", "DISPOSITION"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Agent, args.Word = words[0], words[1]
			args.Answers = map[string]string{}
			for _, one := range answers {
				name, answer, ok := strings.Cut(one, "=")
				if !ok || name == "" {
					return usageError(fmt.Errorf("--answer %q: write QUESTION=ANSWER", one))
				}
				args.Answers[name] = answer
			}
			return runAgentSay(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&answers, "answer", nil, "QUESTION=ANSWER; without an answer one given before is taken back; may be given again")
	f.StringVar(&args.At, "at", "", `agreed time of the next call, as "2026-11-25 15:00" where the person is, or with its zone as 2026-11-25T15:00:00+01:00`)
	f.BoolVar(&args.Mine, "mine", false, "the agreed call is for this agent")
	f.StringVar(&args.Note, "note", "", "in the agent's words; kept sealed in the journal")
	f.BoolVar(&args.Next, "next", false, "the wrap-up is over: ready for the next call")
	return cmd
}

func runAgentSay(cmd *cobra.Command, g *globals, args sayArgs) error {
	doc, err := ask[saidDoc](cmd.Context(), g, "agent say", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("%s: %s, campaign %s\n", doc.Agent, doc.Disposition, doc.Campaign)
		if !doc.CallAt.IsZero() {
			cmd.Printf("to be called on %s\n", doc.CallAt.Format("Monday 2006-01-02 15:04 -0700"))
		}
	})
}

// saidDoc is the JSON of agent say: the screen after it.
type saidDoc struct {
	dialer.Screen
	CallAt time.Time `json:"call_at,omitzero"` // the agreed time
}

func showScreen(ctx context.Context, h *house, args nameArgs, _ request) (dialer.Screen, error) {
	if h.station == nil {
		return dialer.Screen{}, errNoService
	}
	screen, err := h.station.service.Screen(args.Name)
	return screen, h.aboutAgent(ctx, args.Name, err)
}

// say enters what an agent says; the service's journal keeps it.
func say(ctx context.Context, h *house, args sayArgs, r request) (saidDoc, error) {
	if h.station == nil {
		return saidDoc{}, errNoService
	}
	svc := h.station.service
	doc := saidDoc{}
	if args.At != "" {
		screen, err := svc.Screen(args.Agent)
		if err != nil {
			return doc, h.aboutAgent(ctx, args.Agent, err)
		}
		if doc.CallAt, err = agreedTime(args.At, screen.Lead); err != nil {
			return doc, usageError(err)
		}
	}
	var err error
	doc.Screen, err = svc.Say(dialer.Said{
		Agent: args.Agent, Word: args.Word, Answers: args.Answers, At: doc.CallAt, Mine: args.Mine, Note: args.Note, Next: args.Next,
		Via: "cli", Who: r.who,
	})
	return doc, h.aboutAgent(ctx, args.Agent, err)
}

// aboutAgent names the agent who has no call here, and the node where they work when it is
// another. What a state that cannot be read would know is left out.
func (h *house) aboutAgent(ctx context.Context, name string, err error) error {
	if !errors.Is(err, dialer.ErrNoCall) {
		return err
	}
	known, lost := listAgents(ctx, h, struct{}{}, request{})
	at := slices.IndexFunc(known.Agents, func(a agentDoc) bool { return a.Name == name })
	switch {
	case lost != nil:
	case at < 0:
		return noAgent(name)
	case known.Agents[at].Node != "":
		return fmt.Errorf("agent %s works at node %s: ask there", name, known.Agents[at].Node)
	}
	return fmt.Errorf("agent %s: %w", name, err)
}

func noAgent(name string) error { return fmt.Errorf("no agent %q: see pronto agent list", name) }

// agreedTime reads a time where the person is, or one with its zone.
func agreedTime(text string, lead campaigns.Lead) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	zone := lead.Zone
	if zones := lead.Number.Zones(); zone == "" && len(zones) > 0 {
		zone = zones[0]
	}
	there, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		return time.Time{}, fmt.Errorf("--at %q: where the person is, is not known: give the time with its zone, as 2026-11-25T15:00:00+01:00", text)
	}
	for _, form := range []string{"2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(form, text, there); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(`--at %q: write it as "2026-11-25 15:00", or as 2026-11-25T15:00:00+01:00`, text)
}
