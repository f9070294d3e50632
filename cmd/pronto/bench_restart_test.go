package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkRestartWithManyLeads is how long a service that is killed while it dials
// takes from its start until the carrier has an INVITE of it, in a folder with
// PRONTO_LEADS leads (1,000,000), one campaign running; and its memory ten
// seconds later. Run it once:
//
//	PRONTO_LEADS=10000000 go test ./cmd/pronto -run '^$' -bench RestartWithManyLeads -benchtime 1x -timeout 2h
func BenchmarkRestartWithManyLeads(b *testing.B) {
	const agents, restarts = 10, 3
	for range b.N {
		f := newField(b, fieldOptions{plot: 9, agents: agents, more: 3000, edit: func(line string) string { return line }})
		f.loadMore(benchNumber(b, "PRONTO_LEADS", 1_000_000))
		f.carrier("--answer-rate", "0.1")
		service := f.launch()
		f.await("the socket", func() bool { _, ok := f.live(); return ok })
		f.phones(agents)
		f.await("the first calls", func() bool { return f.invites() > agents })
		longest, most := time.Duration(0), 0.0
		for range restarts {
			service.kill()
			before, at := f.invites(), time.Now()
			service = f.launch()
			f.await("a call", func() bool { return f.invites() > before })
			took := readRung(f.heard())[before].invited.Sub(at)
			b.Logf("INVITE %v after the start", took)
			longest = max(longest, took)
			f.pass(10*time.Second, service)
			most = max(most, service.rss()/(1<<20))
		}
		b.ReportMetric(longest.Seconds(), "s/longest")
		b.ReportMetric(most, "MiB")
		service.kill()
	}
}

func (f *field) await(what string, ok func() bool) {
	f.t.Helper()
	await(f.t, time.Minute, what, ok)
}

// loadMore loads so many leads behind those of the field; no register has heard of them.
func (f *field) loadMore(n int) {
	f.t.Helper()
	list, err := os.Create(f.path("more.csv"))
	if err != nil {
		f.t.Fatal(err)
	}
	fmt.Fprint(list, "id,name,phone,city,region\n") // told by the load
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "more-%d,Ada Rossi,3%d%08d,Roma,Lazio\n", i, 2+i%2*2, i*61_803_399%100_000_000)
		if text.Len() > 1<<16 || i == n-1 {
			fmt.Fprint(list, text.String()) // as above
			text.Reset()
		}
	}
	if err := list.Close(); err != nil {
		f.t.Fatal(err)
	}
	began := time.Now()
	says := f.do("leads", "load", demoCampaign, list.Name())
	f.t.Logf("%s in %v", strings.TrimSpace(says), time.Since(began).Round(time.Second))
}
