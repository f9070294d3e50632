package dialer

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// recoverFor is how long a start waits for the calls of a dead process to end.
const recoverFor = 5 * time.Second

// settleLeft ends on the wire what may still ring or talk, agents' phones
// included, then settles each open attempt as perhaps dialed. Answers that met the dead process and no agent
// count as abandoned.
func (s *Service) settleLeft(ctx context.Context, open []Attempt, plans map[string]*campaigns.Campaign, phones map[string]Dialog) error {
	left, err := s.dialogsOf(open)
	if err != nil {
		return err
	}
	var dialogs []Dialog
	for _, a := range open {
		d := left[a.ID].dialog
		if d.CallID == "" {
			d = s.presume(a, left[a.ID], plans[a.Campaign])
		}
		if d.CallID != "" {
			dialogs = append(dialogs, d)
		}
	}
	s.Log.Info("ending what the last run left", zap.Int("attempts", len(open)), zap.Int("dialogs", len(dialogs)), zap.Int("phones", len(phones)))
	for _, d := range phones {
		dialogs = append(dialogs, d)
	}
	calls := &metCalls{svc: s, at: map[string]time.Time{}, settled: map[string]Attempt{}}
	ending, cancel := context.WithTimeout(ctx, recoverFor)
	s.Trunk.Recover(ending, dialogs, calls.met)
	cancel()
	for agent := range phones {
		s.rememberCall(ctx, agent, nil)
	}
	calls.settle(open, left, plans, s.Now())
	return nil
}

// presume gives the dialog of an attempt that was cleared and of which nothing
// else is known: its INVITE may have left before the record of it reached the disk.
func (s *Service) presume(a Attempt, l leftover, c *campaigns.Campaign) Dialog {
	if l.callerID == "" || c == nil {
		return Dialog{}
	}
	return s.Trunk.Presume(Presumed{Attempt: a.ID, Trunk: c.Trunk, Number: a.Number, CallerID: l.callerID, At: a.At})
}

// metCalls are the calls of the last process that prove to have been answered
// after it died. Those that answer once their attempts are settled still count as abandoned.
type metCalls struct {
	svc *Service

	mu      sync.Mutex           // protects the fields below
	at      map[string]time.Time // by Call-ID
	settled map[string]Attempt   // as interrupted, by Call-ID
}

// met is told of an answer.
func (m *metCalls) met(callID string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at[callID] = at
	if a, ok := m.settled[callID]; ok {
		delete(m.settled, callID)
		m.svc.scribe.note(lost(a, callID, at), nil)
	}
}

// settle settles the attempts with what is known by now.
func (m *metCalls) settle(open []Attempt, left map[string]leftover, plans map[string]*campaigns.Campaign, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range open {
		l := left[a.ID]
		id := l.dialog.CallID
		if id == "" {
			id = m.svc.presume(a, l, plans[a.Campaign]).CallID
		}
		if at, ok := m.at[id]; ok && !l.answered {
			l.answered, l.answeredAt, l.dialog.CallID = true, at, id
		}
		m.svc.settleOne(a, l, plans[a.Campaign], now)
		if !l.answered {
			m.settled[id] = a
		}
	}
}

// lost is the record that counts an answer which met a dead process.
func lost(a Attempt, callID string, at time.Time) journal.Record {
	return journal.Record{
		At: at, Kind: journal.Abandoned, Campaign: a.Campaign, Attempt: a.ID, Lead: int64(a.Lead),
		CallID: callID, Number: string(a.Number), Reason: string(campaigns.Interrupted),
	}
}

// settleOne writes the end of one attempt that the last run left open. Its
// retry delay begins now: until now its phone may have rung.
func (s *Service) settleOne(a Attempt, l leftover, c *campaigns.Campaign, now time.Time) {
	rec := journal.Record{At: now, Kind: journal.Interrupted, Campaign: a.Campaign, Attempt: a.ID, Lead: int64(a.Lead), CallID: l.dialog.CallID, Number: string(a.Number)}
	detail := journal.InterruptedDetail{Last: l.last, Dialed: l.dialog.CallID != ""}
	if c == nil {
		c = &campaigns.Campaign{} // gone: the delays that hold where a campaign gives none
	}
	a.Outcome = campaigns.Interrupted
	switch {
	case l.connected:
		a.Outcome, a.Done = campaigns.Bridged, true
	case l.answered:
		a.Outcome = campaigns.Abandoned
		if !l.abandoned {
			detail.Abandoned = true
			if l.answeredAt.IsZero() {
				l.answeredAt = now
			}
			s.scribe.note(lost(a, rec.CallID, l.answeredAt), nil)
		}
	}
	a.RetryAt = now.Add(c.RetryDelay(a.Outcome))
	rec.Outcome = string(a.Outcome)
	detail.Settled = settledDetail(a)
	s.scribe.settle(rec, detail, a)
}

// leftover is how far an open attempt got.
type leftover struct {
	last                           journal.Kind
	callerID                       campaigns.Number
	dialog                         Dialog
	answeredAt                     time.Time
	answered, connected, abandoned bool
}

// take follows the attempt by one record.
func (l *leftover) take(r journal.Record) {
	l.last = r.Kind
	switch r.Kind {
	case journal.Cleared:
		var v dnc.Verdict
		_ = json.Unmarshal(r.Detail, &v) // without it no dialog can be presumed
		l.callerID = v.CallerID
	case journal.Invited, journal.Ringing:
		_ = json.Unmarshal(r.Personal, &l.dialog) // a dialog that cannot be read is one that cannot be ended
	case journal.Answered:
		l.answered, l.answeredAt = true, r.At
		_ = json.Unmarshal(r.Personal, &l.dialog)
		l.dialog.Answered = true
	case journal.Connected:
		l.connected = true
	case journal.Abandoned:
		l.abandoned = true
	}
}

// dialogsOf finds in the journal how far each open attempt got.
func (s *Service) dialogsOf(open []Attempt) (map[string]leftover, error) {
	wanted := map[string]leftover{}
	if len(open) == 0 {
		return wanted, nil
	}
	from := open[0].At
	for _, a := range open {
		wanted[a.ID] = leftover{}
		if a.At.Before(from) {
			from = a.At
		}
	}
	for r, err := range s.Read(from.Add(-replayOverlap)) {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if l, ok := wanted[r.Attempt]; ok {
			l.take(r)
			wanted[r.Attempt] = l
		}
	}
	return wanted, nil
}
