package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// benchNumber is a number of the environment, for shorter or gentler rounds.
func benchNumber(b *testing.B, name string, usual int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q: give a whole number above 0", name, text)
	}
	return n
}

// benchSpan is how long a round lasts.
func benchSpan(b *testing.B, seconds int) time.Duration {
	b.Helper()
	return time.Duration(benchNumber(b, "PRONTO_SECONDS", seconds)) * time.Second
}

// sippEnd is sipp as one end of the calls.
type sippEnd struct {
	*process
	b     *testing.B
	stats string // CSV file that sipp appends to each second
}

// startSipp runs a scenario of testdata/bench at an address.
func startSipp(b *testing.B, scenario, address string, args ...string) *sippEnd {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/bench", scenario+".xml"))
	if err != nil {
		b.Fatal(err)
	}
	dir := memoryDir(b)
	writeFile(b, filepath.Join(dir, "scenario.xml"), string(text))
	all := append([]string{
		"-sf", "scenario.xml", "-i", address, "-p", "5060", "-nostdin", "-buff_size", "4194304",
		"-trace_stat", "-stf", "stats.csv", "-fd", "1", "-trace_err", "-error_file", "errors", "-trace_logs", "-log_file", "invites",
	}, args...)
	s := &sippEnd{process: startProcess(b, dir, "sipp", all...), b: b, stats: filepath.Join(dir, "stats.csv")}
	await(b, 10*time.Second, "sipp's figures", func() bool { text, _ := os.ReadFile(s.stats); return strings.Count(string(text), "\n") > 1 })
	return s
}

// memoryDir is a temporary folder in memory where there is one: what sipp notes
// would else wait for the disk behind the journal's syncs, and its calls with it.
func memoryDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "pronto-bench-")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// count reads one of sipp's figures.
func (s *sippEnd) count(name string) int {
	s.b.Helper()
	text, err := os.ReadFile(s.stats)
	if err != nil {
		s.b.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	last := strings.Split(lines[len(lines)-1], ";")
	for i, head := range strings.Split(lines[0], ";") {
		if head == name && i < len(last) {
			n, err := strconv.Atoi(last[i])
			if err != nil {
				s.b.Fatal(err)
			}
			return n
		}
	}
	s.b.Fatalf("sipp does not say %s", name)
	return 0
}

// invites are the Call-IDs of the INVITEs that came.
func (s *sippEnd) invites() map[string]bool {
	s.b.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.stats), "invites"))
	if err != nil {
		s.b.Fatal(err)
	}
	all := map[string]bool{}
	for _, id := range strings.Fields(string(text)) {
		all[id] = true
	}
	return all
}

// finish lets sipp end once its calls are over.
func (s *sippEnd) finish() {
	s.b.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGUSR1) // it may have ended
	select {
	case <-s.done: // its status tells of failed calls, which are counted
	case <-time.After(45 * time.Second):
		s.kill()
		s.b.Log("sipp did not end by itself")
	}
	if n := s.count("FailedCall(C)"); n > 0 {
		errors, _ := os.ReadFile(filepath.Join(filepath.Dir(s.stats), "errors"))
		s.b.Logf("sipp calls %d failed:\n%.2000s", n, errors)
	}
}

// benchMix is the load of the set-ups: 30 % of the callees answer after a second
// and talk for half a second, 30 % are busy, 40 % ring until CANCEL.
func benchMix(host string, perSecond, leads int) benchLoad {
	return benchLoad{host: host, agents: 300, leads: leads, maxLines: 20000, perSecond: perSecond, ratio: 50, ring: 5 * time.Second}
}

// BenchmarkSetUps offers 1,050 calls a second to the service, with sipp as
// carrier, and the same calls, placed by sipp, to kamailio as a stateful relay.
// A set-up is a lead from queue and gate through synced evidence and INVITE to
// its final outcome. Each round is a service and a relay of its own.
func BenchmarkSetUps(b *testing.B) {
	perSecond, lasts := benchNumber(b, "PRONTO_RATE", 1050), benchSpan(b, 60)
	figures := rounds{}
	for i := 0; b.Loop(); i++ {
		benchRound(b, fmt.Sprintf("127.68.%d", 10+i%10), perSecond, lasts, figures)
		figures.note("kamailio-µs/call", relayRound(b, fmt.Sprintf("127.68.%d", 30+i%10), perSecond, lasts))
	}
	figures.note("times-kamailio", quantile(figures["cpu-µs/setup"], 0.5)/quantile(figures["kamailio-µs/call"], 0.5))
	figures.report(b)
}

func benchRound(b *testing.B, host string, perSecond int, lasts time.Duration, figures rounds) {
	b.Helper()
	f := newBenchField(b, benchMix(host, perSecond, perSecond*(int(lasts.Seconds())+30)))
	carrier := startSipp(b, "carrier", host+".2")
	f.in.do("campaign", "start", "bench")
	await(b, 20*time.Second, "the first calls", func() bool { n, _ := f.settled(); return n > 3*perSecond })
	sipp, n0 := carrier.cpu(), carrier.count("IncomingCall(C)")
	seen := f.setUps(lasts)
	figures.note("sipp-µs/call", float64((carrier.cpu()-sipp).Microseconds())/float64(carrier.count("IncomingCall(C)")-n0))
	figures.note("setups/s", seen.perSecond)
	figures.note("cpu-µs/setup", seen.cpu)
	figures.note("failed", float64(seen.failed))
	figures.note("MiB", f.service.rss()/(1<<20))
	f.end()
	carrier.finish()
	figures.note("lost", float64(f.lost(carrier.invites())))
	waits := f.waits()
	figures.note("bridge-p50-ms", quantile(waits, 0.5))
	figures.note("bridge-p99-ms", quantile(waits, 0.99))
	b.Logf("%.0f set-ups/s, %.0f µs each, %d failed; bridge p50 %.1f p99 %.1f ms", seen.perSecond, seen.cpu, seen.failed, quantile(waits, 0.5), quantile(waits, 0.99))
}

// lost compares the carrier's INVITEs with journal and store, and verifies the
// journal. An INVITE is lost when its outcome is missing in one of them.
func (f *benchField) lost(invites map[string]bool) int {
	f.b.Helper()
	f.in.do("audit", "verify")
	ended := map[string]bool{} // by Call-ID, which is made of the attempt
	cleared := 0
	for r, err := range journal.Read(filepath.Join(f.in.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Cleared, journal.Ended}}) {
		switch {
		case err != nil:
			f.b.Fatal(err)
		case r.Kind == journal.Cleared:
			cleared++
		default:
			ended[strings.ToLower(r.Attempt)] = r.Outcome != ""
		}
	}
	attempts, outcomes := 0, 0
	f.house(func(h *house) error {
		return h.store.EachLead(f.b.Context(), "bench", func(l campaigns.Lead) error {
			attempts += l.Attempts
			if l.LastOutcome != "" {
				outcomes++
			}
			return nil
		})
	})
	lost := max(cleared-len(ended), 0) + max(cleared-attempts, 0) + attempts - outcomes
	for id := range invites {
		if !ended[id] {
			lost++
		}
	}
	f.b.Logf("%d INVITEs at the carrier, %d cleared, %d outcomes in the journal, %d in the store", len(invites), cleared, len(ended), outcomes)
	if lost > 0 || len(invites) == 0 {
		f.b.Errorf("%d outcomes lost", lost)
	}
	return lost
}

// waits are the times from reading a 200 to the open bridge, as journaled, in
// milliseconds.
func (f *benchField) waits() []float64 {
	f.b.Helper()
	var all []float64
	for r, err := range journal.Read(filepath.Join(f.in.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Connected}}) {
		if err != nil {
			f.b.Fatal(err)
		}
		var d journal.ConnectedDetail
		if err := json.Unmarshal(r.Detail, &d); err != nil {
			f.b.Fatal(err)
		}
		all = append(all, d.WaitMS)
	}
	if len(all) == 0 {
		f.b.Fatal("nobody was connected")
	}
	return all
}

// relayRound measures the CPU that kamailio needs for one such call, in
// microseconds.
func relayRound(b *testing.B, net string, perSecond int, lasts time.Duration) float64 {
	b.Helper()
	s := &stage{installation: &installation{t: b}, net: net, dir: b.TempDir()}
	writeFile(b, s.path("kamailio.cfg"), fill(b, "kamailio.cfg", "PROXY", s.host(proxyHost)+":5060", "CARRIER", s.host(carrierHost)+":5060"))
	relay := startProcess(b, s.dir, "kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "1024", "-M", "16", "-Y", s.dir)
	carrier := startSipp(b, "carrier", s.host(carrierHost))
	s.awaitPort(proxyHost)
	caller := startSipp(b, "caller", s.host(phoneHost), s.host(proxyHost)+":5060",
		"-r", strconv.Itoa(perSecond), "-l", strconv.Itoa(10*perSecond))
	await(b, 20*time.Second, "the first calls", func() bool { return caller.count("SuccessfulCall(C)") > 3*perSecond })
	used, began := relay.cpu(), caller.count("OutgoingCall(C)")
	<-time.After(lasts)
	used, began = relay.cpu()-used, caller.count("OutgoingCall(C)")-began
	caller.finish()
	carrier.finish()
	relay.kill()
	if calls, ok := caller.count("OutgoingCall(C)"), caller.count("SuccessfulCall(C)"); ok < calls {
		b.Logf("kamailio: %d of %d calls succeeded", ok, calls)
	}
	return float64(used.Microseconds()) / float64(began)
}

// BenchmarkKnee raises what is offered until the service does no more of it.
func BenchmarkKnee(b *testing.B) {
	const first, step, last = 1000, 250, 2500
	lasts := benchSpan(b, 20)
	figures := rounds{}
	for i := 0; b.Loop(); i++ {
		leads := 0
		for rate := first; rate <= last; rate += step {
			leads += rate * (int(lasts.Seconds()) + 10)
		}
		host := fmt.Sprintf("127.68.%d", 50+i%10)
		f := newBenchField(b, benchMix(host, first, leads))
		carrier := startSipp(b, "carrier", host+".2")
		f.in.do("campaign", "start", "bench")
		most := 0.0
		for rate := first; rate <= last; rate += step {
			f.apply(f.in, rate)
			<-time.After(8 * time.Second) // the longest call
			seen := f.setUps(lasts)
			most = max(most, seen.perSecond)
			b.Logf("%d offered: %.0f set-ups/s, %.0f µs each, %d failed; sipp retransmitted %d", rate, seen.perSecond, seen.cpu, seen.failed, carrier.count("Retransmissions(C)"))
			if seen.perSecond < 0.85*float64(rate) {
				b.Logf("%s", f.in.do("campaign", "show", "bench"))
				break
			}
		}
		figures.note("setups/s", most)
		f.end()
		carrier.finish()
		figures.note("lost", float64(f.lost(carrier.invites())))
	}
	figures.report(b)
}
