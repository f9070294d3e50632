package registers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

// childEnv names the shelf's folder and the number of the import for a child
// process that is killed on the way.
const childEnv = "REGISTERS_TEST_IMPORT"

func TestMain(m *testing.M) {
	if task := os.Getenv(childEnv); task != "" {
		dir, i, _ := strings.Cut(task, "|")
		n, err := strconv.Atoi(i)
		if err == nil {
			err = importSwap(dir, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const swapped = 20_000

// importSwap takes in the i-th list: of each pair of numbers, it holds the even
// or the odd one.
func importSwap(dir string, i int) error {
	s, err := OpenShelf(dir)
	if err != nil {
		return err
	}
	p, _ := ProfileOf("us-dnc")
	l := &List{Profile: p, File: "list", Areas: []string{"202"}}
	for n := range uint64(swapped) {
		l.Added = append(l.Added, 12022000000+2*n+uint64(i%2))
	}
	at := time.Date(2026, 11, 1, 0, 0, i, 0, time.UTC)
	if _, err := s.Take(l, ListOptions{ID: "import" + strconv.Itoa(i), Now: at, CheckedAt: at}); err != nil {
		return err
	}
	return s.Close()
}

// TestKilledImports kills imports at random instants: the shelf then opens and
// holds the old list or the new one, never a mixture.
func TestKilledImports(t *testing.T) {
	dir := t.TempDir()
	if err := importSwap(dir, 0); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	held, killed, done := 0, 0, 0
	for i := 1; i <= 12; i++ {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+dir+"|"+strconv.Itoa(i))
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(r.Int64N(int64(60 * time.Millisecond)))
		if i == 1 {
			wait = 0 // at least one is killed on any machine
		}
		timer := time.AfterFunc(wait, func() { _ = child.Process.Kill() })
		if child.Wait() == nil {
			done++
		} else {
			killed++
		}
		timer.Stop()
		now := whichSwap(t, dir)
		if now != held && now != i {
			t.Fatalf("after import %d: list %d is in force, want %d or %d", i, now, held, i)
		}
		held = now
	}
	t.Logf("%d killed, %d done", killed, done)
	if killed == 0 {
		t.Error("no import was killed")
	}
}

// whichSwap is the number of the list in force, which must be whole.
func whichSwap(t *testing.T, dir string) int {
	t.Helper()
	s, err := OpenShelf(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i, err := strconv.Atoi(strings.TrimPrefix(s.Snapshots()[0].ID, "import"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(2 * swapped) {
		number := campaigns.Number("+" + strconv.FormatUint(12022000000+n, 10))
		listed, _, ok, err := s.Listed(context.Background(), "us-dnc", number)
		if err != nil || !ok || listed != (n%2 == uint64(i%2)) {
			t.Fatalf("list %d: %s listed %v, ok %v, %v", i, number, listed, ok, err)
		}
	}
	return i
}
