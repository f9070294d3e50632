package media

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/recording"
)

// pairs is how often recorded and unrecorded calls are compared: a median of so many ratios leaves out what other work on
// the machine spoils.
const pairs = 5

// benchTake is a recording whose key and news cost nothing.
func benchTake(i int) dialer.Take {
	return dialer.Take{
		Header: recording.Header{ID: fmt.Sprintf("01KAB%d-1", i), Campaign: "bench", Began: time.Now()},
		Seal:   func(context.Context, *recording.Header, recording.Key) error { return nil },
		Tell:   func(dialer.TakeNews) error { return nil },
	}
}

// BenchmarkRecordedCalls relays so many bridged G.711 calls for five seconds, recorded and unrecorded by turns, on one core
// with the generator on the other. It reports medians: what recording takes of the core and how much longer packets are on
// their way.
func BenchmarkRecordedCalls(b *testing.B) {
	for _, calls := range []int{100, 250, 500} {
		b.Run(fmt.Sprint(calls), func(b *testing.B) {
			for b.Loop() {
				compareRecorded(b, calls)
			}
		})
	}
}

func compareRecorded(b *testing.B, calls int) {
	b.Helper()
	all := map[string][]float64{}
	note := func(what string, v float64) { all[what] = append(all[what], v) }
	for range pairs {
		plain, recorded := carry(b, "pronto", calls), carry(b, "recorded", calls)
		for name, f := range map[string]figures{"plain": plain, "recorded": recorded} {
			note(name+"-%core", 100*f.CPU.Seconds()/f.Wall.Seconds())
			note(name+"-p50-ms", 1000*f.P50.Seconds())
			note(name+"-p99-ms", 1000*f.P99.Seconds())
			note(name+"-lost", float64(f.Sent-f.Received))
		}
		note("times-cpu", recorded.CPU.Seconds()/plain.CPU.Seconds())
		note("times-p50", recorded.P50.Seconds()/plain.P50.Seconds())
		b.Logf("unrecorded %+v, recorded %+v", plain, recorded)
	}
	for what, values := range all {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], what)
	}
	b.ReportMetric(0, "ns/op")
}
