package main

import (
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/pacing"
)

func TestEveryReasonHasWords(t *testing.T) {
	seen := map[string]bool{}
	for r := pacing.Reason(0); r.String() != "unknown"; r++ {
		text := reasonText(r)
		if text == "" || seen[text] {
			t.Errorf("%s: %q", r, text)
		}
		seen[text] = true
	}
	if len(seen) < 11 {
		t.Errorf("%d reasons only", len(seen))
	}
}

// TestShowTellsOfRecordingsAndMachines: why nobody is dialed, what could not be recorded, what answered.
func TestShowTellsOfRecordingsAndMachines(t *testing.T) {
	for _, c := range []struct {
		name string
		live dialer.CampaignLive
		want string
	}{
		{"no room", dialer.CampaignLive{Unrecordable: "the disk is full"}, "halted  nobody is dialed until there is room: recording.required, and the disk is full"},
		{"not recorded", dialer.CampaignLive{Tally: dialer.Tally{Unrecorded: 1}}, "sound   1 call could not be recorded, or not to the end"},
		{"told", dialer.CampaignLive{Tally: dialer.Tally{Machines: 4}}, "heard   answering machines: of 4 the agents were told"},
		{"released", dialer.CampaignLive{Tally: dialer.Tally{Machines: 4, Released: 4}}, "heard   answering machines: 4 released,"},
		{"both", dialer.CampaignLive{Tally: dialer.Tally{Machines: 4, Released: 3}}, "heard   answering machines: 3 released, of 1 the agents were told"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := pacedDoc{CampaignLive: c.live}
			if text := doc.text("predictive"); !strings.Contains(text, c.want) {
				t.Errorf("%q is missing in\n%s", c.want, text)
			}
			doc = pacedDoc{}
			if text := doc.text("predictive"); strings.Contains(text, strings.Fields(c.want)[0]) {
				t.Errorf("an idle campaign tells of it:\n%s", text)
			}
		})
	}
}

// TestShowTellsThePacing asks a service for a campaign that runs.
func TestShowTellsThePacing(t *testing.T) {
	h, g := served(t, t.TempDir())
	apply(t, g)
	now := h.now()
	state := dialer.CampaignLive{
		Name: "demo-it", State: dialer.Running, Lines: 14, Waiting: 2, Cap: 0.03,
		Tally: dialer.Tally{Dialed: 264, Answered: 80, Connected: 78, Abandoned: 1, HungUp: 1, Outcomes: map[campaigns.Outcome]int{}},
	}
	agent := func(campaign string, s dialer.AgentState) dialer.AgentLive {
		return dialer.AgentLive{Name: "a", Campaign: campaign, State: s}
	}
	agents := []dialer.AgentLive{agent("demo-it", dialer.Ready), agent("demo-it", dialer.Reserved), agent("demo-it", dialer.Talking), agent("demo-it", dialer.WrapUp), agent("other", dialer.Ready)}
	h.live = func() dialer.Live {
		return dialer.Live{Campaigns: []dialer.CampaignLive{{Name: "other"}, state}, Agents: agents}
	}
	for name, c := range map[string]struct {
		decision pacing.Decision
		at       time.Time
		want     []string
	}{
		"before the first": {want: []string{"pacing, predictive: nothing decided yet\n"}},
		"dials": {pacing.Decision{Dial: 3, Reason: pacing.Predictive, Risk: 0.0123, Credit: 4.21, Rate: 0.0126}, now.Add(-time.Second), []string{
			"3 lines to dial, decided ", "why     predictive: as many as the forecast", "the last of them, if answered, lacks an agent with a chance of 1.23 %",
			"1.26 % abandoned in the tightest window, whose cap is 3.0 %; 4.2 more can be afforded",
		}},
		"spent": {pacing.Decision{Reason: pacing.OverBudget, Risk: 0.2, Credit: -0.6}, now, []string{
			"0 lines to dial", "over-budget: what a window still allows is kept in hand", "one line more, if answered, would lack an agent with a chance of 20.00 %", "0.6 abandoned calls more than it allows",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			state.Decision, state.DecidedAt = c.decision, c.at
			doc, err := ask[campaignDoc](t.Context(), g, "campaign show", nameArgs{Name: "demo-it"}, nil)
			if err != nil || doc.Live == nil {
				t.Fatalf("campaign show: %+v, %v", doc, err)
			}
			text := doc.Live.text(doc.Mode)
			for _, want := range append(c.want, "14 lines dialing or ringing, 2 answered and waiting; agents: 2 ready, 1 talking, 1 in wrap-up, 0 away", "264 dialed, 80 answered, 78 connected, 1 abandoned, 1 hung up") {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
			if doc.Live.Reason != c.decision.Reason.String() || doc.Live.Ago < 0 {
				t.Errorf("document %+v", doc.Live)
			}
		})
	}
	h.live = func() dialer.Live { return dialer.Live{} }
	if doc, err := ask[campaignDoc](t.Context(), g, "campaign show", nameArgs{Name: "demo-it"}, nil); err != nil || doc.Live != nil {
		t.Errorf("of a campaign that no service runs: %+v, %v", doc.Live, err)
	}
}
