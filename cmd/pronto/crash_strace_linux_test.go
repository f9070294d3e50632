package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// TestSyncBeforeInvite watches the system calls of a service under load: each
// INVITE is sent only after the journal's sync has returned that put its clearance on disk.
func TestSyncBeforeInvite(t *testing.T) {
	const agents = 6
	site := newSite(t, 60, agents)
	f := site.copied(t)
	stop := f.farEnds(crashWorld(), agents)
	defer stop()
	before := f.segmentSize()
	trace := f.path("trace")
	service := startProcess(t, f.dir, "strace", "-f", "--seccomp-bpf", "-y", "-s", "2000", "-e", "signal=none",
		"-e", "trace=fdatasync,fsync,sendto,sendmsg,sendmmsg,write,pwrite64", "-o", trace,
		prontoBinary(t), "--data", f.data, "--config", f.config, "serve", "--drain", "0s")
	await(t, 60*time.Second, "calls", func() bool { return f.invites() >= 30 })
	pid := f.serving(service)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	service.wait(30 * time.Second)
	stop()
	w := &witness{t: t, size: before, ends: f.clearances(), writing: map[string]bool{}, syncing: map[string]int64{}, sent: map[string]bool{}}
	for line := range strings.Lines(readText(trace)) {
		w.take(line)
	}
	w.all(f)
}

// segmentSize is the size of the newest segment of the journal.
func (f *field) segmentSize() int64 {
	f.t.Helper()
	info, err := os.Stat(f.segment())
	if err != nil {
		f.t.Fatal(err)
	}
	return info.Size()
}

// segment is the newest segment of the journal.
func (f *field) segment() string {
	f.t.Helper()
	names, err := filepath.Glob(filepath.Join(f.data, journalFolder, "*.log"))
	if err != nil || len(names) == 0 {
		f.t.Fatalf("no segment: %v", err)
	}
	return names[len(names)-1] // Glob sorts
}

// serving is the process that strace runs.
func (f *field) serving(strace *process) int {
	f.t.Helper()
	text := readText(filepath.Join("/proc", strconv.Itoa(strace.cmd.Process.Pid), "task", strconv.Itoa(strace.cmd.Process.Pid), "children"))
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		f.t.Fatalf("the children of strace are %q", text)
	}
	return pid
}

// clearances are where the record of each clearance ends in the newest segment, by the
// Call-ID that follows from the attempt.
func (f *field) clearances() map[string]int64 {
	f.t.Helper()
	ends := map[string]int64{}
	at := int64(0)
	for line := range bytes.Lines([]byte(readText(f.segment()))) {
		at += int64(len(line))
		var r journal.Record
		if err := json.Unmarshal(line, &r); err != nil {
			f.t.Fatal(err)
		}
		if r.Kind == journal.Cleared {
			ends[strings.ToLower(r.Attempt)] = at
		}
	}
	return ends
}

// witness reads strace's lines in their order, which is that of the calls. A call
// that takes a while has two lines, one when it begins and one when it returns.
type witness struct {
	t       *testing.T
	size    int64            // of the segment, as written
	safe    int64            // of it on disk
	ends    map[string]int64 // of clearances, by Call-ID
	writing map[string]bool  // a write to the segment is under way, by thread
	syncing map[string]int64 // size that a sync under way covers, by thread
	sent    map[string]bool  // INVITEs, by Call-ID
}

// The lines of strace that count.
var (
	aWrite    = regexp.MustCompile(`^(\d+) +write\(\d+<[^>]*/journal/[^/>]*\.log>, .*?(?:= (\d+)|<unfinished \.\.\.>)$`)
	wrote     = regexp.MustCompile(`^(\d+) +<\.\.\. write resumed>.*= (\d+)$`)
	aSync     = regexp.MustCompile(`^(\d+) +fdatasync\(\d+<[^>]*/journal/[^/>]*\.log>(?:\) += 0| <unfinished \.\.\.>)$`)
	hasSynced = regexp.MustCompile(`^(\d+) +<\.\.\. fdatasync resumed>\) += 0$`)
	anInvite  = regexp.MustCompile(`^\d+ +send\w+\(.*"INVITE sip:.*?\\r\\nCall-ID: ([^\\]+)\\r\\n`)
)

// take follows one line.
func (w *witness) take(line string) {
	line = strings.TrimRight(line, "\n")
	if m := aWrite.FindStringSubmatch(line); m != nil {
		w.writing[m[1]] = m[2] == ""
		w.wrote(m[2])
		return
	}
	if m := wrote.FindStringSubmatch(line); m != nil && w.writing[m[1]] {
		w.writing[m[1]] = false
		w.wrote(m[2])
		return
	}
	if m := aSync.FindStringSubmatch(line); m != nil {
		w.syncing[m[1]] = w.size
		if strings.HasSuffix(line, "= 0") {
			w.safe = w.size
		}
		return
	}
	if m := hasSynced.FindStringSubmatch(line); m != nil {
		w.safe = max(w.safe, w.syncing[m[1]])
		return
	}
	if m := anInvite.FindStringSubmatch(line); m != nil {
		w.invited(m[1])
	}
}

// wrote takes a number of bytes that went to the segment; empty: not yet.
func (w *witness) wrote(bytes string) {
	n, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil && bytes != "" {
		w.t.Fatal(err)
	}
	w.size += n
}

// invited judges an INVITE that is being sent.
func (w *witness) invited(callID string) {
	end, ok := w.ends[callID]
	if !ok || w.sent[callID] {
		return // to an agent's phone, or sent again
	}
	w.sent[callID] = true
	if end > w.safe {
		w.t.Errorf("the INVITE of %s is sent with %d bytes on disk, its clearance ends at %d", callID, w.safe, end)
	}
}

// all checks that strace and carrier saw the same INVITEs.
func (w *witness) all(f *field) {
	calls := readRung(f.heard())
	for _, r := range calls {
		if !w.sent[r.id] {
			w.t.Errorf("%s: strace saw no INVITE", r)
		}
	}
	if w.size != f.segmentSize() {
		w.t.Errorf("strace saw the segment grow to %d bytes, it has %d", w.size, f.segmentSize())
	}
	w.t.Logf("%d INVITEs, each behind its sync", len(w.sent))
}
