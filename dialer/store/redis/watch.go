package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
)

// The errors that say why the state cannot be dialed from.
var (
	// ErrChanged says that another server has become master, or that one was started again: what was
	// written last may be lost, and until every living node has written its last minute again nothing is leased and no
	// intent is taken.
	ErrChanged = errors.New("redis has changed: nothing is dialed until the nodes have written their last minute again")
	// ErrNotDurable says that Redis acknowledges what it may forget.
	ErrNotDurable = errors.New("redis does not sync what it acknowledges: set appendonly yes and appendfsync always, or put ?fsync=any behind its URL and lose the last second in a crash")
	// errNoMaster says that a server of several is not the master that it was taken for.
	errNoMaster = errors.New("no other has become master yet")
)

const (
	watchEvery = 250 * time.Millisecond
	recentSpan = time.Minute // what is written again after a change
	recentMost = 50_000
	// silentFor is how long after a change a node is waited for that was not seen to end: while Redis
	// was away none could say that it lives.
	silentFor = dialer.NodeLife
)

// watch knows which servers are masters, and what this process has written of late.
type watch struct {
	stop context.CancelFunc
	gone chan struct{}

	mu      sync.Mutex // protects fields below
	era     string     // run ids of the masters
	trusted bool
	again   bool      // this process has written again what it wrote before this era
	changed time.Time // when it was seen to have begun
	recent  []recent
	next    uint64
}

// recent is something that was written: changes of attempts, or what redo writes
// again. It must change nothing where nothing was lost, and share nothing with the write.
type recent struct {
	id      uint64
	at      time.Time
	changes []dialer.Change
	redo    func(context.Context) error
}

// Trusted returns nil while the masters are those that the nodes have agreed on,
// else ErrChanged.
func (s *Store) Trusted() error {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if !s.watch.trusted {
		return ErrChanged
	}
	return nil
}

// lately writes what is to be written again, should the master change within a
// minute.
func (s *Store) lately(ctx context.Context, what recent, write func(context.Context) error) error {
	w := &s.watch
	w.mu.Lock()
	w.next++
	id, now := w.next, time.Now()
	what.id, what.at = id, now
	old := 0
	for old < len(w.recent) && (now.Sub(w.recent[old].at) > recentSpan || len(w.recent)-old >= recentMost) {
		w.recent[old] = recent{}
		old++
	}
	w.recent = append(w.recent[old:], what)
	w.mu.Unlock()
	err := write(ctx)
	if err != nil { // whoever asked asks again
		w.mu.Lock()
		w.recent = slices.DeleteFunc(w.recent, func(r recent) bool { return r.id == id })
		w.mu.Unlock()
	}
	return err
}

// sight is what the masters say of themselves.
type sight struct {
	era      string
	replicas int // of the master that has fewest
}

// eachMaster calls do for every master, one after the other or beside each other.
func (s *Store) eachMaster(ctx context.Context, do func(context.Context, *goredis.Client) error) error {
	switch db := s.db.(type) {
	case *goredis.ClusterClient:
		return db.ForEachMaster(ctx, do)
	case *goredis.Client:
		return do(ctx, db)
	}
	return fmt.Errorf("%T has no masters", s.db)
}

// look asks the masters who they are.
func (s *Store) look(ctx context.Context) (sight, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var mu sync.Mutex // protects runs and least
	var runs []string
	least := -1
	err := s.eachMaster(ctx, func(ctx context.Context, db *goredis.Client) error {
		p := db.Pipeline()
		server, replication := p.Info(ctx, "server"), p.Info(ctx, "replication")
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
		if role := info(replication.Val(), "role"); role != "master" {
			err := fmt.Errorf("redis at %s is a %s", db.Options().Addr, role)
			if _, alone := s.db.(*goredis.Client); s.sentinel || !alone {
				err = fmt.Errorf("%w: %w", err, errNoMaster)
			}
			return err
		}
		n, err := strconv.Atoi(info(replication.Val(), "connected_slaves"))
		mu.Lock()
		defer mu.Unlock()
		runs = append(runs, info(server.Val(), "run_id"))
		if least < 0 || n < least {
			least = n
		}
		return err
	})
	slices.Sort(runs)
	return sight{era: strings.Join(runs, " "), replicas: max(least, 0)}, err
}

// info finds a field in the answer of INFO.
func info(text, field string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// checkSync looks whether the masters sync what they acknowledge. A server that
// forbids to ask is named.
func (s *Store) checkSync(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var mu sync.Mutex // protects s.notices
	return s.eachMaster(ctx, func(ctx context.Context, db *goredis.Client) error {
		only, err := db.ConfigGet(ctx, "appendonly").Result()
		var when map[string]string
		if err == nil {
			when, err = db.ConfigGet(ctx, "appendfsync").Result()
		}
		var refused goredis.Error
		switch {
		case errors.As(err, &refused) || err == nil && (only["appendonly"] == "" || when["appendfsync"] == ""):
			mu.Lock()
			defer mu.Unlock()
			s.notices = append(s.notices, fmt.Sprintf("redis at %s does not tell whether it syncs what it acknowledges (CONFIG GET): see to appendonly yes and appendfsync always", db.Options().Addr))
			return nil
		case err != nil:
			return err
		case only["appendonly"] != "yes" || when["appendfsync"] != "always":
			return fmt.Errorf("redis at %s, appendonly %s, appendfsync %s: %w", db.Options().Addr, only["appendonly"], when["appendfsync"], ErrNotDurable)
		}
		return nil
	})
}

// Notices are what of Redis could not be checked when the state was opened.
func (s *Store) Notices() []string { return slices.Clone(s.notices) }

// beginWatch takes the masters as they are, when they are those that the nodes
// agreed on last, and watches them from then on.
func (s *Store) beginWatch(ctx context.Context) error {
	now, err := s.look(ctx)
	if err != nil {
		return err
	}
	s.needReplicas(now)
	agreed, err := s.agreed(ctx, now.era)
	if err != nil {
		return err
	}
	s.watch.era, s.watch.trusted, s.watch.changed = now.era, agreed, time.Now()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.watch.stop, s.watch.gone = stop, make(chan struct{})
	go func() {
		defer close(s.watch.gone)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.keepWatch(running)
			case <-running.Done():
				return
			}
		}
	}()
	return nil
}

// needReplicas follows how many replicas an intent needs: as the URL says, else one
// as soon as there was any.
func (s *Store) needReplicas(now sight) {
	switch {
	case s.wanted >= 0:
		s.replicas.Store(int32(s.wanted))
	case now.replicas > 0 || s.sentinel:
		s.replicas.Store(1)
	}
}

// agreed reports whether the nodes' last agreement is on this era; the first node
// of all agrees with itself.
func (s *Store) agreed(ctx context.Context, era string) (bool, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if err := s.db.SetNX(ctx, s.sharedKey("era"), era, 0).Err(); err != nil {
		return false, err
	}
	known, err := s.db.Get(ctx, s.sharedKey("era")).Result()
	return known == era, err
}

// keepWatch looks once. While Redis does not answer nothing changes: each call
// gives its own error.
func (s *Store) keepWatch(ctx context.Context) {
	now, err := s.look(ctx)
	if err != nil {
		return
	}
	s.needReplicas(now)
	w := &s.watch
	w.mu.Lock()
	if now.era != w.era {
		w.era, w.trusted, w.again, w.changed = now.era, false, false, time.Now()
	}
	trusted, again := w.trusted, w.again
	recents, changed := slices.Clone(w.recent), w.changed
	w.mu.Unlock()
	if trusted {
		return
	}
	if !again {
		if !s.writeAgain(ctx, now.era, recents) {
			return
		}
		w.mu.Lock()
		w.again = true
		w.mu.Unlock()
	}
	if !s.allAgain(ctx, now.era, time.Since(changed) < silentFor) {
		return
	}
	w.mu.Lock()
	w.trusted = w.era == now.era
	w.mu.Unlock()
}

// writeAgain writes what this process wrote last, and says so to the other nodes.
func (s *Store) writeAgain(ctx context.Context, era string, recents []recent) bool {
	var batch []dialer.Change // many in a round trip, or a busy node's minute takes half a minute
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		defer func() { batch = nil }()
		return s.apply(ctx, batch)
	}
	for _, r := range recents {
		if time.Since(r.at) > recentSpan {
			continue
		}
		if r.redo == nil {
			batch = append(batch, r.changes...)
			continue
		}
		if flush() != nil || r.redo(ctx) != nil {
			return false
		}
	}
	if flush() != nil {
		return false
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.HSet(ctx, s.sharedKey("again"), s.node, era) }) == nil
}
