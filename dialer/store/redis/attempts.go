package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
)

// Apply implements dialer.Attempts. The numbers count the attempts first, then the leads
// follow; each step knows what it has seen, so that a batch cut off in between is simply applied
// again, which the mark of Applied sees to. A lead that another node has leased or is dialing keeps its state.
func (s *Store) Apply(ctx context.Context, changes []dialer.Change) error {
	if len(changes) == 0 {
		return nil
	}
	changes = slices.Clone(changes)
	if err := s.lately(ctx, recent{changes: changes}, func(ctx context.Context) error { return s.apply(ctx, changes) }); err != nil {
		return fmt.Errorf("apply %d changes: %w", len(changes), err)
	}
	return nil
}

// applyMost is how many changes are written in one round trip.
const applyMost = 500

func (s *Store) apply(ctx context.Context, changes []dialer.Change) error {
	var safe uint64
	for _, c := range changes {
		safe = max(safe, cmp.Or(c.Safe, c.Seq))
	}
	for chunk := range slices.Chunk(changes, applyMost) {
		if err := s.applyChunk(ctx, chunk); err != nil {
			return err
		}
	}
	_, err := s.run(ctx, step{sharedScript, []string{s.nodeKey("n")}, []any{"most", "applied", safe}})
	return err
}

func (s *Store) applyChunk(ctx context.Context, changes []dialer.Change) error {
	changes, err := s.numbered(ctx, changes)
	if err != nil {
		return err
	}
	if err := s.announce(ctx, changes); err != nil {
		return err
	}
	ended, err := s.countNumbers(ctx, changes)
	if err != nil {
		return err
	}
	if err := s.followLeads(ctx, changes); err != nil {
		return err
	}
	if err := s.confirm(ctx, changes); err != nil || len(ended) == 0 {
		return err
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.HDel(ctx, s.nodeKey("open"), ended...) })
}

// numbered gives changes that do not name their number that of their attempt.
func (s *Store) numbered(ctx context.Context, changes []dialer.Change) ([]dialer.Change, error) {
	var ids []string
	for _, c := range changes {
		if c.Attempt.Number == "" {
			ids = append(ids, c.Attempt.ID)
		}
	}
	if len(ids) == 0 {
		return changes, nil
	}
	numbers, err := s.numbersOfAttempts(ctx, ids)
	changes = slices.Clone(changes)
	for i := range changes {
		if a := &changes[i].Attempt; a.Number == "" {
			a.Number = numbers[a.ID]
		}
	}
	return changes, err
}

// numbersOfAttempts finds the numbers that attempts called.
func (s *Store) numbersOfAttempts(ctx context.Context, ids []string) (map[string]campaigns.Number, error) {
	found := map[string]*goredis.StringCmd{}
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for _, id := range ids {
			found[id] = p.HGet(ctx, s.attemptKey(id), id)
		}
	})
	numbers := map[string]campaigns.Number{}
	for id, cmd := range found {
		numbers[id] = campaigns.Number(cmd.Val())
	}
	return numbers, err
}

// shownFor is how long a caller ID's calls are counted: caps are per day.
const shownFor = 35 * 24 * time.Hour

// announce notes, before a number counts an attempt, where the attempt is found
// and which caller ID it shows.
func (s *Store) announce(ctx context.Context, changes []dialer.Change) error {
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		open := make([]any, 0, 2*len(changes))
		for _, c := range changes {
			a := c.Attempt
			if !c.Settled {
				open = append(open, a.ID, string(a.Number))
			}
			if !c.Amended {
				p.HSet(ctx, s.attemptKey(a.ID), a.ID, string(a.Number))
			}
			if a.CallerID == "" {
				continue
			}
			key := s.shownKey(a.CallerID)
			p.ZAdd(ctx, key, goredis.Z{Score: float64(a.At.UnixMicro()), Member: rest(a.At) + a.ID})
			p.ZRemRangeByScore(ctx, key, "-inf", fmt.Sprint(a.At.Add(-shownFor).UnixMicro()))
		}
		if len(open) > 0 {
			p.HSet(ctx, s.nodeKey("open"), open...)
		}
	})
}

// shownKey holds the attempts that showed a caller ID.
func (s *Store) shownKey(callerID campaigns.Number) string {
	return s.prefix + "{shows " + string(callerID) + "}"
}

// rest is what a score in microseconds does not hold of a time: three digits.
func rest(t time.Time) string { return fmt.Sprintf("%03d", t.Nanosecond()%1000) }

// countNumbers writes the attempts to their numbers, and gives the ids of those
// that are settled.
func (s *Store) countNumbers(ctx context.Context, changes []dialer.Change) (ended []string, err error) {
	steps := make([]step, len(changes))
	for i, c := range changes {
		if steps[i], err = s.numberStep(c); err != nil {
			return nil, fmt.Errorf("attempt %s: %w", c.Attempt.ID, err)
		}
	}
	answers, err := s.runAll(ctx, steps)
	if err != nil {
		return nil, err
	}
	for i, c := range changes {
		if whole(answers[i]) == 1 {
			ended = append(ended, c.Attempt.ID)
		}
	}
	return ended, nil
}

// numberStep writes a change to its number.
func (s *Store) numberStep(c dialer.Change) (step, error) {
	a := c.Attempt
	answers, err := answersText(a.Answers)
	intent, settlement := intentOf(c), settlementOf(a, answers)
	if !c.Settled {
		settlement = nil
	}
	return step{numberScript, []string{s.numberKey(a.Number, "a")}, []any{
		"apply", a.ID, c.Settled, c.Amended, c.Seq, s.node, string(a.Outcome), []byte(intent), []byte(settlement),
	}}, err
}

// followLeads writes the changes to their leads.
func (s *Store) followLeads(ctx context.Context, changes []dialer.Change) error {
	args := map[int64][]any{}
	var order []int64
	for _, c := range changes {
		a := c.Attempt
		campaign, place := placeOf(a.Lead)
		if campaign <= 0 {
			continue
		}
		if args[campaign] == nil {
			order = append(order, campaign)
			args[campaign] = []any{"apply", s.node, markOf(s.node)}
		}
		change, err := leadChange(c, place)
		if err != nil {
			return fmt.Errorf("attempt %s: %w", a.ID, err)
		}
		args[campaign] = append(args[campaign], change...)
	}
	var steps []step
	for _, campaign := range order {
		steps = append(steps, s.onCampaign(campaign, args[campaign]...))
	}
	_, err := s.runAll(ctx, steps)
	return err
}

// leadChange are the 16 values that attempts.lua reads of a change.
func leadChange(c dialer.Change, place int64) ([]any, error) {
	a := c.Attempt
	for _, word := range []string{string(a.Outcome), a.Disposition, a.Agent} {
		if err := (&writer{}).text8(word); err != nil {
			return nil, err
		}
	}
	answers, err := answersText(a.Answers)
	if err != nil {
		return nil, err
	}
	at, atNano := split(a.At)
	retryAt, retryNano := split(a.RetryAt)
	return []any{
		place, c.Settled, c.Amended, hashOf(a.ID), c.Seq, at, atNano, retryAt, retryNano, string(a.Outcome), a.Done,
		a.Disposition, classAfter(a), a.NextNumber, a.Agent, answers,
	}, nil
}

// answersText is how answers stand in Redis; nothing, when the lead's stay as they are.
func answersText(answers map[string]string) (string, error) {
	if answers == nil {
		return "", nil
	}
	text, err := json.Marshal(answers)
	if len(text) > math.MaxUint16/2 {
		err = fmt.Errorf("the answers have %d characters: %d are the most", len(text), math.MaxUint16/2)
	}
	return string(text), err
}

// intentOf encodes what the intent says of an attempt.
func intentOf(c dialer.Change) writer {
	a, seq := c.Attempt, c.Seq
	if c.Settled {
		seq = 0 // the intent's own record is not known
	}
	var w writer
	w.u64(seq)
	w.u64(uint64(a.Lead))
	w.time(a.At)
	w.time(a.RetryAt)
	w.text(a.Campaign)
	w.text(a.Seller)
	return w
}

// settlementOf encodes what the settlement says of an attempt, beside its outcome.
func settlementOf(a dialer.Attempt, answers string) writer {
	var w writer
	w.time(a.RetryAt)
	w.bool(a.Done)
	w.bool(a.Refusal)
	w.bool(a.Callback)
	w.text(a.Disposition)
	w.text(a.Agent)
	w.u8(uint8(a.NextNumber))
	w.text(answers)
	return w
}

// kept is an attempt as its number keeps it.
type kept struct {
	dialer.Attempt
	settled bool
	seq     uint64 // of the settlement
}

// decodeAttempt reads an attempt of a number.
func decodeAttempt(id string, n campaigns.Number, blob string) (kept, error) {
	r := reader{b: []byte(blob)}
	k := kept{settled: r.bool()}
	for _, b := range r.take(6) {
		k.seq = k.seq<<8 | uint64(b)
	}
	r.text8() // the node that settled it
	outcome := campaigns.Outcome(r.text8())
	intent, settlement := reader{b: r.take(int(r.u16()))}, reader{}
	settlement.b = r.take(int(r.u16()))
	k.Attempt = dialer.Attempt{ID: id, Number: n, Outcome: outcome, Intent: intent.u64(), Lead: campaigns.LeadID(intent.u64()), At: intent.time()}
	k.RetryAt = intent.time()
	k.Campaign, k.Seller = intent.text(), intent.text()
	if k.settled {
		k.RetryAt, k.Done, k.Refusal, k.Callback = settlement.time(), settlement.bool(), settlement.bool(), settlement.bool()
		k.Disposition, k.Agent, k.NextNumber = settlement.text(), settlement.text(), int(settlement.u8())
		if answers := settlement.text(); answers != "" {
			settlement.err = cmp.Or(settlement.err, json.Unmarshal([]byte(answers), &k.Answers))
		}
	}
	if err := cmp.Or(r.err, intent.err, settlement.err); err != nil {
		return k, fmt.Errorf("attempt %s: %w", id, err)
	}
	return k, nil
}
