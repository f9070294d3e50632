package main

import (
	"bytes"
	"strings"
	"testing"

	"pronto/campaigns"
	"pronto/dialer"
)

// FuzzWithAgents: whatever a campaign's file looks like, other agents change its agents and
// nothing else.
func FuzzWithAgents(f *testing.F) {
	const rest = "campaign: a\nseller: S\npurpose: marketing\njurisdiction: it\ncaller_ids: [\"+390844000123\"]\n"
	for _, source := range []string{
		rest, "agents: [x, y]\n" + rest, rest + "agents:\n  - x\n\n  - y\n", rest + "agents:\n- x\n# who else?\nwrap_up: 5s\n", "\"agents\": [x]\n" + rest,
		"{campaign: a, seller: S, purpose: marketing, jurisdiction: it, caller_ids: [\"+390844000123\"], agents: [x]}", "agents: [x,\n y]\r\n" + rest,
		rest + "agents: &a [x]\n", "agents: []\n" + rest + "# agents: [z]\n",
	} {
		f.Add(source, "anna,007,no")
		f.Add(source, "")
	}
	f.Fuzz(func(t *testing.T, source, names string) {
		c, err := campaigns.Parse("a", []byte(source))
		if err != nil {
			return
		}
		var agents []string
		for _, name := range strings.Split(names, ",") {
			if agentNames.MatchString(name) && !strings.Contains(strings.Join(agents, ",")+",", name+",") {
				agents = append(agents, name)
			}
		}
		text, err := withAgents(dialer.CampaignRecord{Campaign: *c, Source: source}, agents)
		if err != nil {
			t.Fatalf("agents %q: %v", agents, err)
		}
		got, err := campaigns.Parse("a", text)
		want := *c
		want.Agents = agents
		if err != nil || !bytes.Equal(got.Normal(), want.Normal()) {
			t.Errorf("%v\n%s\nwant\n%s", err, text, want.Normal())
		}
	})
}

// TestCommentsStay: a file that is written line by line keeps its comments.
func TestCommentsStay(t *testing.T) {
	const source = "# ours\ncampaign: a # first\nagents: # who\n  - x\nseller: S\n"
	if got := replaceAgents(source, []string{"anna"}); got != "# ours\ncampaign: a # first\nagents: [\"anna\"]\nseller: S\n" {
		t.Errorf("got\n%s", got)
	}
	if got := replaceAgents(source, nil); got != "# ours\ncampaign: a # first\nseller: S\n" {
		t.Errorf("every agent: got\n%s", got)
	}
}
