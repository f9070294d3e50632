package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// child is a process of the demo. Its output goes to a log file of its own.
type child struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
	err  error // valid once done is closed
}

// spawn starts this binary as a child process.
func (d *demo) spawn(name string, args ...string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(d.path(name + ".out"))
	if err != nil {
		return err
	}
	c := &child{name: name, cmd: exec.Command(exe, args...), log: log, done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Env = log, log, d.environment()
	dieWithParent(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	d.children = append(d.children, c)
	go func() {
		c.err = errors.Join(c.cmd.Wait(), log.Close())
		close(c.done)
	}()
	return nil
}

// stop asks a child to end and waits for it; the patience over, it is killed.
func (c *child) stop(patience time.Duration) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-c.done:
		return c.err
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
		return fmt.Errorf("%s did not end within %s", c.name, patience)
	}
}

// start brings up carrier, service and agents.
func (d *demo) start(ctx context.Context) error {
	seed, rate := strconv.FormatUint(d.seed, 10), strconv.FormatFloat(d.answerRate, 'g', -1, 64)
	if err := d.spawn("carrier", "sandbox", "carrier", "--listen", d.carrier(), "--log", d.path("carrier.log"),
		"--seed", seed, "--answer-rate", rate, "--trouble", "--burst-after", d.at(1.0/3).String()); err != nil {
		return err
	}
	if err := d.spawn("serve", "--data", d.data, "--config", d.path("pronto.yaml"), "serve"); err != nil {
		return err
	}
	if err := d.await(ctx, "the service", 10*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(d.data, socketName))
		return err == nil
	}); err != nil {
		return err
	}
	args := []string{
		"sandbox", "agents", "--registrar", d.service(), "--count", strconv.Itoa(d.agents), "--first", d.address(11),
		"--password", demoSeed, "--log", d.path("agents.log"), "--seed", seed,
		"--key", "1@0.15@400ms", "--key", "2@0.3@300ms", "--key", "3@0.02@500ms",
	}
	for i := range 2 {
		args = append(args, "--vanish", fmt.Sprintf("%s@%s", agentName(d.agents-1-i), d.at(2.0/3)))
	}
	if err := d.spawn("agents", args...); err != nil {
		return err
	}
	return d.await(ctx, "the agents' phones", 15*time.Second, func() bool {
		live, err := d.live(ctx)
		return err == nil && live.count("not_ready", "ready") >= d.agents
	})
}

// at is an instant of the dialing, as a share of it.
func (d *demo) at(share float64) time.Duration {
	return time.Duration(share * float64(d.duration)).Round(time.Second)
}

// await polls until ok, a child has died, or patience is over.
func (d *demo) await(ctx context.Context, what string, patience time.Duration, ok func() bool) error {
	limit := time.Now().Add(patience)
	for !ok() {
		if err := d.dead(); err != nil {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%s: not there after %s; see %s", what, patience, d.dir)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// dead names a child that ended by itself, with the end of what it printed.
func (d *demo) dead() error {
	for _, c := range d.children {
		select {
		case <-c.done:
			out, _ := os.ReadFile(d.path(c.name + ".out")) // the message is complete without it
			return fmt.Errorf("%s ended: %w\n%s", c.name, c.err, out[max(0, len(out)-2000):])
		default:
		}
	}
	return nil
}

// stay keeps everything running until the visitor has seen enough.
func (d *demo) stay(ctx context.Context) {
	d.say("\nStill running. Look around, for example:\n  pronto --data %s campaign list\n  pronto --data %s report calls\nCtrl-C ends it.", d.data, d.data)
	<-ctx.Done()
}

// cleanUp ends what still runs.
func (d *demo) cleanUp() {
	for _, c := range d.children {
		select {
		case <-c.done:
		default:
			_ = c.stop(5 * time.Second) // the report has been given
		}
	}
}
