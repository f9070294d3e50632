package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// callbackConfig says how people who ring a caller ID are served.
type callbackConfig struct {
	Channels int           `yaml:"channels"` // calls answered at once, the next hear busy; default 10
	Wait     time.Duration `yaml:"wait"`     // longest wait for an agent; default 30s
	Prompt   string        `yaml:"prompt"`   // WAV for campaigns that name none, and for caller IDs of no campaign
}

// check says what is wrong.
func (c callbackConfig) check() error {
	if c.Channels < 0 || c.Channels > 1000 {
		return fmt.Errorf("callbacks.channels: %d: give 1 to 1000, or leave it out for 10", c.Channels)
	}
	if c.Wait != 0 && (c.Wait < time.Second || c.Wait > 10*time.Minute) {
		return fmt.Errorf("callbacks.wait: %s: give 1s to 10m, or leave it out for 30s", c.Wait)
	}
	return nil
}

// callbacks is the service's part of it: with the caller IDs that the
// configuration knows, whether a campaign shows them or not.
func (c config) callbacks() (dialer.Callbacks, error) {
	out := dialer.Callbacks{Prompt: c.Callbacks.Prompt, Wait: c.Callbacks.Wait, Sellers: map[campaigns.Number]string{}}
	for i, id := range c.CallerIDs {
		n, err := campaigns.ParseCallerID(id.Number)
		if err != nil {
			return out, invalidFile(fmt.Errorf("caller_ids[%d].number: %q: %w: write it in international form", i, id.Number, err))
		}
		if out.Sellers[n] == "" {
			out.Sellers[n] = id.Seller
		}
	}
	return out, nil
}

// callbackWarnings say what people who ring the campaign's caller IDs will miss. A
// configuration without any trunk may be another than the service's.
func (h *house) callbackWarnings(c *campaigns.Campaign) []string {
	set, ok := h.book.Lookup(c.Jurisdiction, h.now())
	if !ok || set.Callback == nil || len(h.config.Trunks) == 0 {
		return nil
	}
	rule := set.Callback
	demands := fmt.Sprintf("rule %s of %s, sure: %s", rule.ID, set.ID(), rule.Sure)
	var warnings []string
	if rule.Callback.Inform {
		switch prompt := h.config.callbackPrompt(c); {
		case prompt == "":
			warnings = append(warnings, "callback.prompt: there is none: who rings back hears a tone; record one that says who called, why, and the keys ("+demands+")")
		case !h.config.hasPrompt(prompt):
			warnings = append(warnings, fmt.Sprintf("callback.prompt: %q is not in the prompts folder: who rings back hears a tone; put the WAV there (%s)", prompt, demands))
		}
	}
	if !slices.ContainsFunc(h.config.Trunks, func(t trunkConfig) bool { return t.Peering }) {
		warnings = append(warnings, "trunks: none has peering: true: nobody can ring back; set it for the carrier that brings calls to the caller IDs ("+demands+")")
	}
	return warnings
}

// callbackPrompt is what people who ring the campaign back are to hear first.
func (c config) callbackPrompt(camp *campaigns.Campaign) string {
	if camp.Callback.Prompt != "" {
		return camp.Callback.Prompt
	}
	return c.Callbacks.Prompt
}

// hasPrompt reports whether the prompts folder has the prompt.
func (c config) hasPrompt(name string) bool {
	if c.Prompts == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(c.Prompts, strings.TrimSuffix(name, ".wav")+".wav"))
	return err == nil
}
