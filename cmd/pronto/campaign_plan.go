package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

func newCampaignPlanCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "plan NAME|FILE",
		Short: "Say before dialing how many leads may be called, and why the others may not",
		Long: `Puts every lead of a campaign that is still to be called to the gate, without calling and without evidence. The hour
does not count: a lead that may be called in the morning is callable; from when on stands below. Then follows how long
the agents who are logged in need to dial each callable lead once, at the pace of the last seven days. Leads of lists that
are paused, or that the campaign file does not name among others, are counted apart. With a campaign file, which need not be applied
yet, the leads of the campaign of that name are put to the file's terms.

EXIT STATUS
  0  said
  1  failed, or there is no such campaign
  3  the campaign file is wrong`,
		Args: needs("NAME or FILE"),
		RunE: func(cmd *cobra.Command, words []string) error { return runCampaignPlan(cmd, g, words[0]) },
	}
}

// planArgs name a campaign, or the file whose terms count.
type planArgs struct {
	Name string `json:"name,omitempty"`
	File string `json:"file,omitempty"`
}

// planDoc is the JSON of campaign plan.
type planDoc struct {
	Campaign     string    `json:"campaign"`
	Jurisdiction string    `json:"jurisdiction"`
	At           time.Time `json:"at"`
	Done         int       `json:"done"`              // leads that are not called again; in no other count
	Resting      int       `json:"resting,omitempty"` // leads of lists that are paused or not named; in no other count
	dnc.Plan
	Lasts lastsDoc `json:"lasts"`
}

func runCampaignPlan(cmd *cobra.Command, g *globals, what string) error {
	args := planArgs{Name: what}
	var body io.Reader
	if info, err := os.Stat(what); what == "-" || strings.ContainsAny(what, "./\\") && err == nil && !info.IsDir() {
		in, _, err := openInput(cmd, what)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }() // it was only read
		args, body = planArgs{File: label(what)}, in
	}
	doc, err := follow[planDoc](cmd, g, "campaign plan", "planning", args, body)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Println(doc.sentence())
		if doc.Done > 0 {
			cmd.Printf("%s more %s done and will not be called again\n", thousands(doc.Done), are(doc.Done))
		}
		if doc.Resting > 0 {
			rest := "rest"
			if doc.Resting == 1 {
				rest = "rests"
			}
			cmd.Printf("%s more %s: the list is paused, or not in the campaign file\n", thousands(doc.Resting), rest)
		}
		if doc.Agent > 0 {
			cmd.Printf("%s callable only with an agent reserved for the call\n", thousands(doc.Agent))
		}
		showOpenings(cmd, doc)
		cmd.Println(doc.Lasts.sentence())
		if len(doc.NotChecked) > 0 {
			cmd.Printf("not checked: %s\n", strings.Join(doc.NotChecked, ", "))
		}
	})
}

// planWord says of how many leads a reason holds.
type planWord struct {
	reason dnc.Reason
	words  string
}

// planWords are the reasons in the order in which a plan tells them.
func planWords() []planWord {
	return []planWord{
		{dnc.Registered, "registered"},
		{dnc.OptedOut, "opted out"},
		{dnc.Unscreened, "without a verdict"},
		{dnc.VerdictExpired, "with an expired verdict"},
		{dnc.RegisterStale, "waiting for a newer register list"},
		{dnc.NoConsent, "without a consent"},
		{dnc.Invalid, "invalid"},
		{dnc.NumberType, "of a number type that may not be called"},
		{dnc.Sector, "barred for the sector"},
		{dnc.Attempts, "called too often"},
		{dnc.CoolOff, "refused recently"},
		{dnc.AbandonLock, "locked after an abandoned call"},
		{dnc.CallerID, "without a caller ID that may be shown"},
		{dnc.TrunkReason, "without a trunk that may carry the call"},
		{dnc.Rules, "without rules in force"},
		{dnc.Unavailable, "undecided because state could not be read"},
	}
}

// sentence says the plan in words.
func (d planDoc) sentence() string {
	var parts []string
	rest := maps.Clone(d.Refused)
	for _, w := range planWords() {
		if n := rest[w.reason]; n > 0 {
			parts = append(parts, thousands(n)+" "+w.words)
		}
		delete(rest, w.reason)
	}
	for _, reason := range slices.Sorted(maps.Keys(rest)) {
		parts = append(parts, thousands(rest[reason])+" refused: "+string(reason))
	}
	parts = append(parts, thousands(d.Callable)+" callable")
	for _, on := range slices.Sorted(maps.Keys(d.Until)) {
		parts = append(parts, thousands(d.Until[on])+" only until "+weekday(on))
	}
	count, first, _ := strings.Cut(parts[0], " ")
	verb := " are "
	if count == "1" {
		verb = " is "
	}
	parts[0] = count + verb + first
	return fmt.Sprintf("of %s %s", plurals(d.Leads, "lead"), strings.Join(parts, ", "))
}

// weekday writes 2026-11-26 as Thursday 2026-11-26.
func weekday(on string) string {
	t, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return on
	}
	return t.Weekday().String() + " " + on
}

// plurals is plural with thousands.
func plurals(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// are is the verb for a count.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func planCampaign(ctx context.Context, h *house, args planArgs, r request) (*working[planDoc], error) {
	record, err := h.planned(ctx, args, r)
	if err != nil {
		return nil, err
	}
	name := record.Campaign.Name
	now := h.now()
	counts, err := h.store.LeadCounts(ctx, name, now)
	if err != nil {
		return nil, err
	}
	return &working[planDoc]{ctx: ctx, of: counts.Total, do: func(ctx context.Context, tell func(int)) (planDoc, error) {
		doc := planDoc{Campaign: name, Jurisdiction: record.Campaign.Jurisdiction, At: now}
		leads := h.leads(ctx, name, record.Campaign.Rests, tell)
		doc.Plan, err = h.gate.Plan(ctx, leads.waiting, record.Terms(), now)
		doc.Done, doc.Resting = leads.done, leads.resting
		lasts, wrong := h.lasts(ctx, record, doc.Callable, now)
		doc.Lasts = lasts
		return doc, errors.Join(leads.err, err, wrong)
	}}, nil
}

// planned is the campaign that is to be planned: an applied one, or one of a file
// that has leads.
func (h *house) planned(ctx context.Context, args planArgs, r request) (dialer.CampaignRecord, error) {
	if args.File == "" {
		return h.campaign(ctx, args.Name)
	}
	data, err := io.ReadAll(io.LimitReader(r.body, maxCampaignFile+1))
	if err != nil {
		return dialer.CampaignRecord{}, fmt.Errorf("read %s: %w", args.File, err)
	}
	if len(data) > maxCampaignFile {
		return dialer.CampaignRecord{}, invalidFile(fmt.Errorf("%s: larger than %d bytes: is it a campaign file?", args.File, maxCampaignFile))
	}
	c, err := campaigns.Parse(args.File, data)
	if err != nil {
		return dialer.CampaignRecord{}, err
	}
	old, err := h.findCampaign(ctx, c.Name)
	if err != nil {
		return dialer.CampaignRecord{}, err
	}
	if old == nil {
		then := fmt.Sprintf(", then pronto leads load %s LIST", c.Name)
		if slices.ContainsFunc(c.Lists, func(l campaigns.List) bool { return l.File != "" }) {
			then = " loads its lists"
		}
		return dialer.CampaignRecord{}, fmt.Errorf("campaign %s has no leads yet: pronto campaign apply %s%s", c.Name, args.File, then)
	}
	old.Campaign = *c
	return *old, nil
}

// leadWalk walks over a campaign's leads.
type leadWalk struct {
	waiting iter.Seq[campaigns.Lead] // that are still to be called
	done    int                      // not called again
	resting int                      // not called now, for the sake of their list
	err     error                    // why the walk ended early
}

// leads walks over the campaign's leads, telling how many it passed. rests says which are passed over; nil: none.
func (h *house) leads(ctx context.Context, campaign string, rests func(campaigns.Lead) bool, tell func(int)) *leadWalk {
	w := &leadWalk{}
	enough := errors.New("enough")
	w.waiting = func(yield func(campaigns.Lead) bool) {
		passed := 0
		err := h.store.EachLead(ctx, campaign, func(l campaigns.Lead) error {
			passed++
			tell(passed)
			if l.Done {
				w.done++
				return nil
			}
			if rests != nil && rests(l) {
				w.resting++
				return nil
			}
			if !yield(l) {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			w.err = err
		}
	}
	return w
}
