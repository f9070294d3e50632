package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store/redis"
	"pronto/dnc"
)

// synced makes a server sync what it acknowledges.
var synced = []string{"--appendonly", "yes", "--appendfsync", "always"}

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// opened opens a store with the campaign spring and n leads.
func opened(t testing.TB, o redis.Options, n int) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	r := dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring", Seller: "acme"}, State: dialer.Running, CreatedAt: monday}
	if _, err := s.PutCampaign(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	load(t, s, n)
	return s
}

// load loads n leads.
func load(t testing.TB, s *redis.Store, n int) {
	t.Helper()
	l, err := s.LoadLeads(t.Context(), "spring", "", monday)
	if err != nil {
		t.Fatal(err)
	}
	leads := make([]campaigns.Lead, n)
	for i := range leads {
		leads[i].Number = number(i)
	}
	if err := l.Stage(t.Context(), leads); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := l.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func number(i int) campaigns.Number { return campaigns.Number(fmt.Sprintf("+39065%07d", i)) }

// clerk writes attempts and opt-outs and remembers what was acknowledged.
type clerk struct {
	s  *redis.Store
	mu sync.Mutex // protects fields below

	begun, ended map[string]campaigns.Number
	optOuts      map[campaigns.Number]bool
	failed       int
}

func newClerk(s *redis.Store) *clerk {
	return &clerk{s: s, begun: map[string]campaigns.Number{}, ended: map[string]campaigns.Number{}, optOuts: map[campaigns.Number]bool{}}
}

// work writes until ctx ends.
func (c *clerk) work(ctx context.Context) {
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			rest := time.NewTicker(2 * time.Millisecond)
			defer rest.Stop()
			for i := 0; ctx.Err() == nil; i++ {
				c.step(fmt.Sprintf("%d-%d", w, i))
				<-rest.C
			}
		})
	}
	wait.Wait()
}

// step leases a lead, claims it, ends its attempt and opts its number out.
func (c *clerk) step(id string) {
	ctx := context.Background()
	leads, err := c.s.Lease(ctx, "spring", "", campaigns.Draw{N: 1}, monday)
	if err != nil || len(leads) == 0 {
		c.note(func() { c.failed++ })
		return
	}
	a := dialer.Attempt{ID: id, Lead: leads[0].ID, Campaign: "spring", Seller: "acme", Number: leads[0].Number, At: monday, RetryAt: monday.Add(time.Hour)}
	if err := c.s.Intend(ctx, a); err != nil {
		c.note(func() { c.failed++ })
		return
	}
	c.note(func() { c.begun[id] = a.Number })
	a.Outcome = campaigns.NoAnswer
	if c.s.Apply(ctx, []dialer.Change{{Attempt: a, Settled: true, Seq: 2}}) == nil {
		c.note(func() { c.ended[id] = a.Number })
	}
	if _, err := c.s.AddOptOuts(ctx, []dnc.OptOut{{Number: a.Number, At: monday, Source: "cli"}}); err == nil {
		c.note(func() { c.optOuts[a.Number] = true })
	}
}

func (c *clerk) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// acknowledged is how many attempts were begun so far.
func (c *clerk) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.begun)
}

// check looks whether what was acknowledged is there.
func (c *clerk) check(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	called := map[campaigns.Number]int{}
	for id, n := range c.begun {
		called[n]++
		touch, err := c.s.Touches(ctx, "acme", n, time.Time{})
		if err != nil || len(touch.Attempts) == 0 {
			t.Errorf("attempt %s on %s is lost: %v", id, n, err)
		}
	}
	for n, times := range called {
		if times > 1 {
			t.Errorf("%s was called %d times", n, times)
		}
	}
	for id := range c.ended {
		if _, ok, err := c.s.Settled(ctx, id); err != nil || !ok {
			t.Errorf("the end of attempt %s is lost: %v", id, err)
		}
	}
	for n := range c.optOuts {
		if _, out, err := c.s.OptedOut(ctx, n, "acme", ""); err != nil || !out {
			t.Errorf("the opt-out of %s is lost: %v", n, err)
		}
	}
	t.Logf("%d begun, %d ended, %d opted out; %d tries failed", len(c.begun), len(c.ended), len(c.optOuts), c.failed)
}

// TestServerKilled: redis is killed again and again while everything is written,
// and loses nothing that it acknowledged; the store goes on by itself.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	srv := startServer(t, synced...)
	s := opened(t, redis.Options{URL: srv.url(""), Node: "node1", Dir: t.TempDir(), Wait: 2 * time.Second}, 20_000)
	c := newClerk(s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.work(ctx)
	}()
	for range 5 {
		before := c.acknowledged()
		until(t, "attempts are acknowledged", func() bool { return c.acknowledged() > before+50 })
		srv.kill()
		srv.start(t)
	}
	before := c.acknowledged()
	until(t, "work goes on", func() bool { return c.acknowledged() > before+50 })
	stop()
	<-done
	c.check(t)
}

// TestChanged: after another server has begun, nothing is leased and no intent is
// taken until every node that lives has written its last minute again.
func TestChanged(t *testing.T) {
	t.Parallel()
	srv := startServer(t, synced...)
	s := opened(t, redis.Options{URL: srv.url(""), Node: "node1", Dir: t.TempDir(), Wait: 2 * time.Second}, 10)
	leads, err := s.Lease(t.Context(), "spring", "", campaigns.Draw{N: 1}, monday)
	if err != nil {
		t.Fatal(err)
	}
	a := dialer.Attempt{ID: "A", Lead: leads[0].ID, Campaign: "spring", Seller: "acme", Number: leads[0].Number, At: monday, RetryAt: monday.Add(time.Hour)}
	if err := s.Intend(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: number(9), At: monday, Source: "cli"}}); err != nil {
		t.Fatal(err)
	}
	db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
	defer db.Close()
	forget(t, db, "a", "o")
	other := fmt.Sprintf("alive x %d 0", time.Now().Add(2*time.Second).UnixMicro()) // node2 lives for two more seconds
	if err := db.HSet(t.Context(), "pronto:{nodes}live", "node2", other).Err(); err != nil {
		t.Fatal(err)
	}
	srv.kill()
	srv.start(t)
	until(t, "the change is seen", func() bool { return errors.Is(s.Trusted(), redis.ErrChanged) })
	b := a
	b.ID = "B"
	if err := s.Intend(t.Context(), b); !errors.Is(err, redis.ErrChanged) {
		t.Errorf("Intend = %v, want ErrChanged: node2 has not written again", err)
	}
	if _, err := s.Lease(t.Context(), "spring", "", campaigns.Draw{N: 1}, monday); !errors.Is(err, redis.ErrChanged) {
		t.Errorf("Lease = %v, want ErrChanged", err)
	}
	until(t, "the node has written again", func() bool { return s.Trusted() == nil })
	touch, err := s.Touches(t.Context(), "acme", a.Number, time.Time{})
	if err != nil || len(touch.Attempts) != 1 {
		t.Errorf("Touches = %+v, %v, want the attempt written again", touch, err)
	}
	if _, out, err := s.OptedOut(t.Context(), number(9), "acme", ""); err != nil || !out {
		t.Errorf("the opt-out was not written again: %v", err)
	}
}

// TestWrittenAgainTogether: what a busy node wrote in its last minute is written
// again in a few round trips, because nothing is dialed meanwhile.
func TestWrittenAgainTogether(t *testing.T) {
	t.Parallel()
	const many = 200
	srv := startServer(t, synced...)
	s := opened(t, redis.Options{URL: srv.url(""), Node: "node1", Dir: t.TempDir(), Wait: 2 * time.Second}, 10)
	for i := range many {
		a := dialer.Attempt{ID: fmt.Sprintf("A%d", i), Seller: "acme", Number: number(i), At: monday}
		if err := s.Intend(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
	defer db.Close()
	forget(t, db, "a")
	srv.kill()
	srv.start(t)
	looks := 0
	until(t, "the node has written again", func() bool {
		looks++
		touch, err := s.Touches(t.Context(), "acme", number(many-1), time.Time{})
		return err == nil && len(touch.Attempts) == 1 && s.Trusted() == nil
	})
	stats, err := db.Info(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(stats, "total_reads_processed:")
	if n, err := strconv.Atoi(strings.TrimSpace(after[:strings.IndexByte(after, '\n')])); err != nil || n-3*looks > 2*many { // one by one they take three each
		t.Errorf("%d attempts took %d reads of the server's, %v", many, n, err)
	}
	for i := range many {
		if touch, err := s.Touches(t.Context(), "acme", number(i), time.Time{}); err != nil || len(touch.Attempts) != 1 {
			t.Fatalf("Touches of %d = %+v, %v, want the attempt written again", i, touch, err)
		}
	}
}

// forget removes what stands under numbers, as a replica that was behind would have
// it.
func forget(t *testing.T, db *goredis.Client, kinds ...string) {
	t.Helper()
	for _, name := range kinds {
		keys, err := db.Keys(t.Context(), "pronto:{*}"+name).Result()
		if err != nil || len(keys) == 0 {
			t.Fatalf("nothing to forget under %s: %v", name, err)
		}
		if err := db.Del(t.Context(), keys...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGone: a server that stands still or is gone costs each call no more than its
// bound, and everything resumes by itself.
func TestGone(t *testing.T) {
	t.Parallel()
	const wait = 300 * time.Millisecond
	srv := startServer(t)
	s := opened(t, redis.Options{URL: srv.url("?fsync=any"), Node: "node1", Dir: t.TempDir(), Wait: wait}, 10)
	ctx := t.Context()
	a := dialer.Attempt{ID: "A", Campaign: "spring", Seller: "acme", Number: number(0), At: monday}
	calls := map[string]func() error{
		"lease":   func() error { _, err := s.Lease(ctx, "spring", "", campaigns.Draw{N: 1}, monday); return err },
		"intend":  func() error { return s.Intend(ctx, a) },
		"apply":   func() error { return s.Apply(ctx, []dialer.Change{{Attempt: a, Seq: 1}}) },
		"touches": func() error { _, err := s.Touches(ctx, "acme", number(0), monday); return err },
		"opt-out": func() error { _, _, err := s.OptedOut(ctx, number(0), "acme", ""); return err },
		"verdict": func() error { _, _, err := s.Screening(ctx, "rpo", "acme", number(0)); return err },
		"consent": func() error { _, err := s.Consents(ctx, "acme", number(0)); return err },
		"list":    func() error { _, err := s.Campaigns(ctx); return err },
	}
	fail := func(how string) {
		for name, call := range calls {
			began := time.Now()
			err := call()
			if took := time.Since(began); err == nil || took > 2*wait {
				t.Errorf("%s: %s = %v after %v, want an error within %v", how, name, err, took, wait)
			}
		}
	}
	if err := srv.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := calls["lease"](); err == nil { // on a connection that stands: the server takes it in when it goes on
		t.Error("a lease from a server that stands still gave no error")
	}
	fail("standing still")
	if err := srv.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until(t, "calls succeed again", func() bool { return calls["touches"]() == nil })
	leads, err := s.Lease(ctx, "spring", "", campaigns.Draw{N: 100}, monday)
	if err != nil || len(leads) != 10 {
		t.Errorf("leased %d leads, %v: those of the lost answers did not come back", len(leads), err)
	}
	srv.kill()
	fail("gone")
}

// TestNotDurable: a server that may forget what it acknowledged is refused, with
// what is to be set.
func TestNotDurable(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no file":      nil,
		"every second": {"--appendonly", "yes", "--appendfsync", "everysec"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := redis.Open(t.Context(), redis.Options{URL: startServer(t, args...).url(""), Node: "node1", Dir: t.TempDir()})
			if !errors.Is(err, redis.ErrNotDurable) {
				t.Errorf("Open = %v, want ErrNotDurable", err)
			}
			if s != nil {
				s.Close()
			}
		})
	}
	t.Run("forbidden to ask", func(t *testing.T) {
		srv := startServer(t, append([]string{"--rename-command", "CONFIG", ""}, synced...)...)
		s := opened(t, redis.Options{URL: srv.url(""), Node: "node1", Dir: t.TempDir()}, 1)
		if len(s.Notices()) != 1 {
			t.Errorf("Notices = %q, want that it could not be checked", s.Notices())
		}
	})
}

// TestEvicts: a server that throws keys away when it is full is refused.
func TestEvicts(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]error{"allkeys-lru": redis.ErrEvicts, "volatile-ttl": redis.ErrEvicts, "noeviction": nil} {
		s, err := redis.Open(t.Context(), redis.Options{URL: startServer(t, "--maxmemory", "100mb", "--maxmemory-policy", policy).url("?fsync=any"), Node: "node1", Dir: t.TempDir()})
		if !errors.Is(err, want) {
			t.Errorf("%s: Open = %v, want %v", policy, err, want)
		}
		if err == nil {
			s.Close()
		}
	}
}

// TestNames: a node's name belongs to one data folder, and the key of the
// company's own list is the same on every node.
func TestNames(t *testing.T) {
	t.Parallel()
	url := startServer(t).url("?fsync=any")
	opened(t, redis.Options{URL: url, Node: "node1", Dir: t.TempDir()}, 1)
	for name, c := range map[string]struct {
		node string
		want error
	}{
		"another folder with the name": {"node1", redis.ErrNodeName},
		"another node without the key": {"node2", nil},
	} {
		s, err := redis.Open(t.Context(), redis.Options{URL: url, Node: c.node, Dir: t.TempDir()})
		if err == nil {
			t.Errorf("%s: Open gave no error", name)
			s.Close()
		}
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: Open = %v, want %v", name, err, c.want)
		}
	}
}
