package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/dnc/registers"
)

// completionWait is how long a shell waits for names: a folder that another
// command holds for longer offers none.
const completionWait = 500 * time.Millisecond

// offer lists the names that may stand at a place of the command line. What
// cannot be told is not offered: a shell has no place for an error.
type offer func(ctx context.Context, g *globals) []string

// addCompletions lets shells complete the names that the command and those below
// it take, by what their usage lines and flags call them.
func addCompletions(cmd *cobra.Command, g *globals) {
	_, places, _ := strings.Cut(cmd.Use, " ")
	if words := strings.Fields(places); len(words) > 0 && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			at := len(args)
			if last := len(words) - 1; at > last && strings.HasSuffix(words[last], "...]") {
				at = last
			}
			if at >= len(words) {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			place := strings.Trim(words[at], "[].")
			return complete(cmd, g, offerAt(cmd, place)), directive(place)
		}
	}
	for name, names := range offersOfFlags() {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		// Its only errors are a flag that is not there and one that has a completion already.
		_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return complete(cmd, g, names), cobra.ShellCompDirectiveNoFileComp
		})
	}
	for name, ways := range map[string][]string{"dispositions": waysText(), "lists": listWays()} {
		if cmd.Name() == name {
			_ = cmd.RegisterFlagCompletionFunc("per", cobra.FixedCompletions(ways, cobra.ShellCompDirectiveNoFileComp)) // as above
		}
	}
	for _, c := range cmd.Commands() {
		addCompletions(c, g)
	}
}

// complete runs an offer within the time that a shell has.
func complete(cmd *cobra.Command, g *globals, names offer) []string {
	if names == nil {
		return nil
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionWait)
	defer cancel()
	return names(ctx, g)
}

// directive says whether files are offered too.
func directive(place string) cobra.ShellCompDirective {
	if strings.Contains(place, "FILE") {
		return cobra.ShellCompDirectiveDefault
	}
	return cobra.ShellCompDirectiveNoFileComp
}

// offerAt is the offer for a word of a usage line; nil: nothing can be offered.
func offerAt(cmd *cobra.Command, place string) offer {
	switch {
	case place == "CAMPAIGN", place == "NUMBER|CAMPAIGN":
		return campaignNames
	case place == "JURISDICTION":
		return ruleSetNames
	case place == "REGISTER" && cmd.Name() == "import":
		return importNames
	case place == "REGISTER":
		return registerNames
	case place == "SUBMISSION":
		return submissionNames
	case strings.HasPrefix(place, "NAME") && cmd.HasParent() && cmd.Parent().Name() == "campaign":
		return campaignNames
	case place == "AGENT", place == "NAME" && cmd.HasParent() && cmd.Parent().Name() == "agent":
		return agentNamesThere
	case place == "NAME" && cmd.HasParent() && cmd.Parent().Name() == "trunk":
		return trunkNames
	case place == "NODE":
		return nodeNames
	}
	return nil
}

// offersOfFlags are the offers for flags that take a name, whatever the command.
func offersOfFlags() map[string]offer {
	return map[string]offer{
		"campaign":       campaignNames,
		"seller":         sellerNames,
		"jurisdiction":   ruleSetNames,
		"submission":     submissionNames,
		"without":        nodeNames,
		"codec":          these("pcma", "pcmu"),
		"log-level":      these("debug", "info", "warn", "error"),
		"duplicate-rows": these("first", "last", "refuse"),
		"known":          these("update", "skip", "refuse"),
		"elsewhere":      these("load", "skip", "refuse"),
	}
}

// these offers always the same names.
func these(names ...string) offer {
	return func(context.Context, *globals) []string { return names }
}

// peek asks the house that is there; without one the answer is empty, and none is
// made.
func peek[R any](ctx context.Context, g *globals, name string, args any) (answer R) {
	if !stateThere(g.data) {
		return answer
	}
	answer, err := ask[R](ctx, g, name, args, nil)
	if err != nil {
		var none R
		return none
	}
	return answer
}

func campaignNames(ctx context.Context, g *globals) []string {
	var names []string
	for _, c := range peek[campaignsDoc](ctx, g, "campaign list", struct{}{}).Campaigns {
		names = append(names, c.Name)
	}
	return names
}

func sellerNames(ctx context.Context, g *globals) []string {
	var names []string
	for _, c := range peek[campaignsDoc](ctx, g, "campaign list", struct{}{}).Campaigns {
		names = append(names, c.Seller)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func agentNamesThere(ctx context.Context, g *globals) []string {
	var names []string
	for _, a := range peek[agentsDoc](ctx, g, "agent list", struct{}{}).Agents {
		names = append(names, a.Name)
	}
	return names
}

func nodeNames(ctx context.Context, g *globals) []string {
	var names []string
	for _, n := range peek[nodesDoc](ctx, g, "node list", struct{}{}).Nodes {
		names = append(names, n.Name)
	}
	return names
}

func submissionNames(ctx context.Context, g *globals) []string {
	var names []string
	for _, s := range peek[submissionsDoc](ctx, g, "dnc submissions", submissionsArgs{}).Submissions {
		if s.Open() {
			names = append(names, s.ID+"\t"+s.Register+" for "+s.Seller)
		}
	}
	return names
}

func trunkNames(_ context.Context, g *globals) []string {
	conf, err := loadConfig(g.config)
	if err != nil {
		return nil
	}
	return conf.trunkNames()
}

func registerNames(context.Context, *globals) []string {
	var names []string
	for _, p := range registers.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

func importNames(_ context.Context, g *globals) []string {
	conf, err := loadConfig(g.config)
	if err != nil {
		return nil
	}
	return (&house{config: conf}).importable()
}

func ruleSetNames(_ context.Context, g *globals) []string {
	conf, err := loadConfig(g.config)
	if err != nil {
		return nil
	}
	book, _, err := readRules(conf.Rules)
	if err != nil {
		return nil
	}
	return book.Jurisdictions()
}
