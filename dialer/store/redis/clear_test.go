package redis_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
	"pronto/dnc"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

var verdicts = flag.Int("verdicts", 20_000, "verdicts in the store of BenchmarkClear; the published figure is for 1000000")

// unwritten is an Evidence that costs nothing: the journal has its own figures.
type unwritten struct{}

func (unwritten) Decided(context.Context, dnc.Request, dnc.Verdict, time.Time) (uint64, error) {
	return 1, nil
}

// clearing is a node with its gate.
type clearing struct {
	store *redis.Store
	gate  *dnc.Gate
}

// nodes opens stores of several nodes on one server, with a gate each.
func nodes(t testing.TB, url string, names ...string) []clearing {
	t.Helper()
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var all []clearing
	var key []byte
	for _, name := range names {
		o := options(url, t.TempDir())
		o.URL, o.Node = url+"?fsync=any&prefix=shared:", name
		if key != nil {
			if err := os.WriteFile(filepath.Join(o.Dir, store.KeyName), key, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := redis.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if key, err = os.ReadFile(filepath.Join(o.Dir, store.KeyName)); err != nil {
			t.Fatal(err)
		}
		shelf, err := registers.OpenShelf(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		g, err := dnc.NewGate(dnc.Config{Rules: book, Screenings: s, OptOuts: s, History: s, Lists: shelf, Consents: s, Evidence: unwritten{}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, clearing{s, g})
	}
	return all
}

// asked is a request for a call in Italy, where every number has a verdict.
func asked(now time.Time, n campaigns.Number) dnc.Request {
	return dnc.Request{Attempt: "a", Lead: campaigns.Lead{Number: n}, Campaign: dnc.Terms{
		Name: "c", Seller: "acme", Purpose: "marketing", Jurisdiction: "it", CreatedAt: now.AddDate(0, 0, -1), CallerIDs: []campaigns.Number{"+390844000123"},
	}}
}

func screen(t testing.TB, s *redis.Store, now time.Time, count int) {
	t.Helper()
	batch := make([]dnc.Screening, count)
	for i := range batch {
		batch[i] = dnc.Screening{Register: "rpo", Seller: "acme", Number: numbered(i), CheckedAt: now.Add(-time.Hour), Import: "i"}
	}
	for chunk := range slices.Chunk(batch, 5000) {
		if err := s.Stage(t.Context(), "i", chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(t.Context(), dnc.Import{ID: "i", Register: "rpo", Seller: "acme", At: now, CheckedAt: now}); err != nil {
		t.Fatal(err)
	}
}

func numbered(i int) campaigns.Number {
	return campaigns.Number("+39347" + strconv.Itoa(1_000_000 + i)[0:7])
}

func tuesday(t testing.TB) time.Time {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 24, 17, 0, 0, 0, rome)
}

// TestOptOutHoldsOnEveryNodeAtOnce: what one node puts on the company's own list,
// refuses the very next call of each other node, and what it takes off does not.
func TestOptOutHoldsOnEveryNodeAtOnce(t *testing.T) {
	t.Parallel()
	now := tuesday(t)
	all := nodes(t, startServer(t, synced...).url(""), "node1", "node2", "node3")
	screen(t, all[0].store, now, 20)
	refused := func(round int, want bool) {
		for i, node := range all {
			_, v := node.gate.Clear(t.Context(), asked(now, numbered(round)), now)
			if got := v.Reason == dnc.OptedOut; got != want || !got && !v.Allowed {
				t.Errorf("round %d, node %d: %q (%s), want opted out %v", round, i, v.Reason, v.Detail, want)
			}
		}
	}
	for round := range 20 {
		writer := all[round%len(all)].store
		refused(round, false)
		if _, err := writer.AddOptOuts(t.Context(), []dnc.OptOut{{Number: numbered(round), Seller: "acme", At: now, Source: "agent"}}); err != nil {
			t.Fatal(err)
		}
		refused(round, true)
		if round%4 == 0 {
			if _, err := writer.RemoveOptOut(t.Context(), numbered(round), "acme", ""); err != nil {
				t.Fatal(err)
			}
			refused(round, false)
		}
	}
}

// BenchmarkClear measures a decision with the state in Redis, for random numbers of
// a register of verdicts, without the journal's write.
func BenchmarkClear(b *testing.B) {
	now := tuesday(b)
	node := nodes(b, startServer(b, synced...).url(""), "node1")[0]
	screen(b, node.store, now, *verdicts)
	r := rand.New(rand.NewPCG(3, 3))
	var took []time.Duration
	for b.Loop() {
		req := asked(now, numbered(r.IntN(*verdicts)))
		begin := time.Now()
		_, v := node.gate.Clear(b.Context(), req, now)
		took = append(took, time.Since(begin))
		if !v.Allowed {
			b.Fatal(v.Reason, v.Detail)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
}

// TestErasedStayListed: erasing takes number and key of a person out of the list and
// leaves the entry in force on every node; opting out again names them again.
func TestErasedStayListed(t *testing.T) {
	t.Parallel()
	now := tuesday(t)
	all := nodes(t, startServer(t, synced...).url(""), "node1", "node2")
	gone, stays := numbered(1), numbered(2)
	entries := []dnc.OptOut{{Number: gone, At: now, Source: "cli"}, {Number: stays, At: now, Source: "cli"}}
	if _, err := all[0].store.AddOptOuts(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	named := func() (names []campaigns.Number) {
		if err := all[1].store.EachOptOut(t.Context(), func(e dnc.OptOut) error {
			names = append(names, e.Number)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		return names
	}
	if err := all[0].store.EraseNumber(t.Context(), gone, store.EraseParts{Listed: true}); err != nil {
		t.Fatal(err)
	}
	if got := named(); !slices.Equal(got, []campaigns.Number{"", stays}) {
		t.Errorf("the list names %q", got)
	}
	if _, out, err := all[1].store.OptedOut(t.Context(), gone, "acme", "c"); !out || err != nil {
		t.Errorf("an erased person is off the list: %v", err)
	}
	if added, err := all[1].store.AddOptOuts(t.Context(), entries[:1]); added != 0 || err != nil {
		t.Errorf("opted out again: %d added, %v", added, err)
	}
	if got := named(); !slices.Equal(got, []campaigns.Number{gone, stays}) {
		t.Errorf("after opting out again the list names %q", got)
	}
}
