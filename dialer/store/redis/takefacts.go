package redis

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dnc"
)

// attempts writes the attempts to their numbers.
func (t *taking) attempts(ctx context.Context) error {
	return t.from.EachAttempt(ctx, func(page []store.KeptAttempt) error {
		for chunk := range slices.Chunk(page, applyMost) {
			changes := make([]dialer.Change, len(chunk))
			for i, a := range chunk {
				if p := t.places[a.Campaign]; p != nil {
					a.Lead = p.id(a.Lead)
				} else {
					a.Lead = 0
				}
				changes[i] = dialer.Change{Attempt: a.Attempt, Settled: a.Settled, Seq: a.Seq}
			}
			if err := t.s.announce(ctx, changes); err != nil {
				return err
			}
			if _, err := t.s.countNumbers(ctx, changes); err != nil {
				return err
			}
		}
		return nil
	})
}

// listed writes the company's own list, each entry under its pseudonym.
func (t *taking) listed(ctx context.Context) error {
	var page []store.Listed
	flush := func() error {
		err := t.s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			for _, l := range page {
				sec, nano := split(l.At)
				var w writer
				w.u32(uint32(sec))
				w.u32(uint32(nano))
				w.text16(l.Source)
				w.text16(string(l.Sealed))
				p.SAdd(ctx, t.s.shardKey(l.Subject), l.Subject)
				p.HSet(ctx, t.s.subjectKey(l.Subject, "o"), l.Seller+"\x00"+l.Campaign, []byte(w))
				if len(l.Person) > 0 {
					p.Set(ctx, t.s.subjectKey(l.Subject, "k"), l.Person, 0)
				}
			}
		})
		page = page[:0]
		return err
	}
	err := t.from.EachListed(ctx, func(l store.Listed) error {
		if page = append(page, l); len(page) < applyMost {
			return nil
		}
		return flush()
	})
	if err == nil && len(page) > 0 {
		err = flush()
	}
	return err
}

func (t *taking) consents(ctx context.Context) error {
	var page []dnc.Consent
	err := t.from.EachConsent(ctx, func(c dnc.Consent) error {
		if page = append(page, c); len(page) < applyMost {
			return nil
		}
		err := t.s.AddConsents(ctx, page)
		page = page[:0]
		return err
	})
	if err == nil && len(page) > 0 {
		err = t.s.AddConsents(ctx, page)
	}
	return err
}

// verdicts writes the verdicts of registers, then commits their imports in their order.
func (t *taking) verdicts(ctx context.Context) error {
	imports, err := t.from.Imports(ctx, "")
	if err != nil {
		return err
	}
	numbers := map[string]int64{}
	for _, imp := range imports {
		v, err := t.s.shared(ctx, "stage", imp.ID, t.s.node)
		if err != nil {
			return err
		}
		numbers[imp.ID] = whole(v)
	}
	var page []step
	flush := func() error {
		_, err := t.s.runAll(ctx, page)
		page = page[:0]
		return err
	}
	err = t.from.EachScreening(ctx, func(v dnc.Screening) error {
		st, _ := t.s.verdictStep(numbers[v.Import], v)
		if page = append(page, st); len(page) < applyMost {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	for _, imp := range imports {
		if err == nil {
			err = t.s.Commit(ctx, imp)
		}
	}
	return err
}

// rest writes what is kept of persons and rules beside all that.
func (t *taking) rest(ctx context.Context) error {
	erasures, err := t.from.Erasures(ctx, time.Unix(0, math.MaxInt64))
	for _, e := range erasures {
		if err == nil {
			err = t.s.PutErasure(ctx, e)
		}
	}
	if err != nil {
		return err
	}
	holds, err := t.from.Holds(ctx)
	for _, h := range holds {
		if err == nil {
			err = t.s.PutHold(ctx, h)
		}
	}
	if err != nil {
		return err
	}
	advice, err := t.from.Advices(ctx)
	for _, a := range advice {
		if err == nil {
			err = t.s.PutAdvice(ctx, a)
		}
	}
	return err
}

// marks says how far each node had come, and whose the attempts are that have no end.
func (t *taking) marks(ctx context.Context, marks map[string]Mark) error {
	applied, err := t.from.Applied(ctx)
	if err != nil {
		return err
	}
	var theirs []string
	return t.s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		p.Set(ctx, t.s.nodeKey("applied"), strconv.FormatUint(applied, 10), 0)
		for node, m := range marks {
			if node == t.s.node {
				continue
			}
			p.Set(ctx, t.s.keyOfNode(node, "applied"), strconv.FormatUint(m.Applied, 10), 0)
			for id, n := range m.Open {
				p.HSet(ctx, t.s.keyOfNode(node, "open"), id, n)
				theirs = append(theirs, id)
			}
		}
		if len(theirs) > 0 {
			p.HDel(ctx, t.s.nodeKey("open"), theirs...)
		}
	})
}
