package dialer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// recover brings the store up to the journal, ends the calls that the last
// process left on the wire and settles their attempts, before any new call.
func (s *Service) recover(ctx context.Context) error {
	plans, err := s.catchUp(ctx)
	if err != nil {
		return err
	}
	phones, err := s.phonesLeft(ctx)
	if err != nil {
		return err
	}
	open, err := s.Attempts.Unsettled(ctx)
	if err != nil {
		return err
	}
	callers, err := s.CallerBook.CallersLeft(ctx)
	if err != nil {
		return err
	}
	if err := s.settleLeft(ctx, open, plans, phones, callers); err != nil {
		return err
	}
	s.endCallersLeft(ctx, callers)
	return nil
}

// CatchUp brings a store up to the journal without a service, as a start does first. Of c it
// needs Attempts, Campaigns, OptOuts, Consents and ReadFrom.
func CatchUp(ctx context.Context, c Config) error {
	s := &Service{Config: c}
	if _, err := s.catchUp(ctx); err != nil {
		return fmt.Errorf("bring the state up to the journal: %w", err)
	}
	return nil
}

// catchUp brings the store up to the journal, and gives the campaigns' retry rules by name.
func (s *Service) catchUp(ctx context.Context) (map[string]*campaigns.Campaign, error) {
	applied, err := s.Attempts.Applied(ctx)
	if err != nil {
		return nil, err
	}
	plans, err := s.campaignPlans(ctx)
	if err != nil {
		return nil, err
	}
	tail, err := s.readTail(applied, plans)
	if err != nil {
		return nil, err
	}
	return plans, s.replay(ctx, tail)
}

// phonesLeft takes over the registrations of the last process and gives the
// calls to agents' phones that it left.
func (s *Service) phonesLeft(ctx context.Context) (map[string]Dialog, error) {
	known, err := s.Book.Bindings(ctx)
	if err != nil {
		return nil, err
	}
	s.Phones.Restore(known)
	return s.Book.NailedUp(ctx)
}

// campaignPlans gives the campaigns' retry rules by name.
func (s *Service) campaignPlans(ctx context.Context) (map[string]*campaigns.Campaign, error) {
	records, err := s.Campaigns.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	plans := map[string]*campaigns.Campaign{}
	for _, r := range records {
		plans[r.Campaign.Name] = &r.Campaign
	}
	return plans, nil
}

// tail is what the journal holds beyond the store.
type tail struct {
	changes []Change
	list    []listStep // of the company's own list and of consents, in order
}

// listStep is an entry put on the company's own list or taken off it, or a consent
// that was taken in.
type listStep struct {
	entry   dnc.OptOut
	off     bool
	consent *dnc.Consent
}

// replay brings the store up to the tail. The changes come last, because with
// them the store says that it has everything up to there.
func (s *Service) replay(ctx context.Context, t tail) error {
	again, err := s.outAgain(ctx, t.list)
	if err != nil {
		return fmt.Errorf("replay opt-outs and consents into the store: %w", err)
	}
	for i, step := range t.list {
		if again[i] {
			continue
		}
		if err := s.replayStep(ctx, step); err != nil {
			return fmt.Errorf("replay opt-outs and consents into the store: %w", err)
		}
	}
	if len(t.changes) == 0 {
		return nil
	}
	if err := s.Attempts.Apply(ctx, t.changes); err != nil {
		return fmt.Errorf("replay %d journal records into the store: %w", len(t.changes), err)
	}
	return nil
}

func (s *Service) replayStep(ctx context.Context, step listStep) error {
	switch {
	case step.consent != nil:
		return s.Consents.AddConsents(ctx, []dnc.Consent{*step.consent})
	case step.off:
		_, err := s.OptOuts.RemoveOptOut(ctx, step.entry.Number, step.entry.Seller, step.entry.Campaign)
		return err
	}
	_, err := s.OptOuts.AddOptOuts(ctx, []dnc.OptOut{step.entry})
	return err
}

// outAgain finds the steps that take an entry off the company's own list which was put on it
// later, by another node: those are over. It looks before anything is replayed, which would make entries older.
func (s *Service) outAgain(ctx context.Context, list []listStep) (map[int]bool, error) {
	again := map[int]bool{}
	for i, step := range list {
		if !step.off {
			continue
		}
		known, err := s.OptOuts.OptOutsOf(ctx, step.entry.Number)
		if err != nil {
			return nil, err
		}
		again[i] = slices.ContainsFunc(known, func(e dnc.OptOut) bool {
			return e.Seller == step.entry.Seller && e.Campaign == step.entry.Campaign && e.At.After(step.entry.At)
		})
	}
	return again, nil
}

// readTail collects the changes after the applied record.
func (s *Service) readTail(applied uint64, plans map[string]*campaigns.Campaign) (tail, error) {
	var t tail
	sellers := map[string]Attempt{}
	for r, err := range s.ReadFrom(applied + 1) {
		if err != nil {
			return t, fmt.Errorf("read journal: %w", err)
		}
		switch r.Kind {
		case journal.Cleared:
			a := intentOf(r, plans[r.Campaign])
			sellers[r.Attempt] = a
			t.changes = append(t.changes, Change{Attempt: a, Seq: r.Seq})
		case journal.Ended, journal.Interrupted, journal.Disposed, journal.Abandoned:
			a, ok := settledOf(r, sellers[r.Attempt], plans[r.Campaign])
			if ok {
				t.changes = append(t.changes, Change{Attempt: a, Settled: true, Amended: amends(r.Kind), Seq: r.Seq})
			}
		case journal.OptedOut, journal.OptedIn:
			var d journal.OptOutDetail
			if json.Unmarshal(r.Detail, &d) == nil && r.Number != "" {
				entry := dnc.OptOut{Number: campaigns.Number(r.Number), Seller: d.Seller, Campaign: d.Campaign, At: r.At, Source: d.Source}
				t.list = append(t.list, listStep{entry: entry, off: r.Kind == journal.OptedIn})
			}
		case journal.Consented:
			var c dnc.Consent // an erased person's has no number
			if json.Unmarshal(r.Detail, &c) == nil && c.Number != "" && string(c.Number) == r.Number {
				if c.Said.IsZero() {
					c.Said = r.At
				}
				t.list = append(t.list, listStep{consent: &c})
			}
		case journal.CalledBack:
			if a, ok := amendedBack(r); ok {
				t.changes = append(t.changes, Change{Attempt: a, Settled: true, Amended: true, Seq: r.Seq})
			}
		}
	}
	return t, nil
}

// intentOf reads an intent out of its evidence.
func intentOf(r journal.Record, c *campaigns.Campaign) Attempt {
	a := Attempt{ID: r.Attempt, Lead: campaigns.LeadID(r.Lead), Campaign: r.Campaign, Number: campaigns.Number(r.Number), At: r.At}
	if c != nil {
		a.Seller = c.Seller
		a.RetryAt = r.At.Add(c.RetryDelay(campaigns.Interrupted))
	}
	if r.Kind == journal.Cleared {
		var v dnc.Verdict
		_ = json.Unmarshal(r.Detail, &v) // one that cannot be read showed no number that is known
		a.CallerID = v.CallerID
	}
	return a
}

// settledOf reads a settlement; false when the record settles nothing.
func settledOf(r journal.Record, intent Attempt, c *campaigns.Campaign) (Attempt, bool) {
	a := intent
	if a.ID == "" {
		a = intentOf(r, c)
	}
	var e struct { // the part that they share
		Settled *journal.SettledDetail `json:"settled"`
	}
	if json.Unmarshal(r.Detail, &e) != nil || e.Settled == nil {
		return a, false
	}
	d := *e.Settled
	a.Outcome = campaigns.Outcome(d.Outcome)
	if r.Kind != journal.Disposed {
		a.Outcome = campaigns.Outcome(r.Outcome)
	}
	a.RetryAt, a.Done, a.Disposition, a.Refusal, a.NextNumber = d.RetryAt, d.Done, d.Disposition, d.Refusal, d.NextNumber
	a.Callback, a.Agent = d.Callback, d.Agent
	if r.Kind == journal.Disposed || r.Kind == journal.Ended {
		a.Answers = answersOf(r)
	}
	return a, true
}

// answersOf are the answers that a disposition's record holds; nil: none.
func answersOf(r journal.Record) map[string]string {
	var p journal.DisposedPersonal
	_ = json.Unmarshal(r.Personal, &p) // of a person who was erased there is none
	return p.Answers
}
