package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
)

func newCampaignAgentsCommand(g *globals) *cobra.Command {
	args := campaignAgentsArgs{}
	cmd := &cobra.Command{
		Use:   "agents NAME [AGENT...]",
		Short: "Show or set the agents who take a campaign's calls",
		Long: `Without agents it shows who takes the campaign's calls. With them it makes these the campaign's agents, in this order;
--all gives the calls to every agent. A running campaign follows within a second: who is in a call ends it first.

It is a change of the campaign's file, as pronto campaign apply makes it, and journaled with who asked. The next apply
of a file that names other agents sets those again.

EXIT STATUS
  0  shown, or set
  1  failed; an agent that was named is not there
  2  the command line is wrong`,
		Args: func(cmd *cobra.Command, words []string) error {
			if len(words) == 0 {
				return needs("NAME")(cmd, words)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Name, args.Agents = words[0], words[1:]
			return runCampaignAgents(cmd, g, args)
		},
	}
	cmd.Flags().BoolVar(&args.All, "all", false, "every agent takes the campaign's calls")
	return cmd
}

func runCampaignAgents(cmd *cobra.Command, g *globals, args campaignAgentsArgs) error {
	if args.All && len(args.Agents) > 0 {
		return usageError(errors.New("--all and names of agents: give one of them"))
	}
	op := "campaign agents"
	if args.sets() {
		op = "set agents"
	}
	doc, err := ask[campaignAgentsDoc](cmd.Context(), g, op, args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Println(doc.text())
		if args.sets() {
			for _, line := range doc.Changes {
				cmd.Println("  " + line)
			}
			return
		}
		for _, name := range doc.Agents {
			if !slices.Contains(doc.Known, name) {
				cmd.PrintErrf("warning: there is no agent %s: pronto agent add %s\n", name, name)
			}
		}
	})
}

// campaignAgentsArgs name a campaign and, to set them, its agents.
type campaignAgentsArgs struct {
	Name   string   `json:"name"`
	Agents []string `json:"agents,omitempty"`
	All    bool     `json:"all,omitempty"`
}

// sets reports whether the agents are to be set, or else shown.
func (a campaignAgentsArgs) sets() bool { return a.All || len(a.Agents) > 0 }

// campaignAgentsDoc is the JSON of campaign agents.
type campaignAgentsDoc struct {
	Name   string               `json:"name"`
	State  dialer.CampaignState `json:"state"`
	Agents []string             `json:"agents"` // empty: every agent
	All    bool                 `json:"all"`    // every agent
	Known  []string             `json:"known"`  // the agents there are
	// Changes are the lines of the campaign that went and came.
	Changes []string `json:"changes,omitempty"`
}

// text says who takes the calls.
func (d campaignAgentsDoc) text() string {
	if d.All {
		return fmt.Sprintf("%s: every agent takes its calls (%s)", d.Name, plural(len(d.Known), "agent"))
	}
	return fmt.Sprintf("%s: %s: %s", d.Name, plural(len(d.Agents), "agent"), strings.Join(d.Agents, ", "))
}

// showCampaignAgents tells who takes a campaign's calls.
func showCampaignAgents(ctx context.Context, h *house, args campaignAgentsArgs, _ request) (campaignAgentsDoc, error) {
	r, err := h.campaign(ctx, args.Name)
	if err != nil {
		return campaignAgentsDoc{}, err
	}
	return h.campaignAgents(ctx, r)
}

func (h *house) campaignAgents(ctx context.Context, r dialer.CampaignRecord) (campaignAgentsDoc, error) {
	doc := campaignAgentsDoc{Name: r.Campaign.Name, State: r.State, Agents: append([]string{}, r.Campaign.Agents...), All: len(r.Campaign.Agents) == 0, Known: []string{}}
	accounts, err := h.store.Accounts(ctx)
	for _, a := range accounts {
		doc.Known = append(doc.Known, a.Name)
	}
	slices.Sort(doc.Known)
	return doc, err
}

// setCampaignAgents changes the campaign's file and applies it.
func setCampaignAgents(ctx context.Context, h *house, args campaignAgentsArgs, r request) (campaignAgentsDoc, error) {
	old, err := h.campaign(ctx, args.Name)
	if err != nil {
		return campaignAgentsDoc{}, err
	}
	doc, err := h.campaignAgents(ctx, old)
	if err != nil {
		return doc, err
	}
	for i, name := range args.Agents {
		if !slices.Contains(doc.Known, name) && !slices.Contains(doc.Agents, name) { // who was removed since may stay named
			return doc, fmt.Errorf("no such agent %q: see pronto agent list, or pronto agent add %s", name, name)
		}
		if slices.Contains(args.Agents[:i], name) {
			return doc, usageError(fmt.Errorf("agent %q is named twice", name))
		}
	}
	text, err := withAgents(old, args.Agents)
	if err != nil {
		return doc, err
	}
	r.body = bytes.NewReader(text)
	applied, err := applyAs(ctx, h, applyArgs{File: args.Name}, r, "campaign agents set")
	if err != nil {
		return doc, err
	}
	doc.Agents, doc.All, doc.Changes = append([]string{}, args.Agents...), len(args.Agents) == 0, applied.Changes
	return doc, nil
}

// withAgents is the campaign's file with other agents, its comments kept where that can be
// done; else the file with every default written out.
func withAgents(r dialer.CampaignRecord, agents []string) ([]byte, error) {
	want := r.Campaign
	want.Agents = agents
	text := replaceAgents(r.Source, agents)
	if c, err := campaigns.Parse(want.Name, []byte(text)); err == nil && bytes.Equal(c.Normal(), want.Normal()) {
		return []byte(text), nil
	}
	if _, err := campaigns.Parse(want.Name, want.Normal()); err != nil {
		return nil, err
	}
	return want.Normal(), nil
}

// replaceAgents replaces the key agents of a file that is written line by line, with the
// lines below it, or adds it at the end.
func replaceAgents(source string, agents []string) string {
	var kept []string
	place, inside := -1, false
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "agents:") {
			place, inside = len(kept), true
			continue
		}
		if inside && (line == "" || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "-")) {
			continue
		}
		inside = false
		kept = append(kept, line)
	}
	if len(agents) > 0 {
		if place < 0 {
			place = len(kept)
		}
		quoted := make([]string, len(agents))
		for i, name := range agents {
			quoted[i] = strconv.Quote(name) // 007 and no are names too
		}
		kept = slices.Insert(kept, place, "agents: ["+strings.Join(quoted, ", ")+"]")
	}
	return strings.Join(kept, "\n") + "\n"
}
