package dialer

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// metCalls are the calls of an earlier process that prove to have been answered
// after it died.
type metCalls struct {
	svc   *Service
	plans map[string]*campaigns.Campaign
	open  map[string]Attempt // by Call-ID

	mu      sync.Mutex           // protects the fields below
	at      map[string]time.Time // of the answer, by Call-ID
	settled map[string]bool      // settled by this start, by Call-ID
	strange map[string]bool      // answers of calls that are not in open, by Call-ID
}

// met counts an answer as abandoned. Its record is on disk on return: only then
// is the call ended, so that it is counted even if this process dies too. Where the attempt was settled before
// its answer came to light, the settlement is amended, so that who was left in silence is left in peace.
func (m *metCalls) met(d Dialog, at time.Time) {
	callID := d.CallID
	a, ours := m.open[callID]
	m.mu.Lock()
	_, twice := m.at[callID]
	_, again := m.strange[callID]
	if ours {
		m.at[callID] = at
	} else {
		m.strange[callID] = true
	}
	late := m.settled[callID]
	m.mu.Unlock()
	if twice || again {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	if !ours {
		var known bool
		if a, late, known = m.svc.settledBefore(ctx, callID); !known {
			m.svc.background(func(ctx context.Context) { m.follow(ctx, d, at) })
		}
		if !late {
			return
		}
	}
	if late {
		m.svc.amend(ctx, a, m.plans[a.Campaign], d, at)
		return
	}
	if _, err := m.svc.Journal.Commit(ctx, lost(a, d, at)); err != nil {
		m.svc.Log.Error("an answer that met a dead process is not counted", zap.String("attempt", a.ID), zap.Error(err))
	}
}

// follow counts an answer that came in the moment in which its attempt ends, once
// the end is in the store.
func (m *metCalls) follow(ctx context.Context, d Dialog, at time.Time) {
	for pause(ctx, time.Second) {
		if a, late, known := m.svc.settledBefore(ctx, d.CallID); known {
			if late {
				m.svc.amend(ctx, a, m.plans[a.Campaign], d, at)
			}
			return
		}
	}
}

// settle is the instant of the call's answer; zero: none is known, and the
// attempt is settled without one from now on.
func (m *metCalls) settle(callID string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled[callID] = true
	return m.at[callID]
}

// settledBefore finds the attempt of a call whose answer comes to light when nobody
// waits for it any more: late when it was settled, and not as answered; known when it was settled at all. A
// Call-ID is that of its attempt in lower case.
func (s *Service) settledBefore(ctx context.Context, callID string) (a Attempt, late, known bool) {
	if len(callID) < ulidLength {
		return a, false, true
	}
	a, known, err := s.Attempts.Settled(ctx, strings.ToUpper(callID[:ulidLength]))
	if err != nil {
		s.Log.Error("an answer that nobody waited for is not counted", zap.String("callID", callID), zap.Error(err))
		return a, false, true
	}
	switch a.Outcome {
	case campaigns.Bridged, campaigns.Abandoned, campaigns.HungUp, campaigns.Machine:
		return a, false, known // counted when it was answered
	default:
		return a, known, known
	}
}

// ulidLength is the length of an attempt's id.
const ulidLength = 26

// amend counts an answer as abandoned whose attempt was settled without one.
func (s *Service) amend(ctx context.Context, a Attempt, c *campaigns.Campaign, d Dialog, at time.Time) {
	if c == nil {
		c = &campaigns.Campaign{}
	}
	a.Outcome = campaigns.Abandoned
	a.RetryAt, a.Done = c.After(a.Before, a.Outcome, at)
	settled := settledDetail(a)
	rec := lost(a, d, at)
	rec.Outcome, rec.Detail = string(a.Outcome), encode(journal.AbandonedDetail{Settled: &settled})
	if err := s.scribe.amend(ctx, rec, a); err != nil {
		s.Log.Error("an answer that met a dead process is not counted", zap.String("attempt", a.ID), zap.Error(err))
	}
}

// lost is the record that counts an answer which met a dead process. It holds the
// dialog where the call is still to be ended.
func lost(a Attempt, d Dialog, at time.Time) journal.Record {
	r := journal.Record{
		At: at, Kind: journal.Abandoned, Campaign: a.Campaign, Attempt: a.ID, Lead: int64(a.Lead),
		CallID: d.CallID, Number: string(a.Number), Reason: string(campaigns.Interrupted),
	}
	if d.ToTag != "" {
		r.Personal = encode(d)
	}
	return r
}
