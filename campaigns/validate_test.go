package campaigns_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

// TestValidateNamesTheKey breaks a sound campaign in one place at a time.
func TestValidateNamesTheKey(t *testing.T) {
	cases := []struct {
		name, key string
		spoil     func(c *campaigns.Campaign)
	}{
		{"no name", "campaign", func(c *campaigns.Campaign) { c.Name = "" }},
		{"name with a slash", "campaign", func(c *campaigns.Campaign) { c.Name = "a/b" }},
		{"long name", "campaign", func(c *campaigns.Campaign) { c.Name = strings.Repeat("a", 64) }},
		{"name without letters", "campaign", func(c *campaigns.Campaign) { c.Name = "!!" }},
		{"blank seller", "seller", func(c *campaigns.Campaign) { c.Seller = " " }},
		{"seller on two lines", "seller", func(c *campaigns.Campaign) { c.Seller = "a\nb" }},
		{"long seller", "seller", func(c *campaigns.Campaign) { c.Seller = strings.Repeat("è", 201) }},
		{"no purpose", "purpose", func(c *campaigns.Campaign) { c.Purpose = "" }},
		{"sector of two words", "sector", func(c *campaigns.Campaign) { c.Sector = "gas light" }},
		{"trunk with a space", "trunk", func(c *campaigns.Campaign) { c.Trunk = "a b" }},
		{"a trunk among trunks with a space", "trunks[1]", func(c *campaigns.Campaign) { c.Trunks = []string{"a", "b c"} }},
		{"a trunk twice", "trunks[1]", func(c *campaigns.Campaign) { c.Trunks = []string{"a", "a"} }},
		{"trunk and trunks", "trunks", func(c *campaigns.Campaign) { c.Trunk, c.Trunks = "a", []string{"b"} }},
		{"no jurisdiction", "jurisdiction", func(c *campaigns.Campaign) { c.Jurisdiction = "" }},
		{"capital jurisdiction", "jurisdiction", func(c *campaigns.Campaign) { c.Jurisdiction = "IT" }},
		{"jurisdiction of digits", "jurisdiction", func(c *campaigns.Campaign) { c.Jurisdiction = "39" }},
		{"no caller id", "caller_ids", func(c *campaigns.Campaign) { c.CallerIDs = nil }},
		{"caller id with spaces", "caller_ids[0]", func(c *campaigns.Campaign) { c.CallerIDs[0] = "+39 0844 000123" }},
		{"caller id twice", "caller_ids[1]", func(c *campaigns.Campaign) { c.CallerIDs = append(c.CallerIDs, c.CallerIDs[0]) }},
		{"closed hours", "hours", func(c *campaigns.Campaign) { c.Hours = campaigns.Hours{} }},
		{"bad hours", "hours.mon[0]", func(c *campaigns.Campaign) { c.Hours = campaigns.Hours{"mon": {"x"}} }},
		{"mode", "pacing.mode", func(c *campaigns.Campaign) { c.Pacing.Mode = "" }},
		{"no ratio", "pacing.ratio", func(c *campaigns.Campaign) { c.Pacing.Mode = "ratio" }},
		{"ratio not a number", "pacing.ratio", func(c *campaigns.Campaign) { c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: math.NaN()} }},
		{"ratio without mode", "pacing.ratio", func(c *campaigns.Campaign) { c.Pacing.Ratio = 2 }},
		{"cap of one", "pacing.cap", func(c *campaigns.Campaign) { c.Pacing.Cap = 1 }},
		{"cap below zero", "pacing.cap", func(c *campaigns.Campaign) { c.Pacing.Cap = -0.1 }},
		{"cap not a number", "pacing.cap", func(c *campaigns.Campaign) { c.Pacing.Cap = math.NaN() }},
		{"target", "pacing.target", func(c *campaigns.Campaign) { c.Pacing.Target = 1.1 }},
		{"lines", "pacing.max_lines", func(c *campaigns.Campaign) { c.Pacing.MaxLines = -1 }},
		{"lines per agent", "pacing.max_lines_per_agent", func(c *campaigns.Campaign) { c.Pacing.MaxLinesPerAgent = math.Inf(1) }},
		{"calls per second", "pacing.max_calls_per_second", func(c *campaigns.Campaign) { c.Pacing.MaxCallsPerSecond = -1 }},
		{"short ring", "ring_timeout", func(c *campaigns.Campaign) { c.RingTimeout = 4 * time.Second }},
		{"long ring", "ring_timeout", func(c *campaigns.Campaign) { c.RingTimeout = 121 * time.Second }},
		{"wrap-up", "wrap_up", func(c *campaigns.Campaign) { c.WrapUp = -1 }},
		{"priority", "priority", func(c *campaigns.Campaign) { c.Priority = 1001 }},
		{"no weight", "weight", func(c *campaigns.Campaign) { c.Weight = 0 }},
		{"a cap of none", "caps.number[0]", func(c *campaigns.Campaign) { c.Caps.Number = []campaigns.Cap{{}} }},
		{"a cap for a second", "caps.lead[1]", func(c *campaigns.Campaign) {
			c.Caps.Lead = []campaigns.Cap{{Max: 1}, {Max: 1, Per: time.Second}}
		}},
		{"a rolling cap of a caller id", "caps.caller_id[0]", func(c *campaigns.Campaign) { c.Caps.CallerID = []campaigns.Cap{{Max: 1, Per: time.Hour}} }},
		{"two caps of a caller id", "caps.caller_id[1]", func(c *campaigns.Campaign) { c.Caps.CallerID = []campaigns.Cap{{Max: 1}, {Max: 2}} }},
		{"no opt-out", "callback.opt_out", func(c *campaigns.Campaign) { c.Callback.OptOut = "" }},
		{"a word for a key", "callback.agent", func(c *campaigns.Campaign) { c.Callback.Agent = "one" }},
		{"a letter for a key", "callback.later", func(c *campaigns.Campaign) { c.Callback.Later = "A" }},
		{"one key for two wishes", "callback.later", func(c *campaigns.Campaign) { c.Callback.Agent, c.Callback.Later = "1", "1" }},
		{"called back at once", "callback.delay", func(c *campaigns.Campaign) { c.Callback.Delay = time.Second }},
		{"called back in months", "callback.delay", func(c *campaigns.Campaign) { c.Callback.Delay = 2000 * time.Hour }},
		{"a prompt on two lines", "callback.prompt", func(c *campaigns.Campaign) { c.Callback.Prompt = "a\nb" }},
		{"no attempts", "max_attempts", func(c *campaigns.Campaign) { c.MaxAttempts = 0 }},
		{"retry of bridged", "retry.bridged", func(c *campaigns.Campaign) { c.Retry[campaigns.Bridged] = campaigns.Retry{Delay: time.Hour, Max: 1} }},
		{"retry of a strange word", "retry.strange", func(c *campaigns.Campaign) { c.Retry["strange"] = campaigns.Retry{} }},
		{"retry without delay", "retry.busy.delay", func(c *campaigns.Campaign) { c.Retry[campaigns.Busy] = campaigns.Retry{Max: 1} }},
		{"retry after years", "retry.busy.delay", func(c *campaigns.Campaign) {
			c.Retry[campaigns.Busy] = campaigns.Retry{Delay: campaigns.MaxDelay + 1, Max: 1}
		}},
		{"retry max", "retry.busy.max", func(c *campaigns.Campaign) { c.Retry[campaigns.Busy] = campaigns.Retry{Max: -1} }},
		{"retry growth", "retry.busy.growth", func(c *campaigns.Campaign) {
			c.Retry[campaigns.Busy] = campaigns.Retry{Delay: time.Hour, Growth: 0.5, Max: 1}
		}},
		{"perhaps dialed without delay", "retry.interrupted.delay", func(c *campaigns.Campaign) { c.Retry[campaigns.Interrupted] = campaigns.Retry{} }},
		{"message on two lines", "abandon_message", func(c *campaigns.Campaign) { c.Message = "a\nb" }},
		{"agent without name", "agents[0]", func(c *campaigns.Campaign) { c.Agents = []string{""} }},
		{"agent twice", "agents[1]", func(c *campaigns.Campaign) { c.Agents = []string{"anna", "anna"} }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			camp := campaigns.Default()
			camp.Name, camp.Seller, camp.Jurisdiction = "a", "b", "it"
			camp.CallerIDs = []campaigns.Number{"+390844000123"}
			if err := camp.Validate(); err != nil {
				t.Fatalf("the sound campaign: %v", err)
			}
			c.spoil(&camp)
			err := camp.Validate()
			var problems campaigns.Problems
			if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Key != c.key || problems[0].Wrong == "" {
				t.Fatalf("Validate = %v, want one problem with %s", err, c.key)
			}
			var one campaigns.Problem
			if !errors.As(errors.Join(err), &one) || !slices.Contains(problems, one) {
				t.Fatal("a problem cannot be had from the error")
			}
		})
	}
}
