package dnc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/registers"
)

// importEnv names the store's folder and the number of the import for a child
// process that is killed on the way.
const importEnv = "DNC_TEST_IMPORT"

func TestMain(m *testing.M) {
	if task := os.Getenv(importEnv); task != "" {
		dir, i, _ := strings.Cut(task, "|")
		n, err := strconv.Atoi(i)
		if err == nil {
			err = importFlip(dir, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

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
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	held, killed := 0, 0
	for i := 1; i <= 5; i++ {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), importEnv+"="+dir+"|"+strconv.Itoa(i))
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(r.Int64N(int64(150 * time.Millisecond)))
		if i == 1 {
			wait = 0 // at least one is killed on any machine
		}
		timer := time.AfterFunc(wait, func() { _ = child.Process.Kill() })
		if child.Wait() != nil {
			killed++
		}
		timer.Stop()
		if now := whichFlip(t, dir); now != held && now != i {
			t.Fatalf("after import %d: result %d holds, want %d or %d", i, now, held, i)
		} else {
			held = now
		}
	}
	t.Logf("%d of 5 killed", killed)
	if killed == 0 {
		t.Error("no import was killed")
	}
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
