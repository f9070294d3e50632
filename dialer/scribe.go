package dialer

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// scribe keeps rule 3's order of writes: journal, sync, then store. Records go
// to the journal from any goroutine; the changes that they bring to the store
// follow in batches from the scribe's own goroutine. Nobody waits for it.
type scribe struct {
	journal Journal
	store   Attempts
	log     *zap.Logger
	wake    chan struct{}
	tide    tide
	// undone is that the store does not follow; run's goroutine owns it.
	undone complaint

	mu      sync.Mutex // protects changes
	changes []pending
}

// pending is a change on its way to the store, with its place in the tide.
type pending struct {
	change Change
	token  uint64
}

const (
	batchSize = 500
	batchWait = 20 * time.Millisecond
	retryWait = 200 * time.Millisecond
)

func newScribe(j Journal, store Attempts, log *zap.Logger) *scribe {
	return &scribe{journal: j, store: store, log: log, wake: make(chan struct{}, 1), tide: tide{open: map[uint64]uint64{}}}
}

// note appends a record that brings no change to the store.
func (s *scribe) note(r journal.Record, detail any) {
	r.Detail = encode(detail)
	if _, err := s.journal.Append(r); err != nil {
		s.log.Error("journal: record not written", zap.String("kind", string(r.Kind)), zap.Error(err))
	}
}

// begin opens a place in the tide before the record of a change is written.
func (s *scribe) begin() uint64 { return s.tide.begin(max(s.journal.Seq(), 1)) }

// Hold opens a place in the tide for records that are journaled outside the service
// and bring changes to the store that a restart must replay: opt-outs and consents.
// Until release is called, when the store has them, the store does not claim to be past them; a change that fails is not
// released.
func (s *Service) Hold() (release func()) {
	token := s.scribe.begin()
	return func() { s.scribe.cancel(token) }
}

// cancel closes a place in the tide whose record brings no change after all.
func (s *scribe) cancel(token uint64) { s.tide.end(token) }

// intend queues the intent of an attempt whose evidence is on disk.
func (s *scribe) intend(token uint64, a Attempt, seq uint64) {
	s.push(pending{Change{Attempt: a, Seq: seq}, token})
}

// settle writes an attempt's end to the journal and queues its settlement.
func (s *scribe) settle(r journal.Record, detail any, a Attempt) {
	token := s.begin()
	r.Detail = encode(detail)
	seq, err := s.journal.Append(r)
	if err != nil {
		s.log.Error("journal: end of attempt not written", zap.String("attempt", a.ID), zap.Error(err))
		s.cancel(token)
		return
	}
	s.push(pending{Change{Attempt: a, Settled: true, Amended: amends(r.Kind), Seq: seq}, token})
}

// amend writes the record of what changes a settlement, on disk on return, and
// queues the change.
func (s *scribe) amend(ctx context.Context, r journal.Record, a Attempt) error {
	token := s.begin()
	seq, err := s.journal.Commit(ctx, r)
	if err != nil {
		s.cancel(token)
		return err
	}
	s.push(pending{Change{Attempt: a, Settled: true, Amended: true, Seq: seq}, token})
	return nil
}

// amends reports whether a record that settles replaces what was settled before.
func amends(k journal.Kind) bool {
	return k == journal.Disposed || k == journal.Abandoned || k == journal.CalledBack
}

func (s *scribe) push(p pending) {
	s.mu.Lock()
	s.changes = append(s.changes, p)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take removes the oldest changes, one batch at most.
func (s *scribe) take() []pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.changes), batchSize)
	batch := s.changes[:n:n]
	s.changes = s.changes[n:]
	return batch
}

// run applies changes until ctx ends and nothing is left that can be written.
func (s *scribe) run(ctx context.Context) {
	for {
		batch := s.take()
		if len(batch) == 0 {
			select {
			case <-s.wake:
				pause(ctx, batchWait)
				continue
			case <-ctx.Done():
				return
			}
		}
		for !s.apply(batch) && pause(ctx, retryWait) {
		}
	}
}

// pause waits for d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// apply syncs the journal and writes the batch to the store. On failure the
// batch keeps its place in the tide, so that a restart replays it.
func (s *scribe) apply(batch []pending) bool {
	ctx := context.Background()
	if err := s.journal.Sync(ctx); err != nil {
		s.undone.about(s.log, "journal: not on disk, store left unchanged", time.Now(), zap.Int("changes", len(batch)), zap.Error(err))
		return false
	}
	safe := s.tide.safe(batch)
	changes := make([]Change, len(batch))
	for i, p := range batch {
		changes[i] = p.change
		changes[i].Safe = safe
	}
	if err := s.store.Apply(ctx, changes); err != nil {
		s.undone.about(s.log, "store: attempts not written", time.Now(), zap.Int("changes", len(changes)), zap.Error(err))
		return false
	}
	s.undone.over(s.log, "store: attempts are written again", time.Now())
	for _, p := range batch {
		s.tide.end(p.token)
	}
	return true
}

// evidence writes the gate's decisions to the journal.
type evidence struct {
	journal Journal
	node    string
}

// Evidence makes the gate's evidence out of a journal: an allowed decision is on
// disk when Decided returns, a refusal is queued.
func Evidence(j Journal, node string) dnc.Evidence { return &evidence{j, node} }

// Decided implements dnc.Evidence.
func (e *evidence) Decided(ctx context.Context, r dnc.Request, v dnc.Verdict, now time.Time) (uint64, error) {
	rec := journal.Record{
		At: now, Kind: journal.Refused, Campaign: r.Campaign.Name, Attempt: r.Attempt, Lead: int64(r.Lead.ID),
		Reason: string(v.Reason), Number: string(r.Lead.Number), Detail: encode(v),
	}
	if !v.Allowed {
		return e.journal.Append(rec)
	}
	rec.Kind = journal.Cleared
	return e.journal.Commit(ctx, rec)
}

// encode makes a detail; a value that cannot be encoded is a programming error
// that must not cost a call, so it is written as such.
func encode(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(map[string]string{"encoding_error": err.Error()})
	}
	return b
}

// settlement is what the store is told of an attempt at its end, or again when
// the agent's disposition comes later.
func settlement(c *call, o campaigns.Outcome, now time.Time) Attempt {
	f := c.camp.Follow(c.lead, o, c.said, now)
	if c.unsent { // it comes again, however often it was held back, but not at once
		f.Due, f.Done = now.Add(max(c.camp.RetryDelay(campaigns.Failed), time.Minute)), false
	}
	a := c.record
	a.Outcome, a.RetryAt, a.Done, a.Disposition = o, f.Due, f.Done, c.said.Word
	a.Callback, a.Agent, a.Refusal = f.Callback, f.Agent, f.Refusal
	a.Answers = c.newAnswers()
	if len(c.lead.Numbers) > 1 {
		a.NextNumber = f.Turn + 1
	}
	return a
}

// settledDetail is what a replay of the journal needs to settle the attempt.
func settledDetail(a Attempt) journal.SettledDetail {
	return journal.SettledDetail{
		RetryAt: a.RetryAt, Done: a.Done, Disposition: a.Disposition, Refusal: a.Refusal, NextNumber: a.NextNumber, Callback: a.Callback, Agent: a.Agent,
	}
}

// endedDetail tells the end of an attempt.
func endedDetail(c *call, e End, a Attempt, now time.Time) journal.EndedDetail {
	r := c.result
	d := journal.EndedDetail{
		Status: e.Cause.Status, Q850: e.Cause.Q850, Text: e.Cause.Text, Trunk: r.Trunk, ByFar: e.ByFar, Late: r.Late,
		Dialed: !r.Invited.IsZero(), Orphaned: c.orphaned, Settled: settledDetail(a),
	}
	last := r.Final
	if last.IsZero() {
		last = now
	}
	if !r.Invited.IsZero() && !r.Ringing.IsZero() {
		d.DelayMS = ms(r.Ringing.Sub(r.Invited))
		d.RingMS = ms(last.Sub(r.Ringing))
	}
	if !c.joined.IsZero() {
		parted := c.parted
		if parted.IsZero() {
			parted = now
		}
		d.TalkMS, d.WaitMS = ms(parted.Sub(c.joined)), ms(c.joined.Sub(c.answered))
	}
	return d
}
