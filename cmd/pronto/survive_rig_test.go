package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/sandbox/truth"
	"pronto/testdata"
)

// field is an installation with the sample campaign started, for service,
// carrier and agents as processes on their own loopback addresses.
type field struct {
	*installation
	dir    string
	net    string // 127.50.7: first three parts of every address
	timers string
	began  time.Time
}

// fieldOptions are what a test wants of its field.
type fieldOptions struct {
	plot   int // 0 to 9, another one for each test
	agents int
	data   string                   // data folder; empty: one of its own
	timers string                   // SIP timers, as {t1: 50ms, t2: 200ms, t4: 200ms}; empty: the true ones
	more   int                      // leads beside the sample's, that the register allows
	edit   func(line string) string // changes the sample campaign's lines
}

// newField lays out the sample campaign with its list, register and opt-outs,
// and starts the campaign. Nothing runs yet.
func newField(t testing.TB, o fieldOptions) *field {
	t.Helper()
	dir := t.TempDir()
	net := fmt.Sprintf("127.50.%d", 10*(1+os.Getpid()%24)+o.plot) // two runs at once do not meet
	f := &field{dir: dir, net: net, timers: cmp.Or(o.timers, "{}"), began: time.Now()}
	f.installation = &installation{t: t, data: cmp.Or(o.data, f.path("data")), config: f.path("pronto.yaml")}
	for name, sample := range map[string]string{
		"campaign.yaml": "campaigns/demo-it.yaml", "leads.csv": "lists/demo-it.csv", "rpo.csv": "registers/demo-rpo.csv", "optouts.csv": "registers/demo-optouts.csv",
	} {
		text, err := testdata.Samples.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, f.path(name), string(text))
	}
	f.editCampaign(o.edit)
	f.addLeads(o.more)
	writeFile(t, f.config, f.configFile(callClock))
	before := &installation{t: t, data: f.data, config: f.path("apply.yaml")}
	writeFile(t, before.config, f.configFile(applyClock))
	before.do("campaign", "apply", f.path("campaign.yaml"))
	before.do("leads", "load", demoCampaign, f.path("leads.csv"))
	f.do("dnc", "import", "rpo", f.path("rpo.csv"), "--no-submission", "--reason", "test")
	f.do("dnc", "import", "optouts", f.path("optouts.csv"))
	f.do("campaign", "start", demoCampaign)
	for i := range o.agents {
		cmd := f.command("agent", "add", agentName(i), "--password-stdin")
		cmd.Stdin = strings.NewReader(demoSeed + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("agent add: %v\n%s", err, out)
		}
	}
	return f
}

func (f *field) editCampaign(edit func(line string) string) {
	f.t.Helper()
	lines := strings.Split(string(f.read("campaign.yaml")), "\n")
	for i := range lines {
		lines[i] = edit(lines[i])
	}
	writeFile(f.t, f.path("campaign.yaml"), strings.Join(lines, "\n"))
}

// addLeads puts further numbers on the list and into the register's result. Like
// the sample's they have a prefix that no operator has.
func (f *field) addLeads(n int) {
	f.t.Helper()
	list, result := f.read("leads.csv"), f.read("rpo.csv")
	sample, known := list, map[string]bool{}
	random := rand.New(rand.NewPCG(1, 0))
	for i := 0; i < n; {
		number := fmt.Sprintf("356%07d", random.IntN(10_000_000))
		if known[number] || bytes.Contains(sample, []byte(number)) {
			continue
		}
		known[number] = true
		i++
		list = fmt.Appendf(list, "X%05d,+39%s,Ada Neri,Roma,Lazio\n", i, number)
		result = fmt.Appendf(result, "%s,0,2026-11-24\n", number)
	}
	writeFile(f.t, f.path("leads.csv"), string(list))
	writeFile(f.t, f.path("rpo.csv"), string(result))
}

func (f *field) read(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func (f *field) path(name string) string { return filepath.Join(f.dir, name) }

func (f *field) address(host int) string { return f.net + "." + strconv.Itoa(host) }

// configFile sets the service's clock: it goes on over restarts.
func (f *field) configFile(clock string) string {
	return fmt.Sprintf(`sip: {listen: "%s:5060", timers: %s}
media: {address: %s, ports: 20000-21999, ranges: [%s.0/24]}
trunks: [{name: sandbox, address: "%s:5060"}]
rehearsal: {clock: %s, since: %s}
`, f.address(1), f.timers, f.address(1), f.net, f.address(2), clock, f.began.Format(time.RFC3339Nano))
}

// offset is the service's clock minus the machine's.
func (f *field) offset() time.Duration {
	clock, err := time.Parse(time.RFC3339, callClock)
	if err != nil {
		f.t.Fatal(err)
	}
	return clock.Sub(f.began)
}

// ask runs a command with --json and reads its document.
func (f *field) ask(doc any, args ...string) {
	f.t.Helper()
	if err := json.Unmarshal([]byte(f.do(append(args, "--json")...)), doc); err != nil {
		f.t.Fatalf("pronto %s: %v", strings.Join(args, " "), err)
	}
}

// start runs the binary; it ends with the test at the latest.
func (f *field) start(args ...string) *process {
	f.t.Helper()
	return startProcess(f.t, f.dir, prontoBinary(f.t), args...)
}

func (f *field) carrier(args ...string) *process {
	f.t.Helper()
	return f.start(append([]string{"sandbox", "carrier", "--listen", f.address(2) + ":5060", "--log", f.path("carrier.log")}, args...)...)
}

func (f *field) phones(count int, args ...string) *process {
	f.t.Helper()
	return f.start(append([]string{
		"sandbox", "agents", "--registrar", f.address(1) + ":5060", "--count", strconv.Itoa(count),
		"--first", f.address(11), "--password", demoSeed, "--log", f.path("agents.log"),
	}, args...)...)
}

// launch starts the service and does not wait for it.
func (f *field) launch() *process {
	f.t.Helper()
	return f.start("--data", f.data, "--config", f.config, "serve")
}

// pass lets time go by, unless the process ends.
func (f *field) pass(d time.Duration, p *process) {
	f.t.Helper()
	select {
	case <-time.After(d):
	case <-p.done:
		f.t.Fatalf("the process ended: %v", p.err)
	}
}

// campaign is how the campaign stands.
func (f *field) campaign() dialer.CampaignLive {
	f.t.Helper()
	v, ok := f.live()
	if !ok || len(v.Campaigns) == 0 {
		f.t.Fatalf("the service does not tell how the campaign stands: %+v", v)
	}
	return v.Campaigns[0]
}

// awaitCalls waits until calls are put through.
func (f *field) awaitCalls(when string, patience time.Duration) {
	f.t.Helper()
	await(f.t, patience, "calls "+when, func() bool {
		v, ok := f.live()
		return ok && v.campaign().Talking > 0
	})
}

// heard is the carrier's log as it stands.
func (f *field) heard() []truth.Line {
	f.t.Helper()
	lines, err := truth.ReadFile(f.path("carrier.log"))
	if err != nil {
		f.t.Fatal(err)
	}
	return lines
}

// invites counts the INVITEs that the carrier has met.
func (f *field) invites() int {
	f.t.Helper()
	return len(readRung(f.heard()))
}
