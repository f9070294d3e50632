package desk

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/recording"
	"pronto/pacing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden file")

// house is a service with one of everything.
func house() Config {
	bucket := func(n int, at ...int) []uint64 {
		counts := make([]uint64, n)
		for i, c := range at {
			counts[i] = uint64(c)
		}
		return counts
	}
	return Config{
		Version: "1.2.3",
		Live: func() dialer.Live {
			return dialer.Live{
				Nodes: []dialer.NodeLive{{Name: "a", Alive: true}, {Name: "b", Alive: true}, {Name: "c"}},
				Clock: &dialer.ClockReading{AheadMS: -1250, WithinMS: 3},
				Campaigns: []dialer.CampaignLive{
					{
						Name: "autumn", Lines: 12, Calls: 20, Waiting: 1, Cap: 0.03, DecidedAt: time.Unix(1, 0), Decision: pacing.Decision{Rate: 0.012, Credit: 4.5},
						Tally: dialer.Tally{Dialed: 300, Machines: 9, Released: 7, Unrecorded: 2},
					},
					{Name: "fresh", Cap: 0.03, Unrecordable: "the disk is full"},
				},
				Agents: []dialer.AgentLive{{Name: "a", State: dialer.Talking}, {Name: "b", State: dialer.Talking}, {Name: "c", State: dialer.Ready}},
				Trunks: []dialer.TrunkLive{
					{Name: "north", State: dialer.TrunkUp, InUse: 7, Channels: 60, Total: dialer.TrunkTotal{
						Answered: 31, Failures: 3, FalseAnswers: 2, Calls: map[campaigns.Outcome]uint64{campaigns.Busy: 4, campaigns.NoAnswer: 9},
						PostDial: bucket(len(dialer.PostDialBounds())+1, 1, 0, 2, 0, 30, 0, 0, 0, 0, 0, 1), PostDialSum: 80 * time.Second,
					}},
					{Name: `so"uth`, State: dialer.TrunkResting},
				},
			}
		},
		Syncs: func() journal.SyncTotal {
			return journal.SyncTotal{Counts: bucket(len(journal.SyncBounds())+1, 0, 0, 5), Sum: 4 * time.Millisecond}
		},
		Recordings: func() dialer.RecordingsLive {
			return dialer.RecordingsLive{
				Stock: recording.Stock{Files: 1200, Bytes: 3 << 30, Oldest: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, Counted: true, Left: 5 << 30, LeftKnown: true,
			}
		},
		Healthy: func() error { return nil },
	}
}

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestMetrics(t *testing.T) {
	w := get(t, Handler(house()), http.MethodGet, "/metrics")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var ours strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "pronto_") {
			ours.WriteString(line)
		}
	}
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(ours.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if ours.String() != string(want) {
		t.Errorf("metrics differ from %s (-update writes it):\n%s", golden, ours.String())
	}
	problems, err := promlint.New(strings.NewReader(ours.String())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every metric stands in the operator's manual.
func TestMetricsAreDocumented(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(get(t, Handler(house()), http.MethodGet, "/metrics").Body.String()) {
		name, ok := strings.CutPrefix(line, "# TYPE pronto_")
		if name, _, _ = strings.Cut(name, " "); ok && !strings.Contains(string(manual), "`pronto_"+name) {
			t.Errorf("docs/operations.md does not tell of pronto_%s", name)
		}
	}
}

func TestHealth(t *testing.T) {
	c := house()
	if w := get(t, Handler(c), http.MethodGet, "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	c.Healthy = func() error { return errors.New("the journal cannot be written: disk full") }
	w := get(t, Handler(c), http.MethodGet, "/healthz")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "disk full") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if body := get(t, Handler(c), http.MethodGet, "/metrics").Body.String(); !strings.Contains(body, "\npronto_healthy 0\n") {
		t.Error("pronto_healthy is not 0")
	}
	for _, x := range []struct {
		method, path string
		want         int
	}{{http.MethodPost, "/metrics", http.StatusMethodNotAllowed}, {http.MethodGet, "/", http.StatusNotFound}, {http.MethodGet, "/debug/pprof/", http.StatusNotFound}} {
		if w := get(t, Handler(c), x.method, x.path); w.Code != x.want {
			t.Errorf("%s %s: %d", x.method, x.path, w.Code)
		}
	}
}
