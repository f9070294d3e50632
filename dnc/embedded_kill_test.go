package dnc_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/killtest"
	"pronto/dnc/registers"
)

func TestMain(m *testing.M) { killtest.Main(m, importFlip) }

const flipped = 3_000

func flipNumber(i int) campaigns.Number {
	return campaigns.Number("+39347" + strconv.Itoa(1_000_000+i))
}

// flip is the i-th result for the same numbers: all registered or all clear,
// each a minute younger than the one before.
func flip(i int) *registers.Result {
	at := time.Date(2026, 11, 1, 0, i, 0, 0, time.UTC)
	r := &registers.Result{Import: dnc.Import{ID: "import" + strconv.Itoa(i), Register: "rpo", Seller: "aurora", At: at, CheckedAt: at, Rows: flipped}}
	for n := range flipped {
		r.Screenings = append(r.Screenings, dnc.Screening{
			Register: "rpo", Seller: "aurora", Number: flipNumber(n), Registered: i%2 == 1, CheckedAt: at, Import: r.Import.ID,
		})
	}
	return r
}

func importFlip(dir string, i int) error {
	ctx := context.Background()
	s, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	if err := flip(i).Apply(ctx, s); err != nil {
		return err
	}
	return s.Close()
}

// TestKilledImportsOfVerdicts kills imports at random instants: the store then
// opens and answers for all numbers with the old result or with the new one.
func TestKilledImportsOfVerdicts(t *testing.T) {
	dir := t.TempDir()
	if err := importFlip(dir, 0); err != nil {
		t.Fatal(err)
	}
	killtest.Killed(t, dir, 5, 150*time.Millisecond, func() int { return whichFlip(t, dir) })
}

// whichFlip is the number of the result that holds, which must hold for all.
func whichFlip(t *testing.T, dir string) int {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	held := -1
	for n := range flipped {
		v, ok, err := s.Screening(t.Context(), "rpo", "aurora", flipNumber(n))
		if err != nil || !ok {
			t.Fatalf("number %d: %v %v", n, ok, err)
		}
		i, err := strconv.Atoi(strings.TrimPrefix(v.Import, "import"))
		if err != nil || v.Registered != (i%2 == 1) {
			t.Fatalf("number %d: %+v", n, v)
		}
		if held < 0 {
			held = i
		}
		if i != held {
			t.Fatalf("number %d has result %d, those before it %d", n, i, held)
		}
	}
	return held
}

// TestImportsAtOnce takes two results in at the same time while another reads:
// the younger holds in the end, and a reader who has seen a result at one number
// sees none older at another.
func TestImportsAtOnce(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := flip(0).Apply(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	seen := func(n int) time.Time {
		v, ok, err := s.Screening(context.Background(), "rpo", "aurora", flipNumber(n))
		if err != nil || !ok {
			t.Errorf("number %d: %v %v", n, ok, err)
		}
		return v.CheckedAt
	}
	var imports, readers sync.WaitGroup
	done := make(chan struct{})
	for _, ends := range [][2]int{{0, flipped - 1}, {flipped - 1, 0}, {flipped / 2, 1}} {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if first, then := seen(ends[0]), seen(ends[1]); then.Before(first) {
					t.Errorf("number %d of %s, then number %d of %s", ends[0], first, ends[1], then)
					return
				}
			}
		})
	}
	for _, i := range []int{2, 1} {
		imports.Go(func() {
			if err := flip(i).Apply(context.Background(), s); err != nil {
				t.Error(err)
			}
		})
	}
	imports.Wait()
	close(done)
	readers.Wait()
	for n := range flipped {
		if v, ok, err := s.Screening(t.Context(), "rpo", "aurora", flipNumber(n)); err != nil || !ok || v.Import != "import2" {
			t.Fatalf("number %d: %+v %v %v", n, v, ok, err)
		}
	}
}
