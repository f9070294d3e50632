package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// Holdings tells what the store holds of the number.
func (s *Store) Holdings(ctx context.Context, n campaigns.Number) (store.Holdings, error) {
	h := store.Holdings{Campaigns: map[string]int{}}
	if err := s.holdings(ctx, n, &h); err != nil {
		return store.Holdings{}, fmt.Errorf("read what is held of a number: %w", err)
	}
	return h, nil
}

func (s *Store) holdings(ctx context.Context, n campaigns.Number, h *store.Holdings) error {
	numbers, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	for _, no := range numbers {
		v, err := s.runOn(ctx, no, "held", entry(n))
		if err != nil {
			return err
		}
		for i, other := range list(v) {
			if i == 0 {
				h.Leads += int(whole(other))
			} else {
				h.Others = append(h.Others, numberOf(text(other)))
			}
		}
	}
	h.Others = slices.Compact(slices.Sorted(slices.Values(h.Others)))
	verdicts, err := s.hash(ctx, s.numberKey(n, "v"))
	if err != nil {
		return err
	}
	delete(verdicts, numberField)
	h.Verdicts = len(verdicts)
	if h.Consents, err = s.consentsOf(ctx, n); err != nil {
		return err
	}
	attempts, err := s.hash(ctx, s.numberKey(n, "a"))
	for id, blob := range attempts {
		k, err := decodeAttempt(id, n, blob)
		if err != nil {
			return err
		}
		h.Attempts++
		h.Campaigns[k.Campaign]++
		if k.At.After(h.LastCalled) {
			h.LastCalled = k.At
		}
	}
	return err
}

// numberOf is the number that entry made.
func numberOf(entry string) campaigns.Number {
	if n := campaigns.Number("+" + entry); entry != "" && entry[0] != '+' {
		if _, ok := plain(n); ok {
			return n
		}
	}
	return campaigns.Number(entry)
}

// EraseNumber erases parts of what the store holds of a number. It gives store.ErrBusy
// and changes nothing while a lead with the number is at the dialer or an attempt
// has not ended. It is not one transaction: after another error, erase again.
func (s *Store) EraseNumber(ctx context.Context, n campaigns.Number, parts store.EraseParts) error {
	if err := s.erase(ctx, n, parts); err != nil {
		return fmt.Errorf("erase a number: %w", err)
	}
	return nil
}

func (s *Store) erase(ctx context.Context, n campaigns.Number, parts store.EraseParts) error {
	numbers, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	for _, no := range numbers {
		if v, err := s.runOn(ctx, no, "busy", entry(n)); err != nil || whole(v) == 1 {
			return orBusy(err)
		}
	}
	attempts, err := s.hash(ctx, s.numberKey(n, "a"))
	if err != nil {
		return err
	}
	for id, blob := range attempts {
		if k, err := decodeAttempt(id, n, blob); err != nil || !k.settled {
			return orBusy(err)
		}
	}
	if parts.Listed {
		if _, err := s.run(ctx, step{numberScript, []string{s.numberKey(n, "o"), s.numberKey(n, "k")}, []any{"forget"}}); err != nil {
			return err
		}
	}
	if parts.Leads {
		for _, no := range numbers {
			if _, err := s.runOn(ctx, no, "erase", entry(n)); err != nil {
				return err
			}
		}
	}
	return s.eraseOf(ctx, n, parts, attempts)
}

// eraseOf removes what stands under the number itself.
func (s *Store) eraseOf(ctx context.Context, n campaigns.Number, parts store.EraseParts, attempts map[string]string) error {
	consents, err := s.consentsOf(ctx, n)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		if parts.Leads {
			p.Del(ctx, s.numberKey(n, "v"))
		}
		if parts.Consents {
			p.Del(ctx, s.numberKey(n, "c"))
			for _, c := range consents {
				p.Del(ctx, s.consentKey(c))
			}
		}
		if parts.Attempts {
			p.Del(ctx, s.numberKey(n, "a"))
			for id := range attempts {
				p.HDel(ctx, s.attemptKey(id), id)
			}
		}
	})
}

func orBusy(err error) error {
	if err != nil {
		return err
	}
	return store.ErrBusy
}

// PutErasure keeps an erasure; one of the same number is replaced.
func (s *Store) PutErasure(ctx context.Context, e store.Erasure) error {
	if err := s.put(ctx, s.sharedKey("erasures"), string(e.Number), e); err != nil {
		return fmt.Errorf("keep an erasure: %w", err)
	}
	return nil
}

// Erasures lists the erasures that are due at the instant, the earliest first.
func (s *Store) Erasures(ctx context.Context, due time.Time) ([]store.Erasure, error) {
	all, err := records[store.Erasure](ctx, s, s.sharedKey("erasures"))
	if err != nil {
		return nil, fmt.Errorf("list erasures: %w", err)
	}
	all = slices.DeleteFunc(all, func(e store.Erasure) bool { return e.Due.After(due) })
	slices.SortStableFunc(all, func(a, b store.Erasure) int { return a.Due.Compare(b.Due) })
	return all, nil
}

// EndErasure forgets an erasure that was done.
func (s *Store) EndErasure(ctx context.Context, n campaigns.Number) error {
	if err := s.remove(ctx, s.sharedKey("erasures"), string(n)); err != nil {
		return fmt.Errorf("end an erasure: %w", err)
	}
	return nil
}

// PutAdvice keeps an advice; one for the same rules is replaced.
func (s *Store) PutAdvice(ctx context.Context, a store.Advice) error {
	if err := s.put(ctx, s.sharedKey("advice"), a.Rules, a); err != nil {
		return fmt.Errorf("keep the advice on %s: %w", a.File, err)
	}
	return nil
}

// Advice finds the advice for rules of that hash; false when nobody took
// responsibility for them.
func (s *Store) Advice(ctx context.Context, hash string) (store.Advice, bool, error) {
	var cmd *goredis.StringCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { cmd = p.HGet(ctx, s.sharedKey("advice"), hash) })
	var a store.Advice
	some := err == nil && cmd.Err() == nil
	if some {
		err = json.Unmarshal([]byte(cmd.Val()), &a)
	}
	if err != nil {
		return store.Advice{}, false, fmt.Errorf("read the advice on rules: %w", err)
	}
	return a, some, nil
}
