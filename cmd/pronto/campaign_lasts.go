package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/report"
)

// pastForPlan is how far back a plan looks for the calls that it reckons with.
const pastForPlan = 7 * 24 * time.Hour

// lastsDoc says how long a list lasts.
type lastsDoc struct {
	Agents   int     `json:"agents"`                  // logged in, of those that the campaign may have
	PerHour  float64 `json:"calls_per_agent_hour"`    // dialed, by the campaign, in the last seven days; 0: none
	Hours    float64 `json:"hours,omitempty"`         // of calling, until each callable lead was dialed once; 0: not known
	Attempts int     `json:"most_attempts,omitempty"` // that a lead may have
}

// lasts reckons how long the agents who are logged in need to dial the callable
// leads once, at the pace of the campaign's last calls.
func (h *house) lasts(ctx context.Context, record dialer.CampaignRecord, callable int, now time.Time) (lastsDoc, error) {
	doc := lastsDoc{Attempts: record.Campaign.MaxAttempts}
	if h.live != nil {
		for _, a := range h.live().Agents {
			mine := len(record.Campaign.Agents) == 0 || slices.Contains(record.Campaign.Agents, a.Name)
			if mine && a.State != dialer.LoggedOut {
				doc.Agents++
			}
		}
	}
	past, err := report.Read(journal.Folders{h.journalDir()}, report.Options{From: now.Add(-pastForPlan), Campaign: record.Campaign.Name})
	if err != nil || ctx.Err() != nil {
		return doc, err
	}
	dialed, online := 0, 0.0
	for _, c := range past.Calls.Campaigns {
		dialed += c.Dialed
	}
	for _, a := range past.Agents.Agents {
		if a.Agent != "all" {
			online += a.Ready + a.Reserved + a.Talking + a.WrapUp
		}
	}
	if online > 0 {
		doc.PerHour = float64(dialed) / (online / 3600)
	}
	if doc.PerHour > 0 && doc.Agents > 0 {
		doc.Hours = float64(callable) / (doc.PerHour * float64(doc.Agents))
	}
	return doc, nil
}

// sentence says it in words.
func (d lastsDoc) sentence() string {
	switch {
	case d.Agents == 0 && d.PerHour == 0:
		return "how long the list lasts is not known: nobody is logged in and there were no calls in the last 7 days (pronto simulate reckons with assumed ones)"
	case d.Agents == 0:
		return fmt.Sprintf("how long the list lasts is not known: nobody is logged in (the last 7 days: %.0f calls for each agent and hour)", d.PerHour)
	case d.PerHour == 0:
		return fmt.Sprintf("how long the list lasts is not known: there were no calls in the last 7 days (%s logged in; pronto simulate reckons with assumed calls)", plurals(d.Agents, "agent"))
	default:
		return fmt.Sprintf("with %s logged in, at %.0f calls for each agent and hour as in the last 7 days, each callable lead is dialed once in %.1f hours of calling (up to %d attempts for each lead)",
			plurals(d.Agents, "agent"), d.PerHour, d.Hours, d.Attempts)
	}
}

// mostOpenings bounds the times that a plan tells one by one.
const mostOpenings = 8

// showOpenings says when leads become callable.
func showOpenings(cmd *cobra.Command, doc planDoc) {
	cmd.Printf("callable now: %s\n", thousands(doc.Now))
	at := slices.Sorted(maps.Keys(doc.From))
	for _, from := range at[:min(len(at), mostOpenings)] {
		cmd.Printf("from %s: %s more\n", from, thousands(doc.From[from]))
	}
	rest := 0
	for _, from := range at[min(len(at), mostOpenings):] {
		rest += doc.From[from]
	}
	if rest > 0 {
		cmd.Printf("later: %s more\n", thousands(rest))
	}
}
