package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/report"
	"pronto/dialer/sandbox/judge"
)

// What the campaign of the test asks for: delays of seconds, so that numbers come
// again during the test.
const (
	interruptedDelay = 5 * time.Second
	noAnswerDelay    = 6 * time.Second
	busyDelay        = 7 * time.Second
	failedDelay      = 8 * time.Second
	rejectedDelay    = 9 * time.Second

	killedAgents = 80
	// killedPast is how many calls were put through just before: they let the campaign afford
	// three lines for each agent throughout.
	killedPast = 20_000
)

// killedCampaign makes the sample campaign a fast one, line by line.
func killedCampaign(line string) string {
	key, _, _ := strings.Cut(line, ":")
	switch key {
	case "  mode":
		return "  mode: ratio\n  ratio: 3"
	case "ring_timeout":
		return "ring_timeout: 5s"
	case "wrap_up":
		return "wrap_up: 0s"
	case "retry":
		text := "retry:\n"
		for outcome, delay := range map[string]time.Duration{
			"interrupted": interruptedDelay, "no_answer": noAnswerDelay, "busy": busyDelay, "failed": failedDelay, "congested": failedDelay, "rejected": rejectedDelay,
		} {
			text += fmt.Sprintf("  %s: {delay: %s, max: 50}\n", outcome, delay)
		}
		return text
	case "  no_answer", "  busy", "  machine":
		return ""
	case "max_attempts":
		return "max_attempts: 90"
	}
	return line
}

// kills is how often the service is killed.
func kills(t *testing.T) int {
	text := os.Getenv("PRONTO_KILLS")
	if text == "" {
		return 12
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("PRONTO_KILLS=%s: give a number of kills", text)
	}
	return n
}

// TestKilledAtRandom kills the service again and again under load and restarts
// it at once. What became of numbers, calls and people is judged by the carrier's log.
func TestKilledAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PRONTO_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PRONTO_SEED: %v", err)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0))
	n := kills(t)
	f := newField(t, fieldOptions{plot: 0, agents: killedAgents, more: 300 * n, edit: killedCampaign})
	f.past(killedPast)
	t.Cleanup(func() { f.keep(seed) })
	carrier := f.carrier("--answer-rate", "0.5", "--stretch", "0.2", "--patience", "1m", "--seed", strconv.FormatUint(seed, 10))
	agents := f.phones(killedAgents)
	p := &proof{t: t, offset: f.offset(), notes: map[string]int{}}
	began := time.Now()
	service := f.launch()
	f.awaitCalls("at first", 20*time.Second)
	for range n {
		u := random.Float64() // squared: many kills soon after the start, some well into the calls
		f.pass(time.Duration(u*u*float64(8*time.Second)), service)
		service.kill()
		p.lives = append(p.lives, life{began, time.Now()})
		began = time.Now()
		service = f.launch()
	}
	f.pass(30*time.Second, service)
	service.stop(syscall.SIGTERM, 20*time.Second)
	p.lives = append(p.lives, life{began, time.Now()})
	agents.stop(syscall.SIGTERM, 5*time.Second)
	carrier.stop(syscall.SIGTERM, 5*time.Second)
	p.judge(f)
}

// keep leaves the far ends' logs and the data folder of a failed test behind.
func (f *field) keep(seed uint64) {
	f.t.Helper()
	f.t.Logf("seed %d", seed)
	if !f.t.Failed() {
		return
	}
	kept := filepath.Join(os.TempDir(), fmt.Sprintf("pronto-killed-%d", seed))
	if err := os.CopyFS(kept, os.DirFS(f.dir)); err != nil {
		f.t.Error(err)
	}
	f.t.Logf("all files are in %s", kept)
}

// judge reads everything once all processes have ended.
func (p *proof) judge(f *field) {
	p.t.Helper()
	dir := filepath.Join(f.data, journalFolder)
	inputs, err := judge.Load(judge.Files{
		Leads: f.path("leads.csv"), OptOuts: f.path("optouts.csv"), Registers: []judge.Result{{Path: f.path("rpo.csv")}},
		Carrier: f.path("carrier.log"), Agents: f.path("agents.log"), Country: "39",
	}, judgeRecords(dir))
	if err != nil {
		p.t.Fatal(err)
	}
	p.calls = readRung(inputs.Carrier)
	p.allowed = map[string]bool{}
	for _, n := range callable(inputs, f.began.Add(f.offset()-15*24*time.Hour)) {
		p.allowed[n] = true
	}
	p.readJournal(f)
	again := p.redials()
	p.evidence()
	p.bridges()
	met := p.answers()
	var doc leadsDoc
	f.ask(&doc, "leads", "list", demoCampaign, "--limit", "0")
	p.leads(doc)
	f.do("audit", "verify")
	var rates report.AbandonReport
	f.ask(&rates, "report", "abandon", "--campaign", demoCampaign)
	if len(rates.Campaigns) != 1 || rates.Campaigns[0].Interrupted < met {
		p.t.Errorf("report abandon says %+v, but %d answers met a dead process", rates.Campaigns, met)
	}
	mean, most := p.rate()
	p.t.Logf("%d kills, %d calls, %.0f a second while the service was up, %d in its best second, %d of them to numbers rung before, %d answers met a dead process",
		len(p.lives)-1, len(p.calls), mean, most, again, met)
	if n := len(p.lives) - 1; len(p.calls) < 20*n || again < n || n >= 10 && (met == 0 || most < 100) {
		p.t.Error("too little happened to prove anything")
	}
}

// rate is how many INVITEs a second the carrier met: on average from the first of
// each life that had some to its end, and most in one second.
func (p *proof) rate() (mean float64, most int) {
	seconds := map[time.Time]int{}
	first := map[int]time.Time{}
	for _, r := range p.calls {
		second := r.invited.Truncate(time.Second)
		seconds[second]++
		most = max(most, seconds[second])
		if of := p.of(r); first[of].IsZero() {
			first[of] = r.invited
		}
	}
	var up time.Duration
	for of, began := range first {
		up += p.lives[of].ended.Sub(began)
	}
	return float64(len(p.calls)) / up.Seconds(), most
}

// readJournal gathers the records of each call.
func (p *proof) readJournal(f *field) {
	p.t.Helper()
	p.journal = map[string][]journal.Record{}
	for r, err := range journal.Read(filepath.Join(f.data, journalFolder), journal.ReadOptions{}) {
		if err != nil {
			p.t.Fatal(err)
		}
		if r.Attempt != "" {
			id := strings.ToLower(r.Attempt) // the Call-ID follows from the attempt
			p.journal[id] = append(p.journal[id], r)
		}
	}
}
