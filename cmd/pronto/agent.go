package main

import (
	"context"
	"crypto/md5" //nolint:gosec // digest authentication of phones (RFC 2617) is made of it
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/journal"
)

func newAgentCommand(g *globals) *cobra.Command {
	return newGroup("agent", "Add, list and remove agents; see and say what came of their calls",
		newAgentAddCommand(g),
		newAgentListCommand(g),
		newAgentRemoveCommand(g),
		newAgentScreenCommand(g),
		newAgentSayCommand(g),
		newAgentRecordCommand(g),
	)
}

func newAgentAddCommand(g *globals) *cobra.Command {
	args := agentArgs{}
	fromInput := false
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an agent, or replace the one of that name",
		Long: `Adds an agent. The name is also the user of the agent's SIP phone, which registers with the password; one that is
not given is made up and printed once. A phone at a fixed address needs none: give --phone.`,
		Args: needs("NAME"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Name = words[0]
			if fromInput {
				var err error
				if args.Password, err = readPassword(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return runAgentAdd(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Password, "password", "", "password of the phone; other users of this machine can see it in the process list")
	f.BoolVar(&fromInput, "password-stdin", false, "read the password from standard input, one line")
	f.StringVar(&args.Phone, "phone", "", "fixed address of the phone, as sip:ada@192.0.2.7:5060; it does not register")
	f.StringVar(&args.Codec, "codec", "", "pcma or pcmu (default: the trunk's)")
	cmd.MarkFlagsMutuallyExclusive("password", "password-stdin")
	cmd.MarkFlagsMutuallyExclusive("password", "phone")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "phone")
	return cmd
}

// agentArgs describe an agent.
type agentArgs struct {
	Name     string `json:"name"`
	Password string `json:"password,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Codec    string `json:"codec,omitempty"`
}

// agentNames is what an agent's name may be: a SIP user that needs no escaping.
var agentNames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// check names what is wrong with the arguments.
func (a agentArgs) check() error {
	if !agentNames.MatchString(a.Name) {
		return usageError(fmt.Errorf("agent name %q: up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first", a.Name))
	}
	if a.Codec != "" && a.Codec != "pcma" && a.Codec != "pcmu" {
		return usageError(fmt.Errorf("--codec %q: pcma or pcmu", a.Codec))
	}
	if a.Phone == "" {
		return nil
	}
	u, err := url.Parse(a.Phone)
	if err != nil || u.Scheme != "sip" || !strings.Contains(u.Opaque, "@") {
		return usageError(fmt.Errorf("--phone %q: write sip:NAME@HOST or sip:NAME@HOST:PORT", a.Phone))
	}
	return nil
}

// readPassword reads one line.
func readPassword(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, 1000))
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", usageError(errors.New("--password-stdin: standard input holds no password"))
	}
	return line, nil
}

// addedAgentDoc is the JSON of agent add.
type addedAgentDoc struct {
	Agent    agentDoc `json:"agent"`
	Created  bool     `json:"created"`
	Password string   `json:"password,omitempty"` // that was made up
}

// agentDoc is an agent as commands show it.
type agentDoc struct {
	Name      string `json:"name"`
	Phone     string `json:"phone,omitempty"`
	Codec     string `json:"codec,omitempty"`
	Registers bool   `json:"registers"`       // the phone registers with a password
	State     string `json:"state,omitempty"` // empty when no service runs
	Node      string `json:"node,omitempty"`  // another one, which the phone is up at
}

// standing is the agent's state in words; a dash when no service runs.
func (a agentDoc) standing() string {
	if a.Node != "" {
		return "at node " + a.Node
	}
	switch dialer.AgentState(a.State) {
	case "":
		return "-"
	case dialer.LoggedOut:
		if a.Registers {
			return "not registered"
		}
		return "phone not reached"
	}
	return stateText(dialer.AgentState(a.State))
}

// stateText writes an agent's state in words.
func stateText(s dialer.AgentState) string { return strings.ReplaceAll(string(s), "_", " ") }

func describeAgent(a dialer.Account) agentDoc {
	return agentDoc{Name: a.Name, Phone: a.Phone, Codec: a.Codec, Registers: a.Phone == ""}
}

func runAgentAdd(cmd *cobra.Command, g *globals, args agentArgs) error {
	if err := args.check(); err != nil {
		return err
	}
	madeUp := ""
	if cmd.Flags().Changed("password") && args.Password == "" {
		return usageError(errors.New("--password is empty: give one, or leave the flag out and one is made up"))
	}
	if args.Password == "" && args.Phone == "" {
		madeUp = rand.Text()
		args.Password = madeUp
	}
	doc, err := ask[addedAgentDoc](cmd.Context(), g, "agent add", args, nil)
	if err != nil {
		return err
	}
	doc.Password = madeUp
	return show(cmd, g, doc, func() {
		verb := "changed"
		if doc.Created {
			verb = "added"
		}
		cmd.Printf("agent %s %s\n", doc.Agent.Name, verb)
		if madeUp != "" {
			cmd.Printf("password of the phone, shown this once: %s\n", madeUp)
		}
	})
}

func addAgent(ctx context.Context, h *house, args agentArgs, r request) (addedAgentDoc, error) {
	if err := args.check(); err != nil {
		return addedAgentDoc{}, err
	}
	account := dialer.Account{Name: args.Name, Phone: args.Phone, Codec: args.Codec}
	if args.Password != "" {
		sum := md5.Sum([]byte(args.Name + ":" + h.config.SIP.Realm + ":" + args.Password)) //nolint:gosec // RFC 2617 section 3.2.2.2
		account.HA1 = hex.EncodeToString(sum[:])
	}
	detail := journal.ConfigDetail{What: "agent added", Who: r.who}
	if err := h.record(ctx, journal.Record{Kind: journal.Config, Agent: args.Name}, detail); err != nil {
		return addedAgentDoc{}, err
	}
	created, err := h.store.PutAccount(ctx, account)
	h.touch()
	return addedAgentDoc{Agent: describeAgent(account), Created: created}, err
}

func newAgentListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List agents, with their states when the service runs",
		Long: `Lists the agents. PHONE is the fixed address of the phone, or any for one that registers from wherever it is. STATE
is - when no service runs; of an agent who works at another node it names the node.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAgentList(cmd, g) },
	}
}

// agentsDoc is the JSON of agent list.
type agentsDoc struct {
	Agents []agentDoc `json:"agents"`
}

func runAgentList(cmd *cobra.Command, g *globals) error {
	doc, err := ask[agentsDoc](cmd.Context(), g, "agent list", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Agents) == 0 {
			cmd.Println("no agents: add one with pronto agent add NAME")
			return
		}
		t := newTable(cmd.OutOrStdout(), "NAME", "PHONE", "STATE")
		for _, a := range doc.Agents {
			phone := a.Phone
			if a.Registers {
				phone = "any"
			}
			t.AppendRow(table.Row{a.Name, phone, a.standing()})
		}
		t.Render()
	})
}

func listAgents(ctx context.Context, h *house, _ struct{}, _ request) (agentsDoc, error) {
	doc := agentsDoc{Agents: []agentDoc{}}
	accounts, err := h.store.Accounts(ctx)
	if err != nil {
		return doc, err
	}
	states := map[string]string{}
	if h.live != nil {
		for _, a := range h.live().Agents {
			states[a.Name] = string(a.State)
		}
	}
	others, err := h.elsewhere(ctx)
	if err != nil {
		return doc, err
	}
	for _, a := range accounts {
		d := describeAgent(a)
		d.State, d.Node = states[a.Name], others[a.Name]
		if d.State == "" && h.live != nil {
			d.State = string(dialer.LoggedOut) // its phone has not shown up yet
		}
		doc.Agents = append(doc.Agents, d)
	}
	return doc, nil
}

func newAgentRemoveCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove an agent; a call in progress goes on to its end",
		Args:  needs("NAME"),
		RunE:  func(cmd *cobra.Command, args []string) error { return runAgentRemove(cmd, g, args[0]) },
	}
}

// removedDoc is the JSON of agent remove.
type removedDoc struct {
	Removed string `json:"removed"`
}

func runAgentRemove(cmd *cobra.Command, g *globals, name string) error {
	doc, err := ask[removedDoc](cmd.Context(), g, "agent remove", nameArgs{Name: name}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() { cmd.Printf("agent %s removed\n", doc.Removed) })
}

func removeAgent(ctx context.Context, h *house, args nameArgs, r request) (removedDoc, error) {
	removed, err := h.store.RemoveAccount(ctx, args.Name)
	if err != nil {
		return removedDoc{}, err
	}
	if !removed {
		return removedDoc{}, noAgent(args.Name)
	}
	h.touch()
	detail := journal.ConfigDetail{What: "agent removed", Who: r.who}
	return removedDoc{Removed: args.Name}, h.record(ctx, journal.Record{Kind: journal.Config, Agent: args.Name}, detail)
}
