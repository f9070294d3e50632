package dialer

import (
	"context"
	"encoding/json"
	"fmt"
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
