package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
)

// benchLoad is what a benchmark offers to the service.
type benchLoad struct {
	host      string // first three parts of every address
	agents    int
	leads     int
	maxLines  int
	perSecond int
	ratio     float64
	ring      time.Duration
}

// benchField is a service with its agents' phones, in a folder of its own. The
// carrier at host .2 is the caller's.
type benchField struct {
	benchLoad
	b       *testing.B
	in      *installation
	phones  *farEnd
	service *process
	sinks   []net.PacketConn
	clock   time.Time     // of the house
	behind  time.Duration // by which it is before the machine's
}

const benchCampaign = `campaign: bench
seller: Bench
purpose: marketing
jurisdiction: it
caller_ids: ["+390844000123"]
ring_timeout: %s
wrap_up: 0s
pacing: {mode: ratio, ratio: %g, max_lines: %d, max_calls_per_second: %d}
`

const benchConfig = `sip: {listen: "%[1]s.1:5060"}
media: {address: %[1]s.1, ports: 10000-59999, ranges: [127.0.0.0/8]}
trunks: [{name: far, address: "%[1]s.2:5060", health: 0}]
rehearsal: {clock: %[2]s, since: %[3]s}
`

// newBenchField lays out a house with leads that the register cleared, agents
// at static addresses and a campaign, and starts the service.
func newBenchField(b *testing.B, o benchLoad) *benchField {
	b.Helper()
	f := &benchField{benchLoad: o, b: b, clock: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)}
	since := time.Now()
	f.behind = since.Sub(f.clock)
	f.in = install(b, fmt.Sprintf(benchConfig, o.host, f.clock.Format(time.RFC3339), since.Format(time.RFC3339Nano)))
	f.layOut()
	f.addAgents()
	for _, end := range []string{".2", ".3"} {
		f.sink(o.host + end)
	}
	f.phones = newFarEnd(b, o.host+".3:5060", func(string) farPlan { return farPlan{status: 200} })
	f.service = f.in.serve()
	await(b, 60*time.Second, "the agents", func() bool {
		v, ok := f.in.live()
		return ok && v.count("not_ready", "ready") >= o.agents
	})
	<-time.After(5 * time.Second) // phones without audio are trusted once they have answered OPTIONS
	return f
}

// sink takes the audio that nobody listens to: the silence that agents' phones
// are fed would else come back as errors.
func (f *benchField) sink(host string) {
	f.b.Helper()
	conn, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", host, benchAudio))
	if err != nil {
		f.b.Fatal(err)
	}
	f.b.Cleanup(func() { _ = conn.Close() })
	f.sinks = append(f.sinks, conn)
}

// benchAudio is the port that far ends name for their audio; carrier.xml has it too.
const benchAudio = 4000

// layOut takes campaign, leads and the register's answer in.
func (f *benchField) layOut() {
	f.b.Helper()
	dir := filepath.Dir(f.in.config)
	var leads, result strings.Builder
	leads.WriteString("phone\n")
	for i := range f.leads {
		fmt.Fprintf(&leads, "+39347%07d\n", 1000000+i)
		fmt.Fprintf(&result, "347%07d,0,2026-11-24\n", 1000000+i)
	}
	writeFile(f.b, filepath.Join(dir, "leads.csv"), leads.String())
	writeFile(f.b, filepath.Join(dir, "rpo.csv"), result.String())
	earlier := *f.in
	earlier.config = filepath.Join(dir, "earlier.yaml")
	writeFile(f.b, earlier.config, "rehearsal: {clock: 2026-11-02T09:30:00+01:00}\n")
	f.apply(&earlier, f.perSecond)
	earlier.do("leads", "load", "bench", filepath.Join(dir, "leads.csv"))
	f.in.do("dnc", "import", "rpo", filepath.Join(dir, "rpo.csv"), "--no-submission", "--reason", "benchmark")
}

// apply takes the campaign in, with a bound on its calls per second.
func (f *benchField) apply(in *installation, perSecond int) {
	f.b.Helper()
	path := filepath.Join(filepath.Dir(f.in.config), "bench.yaml")
	writeFile(f.b, path, fmt.Sprintf(benchCampaign, f.ring, f.ratio, f.maxLines, perSecond))
	in.do("campaign", "apply", path)
}

// addAgents writes the agents' accounts, hundreds of which would take long by
// command.
func (f *benchField) addAgents() {
	f.b.Helper()
	f.house(func(h *house) error {
		for i := range f.agents {
			a := dialer.Account{Name: fmt.Sprintf("agent%03d", i), Phone: fmt.Sprintf("sip:agent%03d@%s.3:5060", i, f.host)}
			if _, err := h.store.PutAccount(f.b.Context(), a); err != nil {
				return err
			}
		}
		return nil
	})
}

// house opens the data folder while no service runs.
func (f *benchField) house(use func(*house) error) {
	f.b.Helper()
	c, err := loadConfig(f.in.config)
	if err != nil {
		f.b.Fatal(err)
	}
	h, err := openHouse(f.b.Context(), f.in.data, houseOptions{what: "bench", config: c})
	if err != nil {
		f.b.Fatal(err)
	}
	if err := use(h); err != nil {
		f.b.Fatal(err)
	}
	if err := h.Close(); err != nil {
		f.b.Fatal(err)
	}
}

// settled counts the attempts that have had their outcome.
func (f *benchField) settled() (n, failed int) {
	f.b.Helper()
	v, ok := f.in.live()
	if !ok {
		f.b.Fatalf("the service does not answer\n%s", lastLines(f.service.out.String(), 20))
	}
	for _, c := range v.Campaigns {
		for o, count := range c.Tally.Outcomes {
			n += count
			if o == "failed" || o == "congested" || o == "refused" {
				failed += count
			}
		}
	}
	return n, failed
}

// setUps watches the service at work for a span of time.
func (f *benchField) setUps(lasts time.Duration) setUps {
	f.b.Helper()
	began, used := time.Now(), f.service.cpu()
	n0, failed0 := f.settled()
	<-time.After(lasts)
	n, failed := f.settled()
	n, failed = n-n0, failed-failed0
	return setUps{
		perSecond: float64(n) / time.Since(began).Seconds(), failed: failed,
		cpu: float64((f.service.cpu() - used).Microseconds()) / float64(n),
	}
}

// setUps is what was seen of a service.
type setUps struct {
	perSecond float64
	cpu       float64 // microseconds for each
	failed    int
}

// end stops the campaign, lets its calls finish and ends the service.
func (f *benchField) end() {
	f.b.Helper()
	f.in.do("campaign", "stop", "bench")
	await(f.b, 3*time.Minute, "the last call", func() bool { v, ok := f.in.live(); return ok && v.Lines() == 0 })
	f.service.stop(syscall.SIGTERM, 20*time.Second)
	f.close()
}

// close gives the addresses free for the next round.
func (f *benchField) close() {
	f.service.kill()
	f.phones.close()
	for _, s := range f.sinks {
		_ = s.Close()
	}
}

// cpu is the CPU time that the process and those in its group have used.
func (p *process) cpu() time.Duration {
	p.t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	ticks := 0
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+2:]))
		if fields[2] != strconv.Itoa(p.cmd.Process.Pid) {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		ticks += user + system
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// rss is the resident memory of a process in bytes.
func (p *process) rss() float64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return float64(pages * os.Getpagesize())
}

// rounds collects the figures of a benchmark's rounds.
type rounds map[string][]float64

func (r rounds) note(unit string, value float64) { r[unit] = append(r[unit], value) }

// report gives the median of each figure.
func (r rounds) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // says nothing here
	for unit, values := range r {
		b.ReportMetric(quantile(values, 0.5), unit)
	}
}

// quantile is the value below which a share of them lie.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
