package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// benchField is a service with agents and a carrier made of raw sockets.
type benchField struct {
	in      *installation
	carrier *farEnd
	service *process
}

// benchCampaign is dialed as fast as its bounds allow.
const benchCampaign = `campaign: bench
seller: Bench
purpose: marketing
jurisdiction: it
caller_ids: ["+390844000123"]
ring_timeout: %s
wrap_up: 0s
pacing: {mode: ratio, ratio: %g, max_lines: %d, max_calls_per_second: %d}
`

type benchLoad struct {
	agents, leads, maxLines, perSecond int
	ratio                              float64
	ring                               time.Duration
	plan                               func(string) farPlan
}

// newBenchField lays out a house with leads that the register cleared, agents
// at static addresses and a campaign, and starts the service.
func newBenchField(b *testing.B, host string, o benchLoad) *benchField {
	b.Helper()
	clock := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	in := install(b, fmt.Sprintf(`sip: {listen: "%s.1:5060"}
media: {address: %s.1, ports: 20000-29999, ranges: [127.0.0.0/8]}
trunks: [{name: far, address: "%s.2:5060"}]
rehearsal: {clock: %s, since: %s}
`, host, host, host, clock.Format(time.RFC3339), time.Now().Format(time.RFC3339Nano)))
	dir := filepath.Dir(in.config)
	var leads, result strings.Builder
	leads.WriteString("phone\n")
	for i := range o.leads {
		fmt.Fprintf(&leads, "+39347%07d\n", 1000000+i)
		fmt.Fprintf(&result, "347%07d,0,2026-11-24\n", 1000000+i)
	}
	writeFile(b, filepath.Join(dir, "bench.yaml"), fmt.Sprintf(benchCampaign, o.ring, o.ratio, o.maxLines, o.perSecond))
	writeFile(b, filepath.Join(dir, "leads.csv"), leads.String())
	writeFile(b, filepath.Join(dir, "rpo.csv"), result.String())
	earlier := *in
	earlier.config = filepath.Join(dir, "earlier.yaml")
	writeFile(b, earlier.config, "rehearsal: {clock: 2026-11-02T09:30:00+01:00}\n")
	earlier.do("campaign", "apply", filepath.Join(dir, "bench.yaml"))
	earlier.do("leads", "load", "bench", filepath.Join(dir, "leads.csv"))
	in.do("dnc", "import", "rpo", filepath.Join(dir, "rpo.csv"), "--no-submission", "--reason", "benchmark")
	addBenchAgents(b, in, host, o.agents)
	f := &benchField{in: in, carrier: newFarEnd(b, host+".2:5060", o.plan)}
	newFarEnd(b, host+".3:5060", func(string) farPlan { return farPlan{status: 200} })
	f.service = in.serve()
	await(b, 60*time.Second, "the agents", func() bool {
		v, ok := in.live()
		return ok && v.count("not_ready", "ready") >= o.agents
	})
	<-time.After(5 * time.Second) // phones without audio are trusted once they have answered OPTIONS
	return f
}

// addBenchAgents writes the agents' accounts, hundreds of which would take long
// by command.
func addBenchAgents(b *testing.B, in *installation, host string, n int) {
	b.Helper()
	c, err := loadConfig(in.config)
	if err != nil {
		b.Fatal(err)
	}
	h, err := openHouse(b.Context(), in.data, houseOptions{what: "bench", config: c})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("agent%03d", i)
		if _, err := h.store.PutAccount(b.Context(), dialer.Account{Name: name, Phone: fmt.Sprintf("sip:%s@%s.3:5060", name, host)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
}

// share is a number from 0 to 1 that a Call-ID always has.
func share(callID string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(callID))
	return float64(h.Sum64()%10007) / 10007
}

// cpu is the CPU time that a process has used.
func cpu(b *testing.B, p *process) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss is the resident memory of a process in bytes.
func rss(b *testing.B, p *process) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return float64(pages * os.Getpagesize())
}

// BenchmarkSetUps offers calls at a fixed rate for 20 seconds: 30 % are answered
// after a second and talk for half a second, 30 % are busy, 40 % ring until
// CANCEL. A set-up is a lead from queue and gate through synced evidence and
// INVITE to its final outcome.
func BenchmarkSetUps(b *testing.B) {
	for i, perSecond := range []int{100, 200, 400} {
		b.Run(fmt.Sprintf("offered=%d", perSecond), func(b *testing.B) {
			const lasts = 20 * time.Second
			f := newBenchField(b, fmt.Sprintf("127.52.%d", i+1), benchLoad{
				agents: 300, leads: perSecond * 40, maxLines: 3000, perSecond: perSecond, ratio: 10, ring: 5 * time.Second,
				plan: func(id string) farPlan {
					switch s := share(id); {
					case s < 0.3:
						return farPlan{ring: time.Second, status: 200, talk: 500 * time.Millisecond}
					case s < 0.6:
						return farPlan{ring: time.Second, status: 486}
					default:
						return farPlan{ring: time.Second}
					}
				},
			})
			for b.Loop() {
				f.in.do("campaign", "start", "bench")
				await(b, 20*time.Second, "the first calls", func() bool { return f.carrier.finals.Load() > int64(perSecond) })
				began, used, finals := time.Now(), cpu(b, f.service), f.carrier.finals.Load()
				<-time.After(lasts)
				n := float64(f.carrier.finals.Load() - finals)
				b.ReportMetric(n/time.Since(began).Seconds(), "setups/s")
				b.ReportMetric(float64((cpu(b, f.service)-used).Microseconds())/n, "cpu-µs/setup")
				f.in.do("campaign", "stop", "bench")
				await(b, 60*time.Second, "the last call", func() bool { v, ok := f.in.live(); return ok && v.Lines() == 0 })
			}
			f.service.stop(syscall.SIGTERM, 20*time.Second)
			p50, p99 := waits(b, f.in)
			b.ReportMetric(p50, "bridge-p50-ms")
			b.ReportMetric(p99, "bridge-p99-ms")
		})
	}
}

// waits are the percentiles of the time from reading the 200 to the open
// bridge, as journaled.
func waits(b *testing.B, in *installation) (p50, p99 float64) {
	b.Helper()
	var all []float64
	for r, err := range journal.Read(filepath.Join(in.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Connected}}) {
		if err != nil {
			b.Fatal(err)
		}
		var d journal.ConnectedDetail
		if err := json.Unmarshal(r.Detail, &d); err != nil {
			b.Fatal(err)
		}
		all = append(all, d.WaitMS)
	}
	if len(all) == 0 {
		b.Fatal("nobody was connected")
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

// BenchmarkMemoryPerLine holds lines that ring.
func BenchmarkMemoryPerLine(b *testing.B) {
	const lines = 1000
	f := newBenchField(b, "127.52.9", benchLoad{
		agents: lines, leads: 2 * lines, maxLines: lines, perSecond: 200, ratio: 10, ring: 100 * time.Second,
		plan: func(string) farPlan { return farPlan{ring: time.Second} },
	})
	for b.Loop() {
		before := rss(b, f.service)
		f.in.do("campaign", "start", "bench")
		await(b, 60*time.Second, "the lines", func() bool { return f.carrier.ringing.Load() >= lines*95/100 })
		n := float64(f.carrier.ringing.Load())
		b.ReportMetric((rss(b, f.service)-before)/n/1024, "KiB/line")
		f.in.do("campaign", "pause", "bench")
	}
}
