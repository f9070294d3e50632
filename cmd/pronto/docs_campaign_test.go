package main

import (
	"os"
	"strings"
	"testing"

	"pronto/campaigns"
)

// TestCampaignExamplesInDocs takes every example of campaign keys in
// docs/operations.md for part of a campaign file.
func TestCampaignExamplesInDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Campaign files\n")
	if !ok {
		t.Fatal("docs/operations.md has no section Campaign files")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("no examples")
	}
	const head = "campaign: spring\nseller: Acme\njurisdiction: it\ncaller_ids: [\"+390844000123\", \"+390844000124\"]\n"
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if _, err := campaigns.Parse("example", []byte(head+block)); err != nil {
			t.Errorf("%v\n%s", err, block)
		}
	}
}
