package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// BenchmarkMemoryPerLine holds lines that ring.
func BenchmarkMemoryPerLine(b *testing.B) {
	const lines = 1000
	figures := rounds{}
	for b.Loop() {
		const host = "127.68.70"
		carrier := newFarEnd(b, host+".2:5060", func(string) farPlan { return farPlan{ring: time.Second} })
		f := newBenchField(b, benchLoad{host: host, agents: lines, leads: 2 * lines, maxLines: lines, perSecond: 200, ratio: 10, ring: 100 * time.Second})
		before := f.service.rss()
		f.in.do("campaign", "start", "bench")
		await(b, 60*time.Second, "the lines", func() bool { return carrier.ringing.Load() >= lines*95/100 })
		n := float64(carrier.ringing.Load())
		figures.note("KiB/line", (f.service.rss()-before)/n/1024)
		f.close()
		carrier.close()
	}
	figures.report(b)
}

// BenchmarkClearanceToInvite takes the time from the question to the gate until
// the carrier has the INVITE in hand, 500 times a second: gate, evidence on
// disk, trunk, and both ways through the machine's network.
func BenchmarkClearanceToInvite(b *testing.B) {
	const perSecond = 500
	lasts := benchSpan(b, 20)
	figures := rounds{}
	for b.Loop() {
		const host = "127.68.71"
		calls := 0
		carrier := newFarEnd(b, host+".2:5060", func(string) farPlan {
			if calls++; calls%3 == 0 { // without answers pacing would soon be careful
				return farPlan{ring: time.Second, status: 200, talk: 500 * time.Millisecond}
			}
			return farPlan{ring: time.Second, status: 486}
		})
		f := newBenchField(b, benchMix(host, perSecond, perSecond*(int(lasts.Seconds())+30)))
		f.in.do("campaign", "start", "bench")
		await(b, 20*time.Second, "the first calls", func() bool { return carrier.finals.Load() > 3*perSecond })
		seen := f.setUps(lasts)
		f.end()
		delays := f.toInvite(carrier)
		carrier.close()
		figures.note("setups/s", seen.perSecond)
		figures.note("cpu-µs/setup", seen.cpu)
		figures.note("invite-p50-ms", quantile(delays, 0.5))
		figures.note("invite-p99-ms", quantile(delays, 0.99))
	}
	figures.report(b)
}

// toInvite are the times from the question to the gate, by the journal, to the
// carrier's reading of the INVITE, in milliseconds.
func (f *benchField) toInvite(carrier *farEnd) []float64 {
	f.b.Helper()
	var all []float64
	for r, err := range journal.Read(filepath.Join(f.in.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Cleared}}) {
		if err != nil {
			f.b.Fatal(err)
		}
		if at, ok := carrier.invitedAt(strings.ToLower(r.Attempt)); ok { // the Call-ID is made of the attempt
			all = append(all, float64(at.Sub(r.At.Add(f.behind)))/float64(time.Millisecond))
		}
	}
	if len(all) == 0 {
		f.b.Fatal("no INVITE was found in the journal")
	}
	return all
}
