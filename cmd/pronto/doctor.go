package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer"
)

func newDoctorCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, disk, clock, rules, registers, trunks and campaigns: one line each, with the mend",
		Long: `Looks at everything that a day of calls depends on and changes nothing: the configuration, the data folder's disk, the
journal, the clock, the rule sets and the registers' age for every campaign, the trunks' addresses, the audio ports, the
limits of the operating system, the agents. Run it before the first call and whenever something seems wrong; where the
service runs, the service answers.

EXIT STATUS
  0  nothing is wrong; warnings may be there
  1  something is wrong
  3  the configuration cannot be read`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, g) },
	}
}

// grade is how a finding stands.
type grade string

// The grades.
const (
	good  grade = "ok"
	warns grade = "warning"
	wrong grade = "wrong"
)

// finding is one thing that the doctor looked at.
type finding struct {
	Check string `json:"check"`
	Grade grade  `json:"grade"`
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"`
}

// doctorDoc is the JSON of doctor.
type doctorDoc struct {
	Findings []finding `json:"findings"`
	Warnings int       `json:"warnings"`
	Wrong    int       `json:"wrong"`
}

func runDoctor(cmd *cobra.Command, g *globals) error {
	doc, err := ask[doctorDoc](cmd.Context(), g, "doctor", struct{}{}, nil)
	if err != nil {
		conf, unread := g.settings()
		if unread != nil {
			return err
		}
		doc = examineWithout(cmd.Context(), g.data, conf, err)
	}
	if g.config == "" {
		doc.add(finding{"configuration", warns, "no configuration file: there is no trunk", "give --config or PRONTO_CONFIG; pronto help serve says more"})
	} else {
		doc.add(examineConfig(g.config)...)
	}
	err = show(cmd, g, doc, func() {
		for _, f := range doc.Findings {
			cmd.Printf("%-8s %s: %s\n", f.Grade, f.Check, f.Says)
			if f.Mend != "" {
				cmd.Printf("%9s%s\n", "-> ", f.Mend)
			}
		}
		cmd.Printf("%s, %s\n", plural(doc.Warnings, "warning"), pluralWrong(doc.Wrong))
	})
	if err == nil && doc.Wrong > 0 {
		return silently(errors.New("something is wrong"))
	}
	return err
}

// examineConfig looks for what pronto serve would refuse, a line for each.
func examineConfig(file string) []finding {
	conf, err := loadConfig(file)
	if err == nil {
		_, noTrunk := conf.trunk()
		_, noMedia := conf.media()
		err = errors.Join(noTrunk, noMedia)
	}
	if err == nil {
		return []finding{{"configuration", good, file + " is as pronto serve wants it", ""}}
	}
	var out []finding
	for line := range strings.Lines(err.Error()) {
		out = append(out, finding{"configuration", wrong, file + ": " + strings.TrimSpace(line), "mend it: pronto serve does not start with it"})
	}
	return out
}

func pluralWrong(n int) string {
	if n == 0 {
		return "nothing wrong"
	}
	return plural(n, "thing") + " wrong"
}

func (d *doctorDoc) add(all ...finding) {
	for _, f := range all {
		switch f.Grade {
		case warns:
			d.Warnings++
		case wrong:
			d.Wrong++
		}
		d.Findings = append(d.Findings, f)
	}
}

// stateGone is the finding that the state cannot be read, and why.
func stateGone(why error) finding {
	return finding{"state", wrong, why.Error(), "no call is cleared without the state: mend what it says; what rests on the state was not looked at"}
}

// examineWithout is what can be looked at where no house opens.
func examineWithout(ctx context.Context, dir string, c config, why error) doctorDoc {
	var doc doctorDoc
	doc.add(stateGone(why))
	doc.add(examineDisk(dir)...)
	doc.add(examineClock(c.now(time.Now())(), c)...)
	doc.add(examineTrunks(ctx, c)...)
	doc.add(examineRoom(c, 0)...)
	return doc
}

// examine is the doctor's round, in the house.
func examine(ctx context.Context, h *house, _ struct{}, _ request) (doctorDoc, error) {
	var doc doctorDoc
	if h.waits != nil {
		return h.examineWaiting(ctx), nil
	}
	records, err := h.store.Campaigns(ctx)
	var accounts []dialer.Account
	if err == nil {
		accounts, err = h.store.Accounts(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			return doc, err
		}
		doc = examineWithout(ctx, h.dir, h.config, err)
		doc.add(h.examineJournal()...)
		doc.add(h.examineJournalKeys())
		return doc, nil
	}
	doc.add(h.examineService(accounts))
	doc.add(examineDisk(h.dir)...)
	doc.add(h.examineJournal()...)
	doc.add(examineClock(h.now(), h.config)...)
	doc.add(h.examineKey())
	doc.add(h.examineJournalKeys())
	doc.add(h.examineStore(ctx)...)
	doc.add(h.examineNodeClocks(ctx)...)
	doc.add(examineTrunks(ctx, h.config)...)
	doc.add(examineRoom(h.config, len(accounts))...)
	recorded := slices.ContainsFunc(records, func(r dialer.CampaignRecord) bool { return r.Campaign.Recording.On() })
	doc.add(h.examineRecordings(recorded, len(accounts))...)
	taken, err := listRegisters(ctx, h, struct{}{}, request{})
	if err != nil {
		return doc, err
	}
	for _, r := range records {
		doc.add(h.examineCampaign(r, taken.Registers)...)
	}
	if len(records) == 0 {
		doc.add(finding{"campaigns", warns, "there is none", "pronto campaign apply FILE"})
	}
	return doc, nil
}

// examineWaiting is the round in a house that has no state yet.
func (h *house) examineWaiting(ctx context.Context) doctorDoc {
	doc := examineWithout(ctx, h.dir, h.config, h.waits())
	doc.add(finding{"service", wrong, "running, and waiting for its state: no calls are taken", "it dials by itself as soon as Redis answers"})
	doc.add(h.examineJournal()...)
	doc.add(h.examineJournalKeys())
	return doc
}

// examineService says whether the service runs and how its agents stand.
func (h *house) examineService(accounts []dialer.Account) finding {
	if h.live == nil {
		return finding{"service", warns, "not running", "pronto serve"}
	}
	byState := map[dialer.AgentState]int{}
	here := 0
	for _, a := range h.live().Agents {
		byState[a.State]++
		if a.State != dialer.LoggedOut {
			here++
		}
	}
	says := fmt.Sprintf("running; %d of %s here, %d ready", here, plural(len(accounts), "agent"), byState[dialer.Ready])
	switch {
	case len(accounts) == 0:
		return finding{"service", warns, "running, without agents", "pronto agent add NAME"}
	case here == 0:
		return finding{"service", warns, says, "no agent's phone is there: register the phones with sip.listen, user and password of pronto agent add"}
	}
	return finding{"service", good, says, ""}
}

// examineCampaign looks at what one campaign needs today.
func (h *house) examineCampaign(r dialer.CampaignRecord, taken []registerDoc) []finding {
	check := "campaign " + r.Campaign.Name
	now := h.now()
	set, ok := h.book.Lookup(r.Campaign.Jurisdiction, now)
	if !ok {
		return []finding{{check, wrong, fmt.Sprintf("no rule set %q is valid today: every call is refused", r.Campaign.Jurisdiction), "update Pronto, or see pronto dnc rules list"}}
	}
	var out []finding
	if left := set.File.Left(now); left < 30*24*time.Hour {
		out = append(out, finding{check, warns, fmt.Sprintf("the rule set %s ends in %d days", r.Campaign.Jurisdiction, int(left/(24*time.Hour))), "update Pronto before then"})
	}
	if h.ready != nil {
		if err := h.ready(r); err != nil {
			out = append(out, finding{check, wrong, "cannot start: " + err.Error(), ""})
		}
	}
	for _, g := range taken {
		if slices.Contains(g.Jurisdictions, r.Campaign.Jurisdiction) && (g.Seller == "" || g.Seller == r.Campaign.Seller) {
			out = append(out, examineRegister(check, g, r, now)...)
		}
	}
	if len(out) == 0 {
		out = []finding{{check, good, fmt.Sprintf("%s, under %s", r.State, strings.SplitN(set.ID(), "@", 2)[0]), ""}}
	}
	return out
}
