package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// BenchmarkRestartAfterADay measures what a restart does before it ends the calls
// of a dead process, with a million records in the day's journal.
func BenchmarkRestartAfterADay(b *testing.B) {
	const records = 1_000_000
	dir := b.TempDir()
	writeDay(b, filepath.Join(dir, journalFolder), records)
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		h, err := openHouse(b.Context(), dir, houseOptions{what: "bench", config: config{Node: "local"}})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/open")
		began = time.Now()
		n := 0
		for _, err := range journal.Read(h.journalDir(), journal.ReadOptions{Kinds: []journal.Kind{journal.Connected, journal.Abandoned}, Campaign: demoCampaign, Closed: true}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/count")
		began = time.Now()
		for _, err := range h.journal.ReadFrom(h.journal.Seq() - 1000) {
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/tail")
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// writeDay fills a journal with calls as a busy day has them.
func writeDay(b *testing.B, dir string, records int) {
	b.Helper()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	verdict := journal.Detailed(dnc.Verdict{Allowed: true, CallerID: "+390844000123"})
	for i := 0; i < records; {
		r := journal.Record{Campaign: demoCampaign, Attempt: fmt.Sprintf("01M86E84ZA906GRX%010d", i), Lead: int64(i), Number: fmt.Sprintf("+39356%07d", i%100_000)}
		for _, kind := range []journal.Kind{journal.Cleared, journal.Invited, journal.Ringing, journal.Paced, journal.Answered, journal.Connected, journal.Ended} {
			r.Kind, r.Detail = kind, nil
			switch kind {
			case journal.Cleared:
				r.Detail = verdict
			case journal.Invited, journal.Answered:
				r.Personal = []byte(`{"call_id":"` + strings.Repeat("x", 300) + `"}`)
			default:
				r.Personal = nil
			}
			_, e := j.Append(r)
			err = errors.Join(err, e)
			i++
		}
	}
	if err := errors.Join(err, j.Close()); err != nil {
		b.Fatal(err)
	}
}
