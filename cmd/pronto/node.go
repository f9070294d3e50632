package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
)

func newNodeCommand(g *globals) *cobra.Command {
	return newGroup("node", "The nodes that share the state on Redis", newNodeListCommand(g), newNodeForgetCommand(g))
}

func newNodeListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the nodes, how they stand and what they have",
		Long: `Lists every node that ever served on the Redis: living; dead, silent for more than 5 seconds; left, ended in good order;
forgotten, given up for good. LINES are its calls that are not over, LEADS those it has leased, CLOCK how far its machine's clock is from Redis's, OWES the abandoned calls
that its answers do not allow yet.

EXIT STATUS
  0  listed
  1  failed; the state is not on Redis
  3  the configuration is wrong`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runNodeList(cmd, g) },
	}
}

func newNodeForgetCommand(g *globals) *cobra.Command {
	args := forgetArgs{}
	cmd := &cobra.Command{
		Use:   "forget NODE",
		Short: "Give up on a node that is lost for good, with its journal",
		Long: `Gives up on a node whose data folder is lost: what it had leased is fresh, its agents may work at other nodes, its debts stay
counted. A call that it left open may have been answered and have met nobody: each counts as abandoned, at this node, and
its lead waits the delay after an abandoned call. A node that has its data folder needs none of this: start it, it settles
what it left open and knows what became of it.

A forgotten node that comes back all the same ends at once. Its name and folder are not used again; its journal, if it is
found, is worth keeping: reports over several journals believe it rather than what was assumed here.

EXIT STATUS
  0  forgotten
  1  failed; the node lives, or there is none of that name
  2  the command line is wrong`,
		Args: needs("NODE"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Node = words[0]
			if args.Reason == "" {
				return usageError(errors.New("node forget: give --reason, for whoever reads the journal one day"))
			}
			return runNodeForget(cmd, g, args)
		},
	}
	cmd.Flags().StringVar(&args.Reason, "reason", "", "why it will not come back")
	return cmd
}

// nodesDoc is the JSON of node list.
type nodesDoc struct {
	Nodes []dialer.NodeState `json:"nodes"`
}

func runNodeList(cmd *cobra.Command, g *globals) error {
	doc, err := ask[nodesDoc](cmd.Context(), g, "node list", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Nodes) == 0 {
			cmd.Println("no node has served yet: start one with pronto serve")
			return
		}
		t := newTable(cmd.OutOrStdout(), "NODE", "STATE", "LAST HEARD", "AGENTS", "LINES", "LEADS", "CLOCK", "OWES")
		for _, n := range doc.Nodes {
			owes := make([]string, 0, len(n.Owes))
			for _, o := range n.Owes {
				owes = append(owes, fmt.Sprintf("%.1f %s", o.Abandons, o.Campaign))
			}
			clock := "-"
			if n.Clock != nil {
				clock = n.Clock.String()
			}
			t.AppendRow([]any{n.Name, n.Stands, n.Seen.Local().Format(secondForm), len(n.Agents), n.Lines, n.Leads, clock, strings.Join(owes, ", ")})
		}
		t.Render()
	})
}

// forgetArgs name the node that is lost.
type forgetArgs struct {
	Node   string `json:"node"`
	Reason string `json:"reason"`
}

// forgetDoc is the JSON of node forget.
type forgetDoc struct {
	Node      string `json:"node"`
	Abandoned int    `json:"abandoned"` // calls that it left open: each counts as abandoned
}

func runNodeForget(cmd *cobra.Command, g *globals, args forgetArgs) error {
	doc, err := ask[forgetDoc](cmd.Context(), g, "node forget", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("%s is forgotten: %s that it left open count as abandoned\n", doc.Node, plurals(doc.Abandoned, "call"))
	})
}

// nodeState is a state that several nodes share.
type nodeState interface {
	NodeStates(ctx context.Context) ([]dialer.NodeState, error)
	// Forget gives a node up and returns what it left open; Forgotten follows when that is settled.
	Forget(ctx context.Context, node string, now time.Time) ([]dialer.Attempt, error)
	Forgotten(ctx context.Context, node string) error
}

func (h *house) nodes() (nodeState, error) {
	s, ok := h.store.(nodeState)
	if !ok {
		return nil, errors.New("the state of this node is in its data folder: there are no other nodes (several share one Redis: redis in the configuration)")
	}
	return s, nil
}

// elsewhere are the agents who work at other nodes, each with the node.
func (h *house) elsewhere(ctx context.Context) (map[string]string, error) {
	s, ok := h.store.(nodeState)
	if !ok {
		return nil, nil
	}
	all, err := s.NodeStates(ctx)
	at := map[string]string{}
	for _, n := range all {
		if n.Name == h.config.Node || n.Stands != dialer.NodeLiving {
			continue
		}
		for _, a := range n.Agents {
			at[a] = n.Name
		}
	}
	return at, err
}

func listNodes(ctx context.Context, h *house, _ struct{}, _ request) (nodesDoc, error) {
	s, err := h.nodes()
	if err != nil {
		return nodesDoc{}, err
	}
	all, err := s.NodeStates(ctx)
	return nodesDoc{Nodes: all}, err
}

func forgetNode(ctx context.Context, h *house, args forgetArgs, r request) (forgetDoc, error) {
	doc := forgetDoc{Node: args.Node}
	s, err := h.nodes()
	if err != nil {
		return doc, err
	}
	if args.Node == h.config.Node {
		return doc, fmt.Errorf("%s is this node itself: start it with pronto serve, and it settles what it left open; to give it up ask another node", args.Node)
	}
	open, err := s.Forget(ctx, args.Node, h.now())
	if err != nil {
		return doc, err
	}
	release := h.holding()
	detail := journal.ConfigDetail{What: "node " + args.Node + " forgotten", Who: r.who, Text: args.Reason}
	if err := h.record(ctx, journal.Record{Kind: journal.Config}, detail); err != nil {
		return doc, err
	}
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return doc, err
	}
	plans := map[string]*campaigns.Campaign{}
	for _, c := range records {
		plans[c.Campaign.Name] = &c.Campaign
	}
	for _, a := range open {
		if err := h.giveUp(ctx, a, plans[a.Campaign], args.Node); err != nil {
			return doc, err
		}
		doc.Abandoned++
	}
	if err := s.Forgotten(ctx, args.Node); err != nil {
		return doc, err
	}
	release()
	return doc, nil
}

// giveUp settles an attempt that a lost node left open: first the journal, then
// the state, then what is counted now.
func (h *house) giveUp(ctx context.Context, a dialer.Attempt, c *campaigns.Campaign, node string) error {
	abandoned, ended, settled := dialer.GiveUp(a, c, node, h.now())
	if _, err := h.journal.Append(abandoned); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	seq, err := h.journal.Commit(ctx, ended)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	// Safe says that nothing else of the journal is in the state by this.
	if err := h.store.Apply(ctx, []dialer.Change{{Attempt: settled, Settled: true, Seq: seq, Safe: 1}}); err != nil {
		return err
	}
	if h.station != nil {
		h.station.service.CountAbandoned(a.Campaign, 1)
	}
	return nil
}
