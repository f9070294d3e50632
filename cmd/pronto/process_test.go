package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimData) != "" {
		if err := runVictim(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testscript.Main(wholeRun{m}, map[string]func(){"pronto": main})
}

// wholeRun is the whole test run; what it built is removed at its end.
type wholeRun struct{ *testing.M }

// Run implements testscript.TestingM.
func (r wholeRun) Run() int {
	defer func() { _ = os.RemoveAll(builtFolder()) }() // a temporary folder
	return r.M.Run()
}

// builtFolder is where the run's binary is built.
var builtFolder = sync.OnceValue(func() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("pronto-test-%d", os.Getpid()))
})

// buildPronto builds the binary once per test run.
var buildPronto = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtFolder(), "pronto")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build pronto: %w\n%s", err, out)
	}
	return path, nil
})

// prontoBinary is the path of a pronto built for this run.
func prontoBinary(t testing.TB) string {
	t.Helper()
	path, err := buildPronto()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a child process of a test. It is ended with the test.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	out  output // standard output and error
	done chan struct{}
	err  error // of Wait; valid once done is closed
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex // protects b
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is all that was printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// startProcess starts a program in a folder; a path, or a name in PATH. A program
// that is not there fails the test.
func startProcess(t testing.TB, dir, program string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", program)) // not in everybody's PATH
	}
	if err != nil {
		t.Fatalf("%s is not there: install it with make setup", program)
	}
	p := &process{t: t, name: filepath.Base(program), cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = 5 * time.Second // for what a child of its own still prints
	dieWithParent(p.cmd)              // in a process group of its own
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s %s printed:\n%s", p.name, strings.Join(args, " "), lastLines(p.out.String(), 60))
		}
	})
	return p
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process and those that it started as kill -9 does, and waits
// until it is gone.
func (p *process) kill() {
	if p.running() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may end by itself just now
	}
	<-p.done
}

// stop asks the process to end, and fails the test unless it does so in good
// order within the patience.
func (p *process) stop(s os.Signal, patience time.Duration) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && p.running() {
		p.t.Fatal(err)
	}
	p.wait(patience)
}

// wait waits for the process to end by itself, in good order.
func (p *process) wait(patience time.Duration) {
	p.t.Helper()
	select {
	case <-p.done:
		if p.err != nil {
			p.t.Errorf("%s ended: %v", p.name, p.err)
		}
	case <-time.After(patience):
		p.kill()
		p.t.Errorf("%s did not end within %s", p.name, patience)
	}
}

// lastLines is the end of a text.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// await asks again and again until ok, and fails the test when the patience is
// over.
func await(t testing.TB, patience time.Duration, what string, ok func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(limit) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		<-tick.C
	}
}

// writeFile writes a file of the test.
func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// installation is a data folder with its configuration, used through the binary
// as a manager would.
type installation struct {
	t            testing.TB
	data, config string
	env          []string // of its commands, beside ours: NAME=VALUE
	within       []string // begins the line of each command that is to run elsewhere
}

// install lays out an empty data folder with a configuration file.
func install(t testing.TB, configuration string) *installation {
	t.Helper()
	dir := t.TempDir()
	in := &installation{t: t, data: filepath.Join(dir, "data"), config: filepath.Join(dir, "pronto.yaml")}
	writeFile(t, in.config, configuration)
	return in
}

// command makes a command line of the binary on the data folder.
func (in *installation) command(args ...string) *exec.Cmd {
	in.t.Helper()
	line := slices.Concat(in.within, []string{prontoBinary(in.t), "--data", in.data, "--config", in.config}, args)
	cmd := exec.CommandContext(in.t.Context(), line[0], line[1:]...)
	cmd.Env = append(os.Environ(), in.env...)
	return cmd
}

// do runs a command, which must succeed, and gives what it printed.
func (in *installation) do(args ...string) string {
	in.t.Helper()
	cmd := in.command(args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		in.t.Fatalf("pronto %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String()
}

// serve starts the service and waits until commands reach it.
func (in *installation) serve(args ...string) *process {
	in.t.Helper()
	p := startProcess(in.t, in.t.TempDir(), prontoBinary(in.t), slices.Concat([]string{"--data", in.data, "--config", in.config, "serve"}, args)...)
	await(in.t, 20*time.Second, "the service", func() bool {
		if !p.running() {
			in.t.Fatalf("the service ended: %v\n%s", p.err, lastLines(p.out.String(), 20))
		}
		_, ok := in.live()
		return ok
	})
	return p
}

// live asks the service how it stands; false when none answers.
func (in *installation) live() (liveView, bool) {
	var v liveView
	err := askLive(in.t.Context(), in.data, &v.Live)
	return v, err == nil
}
