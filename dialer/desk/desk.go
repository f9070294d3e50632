package desk

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// Config says where the desk has its knowledge from. All fields are required but Recordings.
type Config struct {
	Version string
	Live    func() dialer.Live
	Syncs   func() journal.SyncTotal
	// Recordings says how the recordings' folder and its disk stand; nil: it is not known yet.
	Recordings func() dialer.RecordingsLive
	// Healthy says why no call can be cleared now; nil: calls can be.
	Healthy func() error
}

// scrapes bounds how many may ask for metrics at once.
const (
	scrapes       = 4
	scrapeTimeout = 10 * time.Second
)

// Handler answers GET /metrics and GET /healthz.
func Handler(c Config) http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(
		&collector{c},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, Timeout: scrapeTimeout}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := c.Healthy(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintln(w, err) // who asked may have gone
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // as above
	})
	return mux
}
