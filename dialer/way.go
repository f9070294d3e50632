package dialer

import (
	"context"
	"time"

	"pronto/dialer/journal"
)

// way is how an attempt's INVITEs leave.
type way struct {
	trunk    string // the one that was cleared
	evidence uint64 // record of the clearance
	callID   string // of the last INVITE
	try      int    // trunks that had one
}

// invited journals that an INVITE leaves, and stops it when the process stood
// still since the lead was taken. The clearance names one trunk and is on disk: that
// an INVITE leaves by another one must be there too. It is called from the attempt's goroutine.
func (s *Service) invited(c *call, d Dialog) error {
	if s.pulse.since(c.mark, time.Now()) {
		return errGap
	}
	rec := c.entry(journal.Invited, s.Now(), d.CallID)
	rec.Personal = encode(d)
	if w := &c.way; w.callID != d.CallID {
		w.callID, w.try = d.CallID, w.try+1
	}
	detail := journal.InvitedDetail{Trunk: d.Trunk, Try: c.way.try, Evidence: c.way.evidence}
	if d.Trunk == c.way.trunk {
		s.scribe.note(rec, detail)
		return nil
	}
	rec.Detail = encode(detail)
	ctx, cancel := context.WithTimeout(context.Background(), evidenceWait)
	defer cancel()
	_, err := s.Journal.Commit(ctx, rec)
	return err
}

// evidenceWait is the longest that an INVITE by another trunk waits for its record.
const evidenceWait = 2 * time.Second
