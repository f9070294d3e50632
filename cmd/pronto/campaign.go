package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
)

func newCampaignCommand(g *globals) *cobra.Command {
	return newGroup("campaign", "Apply, list, plan, start, pause and stop campaigns",
		newCampaignApplyCommand(g),
		newCampaignListCommand(g),
		newCampaignShowCommand(g),
		newCampaignPlanCommand(g),
		newCampaignAgentsCommand(g),
		newCampaignSchemaCommand(g),
		newCampaignSetCommand(g, "start", "campaign started", "Start dialing a campaign", dialer.Running),
		newCampaignSetCommand(g, "pause", "campaign paused", "Start no more calls; those in progress go on", dialer.Paused),
		newCampaignDrainCommand(g),
		newCampaignSetCommand(g, "stop", "campaign stopped", "Start no more calls and end the campaign's run when the last call has ended", dialer.Draining),
	)
}

// campaignDoc is a campaign as commands show it.
type campaignDoc struct {
	Name         string               `json:"name"`
	State        dialer.CampaignState `json:"state"`
	Seller       string               `json:"seller"`
	Purpose      string               `json:"purpose"`
	Jurisdiction string               `json:"jurisdiction"`
	Mode         string               `json:"mode"`
	CreatedAt    time.Time            `json:"created_at"`
	UpdatedAt    time.Time            `json:"updated_at"`
	Leads        store.LeadCounts     `json:"leads"`

	// Of campaign show alone.
	Lists    []store.ListCounts  `json:"lists,omitempty"` // where leads were loaded by lists; agreed calls are not in them
	Campaign *campaigns.Campaign `json:"campaign,omitempty"`
	Text     string              `json:"text,omitempty"`       // canonical YAML
	Blocked  string              `json:"blocked,omitempty"`    // why it cannot start
	Live     *pacedDoc           `json:"live,omitempty"`       // nil: it does not run in a service
	Away     *dialer.StoreAway   `json:"store_away,omitempty"` // the store cannot be reached: Name and Live are all that is known
}

// campaignDoc describes a campaign.
func (h *house) campaignDoc(ctx context.Context, r dialer.CampaignRecord) (campaignDoc, error) {
	counts, err := h.store.LeadCounts(ctx, r.Campaign.Name, h.now())
	c := r.Campaign
	return campaignDoc{
		Name: c.Name, State: r.State, Seller: c.Seller, Purpose: c.Purpose, Jurisdiction: c.Jurisdiction, Mode: c.Pacing.Mode,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Leads: counts,
	}, err
}
