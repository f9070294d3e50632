package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dnc"
)

// AddConsents implements dnc.ConsentSink. Each record is written after the one that it
// replaces was taken away; after an error some may be there already, and adding them again changes nothing.
func (s *Store) AddConsents(ctx context.Context, records []dnc.Consent) error {
	for chunk := range slices.Chunk(records, applyMost) {
		if err := s.addConsents(ctx, chunk); err != nil {
			return fmt.Errorf("add %d consents: %w", len(records), err)
		}
	}
	return nil
}

// consentKey holds, for a seller's consent, the number that it is kept under.
func (s *Store) consentKey(c dnc.Consent) string {
	return s.prefix + "{consent " + consentField(c) + "}"
}

// consentField is a consent's place among those of its number.
func consentField(c dnc.Consent) string { return c.Seller + "\x00" + c.ID }

// swapMost is how often a consent is written again that another node has just written.
const swapMost = applyMost + 20

var errSwaps = errors.New("other nodes keep writing the same consents")

// addConsents writes each record where what was read of it still stands, and those
// again where it does not.
func (s *Store) addConsents(ctx context.Context, left []dnc.Consent) error {
	for range swapMost {
		if len(left) == 0 {
			return nil
		}
		known, err := s.consentsKnown(ctx, left)
		if err != nil {
			return err
		}
		if left, err = s.swapConsents(ctx, left, known); err != nil {
			return err
		}
	}
	return errSwaps
}

// knownConsent is what is known under a consent's seller and id.
type knownConsent struct {
	number campaigns.Number // that it is kept under
	text   string           // empty: nothing is known
	dnc.Consent
}

// consentsKnown reads what is known of consents.
func (s *Store) consentsKnown(ctx context.Context, of []dnc.Consent) ([]knownConsent, error) {
	numbers, texts := make([]*goredis.StringCmd, len(of)), make([]*goredis.StringCmd, len(of))
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, c := range of {
			numbers[i] = p.Get(ctx, s.consentKey(c))
		}
	})
	if err != nil {
		return nil, err
	}
	known := make([]knownConsent, len(of))
	err = s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, c := range of {
			if known[i].number = campaigns.Number(numbers[i].Val()); known[i].number == "" {
				known[i].number = c.Number
			}
			texts[i] = p.HGet(ctx, s.numberKey(known[i].number, "c"), consentField(c))
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range known {
		if known[i].text = texts[i].Val(); known[i].text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(known[i].text), &known[i].Consent); err != nil {
			return nil, fmt.Errorf("consent %s: %w", of[i].ID, err)
		}
	}
	return known, nil
}

// swapConsents writes records in place of what is known and was not said later, and
// returns those that are to be written again: of which something else is known meanwhile, and the later
// ones of several with one id.
func (s *Store) swapConsents(ctx context.Context, records []dnc.Consent, known []knownConsent) ([]dnc.Consent, error) {
	var steps []step
	var places []int // of each step's record; -1: what it replaces elsewhere
	var later []dnc.Consent
	seen := map[string]bool{}
	for i, c := range records {
		field, old := consentField(c), known[i].text
		if seen[field] {
			later = append(later, c)
			continue
		}
		if known[i].Said.After(c.Said) {
			continue
		}
		seen[field] = true
		text, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		if known[i].number != c.Number {
			steps = append(steps, s.swap(known[i].number, field, old, nil))
			places, old = append(places, -1), ""
		}
		steps, places = append(steps, s.swap(c.Number, field, old, text)), append(places, i)
	}
	answers, err := s.runAll(ctx, steps)
	if err != nil {
		return nil, err
	}
	var again []dnc.Consent
	err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for k, i := range places {
			switch {
			case i < 0:
			case whole(answers[k]) == 1:
				p.Set(ctx, s.consentKey(records[i]), string(records[i].Number), 0)
			default:
				again = append(again, records[i])
			}
		}
	})
	return append(again, later...), err
}

// swap writes a consent of a number in place of what was read.
func (s *Store) swap(n campaigns.Number, field, old string, text []byte) step {
	return step{numberScript, []string{s.numberKey(n, "c")}, []any{"swap", field, old, text}}
}
