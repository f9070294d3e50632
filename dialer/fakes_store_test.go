package dialer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// fakeStore keeps leads and attempts in memory.
type fakeStore struct {
	mu       sync.Mutex
	record   CampaignRecord
	others   []CampaignRecord // more campaigns
	accounts []Account
	leads    map[campaigns.LeadID]*campaigns.Lead
	leased   map[campaigns.LeadID]bool
	attempts map[string]Attempt
	settled  map[string]int
	applied  uint64
	optOuts  []dnc.OptOut
	consents []dnc.Consent
	full     bool // no opt-out and no consent can be written
	bindings map[string]Binding
	nailed   map[string]Dialog
	rung     map[string]Caller
}

func newFakeStore(c campaigns.Campaign, leads, agents int) *fakeStore {
	s := &fakeStore{
		record: CampaignRecord{Campaign: c, State: Running, CreatedAt: time.Now(), UpdatedAt: time.Now()},
		leads:  map[campaigns.LeadID]*campaigns.Lead{}, leased: map[campaigns.LeadID]bool{},
		attempts: map[string]Attempt{}, settled: map[string]int{}, bindings: map[string]Binding{}, nailed: map[string]Dialog{}, rung: map[string]Caller{},
	}
	for i := range leads {
		id := campaigns.LeadID(i + 1)
		s.leads[id] = &campaigns.Lead{ID: id, Campaign: c.Name, Number: campaigns.Number("+3933312300" + string(rune('0'+i/10%10)) + string(rune('0'+i%10)))}
	}
	for i := range agents {
		s.accounts = append(s.accounts, Account{Name: "agent" + string(rune('0'+i/10)) + string(rune('0'+i%10))})
	}
	return s
}

func (s *fakeStore) lead(id campaigns.LeadID) campaigns.Lead {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.leads[id]
}

func (s *fakeStore) Lease(_ context.Context, campaign, _ string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []campaigns.Lead
	for _, behind := range []bool{false, true} {
		for id := campaigns.LeadID(1); int(id) <= len(s.leads) && len(out) < d.N; id++ {
			if l := s.leads[id]; l.Behind == behind && l.Campaign == campaign && !s.leased[id] && !l.Done && !l.Due.After(now) && (d.Lots == nil || slices.Contains(d.Lists(), l.List)) {
				s.leased[id] = true
				out = append(out, *l)
			}
		}
	}
	return out, nil
}

func (s *fakeStore) PutBy(_ context.Context, ids []campaigns.LeadID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.leased, id)
		s.leads[id].Behind = true
	}
	return nil
}

func (s *fakeStore) LeaseCallbacks(_ context.Context, campaign, _ string, n int, now time.Time) ([]campaigns.Lead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []campaigns.Lead
	for id := campaigns.LeadID(1); int(id) <= len(s.leads) && len(out) < n; id++ {
		if l := s.leads[id]; l.Callback && l.Campaign == campaign && !s.leased[id] && !l.Done && !l.Due.After(now) {
			s.leased[id] = true
			out = append(out, *l)
		}
	}
	return out, nil
}

func (s *fakeStore) Return(_ context.Context, ids []campaigns.LeadID, due time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.leased, id)
		if l := s.leads[id]; !l.Callback || !due.IsZero() {
			l.Due = due
		}
	}
	return nil
}

func (s *fakeStore) Apply(_ context.Context, changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		a := c.Attempt
		l := s.leads[a.Lead]
		if l == nil { // a call to nobody of the list
			l = &campaigns.Lead{}
		}
		if _, ok := s.attempts[a.ID]; !ok {
			l.Attempts++
			s.leased[a.Lead] = true
		}
		if c.Settled && (s.settled[a.ID] == 0 || c.Amended) {
			s.settled[a.ID]++
			delete(s.leased, a.Lead)
			if !c.Amended {
				if l.LastOutcome != a.Outcome {
					l.Tries = 0
				}
				l.Tries++
			}
			l.Due, l.Done, l.LastOutcome = a.RetryAt, a.Done, a.Outcome
			l.Callback, l.Agent = a.Callback, a.Agent
			if a.Disposition != "" {
				l.Disposition = a.Disposition
			}
			if a.Answers != nil {
				l.Answers = a.Answers
			}
		}
		s.attempts[a.ID] = a
		s.applied = max(s.applied, cmp.Or(c.Safe, c.Seq))
	}
	return nil
}

func (s *fakeStore) Applied(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied, nil
}

func (s *fakeStore) Settled(_ context.Context, id string) (Attempt, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.attempts[id]
	return a, ok && s.settled[id] > 0, nil
}

func (s *fakeStore) Unsettled(context.Context) ([]Attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Attempt
	for id, a := range s.attempts {
		if s.settled[id] == 0 {
			l := s.leads[a.Lead]
			if l == nil {
				l = &campaigns.Lead{}
			}
			a.Before = campaigns.Lead{Attempts: l.Attempts - 1, Tries: l.Tries, LastOutcome: l.LastOutcome}
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *fakeStore) Accounts(context.Context) ([]Account, error) { return s.accounts, nil }

func (s *fakeStore) Campaigns(context.Context) ([]CampaignRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]CampaignRecord{s.record}, s.others...), nil
}

func (s *fakeStore) SetState(_ context.Context, name string, st CampaignState, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.others {
		if s.others[i].Campaign.Name == name {
			s.others[i].State, s.others[i].UpdatedAt = st, now
			return nil
		}
	}
	s.record.State, s.record.UpdatedAt = st, now
	return nil
}

func (s *fakeStore) Hasten(_ context.Context, campaign string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.leads {
		if l.Attempts == 0 && !l.Done && !s.leased[id] && (campaign == "" || campaign == l.Campaign) {
			l.Due = time.Time{}
		}
	}
	return nil
}

func (s *fakeStore) RemoveOptOut(_ context.Context, n campaigns.Number, seller, campaign string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.optOuts)
	s.optOuts = slices.DeleteFunc(s.optOuts, func(o dnc.OptOut) bool {
		return o.Number == n && o.Seller == seller && o.Campaign == campaign
	})
	return len(s.optOuts) < before, nil
}

func (s *fakeStore) AddOptOuts(_ context.Context, o []dnc.OptOut) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return 0, errors.New("disk full")
	}
	s.optOuts = append(s.optOuts, o...)
	return len(o), nil
}

func (s *fakeStore) OptOutsOf(_ context.Context, n campaigns.Number) ([]dnc.OptOut, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.optOuts), func(e dnc.OptOut) bool { return e.Number != n }), nil
}

func (s *fakeStore) AddConsents(_ context.Context, records []dnc.Consent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("disk full")
	}
	s.consents = append(s.consents, records...)
	return nil
}

func (s *fakeStore) Bindings(context.Context) ([]Binding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.bindings)), nil
}

func (s *fakeStore) NailedUp(context.Context) (map[string]Dialog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.nailed), nil
}

func (s *fakeStore) RememberBinding(_ context.Context, agent string, b *Binding) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bindings, agent)
	if b != nil {
		s.bindings[agent] = *b
	}
	return nil
}

func (s *fakeStore) RememberCall(_ context.Context, agent string, d *Dialog) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nailed, agent)
	if d != nil {
		s.nailed[agent] = *d
	}
	return nil
}
