package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// outOf is a command's standard output as it is when something is written.
type outOf struct{ cmd *cobra.Command }

// Write implements io.Writer.
func (o outOf) Write(b []byte) (int, error) { return o.cmd.OutOrStdout().Write(b) }

// printed is standard output. It keeps its first error, which most of what prints
// text drops, and takes nothing after it.
type printed struct {
	io.Writer
	mu  sync.Mutex // guards err
	err error
}

// Write implements io.Writer.
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.Writer.Write(b)
	p.err = err
	return n, err
}

// outcome is what a command comes to whose error is err: one whose output was lost
// has failed. A reader that has gone is not told of, as in a pipe to head; lost says
// that nothing more can be printed.
func (p *printed) outcome(err error) (_ error, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var f *failure
	shown := errors.As(err, &f) && f.silent
	if p.err == nil || err != nil && !shown && !errors.Is(err, p.err) {
		return err, p.err != nil
	}
	why := p.err
	var at *fs.PathError
	if errors.As(why, &at) {
		why = at.Err
	}
	status := statusFailed
	if shown {
		status = f.status
	}
	return &failure{status: status, err: fmt.Errorf("standard output cannot be written: %w", why), silent: errors.Is(why, syscall.EPIPE)}, true
}
