package redis

import (
	"cmp"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dnc"
)

// Options say how a store is opened.
type Options struct {
	// URL names the server; see ParseURL.
	URL string
	// Node is this node's name, unique among those that share the Redis.
	Node string
	// Dir is the node's data folder: it holds the key of the company's own list, the same on every node, and
	// what tells the folder from any other (IdentityName).
	Dir string
	// Lease is how long other nodes leave a lease to a node that is not heard of; 0: 15 minutes. It must
	// be longer than a lead waits in the queue, as Claim sees that a lease has gone.
	Lease time.Duration
	// Wait bounds every call; 0: 500 ms.
	Wait time.Duration

	taking bool // the state is to come from elsewhere
}

const (
	defaultLease = 15 * time.Minute
	defaultWait  = 500 * time.Millisecond
)

// ErrNodeName says that another data folder has this node's name.
var ErrNodeName = errors.New("another data folder has this node's name: give each node its own (node in the configuration)")

// Store is the state shared on Redis. Its methods may be called from any goroutine.
type Store struct {
	db     goredis.UniversalClient
	prefix string
	node   string
	lease  time.Duration
	wait   time.Duration
	list   *store.ListKey

	process string      // tells the processes of one node apart
	joined  atomic.Bool // this process is the node's
	silence silence
	clock   atomic.Pointer[dialer.ClockReading] // as the last word of Beat had it
	ahead   atomic.Int64                        // of the true time, the service's clock, in nanoseconds

	campaigns book // numbers of campaigns by name
	imports   book // committed imports' ids by number, as text
	loads     book // times of list loads

	watch    watch
	notices  []string     // what could not be checked
	replicas atomic.Int32 // that must have an intent
	wanted   int          // what the URL says of them; -1: nothing
	sentinel bool
	unsynced bool // what it acknowledges may be lost

	mu    sync.Mutex // protects fields below
	batch uint32     // of the last lease call
	doubt map[int64][]uint32
}

var (
	_ campaigns.LeadStore = (*Store)(nil)
	_ dialer.Attempts     = (*Store)(nil)
	_ dialer.Accounts     = (*Store)(nil)
	_ dialer.Campaigns    = (*Store)(nil)
	_ dialer.PhoneBook    = (*Store)(nil)
	_ dialer.CallerBook   = (*Store)(nil)
	_ dnc.Screenings      = (*Store)(nil)
	_ dnc.ScreeningSink   = (*Store)(nil)
	_ dnc.OptOuts         = (*Store)(nil)
	_ dnc.OptOutSink      = (*Store)(nil)
	_ dnc.Consents        = (*Store)(nil)
	_ dnc.ConsentSink     = (*Store)(nil)
	_ dnc.History         = (*Store)(nil)
)

// Open connects to Redis, takes this node's leases of an earlier process back,
// finishes the list loads that were committed and drops what this node had staged without a commit.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the state on Redis: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, o Options) (*Store, error) {
	if o.Node == "" {
		return nil, errors.New("the node has no name")
	}
	s, err := dial(o)
	if err != nil {
		return nil, err
	}
	_, err = s.Memory(ctx)
	if err == nil && !s.unsynced {
		err = s.checkSync(ctx)
	}
	if err == nil {
		err = s.begin(ctx, o)
	}
	if err == nil {
		err = s.beginWatch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// dial makes a store that has asked its Redis nothing yet.
func dial(o Options) (*Store, error) {
	wait := cmp.Or(o.Wait, defaultWait)
	place, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	db, err := place.connect(wait)
	if err != nil {
		return nil, err
	}
	logging.Disable() // what the library would print comes back as errors
	return &Store{
		wanted: place.Replicas, sentinel: place.Master != "", unsynced: place.Unsynced,
		db: db, prefix: place.Prefix, node: o.Node, process: cryptorand.Text(), lease: cmp.Or(o.Lease, defaultLease), wait: wait,
		batch: rand.Uint32(), doubt: map[int64][]uint32{},
	}, nil
}

// begin makes this node known and puts right what its earlier process left.
func (s *Store) begin(ctx context.Context, o Options) error {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	check := s.checkWhole
	if o.taking {
		check = s.beginTaking
	}
	if err := check(ctx); err != nil {
		return err
	}
	identity, err := identityOf(o.Dir)
	if err != nil {
		return err
	}
	if err := s.takeName(ctx, identity); err != nil {
		return err
	}
	if err := s.takeKey(ctx, o.Dir); err != nil {
		return err
	}
	if err := s.takeOwn(ctx); err != nil {
		return err
	}
	numbers, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	for _, campaign := range numbers {
		if err := s.endLoads(ctx, campaign); err != nil {
			return err
		}
	}
	return errors.Join(s.heal(ctx), s.dropImports(ctx))
}

// takeOwn makes what this node's earlier process had leased fresh again; where Redis has
// changed meanwhile, it may have been called, and the word of it may be lost.
func (s *Store) takeOwn(ctx context.Context) error {
	now, err := s.look(ctx)
	if err != nil {
		return err
	}
	same, err := s.agreed(ctx, now.era)
	if err != nil {
		return err
	}
	if same {
		return s.takeLeases(ctx, s.node)
	}
	return s.perhapsCalled(ctx, []string{s.node})
}

// IdentityName is the file in the data folder that tells it from any other.
const IdentityName = "node.id"

// identityOf reads what tells a data folder from any other; a new folder gets it.
func identityOf(dir string) (string, error) {
	file := filepath.Join(dir, IdentityName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(cryptorand.Text() + "\n")
		err = os.WriteFile(file, text, 0o600)
	}
	return strings.TrimSpace(string(text)), err
}

// takeName binds the node's name to its data folder.
func (s *Store) takeName(ctx context.Context, identity string) error {
	if err := s.db.HSetNX(ctx, s.sharedKey("nodes"), s.node, identity).Err(); err != nil {
		return err
	}
	owner, err := s.db.HGet(ctx, s.sharedKey("nodes"), s.node).Result()
	if err != nil {
		return err
	}
	if owner != identity {
		return fmt.Errorf("node %s: %w", s.node, ErrNodeName)
	}
	return nil
}

// takeKey reads the key of the company's own list. The first node to come gives
// the list its key; the others must hold the same file.
func (s *Store) takeKey(ctx context.Context, dir string) error {
	proof, err := s.db.Get(ctx, s.sharedKey("proof")).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	if s.list, err = store.TakeListKey(dir, proof); err != nil || proof != "" {
		if errors.Is(err, store.ErrListKey) {
			return fmt.Errorf("%w; a new node gets a copy of the file from another node's data folder", err)
		}
		return err
	}
	if err := s.db.SetNX(ctx, s.sharedKey("proof"), s.list.Proof(), 0).Err(); err != nil {
		return err
	}
	now, err := s.db.Get(ctx, s.sharedKey("proof")).Result()
	if err == nil && now != s.list.Proof() { // two nodes came first
		err = store.ErrListKey
	}
	return err
}

// Close ends the connections. It may be called twice.
func (s *Store) Close() error {
	s.watch.stop()
	<-s.watch.gone
	if err := s.db.Close(); err != nil && !errors.Is(err, goredis.ErrClosed) {
		return fmt.Errorf("close the state on Redis: %w", err)
	}
	return nil
}

// book keeps in memory what never changes in Redis once it is there.
type book struct {
	mu    sync.Mutex // protects known
	known map[string]string
}

func (b *book) get(key string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.known[key]
	return v, ok
}

func (b *book) put(key, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		b.known = map[string]string{}
	}
	b.known[key] = value
}
