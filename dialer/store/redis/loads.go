package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer/store"
)

// loadKey is what is known of a list load.
func (s *Store) loadKey(campaign, load int64) string {
	return s.campaignKey(campaign, fmt.Sprintf("j:%d", load))
}

// The states of a merged load in its record.
const (
	loadMerged = "merged"
	loadUndone = "undone"
)

// Loads lists the campaign's loads, the newest first. They are numbered within the
// campaign.
func (s *Store) Loads(ctx context.Context, campaign string) ([]store.Load, error) {
	no, err := s.number(ctx, campaign)
	var list []store.Load
	if err == nil {
		list, err = s.loadsOf(ctx, no)
	}
	if err != nil {
		return nil, fmt.Errorf("list loads of %s: %w", campaign, err)
	}
	return list, nil
}

func (s *Store) loadsOf(ctx context.Context, campaign int64) ([]store.Load, error) {
	times, err := s.hash(ctx, s.campaignKey(campaign, "t"))
	if err != nil {
		return nil, err
	}
	lanes, err := s.hash(ctx, s.campaignKey(campaign, "ll"))
	if err != nil {
		return nil, err
	}
	names, err := s.listNames(ctx, campaign)
	if err != nil {
		return nil, err
	}
	var all []store.Load
	var newest time.Time
	for load, at := range times {
		id, err := strconv.ParseInt(load, 10, 64)
		if err != nil {
			return nil, err
		}
		one := store.Load{ID: id, At: instant(at)}
		if lane, err := strconv.Atoi(lanes[load]); err == nil && lane < len(names) {
			one.List = names[lane]
		}
		all = append(all, one)
		if at := instant(at); at.After(newest) {
			newest = at
		}
	}
	slices.SortFunc(all, func(a, b store.Load) int { return cmp.Compare(b.ID, a.ID) })
	notes := make([]*goredis.MapStringStringCmd, len(all))
	args := []any{"undoable"}
	err = s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i := range all {
			notes[i] = p.HGetAll(ctx, s.loadKey(campaign, all[i].ID))
			args = append(args, all[i].ID)
		}
	})
	if err != nil {
		return nil, err
	}
	v, err := s.run(ctx, s.onLists(campaign, args...))
	if err != nil {
		return nil, err
	}
	merged := all[:0]
	for i, l := range all {
		note := notes[i].Val()
		if note["state"] == "" {
			continue
		}
		l.Undone, l.Lasting = note["state"] == loadUndone, whole(list(v)[i]) == 0 || newest.Sub(l.At) > store.UndoFor
		if err := noted(&l, campaign, note); err != nil {
			return nil, fmt.Errorf("load %d: %w", l.ID, err)
		}
		merged = append(merged, l)
	}
	return merged, nil
}

// noted reads what is known of a load.
func noted(l *store.Load, campaign int64, note map[string]string) error {
	number := func(name string) int {
		n, _ := strconv.Atoi(note[name]) // as the script counted; absent: none
		return n
	}
	l.Added, l.Updated, l.Unchanged = number("added"), number("updated"), number("unchanged")
	if l.Added > 0 && note["first"] != "" {
		l.First, l.Last = leadID(campaign, int64(number("first"))), leadID(campaign, int64(number("last")))
	}
	if note["note"] == "" {
		return nil
	}
	return json.Unmarshal([]byte(note["note"]), &l.LoadNote)
}

// UndoLoad takes a load back as far as it can: leads that it added and that nobody called since
// go, those that it changed become as they were. Others stay and are named. Asking again takes up
// what was held at first. The work is done in short steps; a crash leaves a part of it done.
func (s *Store) UndoLoad(ctx context.Context, campaign string, load int64) (store.Undone, error) {
	var done store.Undone
	err := s.undoLoad(ctx, campaign, load, &done)
	if err != nil {
		return done, fmt.Errorf("roll back load %d: %w", load, err)
	}
	return done, nil
}

func (s *Store) undoLoad(ctx context.Context, campaign string, load int64, done *store.Undone) error {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return err
	}
	all, err := s.loadsOf(ctx, no)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(l store.Load) bool { return l.ID == load })
	if at < 0 {
		return s.notUndone(ctx, campaign, no, load)
	}
	if all[at].Lasting {
		return fmt.Errorf("%w: it is older than %d days", store.ErrLoadKept, int(store.UndoFor.Hours()/24))
	}
	if err := s.undoAdded(ctx, no, all[at], done); err != nil {
		return err
	}
	if err := s.undoChanged(ctx, no, all[at], done); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		p.HSet(ctx, s.loadKey(no, load), "state", loadUndone)
	})
}

// notUndone says why a load that is not in the campaign's history cannot be undone.
func (s *Store) notUndone(ctx context.Context, campaign string, no, load int64) error {
	open, err := s.hash(ctx, s.campaignKey(no, "o"))
	if err != nil {
		return err
	}
	if state := open[strconv.FormatInt(load, 10)]; state != "" && state[0] == '1' {
		return fmt.Errorf("%w: it is being merged", store.ErrLoadKept)
	}
	return fmt.Errorf("%w %d in campaign %s", store.ErrNoLoad, load, campaign)
}

// undoMost is how many leads one step takes back.
const undoMost = 256

func (s *Store) undoAdded(ctx context.Context, no int64, l store.Load, done *store.Undone) error {
	_, from := placeOf(l.First)
	_, last := placeOf(l.Last)
	for from > 0 && from <= last {
		v, err := s.run(ctx, s.onLists(no, "undoadded", l.ID, from, last, undoMost))
		if err != nil {
			return err
		}
		answer := list(v)
		from = whole(answer[0])
		done.Removed += int(whole(answer[1]))
		keep(done, no, list(answer[2]))
	}
	return nil
}

func (s *Store) undoChanged(ctx context.Context, no int64, l store.Load, done *store.Undone) error {
	if l.Updated == 0 {
		return nil
	}
	leads, err := s.places(ctx, no)
	if err != nil {
		return err
	}
	sec, nano := split(l.At)
	const step = undoMost / bucketSize
	for bucket := int64(0); bucket*bucketSize < leads; bucket += step {
		v, err := s.run(ctx, s.onLists(no, "undochanged", l.ID, bucket, bucket+step-1, sec, nano))
		if err != nil {
			return err
		}
		answer := list(v)
		done.Restored += int(whole(answer[0]))
		keep(done, no, list(answer[1]))
	}
	return nil
}

// places is how many places the campaign has given to leads.
func (s *Store) places(ctx context.Context, no int64) (int64, error) {
	var n *goredis.StringCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { n = p.Get(ctx, s.campaignKey(no, "n")) })
	if err != nil || n.Val() == "" {
		return 0, err
	}
	return n.Int64()
}

// keep notes the leads that a step left as they are.
func keep(done *store.Undone, campaign int64, kept []any) {
	for i := 0; i+3 < len(kept); i += 4 {
		done.Keep(store.KeptLead{
			ID: leadID(campaign, whole(kept[i])), External: text(kept[i+1]), Number: numberOf(text(kept[i+2])), Why: store.Kept(text(kept[i+3])),
		})
	}
}
