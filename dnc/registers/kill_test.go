package registers

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc/killtest"
)

func TestMain(m *testing.M) { killtest.Main(m, importSwap) }

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
	killtest.Killed(t, dir, 12, 60*time.Millisecond, func() int { return whichSwap(t, dir) })
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
