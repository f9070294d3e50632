package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/recording"
	"pronto/dnc/rules"
)

// recordings removes what was kept for as long as the campaigns say.
func (p *purger) recordings(ctx context.Context) error {
	due, rows, err := p.dueRecordings(ctx)
	if err != nil {
		return err
	}
	p.removed = append(p.removed, rows...)
	if p.dry {
		return nil
	}
	return p.h.destroyRecordings(ctx, due, p.who, "purged")
}

// dueRecordings are those whose time is over, and how many there are of each campaign.
func (p *purger) dueRecordings(ctx context.Context) (due []recording.Kept, rows []purgedDoc, err error) {
	held, err := p.h.heldRecordings(ctx, p.h.ownArchives())
	if err != nil {
		return nil, nil, err
	}
	keeps, err := p.h.recordingKeeps(ctx)
	if err != nil {
		return nil, nil, err
	}
	byCampaign := map[string]*purgedDoc{}
	for k, err := range recording.List(p.h.recordingsDir()) {
		if err != nil && k.File == "" {
			return nil, nil, err
		}
		if err != nil || k.Open {
			continue
		}
		x := k.Header
		row := byCampaign[x.Campaign]
		if row == nil {
			row = &purgedDoc{What: "recordings", Of: x.Campaign, Held: p.on.campaigns[x.Campaign] != nil}
			byCampaign[x.Campaign] = row
		}
		keep, rule := keeps(x)
		before := p.now.Add(-keep)
		if !row.Held {
			row.Before, row.Rule = &before, rule
		}
		if x.Began.Before(before) && !held(x) {
			row.Count++
			due = append(due, k)
		}
	}
	for _, name := range sortedKeys(byCampaign) {
		rows = append(rows, *byCampaign[name])
	}
	return due, rows, nil
}

// recordingKeeps says how long a recording is kept, and by what: as its campaign says now, or said then
// where it is gone or records no more; never shorter than a rule of its jurisdiction.
func (h *house) recordingKeeps(ctx context.Context) (func(recording.Header) (time.Duration, string), error) {
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]campaigns.Campaign{}
	for _, r := range records {
		all[r.Campaign.Name] = r.Campaign
	}
	return func(x recording.Header) (time.Duration, string) {
		keep, by := x.Until.Sub(x.Began), "recording.keep"
		c, ok := all[x.Campaign]
		if ok && c.Recording.On() {
			keep = c.Recording.Keep
		}
		if rule, span := h.retention(c.Jurisdiction, rules.KeepRecordings); rule != nil && span > keep {
			keep, by = span, rule.ID
		}
		return keep, by
	}, nil
}

// removeRecordings removes what is due, without the rest of a purge.
func (h *house) removeRecordings(ctx context.Context) error {
	p, err := h.newPurger(ctx, false, "service")
	if err != nil {
		return err
	}
	return p.recordings(ctx)
}

// recordingDuties finds what keeps the recordings of a number: a rule for recordings alone. That a campaign
// keeps them for itself is no reason against the person's wish.
func (h *house) recordingDuties(n campaigns.Number, jurisdictions map[string]string, now time.Time, d *duties) error {
	all, err := h.recordingsOf(n)
	if err != nil {
		return err
	}
	for _, k := range all {
		what := fmt.Sprintf("recording %s", k.Header.ID)
		h.retained(d, now, jurisdictions[k.Header.Campaign], rules.KeepRecordings, what, k.Header.Began, &d.recordings, &d.journal)
	}
	return nil
}

// leftOut counts the recordings that a backup leaves out, for a command outside the house.
func leftOut(g *globals) (roomDoc, error) {
	var r roomDoc
	c, err := g.settings()
	if err != nil {
		return r, err
	}
	for k, err := range recording.List(filepath.Clean(c.recordings(g.data))) {
		if err != nil && k.File == "" {
			return r, err
		}
		r.count(k)
	}
	return r, nil
}

// recordingWarnings say what will keep a campaign that records from starting.
func (h *house) recordingWarnings(c *campaigns.Campaign) []string {
	if !c.Recording.On() {
		return nil
	}
	policy, err := dialer.Policies(h.book)(*c, h.now(), h.now())
	if err != nil {
		return nil // said elsewhere
	}
	has := func(name string) bool { return len(h.config.Trunks) == 0 || h.config.hasPrompt(name) } // without a trunk it may be another configuration than the service's
	if err := dialer.CheckRecording(c.Recording, policy, has); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return nil
}
