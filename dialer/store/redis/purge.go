package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
)

// CountPurge tells how many records Purge would remove.
func (s *Store) CountPurge(ctx context.Context, p store.Purge) (int, error) {
	n, err := s.purge(ctx, p, true)
	if err != nil {
		return 0, fmt.Errorf("count old %s: %w", p.Kind, err)
	}
	return n, nil
}

// Purge removes records that are too old and returns how many. A lead that is at the
// dialer stays, and so does an attempt that has not ended. The work is done in short steps.
func (s *Store) Purge(ctx context.Context, p store.Purge) (int, error) {
	n, err := s.purge(ctx, p, false)
	if err != nil {
		return n, fmt.Errorf("purge %s: %w", p.Kind, err)
	}
	return n, nil
}

func (s *Store) purge(ctx context.Context, p store.Purge, dry bool) (int, error) {
	u := &purging{s: s, Purge: p, dry: dry, except: map[string]bool{}}
	for _, n := range p.Except {
		u.except[string(n)] = true
		u.except[s.numberKey(n, "v")] = true
	}
	var err error
	switch p.Kind {
	case store.PurgeLeads:
		err = u.leads(ctx)
	case store.PurgeAttempts:
		err = s.walk(ctx, places, func(keys []string) error { return u.attempts(ctx, keys) })
	case store.PurgeScreenings:
		err = s.walk(ctx, ofNumber+"v", func(keys []string) error { return u.screenings(ctx, keys) })
	case store.PurgeConsents:
		err = s.walk(ctx, ofNumber+"c", func(keys []string) error { return u.consents(ctx, keys) })
	default:
		err = fmt.Errorf("no kind %q", p.Kind)
	}
	return u.n, err
}

// purging is a purge on its way.
type purging struct {
	s *Store
	store.Purge
	dry    bool
	except map[string]bool // numbers, and keys of their verdicts
	n      int             // records that are too old
}

// oldLead is a lead that may go, and the load that it was seen with.
type oldLead struct {
	place int64
	load  uint32
}

func (u *purging) leads(ctx context.Context) error {
	no, err := u.s.number(ctx, u.Campaign)
	if err != nil {
		return err
	}
	const page = 16
	for bucket, more := int64(0), true; more; bucket += page {
		var leads []stored
		if leads, more, err = u.s.leadPage(ctx, u.Campaign, no, bucket, page); err != nil {
			return err
		}
		var old []oldLead
		for _, l := range leads {
			if u.oldLead(l) {
				_, place := placeOf(l.ID)
				old = append(old, oldLead{place, l.load})
			}
		}
		if err := u.takeLeads(ctx, no, old); err != nil {
			return err
		}
	}
	return nil
}

// oldLead reports whether a lead is too old.
func (u *purging) oldLead(l stored) bool {
	ended := l.state == done || u.Stopped && l.state <= ready
	held := u.except[string(l.Number)] || slices.ContainsFunc(l.Numbers, func(n campaigns.LeadNumber) bool { return u.except[string(n.Number)] })
	return ended && !held && l.LoadedAt.Before(u.Before) && l.LastAttempt.Before(u.Before)
}

// takeLeads removes leads that have not changed since they were seen.
func (u *purging) takeLeads(ctx context.Context, no int64, old []oldLead) error {
	if u.dry {
		u.n += len(old)
		return nil
	}
	sec, nano := split(u.Before)
	for chunk := range slices.Chunk(old, mergeRows) {
		args := []any{"purge", u.Stopped, sec, nano}
		for _, l := range chunk {
			args = append(args, l.place, l.load)
		}
		v, err := u.s.run(ctx, u.s.onLists(no, args...))
		if err != nil {
			return err
		}
		u.n += int(whole(v))
	}
	return nil
}

// oldField is a record in the hash of a number that may go, as it was seen.
type oldField struct {
	key, field, value string
	place             string // where it is found by its id
	id                string // in that place; empty: the place is the record's alone
}

// take removes records that have not changed since they were seen.
func (u *purging) take(ctx context.Context, old []oldField) error {
	if u.dry {
		u.n += len(old)
		return nil
	}
	for chunk := range slices.Chunk(old, applyMost) {
		steps := make([]step, len(chunk))
		for i, f := range chunk {
			steps[i] = step{numberScript, []string{f.key}, []any{"gone", f.field, f.value}}
		}
		answers, err := u.s.runAll(ctx, steps)
		if err != nil {
			return err
		}
		err = u.s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			for i, f := range chunk {
				n := int(whole(answers[i]))
				u.n += n
				switch {
				case n == 0 || f.place == "":
				case f.id == "":
					p.Del(ctx, f.place)
				default:
					p.HDel(ctx, f.place, f.id)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// attempts looks at the attempts that are found at places.
func (u *purging) attempts(ctx context.Context, keys []string) error {
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return key == u.s.sharedKey("i") || begunAfter(key, u.Before) // the former is the imports' counter
	})
	all, err := u.s.hashes(ctx, keys)
	if err != nil {
		return err
	}
	var old []oldField
	for i, place := range keys {
		for id, n := range all[i] {
			if !u.except[n] {
				old = append(old, oldField{key: u.s.numberKey(campaigns.Number(n), "a"), field: id, place: place, id: id})
			}
		}
	}
	for chunk := range slices.Chunk(old, applyMost) {
		if err := u.attemptsSeen(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// crockford are the digits of ULIDs (Crockford's base 32).
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// begunAfter reports whether the attempts that are found at a place were certainly begun after an
// instant: a ULID begins with its time, in milliseconds, of which the place has all but 10 bits. A day is left
// for clocks that were set.
func begunAfter(place string, before time.Time) bool {
	id, ok := strings.CutSuffix(place, "}i")
	if !ok || len(id) < 8 {
		return false
	}
	var ms int64
	for _, c := range id[len(id)-8:] {
		digit := strings.IndexRune(crockford, c)
		if digit < 0 {
			return false
		}
		ms = ms<<5 | int64(digit)
	}
	return time.UnixMilli(ms << 10).After(before.Add(24 * time.Hour))
}

// attemptsSeen takes of some attempts those that are too old.
func (u *purging) attemptsSeen(ctx context.Context, some []oldField) error {
	blobs := make([]*goredis.StringCmd, len(some))
	err := u.s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, f := range some {
			blobs[i] = p.HGet(ctx, f.key, f.field)
		}
	})
	if err != nil {
		return err
	}
	var old []oldField
	for i, f := range some {
		if f.value = blobs[i].Val(); f.value == "" {
			continue
		}
		k, err := decodeAttempt(f.id, "", f.value)
		if err != nil {
			return err
		}
		if k.settled && k.Campaign == u.Campaign && k.At.Before(u.Before) {
			old = append(old, f)
		}
	}
	return u.take(ctx, old)
}

func (u *purging) screenings(ctx context.Context, keys []string) error {
	keys = slices.DeleteFunc(keys, func(key string) bool { return u.except[key] })
	all, err := u.s.hashes(ctx, keys)
	if err != nil {
		return err
	}
	var old []oldField
	for i, key := range keys {
		for field, blob := range all[i] {
			parts := strings.Split(field, "\x00")
			r := reader{b: []byte(blob)}
			if len(parts) == 3 && parts[1] == u.Seller && r.time().Before(u.Before) && r.err == nil {
				old = append(old, oldField{key: key, field: field, value: blob})
			}
		}
	}
	return u.take(ctx, old)
}

func (u *purging) consents(ctx context.Context, keys []string) error {
	all, err := u.s.hashes(ctx, keys)
	if err != nil {
		return err
	}
	var old []oldField
	for i, key := range keys {
		for field, blob := range all[i] {
			var c dnc.Consent
			if err := json.Unmarshal([]byte(blob), &c); err != nil {
				return err
			}
			if c.Seller == u.Seller && !c.Ends.IsZero() && c.Ends.Before(u.Before) && !u.except[string(c.Number)] {
				old = append(old, oldField{key: key, field: field, value: blob, place: u.s.consentKey(c)})
			}
		}
	}
	return u.take(ctx, old)
}
