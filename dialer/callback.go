package dialer

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// agentWait is how long somebody who rang back waits for an agent where the
// configuration gives no time.
const agentWait = 30 * time.Second

// takeCalls tells the trunks which numbers are answered: every campaign's caller
// IDs, whatever its state, and those of the configuration. A service that drains answers nobody any more.
func (s *Service) takeCalls(records []CampaignRecord) {
	if s.floor.draining {
		s.Callers.Take(nil)
		return
	}
	numbers := []campaigns.Number{}
	for _, r := range records {
		numbers = append(numbers, r.Campaign.CallerIDs...)
	}
	for n := range s.Callbacks.Sellers {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	s.Callers.Take(slices.Compact(numbers))
}

// rung answers a call in a goroutine of its own.
func (s *Service) rung(ctx context.Context, ring Ring) {
	s.work.Go(func() {
		c, err := s.newCaller(ctx, ring)
		if err != nil {
			s.Log.Error("somebody who rings back is not answered", zap.String("callID", ring.CallID()), zap.Error(err))
			ring.Refuse(statusUnavailable)
			return
		}
		c.run(ctx)
	})
}

const statusUnavailable = 503 // RFC 3261 section 21.5.4

// newCaller finds out which call is returned: the last one to the caller's
// number for a seller that shows the number rung decides; without one the campaign that shows it.
func (s *Service) newCaller(ctx context.Context, ring Ring) (*caller, error) {
	records, err := s.Campaigns.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	c := &caller{
		svc: s, ring: ring, id: s.newAttemptID(s.Now()), seller: s.Callbacks.Sellers[ring.Called()],
		tasks: make(chan task, 64), over: make(chan struct{}),
	}
	c.log = s.Log.With(zap.String("attempt", c.id), zap.String("callID", ring.CallID()))
	showing := slices.DeleteFunc(slices.Clone(records), func(r CampaignRecord) bool {
		return !slices.Contains(r.Campaign.CallerIDs, ring.Called())
	})
	slices.SortFunc(showing, func(a, b CampaignRecord) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.UpdatedAt.Compare(a.UpdatedAt))
	})
	if len(showing) > 0 {
		c.camp, c.seller = &showing[0].Campaign, showing[0].Campaign.Seller
	}
	if err := c.findLast(ctx, records, showing); err != nil {
		return nil, err
	}
	c.plan = campaigns.Callback{}.WithDefaults()
	if c.camp != nil {
		c.plan = c.camp.Callback.WithDefaults()
	}
	return c, nil
}

// rank orders campaigns that show the same number: those that run come first.
func rank(r CampaignRecord) int {
	if r.State == Running {
		return 0
	}
	return 1
}

// findLast finds the last call to the caller's number, and the campaign that
// placed it.
func (c *caller) findLast(ctx context.Context, records, showing []CampaignRecord) error {
	if c.ring.Caller() == "" {
		return nil
	}
	sellers := []string{c.seller}
	for _, r := range showing {
		sellers = append(sellers, r.Campaign.Seller)
	}
	slices.Sort(sellers)
	for _, seller := range slices.Compact(sellers) {
		a, some, err := c.svc.CallerBook.LastAttempt(ctx, seller, c.ring.Caller())
		if err != nil {
			return err
		}
		if !some || a.At.Before(c.last.At) {
			continue
		}
		c.last, c.seller = a, seller
		if i := slices.IndexFunc(records, func(r CampaignRecord) bool { return r.Campaign.Name == a.Campaign }); i >= 0 {
			c.camp = &records[i].Campaign
		}
	}
	return nil
}

// amendedBack reads what a call to us changed of the last attempt to its number.
func amendedBack(r journal.Record) (Attempt, bool) {
	var d journal.CalledBackDetail
	if json.Unmarshal(r.Detail, &d) != nil || d.Settled == nil || d.Attempt == "" {
		return Attempt{}, false
	}
	return Attempt{
		ID: d.Attempt, Lead: campaigns.LeadID(r.Lead), Campaign: r.Campaign, Number: campaigns.Number(r.Number), At: r.At,
		RetryAt: d.Settled.RetryAt, Done: d.Settled.Done, Disposition: d.Settled.Disposition, Refusal: d.Settled.Refusal,
		NextNumber: d.Settled.NextNumber,
		Callback:   d.Settled.Callback, Agent: d.Settled.Agent, Answers: answersOf(r),
	}, true
}

// endCallersLeft writes the end of the calls that the last process left and that
// were ended on the wire.
func (s *Service) endCallersLeft(ctx context.Context, left []Caller) {
	for _, c := range left {
		rec := journal.Record{
			At: s.Now(), Kind: journal.CalledBack, Campaign: c.Campaign, Attempt: c.ID, CallID: c.Dialog.CallID,
			Number: string(c.Number), Outcome: journal.CallerEnded, Reason: string(campaigns.Interrupted),
		}
		s.scribe.note(rec, journal.CalledBackDetail{Withheld: c.Number == ""})
		if err := s.CallerBook.ForgetCaller(ctx, c.ID); err != nil {
			s.Log.Warn("the call of somebody who rang back is not forgotten", zap.String("attempt", c.ID), zap.Error(err))
		}
	}
}
