package dialer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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
func (s *Service) settleLeft(ctx context.Context, open []Attempt, plans map[string]*campaigns.Campaign, phones map[string]Dialog, callers []Caller) error {
	left, err := s.dialogsOf(open)
	if err != nil {
		return err
	}
	var dialogs []Dialog
	attempts := map[string]Attempt{} // not known to be answered, by Call-ID
	for _, a := range open {
		l := left[a.ID]
		if l.dialog.CallID == "" {
			l.dialog = s.presume(a, l, plans[a.Campaign])
			left[a.ID] = l
		}
		if l.dialog.CallID == "" {
			continue
		}
		dialogs = append(dialogs, l.dialog)
		if !l.answered && !l.abandoned {
			attempts[l.dialog.CallID] = a
		}
	}
	if len(open)+len(phones) > 0 {
		s.Log.Info("ending what the last run left", zap.Int("attempts", len(open)), zap.Int("dialogs", len(dialogs)), zap.Int("phones", len(phones)))
	}
	for _, d := range phones {
		dialogs = append(dialogs, d)
	}
	for _, c := range callers {
		dialogs = append(dialogs, c.Dialog)
	}
	calls := &metCalls{svc: s, plans: plans, open: attempts, at: map[string]time.Time{}, settled: map[string]bool{}, strange: map[string]bool{}}
	ending, cancel := context.WithTimeout(ctx, recoverFor)
	s.Trunk.Recover(ending, dialogs, calls.met)
	cancel()
	for agent := range phones {
		s.rememberCall(ctx, agent, nil)
	}
	now := s.Now()
	for _, a := range open {
		l := left[a.ID]
		if at := calls.settle(l.dialog.CallID); !at.IsZero() {
			l.answered, l.abandoned, l.answeredAt = true, true, at
		}
		s.settleOne(a, l, plans[a.Campaign], now)
	}
	return nil
}

// presume gives the dialog of an attempt that was cleared and of which nothing
// else is known: its INVITE may have left before the record of it reached the disk.
func (s *Service) presume(a Attempt, l leftover, c *campaigns.Campaign) Dialog {
	if l.trunk == "" && c != nil {
		l.trunk = c.Trunk
	}
	if l.callerID == "" || l.trunk == "" && c == nil {
		return Dialog{}
	}
	return s.Trunk.Presume(Presumed{Attempt: a.ID, Trunk: l.trunk, Number: a.Number, CallerID: l.callerID, At: a.At})
}

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

// settleOne writes the end of one attempt that the last run left open. Its
// retry delay begins now: until now its phone may have rung.
func (s *Service) settleOne(a Attempt, l leftover, c *campaigns.Campaign, now time.Time) {
	rec := journal.Record{At: now, Kind: journal.Interrupted, Campaign: a.Campaign, Attempt: a.ID, Lead: int64(a.Lead), CallID: l.dialog.CallID, Number: string(a.Number)}
	detail := journal.InterruptedDetail{Last: l.last, Dialed: l.invited || l.answered}
	if c == nil {
		c = &campaigns.Campaign{} // gone: the delays that hold where a campaign gives none
	}
	a.Outcome = campaigns.Interrupted
	switch {
	case l.machine:
		a.Outcome = campaigns.Machine
	case l.connected:
		a.Outcome = campaigns.Bridged
	case l.answered || l.abandoned:
		a.Outcome, detail.Abandoned = campaigns.Abandoned, true
		if !l.abandoned {
			s.scribe.note(lost(a, Dialog{CallID: rec.CallID}, l.answeredAt), nil)
		}
	}
	due, done := c.After(a.Before, a.Outcome, now)
	a.RetryAt, a.Done = due, done
	rec.Outcome = string(a.Outcome)
	detail.Settled = settledDetail(a)
	s.scribe.settle(rec, detail, a)
}

// leftover is how far an open attempt got.
type leftover struct {
	last                 journal.Kind
	callerID             campaigns.Number
	trunk                string // by which it was to leave
	dialog               Dialog
	answeredAt           time.Time
	invited, answered    bool
	connected, abandoned bool
	machine              bool // released as one, and no agent has said otherwise
}

// take follows the attempt by one record.
func (l *leftover) take(r journal.Record) {
	l.last = r.Kind
	switch r.Kind {
	case journal.Cleared:
		var v dnc.Verdict
		_ = json.Unmarshal(r.Detail, &v) // without it no dialog can be presumed
		l.callerID, l.trunk = v.CallerID, v.Trunk
	case journal.Invited:
		l.invited = true
		l.know(r) // an earlier INVITE was turned away
	case journal.Ringing:
		l.invited = true
		_ = json.Unmarshal(r.Personal, &l.dialog) // adds the early dialog; without it there is the CANCEL
	case journal.Answered:
		l.answered, l.answeredAt = true, r.At
		l.know(r)
		l.dialog.Answered = true
	case journal.Connected:
		l.connected = true
	case journal.Detected:
		var d journal.DetectedDetail
		l.machine = json.Unmarshal(r.Detail, &d) == nil && d.Did == didRelease
	case journal.Disposed:
		var d journal.DisposedDetail
		if json.Unmarshal(r.Detail, &d) == nil && d.Counts != 0 {
			l.machine = d.Counts < 0
		}
	case journal.Abandoned:
		l.abandoned = true
		if len(r.Personal) > 0 { // met by a restart that died before it ended the call
			_ = json.Unmarshal(r.Personal, &l.dialog)
		}
	}
}

// know takes the whole dialog of a record; one that cannot be read leaves what
// was known before.
func (l *leftover) know(r journal.Record) {
	var d Dialog
	if json.Unmarshal(r.Personal, &d) == nil {
		l.dialog = d
	}
}

// dialogsOf finds in the journal how far each open attempt got.
func (s *Service) dialogsOf(open []Attempt) (map[string]leftover, error) {
	wanted := map[string]leftover{}
	if len(open) == 0 {
		return wanted, nil
	}
	from := open[0].Intent
	for _, a := range open {
		wanted[a.ID] = leftover{}
		from = min(from, a.Intent)
	}
	for r, err := range s.ReadFrom(from) {
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
