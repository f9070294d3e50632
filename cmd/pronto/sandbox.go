package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer/sandbox"
)

func newSandboxCommand(g *globals) *cobra.Command {
	return newGroup("sandbox", "Simulated far ends over real SIP and RTP, for load tests against any dialer",
		newSandboxCarrierCommand(g),
		newSandboxAgentsCommand(g),
	)
}

// carrierOptions are the flags of sandbox carrier.
type carrierOptions struct {
	config     sandbox.CarrierConfig
	seed       uint64
	answerRate float64
	stretch    float64
	patience   time.Duration
	trouble    bool
	burstAfter time.Duration
}

func newSandboxCarrierCommand(_ *globals) *cobra.Command {
	o := carrierOptions{}
	cmd := &cobra.Command{
		Use:   "carrier",
		Short: "Run a carrier whose callees answer, are busy, do not exist or let it ring",
		Long: `Takes calls on a loopback address until it is told to end, and writes to --log what really reached its callees. The
same seed gives the same callees. Times are compressed (ringing 2.2 s and talk 5 s on average); --stretch lengthens
them.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandboxCarrier(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config.Listen, "listen", "127.0.0.2:5060", "address and port of SIP over UDP")
	f.StringVar(&o.config.Media, "media", "", "address of the callees' audio (default: that of --listen)")
	f.StringVar(&o.config.Log, "log", "carrier.log", "file to append what was heard to")
	f.DurationVar(&o.config.Linger, "linger", 0, "how long a callee listens on after the end of its call (default 1.5s)")
	f.Uint64Var(&o.seed, "seed", 1, "of the callees' behaviour")
	f.Float64Var(&o.answerRate, "answer-rate", 0.3, "share of calls that a person answers")
	f.Float64Var(&o.stretch, "stretch", 1, "factor by which all times are longer")
	f.DurationVar(&o.patience, "patience", 0, "how long who hears nobody stays on the line (default 20s, stretched)")
	f.BoolVar(&o.trouble, "trouble", false, "cross CANCELs with answers, answer in bursts, ring in odd ways")
	f.DurationVar(&o.burstAfter, "burst-after", 0, "when the first burst of answers comes (default 20s)")
	return cmd
}

func runSandboxCarrier(cmd *cobra.Command, o carrierOptions) error {
	if o.answerRate < 0 || o.answerRate > 1 {
		return usageError(fmt.Errorf("--answer-rate %g: give 0 to 1", o.answerRate))
	}
	if _, err := netip.ParseAddrPort(o.config.Listen); err != nil {
		return usageError(fmt.Errorf("--listen %q: write address and port, as 127.0.0.2:5060", o.config.Listen))
	}
	if o.stretch <= 0 {
		return usageError(fmt.Errorf("--stretch %g: give more than 0", o.stretch))
	}
	o.config.World = sandbox.Compressed(o.seed, o.answerRate).Stretched(o.stretch)
	if o.patience > 0 {
		o.config.World.Patience = o.patience
	}
	if o.trouble {
		o.config.Trouble = sandbox.AllTrouble()
		if o.burstAfter > 0 {
			o.config.Trouble.BurstAfter = o.burstAfter
		}
	}
	o.config.Ready = func(at netip.AddrPort) { cmd.Printf("carrier takes calls at %s\n", at) }
	return sandbox.RunCarrier(cmd.Context(), o.config)
}

// agentsOptions are the flags of sandbox agents.
type agentsOptions struct {
	config sandbox.AgentsConfig
	vanish []string
	keys   []string
}

func newSandboxAgentsCommand(_ *globals) *cobra.Command {
	o := agentsOptions{}
	cmd := &cobra.Command{
		Use:   "agents",
		Short: "Run a room of agents with their phones",
		Long: `Registers the phones of agent01, agent02 and so on, each at a loopback address of its own, answers the calls to them
until it is told to end, and writes to --log what each really heard.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandboxAgents(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config.Registrar, "registrar", "127.0.0.1:5060", "address and port to register with")
	f.StringVar(&o.config.Domain, "domain", "", "domain of the agents' addresses (default: the registrar's address)")
	f.IntVar(&o.config.Count, "count", 5, "how many agents")
	f.IntVar(&o.config.Before, "before", 0, "how many agents other rooms have: with 5 the first here is agent06")
	f.StringVar(&o.config.First, "first", "127.0.0.11", "address of the first phone; the next have the next ones")
	f.Uint16Var(&o.config.Port, "port", 5060, "SIP port of every phone")
	f.StringVar(&o.config.Password, "password", "", "password that all share")
	f.StringVar(&o.config.Log, "log", "agents.log", "file to append what was heard to")
	f.Uint64Var(&o.config.Seed, "seed", 1, "of the keys pressed")
	f.StringArrayVar(&o.vanish, "vanish", nil, "AGENT@AFTER or AGENT@AFTER@BACK: a phone that goes dark, as agent03@40s; may be given several times")
	f.StringArrayVar(&o.keys, "key", nil, "DIGIT@SHARE@AFTER: a key pressed after this share of customers, as 1@0.2@300ms; may be given several times")
	return cmd
}

func runSandboxAgents(cmd *cobra.Command, o agentsOptions) error {
	var wrong []error
	for _, text := range o.vanish {
		v, err := parseVanish(text)
		o.config.Vanish = append(o.config.Vanish, v)
		wrong = append(wrong, err)
	}
	for _, text := range o.keys {
		k, err := parseKey(text)
		o.config.Keys = append(o.config.Keys, k)
		wrong = append(wrong, err)
	}
	switch most := sandbox.MostAgents - o.config.Before; {
	case o.config.Before < 0 || most < 1:
		wrong = append(wrong, fmt.Errorf("--before %d: give 0 to %d", o.config.Before, sandbox.MostAgents-1))
	case o.config.Count < 1 || o.config.Count > most:
		wrong = append(wrong, fmt.Errorf("--count %d: give 1 to %d", o.config.Count, most))
	}
	_, alone := netip.ParseAddr(o.config.Registrar) // the port is 5060 then
	if _, err := netip.ParseAddrPort(o.config.Registrar); err != nil && alone != nil {
		wrong = append(wrong, fmt.Errorf("--registrar %q: write address and port, as 127.0.0.1:5060", o.config.Registrar))
	}
	if _, err := netip.ParseAddr(o.config.First); err != nil {
		wrong = append(wrong, fmt.Errorf("--first %q: write an address, as 127.0.0.11", o.config.First))
	}
	if err := errors.Join(wrong...); err != nil {
		return usageError(err)
	}
	o.config.Told = tellRegistered(o.config.Count, cmd.Printf, cmd.PrintErrf)
	o.config.Ready = func() { cmd.Printf("%s %s there\n", plural(o.config.Count, "phone"), are(o.config.Count)) }
	return sandbox.RunAgents(cmd.Context(), o.config)
}

// tellRegistered tells people how the phones' registrations go: once when all are
// registered, and each kind of refusal once.
func tellRegistered(count int, out, errOut func(string, ...any)) func(agent string, status int, text string) {
	there := map[string]bool{}
	said := map[int]bool{}
	return func(agent string, status int, text string) {
		if status == 200 {
			was := len(there)
			if there[agent] = true; len(there) == count && was < count {
				out("%d of %d phones are registered\n", count, count)
			}
			return
		}
		if said[status] {
			return
		}
		said[status] = true
		why := text
		if status != 0 {
			why = fmt.Sprintf("%d %s", status, text)
		}
		switch status {
		case 401, 403, 407:
			why += ": see that the agent exists and --password is its password"
		case 404:
			why += ": add the agent"
		}
		errOut("%d of %d phones are registered; %s is not: %s; it tries again\n", len(there), count, agent, why)
	}
}

// parseVanish reads AGENT@AFTER[@BACK].
func parseVanish(text string) (v sandbox.Vanishing, err error) {
	parts := strings.Split(text, "@")
	if len(parts) != 2 && len(parts) != 3 || parts[0] == "" {
		return v, fmt.Errorf("--vanish %q: write AGENT@AFTER or AGENT@AFTER@BACK, as agent03@40s", text)
	}
	v.Agent = parts[0]
	if v.After, err = time.ParseDuration(parts[1]); err == nil && len(parts) == 3 {
		v.Back, err = time.ParseDuration(parts[2])
	}
	if err != nil {
		return v, fmt.Errorf("--vanish %q: %w", text, err)
	}
	return v, nil
}

// parseKey reads DIGIT@SHARE@AFTER.
func parseKey(text string) (k sandbox.Key, err error) {
	parts := strings.Split(text, "@")
	if len(parts) != 3 || len(parts[0]) != 1 || !strings.Contains("0123456789*#", parts[0]) {
		return k, fmt.Errorf("--key %q: write DIGIT@SHARE@AFTER, as 1@0.2@300ms", text)
	}
	k.Digit = parts[0][0]
	if _, err := fmt.Sscan(parts[1], &k.Share); err != nil || k.Share < 0 || k.Share > 1 {
		return k, fmt.Errorf("--key %q: the share is 0 to 1", text)
	}
	if k.After, err = time.ParseDuration(parts[2]); err != nil {
		return k, fmt.Errorf("--key %q: %w", text, err)
	}
	return k, nil
}
