package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
)

// The subjects of the company's own list stand in listShards sets, by the first
// two digits of their pseudonym, so that the list can be walked.
const listShards = 256

// shardKey is the set that holds a subject.
func (s *Store) shardKey(subject string) string { return s.prefix + "{list " + subject[:2] + "}" }

// optOutOf reads an entry; its number is left out.
func optOutOf(field, blob string) (e dnc.OptOut, sealed []byte, err error) {
	e.Seller, e.Campaign, _ = strings.Cut(field, "\x00")
	r := reader{b: []byte(blob)}
	e.At = r.time()
	e.Source, sealed = r.text16(), []byte(r.text16())
	return e, sealed, r.err
}

// entries reads the opt-outs of a number, oldest first.
func (s *Store) entries(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error) {
	all, err := s.hash(ctx, s.numberKey(n, "o"))
	if err != nil {
		return nil, err
	}
	var out []dnc.OptOut
	for field, blob := range all {
		e, _, err := optOutOf(field, blob)
		if err != nil {
			return nil, err
		}
		e.Number = n
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b dnc.OptOut) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Seller, b.Seller), strings.Compare(a.Campaign, b.Campaign))
	})
	return out, nil
}

// OptedOut implements dnc.OptOuts; of several entries the oldest.
func (s *Store) OptedOut(ctx context.Context, n campaigns.Number, seller, campaign string) (dnc.OptOut, bool, error) {
	all, err := s.entries(ctx, n)
	if err != nil {
		return dnc.OptOut{}, false, fmt.Errorf("read opt-outs: %w", err)
	}
	for _, e := range all {
		if (e.Seller == "" || e.Seller == seller) && (e.Campaign == "" || e.Campaign == campaign) {
			return e, true, nil
		}
	}
	return dnc.OptOut{}, false, nil
}

// OptOutsOf returns every entry of the number, oldest first.
func (s *Store) OptOutsOf(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error) {
	all, err := s.entries(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("read opt-outs: %w", err)
	}
	return all, nil
}

// AddOptOuts implements dnc.OptOutSink. Each entry is atomic; after an error some
// may be in force already, and adding them again changes nothing.
func (s *Store) AddOptOuts(ctx context.Context, entries []dnc.OptOut) (added int, err error) {
	for chunk := range slices.Chunk(entries, applyMost) {
		n, chunk := 0, slices.Clone(chunk)
		again := recent{redo: func(ctx context.Context) error {
			_, err := s.addOptOuts(ctx, chunk)
			return err
		}}
		err := s.lately(ctx, again, func(ctx context.Context) (err error) {
			n, err = s.addOptOuts(ctx, chunk)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("add %d opt-outs: %w", len(entries), err)
		}
		added += n
	}
	return added, nil
}

func (s *Store) addOptOuts(ctx context.Context, entries []dnc.OptOut) (added int, err error) {
	subjects := make([]string, len(entries))
	persons := make([]step, len(entries))
	for i, e := range entries {
		subjects[i] = s.list.Subject(e.Number)
		wrapped, err := s.list.NewPerson(subjects[i])
		if err != nil {
			return 0, err
		}
		persons[i] = step{numberScript, []string{s.subjectKey(subjects[i], "k")}, []any{"person", wrapped}}
	}
	keys, err := s.runAll(ctx, persons)
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for _, subject := range subjects {
			p.SAdd(ctx, s.shardKey(subject), subject)
		}
	})
	if err != nil {
		return 0, err
	}
	steps := make([]step, len(entries))
	for i, e := range entries {
		sealed, err := s.list.Seal(e.Number, []byte(text(keys[i])), subjects[i])
		if err != nil {
			return 0, err
		}
		sec, nano := split(e.At)
		steps[i] = step{numberScript, []string{s.subjectKey(subjects[i], "o")}, []any{"optout", e.Seller + "\x00" + e.Campaign, sec, nano, e.Source, sealed}}
	}
	answers, err := s.runAll(ctx, steps)
	for _, v := range answers {
		added += int(whole(v))
	}
	if err != nil {
		return added, err
	}
	written := make([]string, len(subjects))
	for i, subject := range subjects {
		written[i] = s.subjectKey(subject, "w")
	}
	return added, s.confirmKeys(ctx, written)
}

// RemoveOptOut implements dnc.OptOutSink.
func (s *Store) RemoveOptOut(ctx context.Context, n campaigns.Number, seller, campaign string) (removed bool, err error) {
	off := step{numberScript, []string{s.numberKey(n, "o"), s.numberKey(n, "k")}, []any{"optin", seller + "\x00" + campaign}}
	var v any
	again := recent{redo: func(ctx context.Context) error {
		_, err := s.run(ctx, off)
		return err
	}}
	err = s.lately(ctx, again, func(ctx context.Context) (err error) {
		if v, err = s.run(ctx, off); err == nil {
			err = s.confirmKeys(ctx, []string{s.numberKey(n, "w")})
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove an opt-out: %w", err)
	}
	return whole(v) > 0, nil
}

// EachOptOut calls visit for every entry of the company's own list, those of one
// number together, until it returns an error, which EachOptOut returns. The
// number of a person who was erased is empty.
func (s *Store) EachOptOut(ctx context.Context, visit func(dnc.OptOut) error) error {
	for shard := range listShards {
		subjects, err := s.subjects(ctx, shard)
		if err != nil {
			return fmt.Errorf("read opt-outs: %w", err)
		}
		for page := range slices.Chunk(subjects, applyMost) {
			entries, err := s.entriesOf(ctx, page)
			if err != nil {
				return fmt.Errorf("read opt-outs: %w", err)
			}
			for _, e := range entries {
				if err := visit(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// subjects lists the subjects of a shard of the company's own list.
func (s *Store) subjects(ctx context.Context, shard int) ([]string, error) {
	var cmd *goredis.StringSliceCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		cmd = p.SMembers(ctx, s.shardKey(fmt.Sprintf("%02x", shard)))
	})
	if err != nil {
		return nil, err
	}
	return slices.Sorted(slices.Values(cmd.Val())), nil
}

// entriesOf reads the opt-outs of subjects.
func (s *Store) entriesOf(ctx context.Context, subjects []string) ([]dnc.OptOut, error) {
	all, err := s.listedOf(ctx, subjects)
	if err != nil {
		return nil, err
	}
	var out []dnc.OptOut
	for _, l := range all {
		if l.Number, err = s.list.Open(l.Sealed, l.Person, l.Subject); err != nil {
			return nil, err
		}
		out = append(out, l.OptOut)
	}
	return out, nil
}

// listedOf reads the opt-outs of subjects as they are kept.
func (s *Store) listedOf(ctx context.Context, subjects []string) ([]store.Listed, error) {
	all, persons := make([]*goredis.MapStringStringCmd, len(subjects)), make([]*goredis.StringCmd, len(subjects))
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, subject := range subjects {
			all[i], persons[i] = p.HGetAll(ctx, s.subjectKey(subject, "o")), p.Get(ctx, s.subjectKey(subject, "k"))
		}
	})
	if err != nil {
		return nil, err
	}
	var out []store.Listed
	for i, cmd := range all {
		for field, blob := range cmd.Val() {
			e, sealed, err := optOutOf(field, blob)
			if err != nil {
				return nil, err
			}
			out = append(out, store.Listed{Subject: subjects[i], OptOut: e, Sealed: sealed, Person: []byte(persons[i].Val())})
		}
	}
	return out, nil
}

// CountOptOuts returns how many entries the company's own list has.
func (s *Store) CountOptOuts(ctx context.Context) (int, error) {
	n := 0
	for shard := range listShards {
		subjects, err := s.subjects(ctx, shard)
		if err == nil {
			lengths := make([]*goredis.IntCmd, len(subjects))
			err = s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
				for i, subject := range subjects {
					lengths[i] = p.HLen(ctx, s.subjectKey(subject, "o"))
				}
			})
			for _, cmd := range lengths {
				n += int(cmd.Val())
			}
		}
		if err != nil {
			return 0, fmt.Errorf("count opt-outs: %w", err)
		}
	}
	return n, nil
}

// Consents implements dnc.Consents.
func (s *Store) Consents(ctx context.Context, seller string, n campaigns.Number) ([]dnc.Consent, error) {
	all, err := s.consentsOf(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	return slices.DeleteFunc(all, func(c dnc.Consent) bool { return c.Seller != seller }), nil
}

// consentsOf reads the consents of a number with any seller, oldest first.
func (s *Store) consentsOf(ctx context.Context, n campaigns.Number) ([]dnc.Consent, error) {
	all, err := records[dnc.Consent](ctx, s, s.numberKey(n, "c"))
	slices.SortFunc(all, func(a, b dnc.Consent) int { return cmp.Or(a.GivenAt.Compare(b.GivenAt), strings.Compare(a.ID, b.ID)) })
	return all, err
}
