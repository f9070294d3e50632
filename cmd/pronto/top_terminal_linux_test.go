package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a command that runs in a pseudo terminal (pty(7)).
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	out    output
	mark   int // what was printed before it has been looked at
}

// escapes are the control sequences of a terminal (ECMA-48).
var escapes = regexp.MustCompile(`\x1b(\[[0-9;?>=$]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|[=>()].?)`)

// inTerminal starts a command in a pseudo terminal of that size.
func inTerminal(t *testing.T, cmd *exec.Cmd, width, height uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, master: master, cmd: cmd}
	x.size(width, height)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close() // the command has its own
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			_, _ = x.out.Write(b[:n]) // it never fails
			if err != nil {           // EIO: the command has ended
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-read
		_ = master.Close()
	})
	return x
}

func (x *terminal) size(width, height uint16) {
	x.t.Helper()
	if err := unix.IoctlSetWinsize(int(x.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		x.t.Fatal(err)
	}
}

// types sends keys; what is printed from then on is looked at by sees.
func (x *terminal) types(keys string) {
	x.t.Helper()
	x.mark = len(x.out.String())
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// since is what was printed since the mark, without control sequences.
func (x *terminal) since() string {
	return escapes.ReplaceAllString(x.out.String()[x.mark:], "")
}

// sees waits until a text was printed.
func (x *terminal) sees(text string) {
	x.t.Helper()
	limit := time.Now().Add(30 * time.Second)
	for !strings.Contains(x.since(), text) {
		if time.Now().After(limit) {
			x.t.Fatalf("%q is not shown; printed was\n%s", text, x.since())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestTopInATerminal watches a service, sets a campaign's agents, makes the window small,
// and has the service end and start anew.
func TestTopInATerminal(t *testing.T) {
	in := install(t, "sip: {listen: \"127.66.7.1:5060\"}\nmedia: {ports: 22000-22099}\n")
	in.env = []string{"TERM=xterm-256color"}
	in.do("campaign", "apply", "../../testdata/campaigns/demo-it.yaml")
	in.do("agent", "add", "anna", "--password", "secret")
	in.do("agent", "add", "bruno", "--password", "secret")
	service := in.serve()
	x := inTerminal(t, in.command("top", "--by", "Giulia"), 110, 30)
	x.sees("demo-it")
	x.types("a")
	x.sees("Who takes the calls of demo-it: every agent")
	x.types("\x1b[B x\r") // down; the mark of every agent goes, bruno's is set and taken away
	x.sees("mark an agent, or e for every agent")
	x.types(" \r")
	x.sees("demo-it: 1 agent: bruno")
	if out := in.do("campaign", "agents", "demo-it"); !strings.Contains(out, "1 agent: bruno") {
		t.Errorf("the campaign's agents are %s", out)
	}
	x.mark = len(x.out.String())
	x.size(24, 5)
	x.sees("pronto")
	x.size(110, 30)
	x.sees("demo-it: 1 agent: bruno")
	service.stop(os.Interrupt, 20*time.Second)
	x.sees("NO ANSWER since")
	in.serve()
	await(t, 20*time.Second, "the view without the warning", func() bool {
		x.mark = len(x.out.String())
		x.size(100, 29) // each change of the size draws all anew
		x.size(110, 30)
		await(t, 20*time.Second, "a new view", func() bool { return strings.Contains(x.since(), "q: quit") })
		return !strings.Contains(x.since(), "NO ANSWER")
	})
	x.types("q")
	if err := x.cmd.Wait(); err != nil {
		t.Errorf("top ended: %v", err)
	}
	await(t, 10*time.Second, "the terminal given back", func() bool { return strings.Contains(x.out.String(), "\x1b[?1049l") })
}
