package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
)

func newAuditEraseCommand(g *globals) *cobra.Command {
	args := eraseArgs{}
	cmd := &cobra.Command{
		Use:   "erase NUMBER",
		Short: "Erase what is held of a number, and say what stays, why and until when",
		Long: `Erases what no duty to keep covers: leads and register verdicts at once; consents, attempts and the journal's personal
data when the rules of the campaigns that called the number let. What must stay is there for pronto audit alone; it is
erased when its time has come, by the service or by pronto audit erase --due. The journal's chain still verifies, and
the number stays on the company's own list if it is on it, so that it is not called again.

EXIT STATUS
  0  erased as far as may be
  1  failed; the number is being called, for example
  2  the command line is wrong`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if (len(words) == 1) == args.Due {
				return usageError(errors.New("give NUMBER or --due"))
			}
			if len(words) == 1 {
				args.Number = words[0]
			}
			return runAuditErase(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Country, "country", "", "country of a number in national form, as IT (default: the campaigns')")
	f.BoolVar(&args.DryRun, "dry-run", false, "only say what would be erased and what would stay")
	f.BoolVar(&args.Due, "due", false, "erase what was asked for earlier and may be erased by now")
	return cmd
}

// eraseArgs name the number.
type eraseArgs struct {
	Number  string `json:"number,omitempty"`
	Country string `json:"country,omitempty"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Due     bool   `json:"due,omitempty"`
}

// erasuresDoc is the JSON of audit erase.
type erasuresDoc struct {
	Erasures []erasureDoc `json:"erasures"`
}

// erasureDoc is what became of one number.
type erasureDoc struct {
	Number   campaigns.Number `json:"number"`
	DryRun   bool             `json:"dry_run,omitempty"`
	Leads    int              `json:"leads"`
	Verdicts int              `json:"verdicts"`
	Consents int              `json:"consents"`
	Attempts int              `json:"attempts"`
	// Recordings are the files of calls' sound.
	Recordings int       `json:"recordings"`
	Keys       int       `json:"journal_keys"` // of the journal's personal data, destroyed
	Stays      []stayDoc `json:"stays"`
	// Others are the further numbers of the leads: those go with them, but verdicts, calls and consents of the numbers stay.
	Others []campaigns.Number `json:"other_numbers,omitempty"`
	Due    *time.Time         `json:"due"` // when the first of the rest is erased; null: nothing waits
}

// stayDoc is something that is not erased now.
type stayDoc struct {
	What  string     `json:"what"`
	Why   string     `json:"why"`
	Rule  string     `json:"rule,omitempty"`
	Until *time.Time `json:"until"`          // null: without end, or as long as it is held
	Held  bool       `json:"held,omitempty"` // by a legal hold
}

func runAuditErase(cmd *cobra.Command, g *globals, args eraseArgs) error {
	doc, err := ask[erasuresDoc](cmd.Context(), g, "audit erase", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Erasures) == 0 {
			cmd.Println("nothing is due")
		}
		for _, e := range doc.Erasures {
			e.print(cmd)
		}
	})
}

func (e erasureDoc) print(cmd *cobra.Command) {
	verb := "erased"
	if e.DryRun {
		verb = "would be erased"
	}
	cmd.Printf("%s, %s: %s, %s, %s, %s", e.Number, verb, plurals(e.Leads, "lead"), plurals(e.Verdicts, "verdict"), plurals(e.Consents, "consent"), plurals(e.Attempts, "attempt"))
	if e.Recordings > 0 {
		cmd.Printf(", %s", plurals(e.Recordings, "recording"))
	}
	if !e.DryRun {
		cmd.Printf(", %s of the journal", plurals(e.Keys, "key"))
	}
	cmd.Println()
	for _, n := range e.Others {
		cmd.Printf("  the lead has %s too: what is held of that number goes with pronto audit erase %s\n", n, n)
	}
	for _, s := range e.Stays {
		until := "without end"
		if s.Held {
			until = "until the hold is taken off"
		} else if s.Until != nil {
			until = "until " + day(*s.Until)
		}
		rule := ""
		if s.Rule != "" {
			rule = " [" + s.Rule + "]"
		}
		cmd.Printf("  stays %s: %s%s: %s\n", until, s.What, rule, s.Why)
	}
	if e.Due != nil && !e.DryRun {
		cmd.Printf("  erased when its time comes, first on %s, by the service or by pronto audit erase --due\n", day(*e.Due))
	}
}

func eraseNumber(ctx context.Context, h *house, args eraseArgs, r request) (erasuresDoc, error) {
	if args.Due {
		return h.eraseDue(ctx, args.DryRun)
	}
	n, err := h.number(ctx, args.Number, args.Country)
	if err != nil {
		return erasuresDoc{}, err
	}
	one, err := h.erase(ctx, n, r.who, args.DryRun)
	return erasuresDoc{Erasures: []erasureDoc{one}}, err
}

// eraseDue erases what was asked for earlier and may be erased by now. A number
// that is at the dialer waits for the next time.
func (h *house) eraseDue(ctx context.Context, dry bool) (erasuresDoc, error) {
	doc := erasuresDoc{Erasures: []erasureDoc{}}
	list, err := h.store.Erasures(ctx, h.now())
	if err != nil {
		return doc, err
	}
	var errs []error
	for _, e := range list {
		one, err := h.erase(ctx, e.Number, e.Who, dry)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Number.Masked(), err))
			continue
		}
		doc.Erasures = append(doc.Erasures, one)
	}
	return doc, errors.Join(errs...)
}

// eraseDaily erases what falls due while the service runs.
func (h *house) eraseDaily(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(24 * time.Hour)
	defer tick.Stop()
	for {
		_, err := h.eraseDue(ctx, false)
		if err = errors.Join(err, h.removeRecordings(ctx)); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
