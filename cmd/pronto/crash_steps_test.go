package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"pronto/dialer/journal"
)

// steps counts the named steps that a service under test takes, and kills the
// process at one of them.
type steps struct {
	mu     sync.Mutex // protects all below
	at     string     // the step at which it dies; empty: it lives on
	taken  map[string]bool
	seen   *os.File     // each step is told here when it is taken for the first time
	random *rand.Rand   // nil: what was written survives although it was not synced
	files  []*crashFile // that the journal has opened
}

// reach is a step.
func (s *steps) reach(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached(fmt.Sprintf(format, args...))
}

// reached is reach with mu held.
func (s *steps) reached(step string) {
	if !s.taken[step] {
		s.taken[step] = true
		if _, err := fmt.Fprintln(s.seen, time.Now().Format(time.RFC3339Nano), step); err != nil {
			panic(err)
		}
	}
	if step == s.at {
		s.die()
	}
}

// around is a step with what comes before and after it.
func (s *steps) around(step string, do func()) {
	s.reach("%s: before", step)
	do()
	s.reach("%s: after", step)
}

// die ends the process as kill -9 does, or as a loss of power: then of what the
// journal wrote and did not sync only a part of random length is left. mu is held.
func (s *steps) die() {
	for _, f := range s.files {
		if s.random == nil || len(f.cache) == 0 {
			continue
		}
		if _, err := f.File.Write(f.cache[:s.random.IntN(len(f.cache)+1)]); err != nil {
			panic(err)
		}
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing can be said of an error any more
	select {}
}

// crashFile is a file of the journal whose writes and syncs are steps, named by
// the records that they bring. Where unsynced bytes are to be lost it keeps them until Sync.
type crashFile struct {
	journal.File
	s      *steps
	cache  []byte
	brings []string // what was written since the last sync
}

// open opens a file for the journal.
func (s *steps) open(name string) (journal.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	c := &crashFile{File: plainFile{f}, s: s}
	s.mu.Lock()
	s.files = append(s.files, c)
	s.mu.Unlock()
	return c, nil
}

// Write implements journal.File.
func (f *crashFile) Write(p []byte) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	brings := contents(p)
	for _, what := range brings {
		f.s.reached("journal " + what + ": before")
	}
	if f.s.random != nil {
		f.cache = append(f.cache, p...)
	} else if n, err := f.File.Write(p); err != nil {
		return n, err
	}
	f.brings = append(f.brings, brings...)
	for _, what := range brings {
		f.s.reached("journal " + what + ": written")
	}
	return len(p), nil
}

// Sync implements journal.File.
func (f *crashFile) Sync() error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if _, err := f.File.Write(f.cache); err != nil {
		return err
	}
	f.cache = nil
	if err := f.File.Sync(); err != nil {
		return err
	}
	for _, what := range f.brings {
		f.s.reached("journal " + what + ": synced")
	}
	f.brings = nil
	return nil
}

// plainFile is a file of the operating system.
type plainFile struct{ *os.File }

// contents names what a write of the journal brings: the kinds of its records,
// agents' states one by one, or keys.
func contents(p []byte) []string {
	if !bytes.HasPrefix(p, []byte(`{"seq":`)) {
		return []string{"keys"}
	}
	var all []string
	for line := range bytes.Lines(p) {
		var r journal.Record
		if err := json.Unmarshal(line, &r); err != nil {
			panic(err)
		}
		what := string(r.Kind)
		if r.Kind == journal.AgentState {
			what += " " + r.Outcome
		}
		all = append(all, strings.ReplaceAll(what, "_", " "))
	}
	return all
}
