package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pronto/testdata"
)

// The demo's calendar: the campaign is applied three weeks before the calls, so
// that the register is asked for it and some verdicts have expired since.
const (
	demoCampaign = "demo-it"
	demoSeed     = "pronto" // the phones' password
	applyClock   = "2026-11-02T09:30:00+01:00"
	callClock    = "2026-11-24T10:30:00+01:00"

	// Compressed times. The law's own, such as the abandon deadline, stay as they are.
	demoRing   = 5 * time.Second
	demoWrapUp = 1500 * time.Millisecond

	// A run of this size meets every kind of trouble.
	demoAgents     = 20
	demoDuration   = time.Minute
	demoAnswerRate = 0.3

	maxDemoAgents = 60
)

// demo is one run.
type demo struct {
	demoOptions
	dir, data string
	show      io.Writer
	began     time.Time // of the process
	dialing   time.Time // of the campaign
	children  []*child
	callback  demoCallback
}

// addresses are the loopback addresses of the run; two demos at once do not meet.
func (d *demo) address(host int) string { return fmt.Sprintf("127.77.%d.%d", os.Getpid()%250, host) }
func (d *demo) service() string         { return d.address(1) + ":5060" }
func (d *demo) carrier() string         { return d.address(2) + ":5060" }
func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }
func (d *demo) say(format string, a ...any) {
	fmt.Fprintf(d.show, format+"\n", a...)
}

// makeFolders makes the folder of inputs and logs; the data folder is beside it, or is the
// one around it where it was named.
func (d *demo) makeFolders() (err error) {
	if d.folder == "" {
		d.dir, err = os.MkdirTemp("", "pronto-demo-")
		d.data = filepath.Join(d.dir, "data")
		return err
	}
	if d.data, err = filepath.Abs(d.folder); err != nil {
		return err
	}
	there, err := os.ReadDir(d.data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(there) > 0 {
		return usageError(fmt.Errorf("--data %s: the folder is not empty; name one that is, or that is not there", d.folder))
	}
	d.dir = filepath.Join(d.data, "demo")
	return os.MkdirAll(d.dir, 0o700)
}

// environment is that of our own processes: what it says of a configuration or a Redis
// is not for the demo.
func (d *demo) environment() []string {
	return append(os.Environ(), "PRONTO_DATA=", "PRONTO_CONFIG=", "PRONTO_REDIS=")
}

// prepare writes the inputs and takes them in with the same commands that a
// manager would use.
func (d *demo) prepare(ctx context.Context) error {
	d.say("Pronto demo: %d agents, answer rate %.0f %%, seed %d. Everything on loopback; nobody's phone rings.", d.agents, d.answerRate*100, d.seed)
	d.say("Compressed: ringing 2.2 s on average (given up after %s), talk 5 s, wrap-up %s. The law's deadline stays at 3 s.", demoRing, demoWrapUp)
	d.say("The clock says Tuesday 24 November 2026, 10:30 in Rome: calls are lawful only in the calling window.")
	d.say("Files: %s\n", d.dir)
	if err := d.writeInputs(); err != nil {
		return err
	}
	for _, c := range []struct {
		config string
		args   []string
	}{
		{"apply.yaml", []string{"campaign", "apply", d.path("campaign.yaml")}},
		{"apply.yaml", []string{"leads", "load", demoCampaign, d.path("leads.csv")}},
		{"pronto.yaml", []string{"dnc", "import", "rpo", d.path("rpo.csv"), "--no-submission", "--reason", "demonstration"}},
		{"pronto.yaml", []string{"dnc", "import", "optouts", d.path("optouts.csv")}},
	} {
		if err := d.command(ctx, c.config, nil, c.args...); err != nil {
			return err
		}
	}
	return d.addAgents(ctx)
}

// writeInputs lays out campaign, list, register result, opt-outs and configuration.
func (d *demo) writeInputs() error {
	campaign, err := testdata.Samples.ReadFile("campaigns/demo-it.yaml")
	if err != nil {
		return err
	}
	files := map[string][]byte{"campaign.yaml": compressed(campaign)}
	for name, sample := range map[string]string{"leads.csv": "lists/demo-it.csv", "rpo.csv": "registers/demo-rpo.csv", "optouts.csv": "registers/demo-optouts.csv"} {
		if files[name], err = testdata.Samples.ReadFile(sample); err != nil {
			return err
		}
	}
	if err := d.writePrompt("callback-it.wav"); err != nil {
		return err
	}
	files["pronto.yaml"] = d.configFile(callClock)
	files["apply.yaml"] = d.configFile(applyClock)
	for name, data := range files {
		if err := os.WriteFile(d.path(name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writePrompt lays out a prompt.
func (d *demo) writePrompt(name string) error {
	data, err := testdata.Samples.ReadFile("prompts/" + name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.path("prompts"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.path("prompts"), name), data, 0o600)
}

// compressed is the sample campaign with the demo's ring and wrap-up times.
func compressed(campaign []byte) []byte {
	lines := strings.Split(string(campaign), "\n")
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, "ring_timeout:"):
			lines[i] = "ring_timeout: " + demoRing.String()
		case strings.HasPrefix(l, "wrap_up:"):
			lines[i] = "wrap_up: " + demoWrapUp.String()
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// configFile is the service's configuration with the clock set.
func (d *demo) configFile(clock string) []byte {
	return fmt.Appendf(nil, `sip:
  listen: %s
media:
  address: %s
  ports: 20000-21999
  ranges: [127.0.0.0/8]
trunks:
  - name: sandbox
    address: %s
    peering: true
prompts: prompts
rehearsal:
  clock: %s
  since: %s
`, d.service(), d.address(1), d.carrier(), clock, d.began.Format(time.RFC3339Nano))
}

// addAgents makes the agents' accounts.
func (d *demo) addAgents(ctx context.Context) error {
	for i := range d.agents {
		args := []string{"agent", "add", agentName(i), "--password-stdin"}
		var quiet io.Writer
		if i > 0 {
			quiet = io.Discard
		}
		if err := d.run(ctx, "pronto.yaml", strings.NewReader(demoSeed+"\n"), quiet, args...); err != nil {
			return err
		}
	}
	d.say("  ... and %d more agents\n", d.agents-1)
	return nil
}

func agentName(i int) string { return fmt.Sprintf("agent%02d", i+1) }

// command runs one of our own commands and shows it with what it prints.
func (d *demo) command(ctx context.Context, config string, in io.Reader, args ...string) error {
	return d.run(ctx, config, in, nil, args...)
}

func (d *demo) run(ctx context.Context, config string, in io.Reader, quiet io.Writer, args ...string) error {
	show := d.show
	if quiet != nil {
		show = quiet
	}
	shown := make([]string, len(args))
	for i, a := range args {
		shown[i] = strings.TrimPrefix(a, d.dir+"/")
	}
	fmt.Fprintf(show, "$ pronto %s\n", strings.Join(shown, " "))
	out, err := d.ours(ctx, config, in, args...)
	for line := range strings.Lines(string(out)) {
		fmt.Fprintf(show, "  %s", line)
	}
	if err != nil {
		return fmt.Errorf("pronto %s: %w\n%s", strings.Join(shown, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// ours runs this binary with the demo's folder and configuration.
func (d *demo) ours(ctx context.Context, config string, in io.Reader, args ...string) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe, append([]string{"--data", d.data, "--config", d.path(config)}, args...)...)
	cmd.Stdin, cmd.Env = in, d.environment()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.Bytes(), err
}
