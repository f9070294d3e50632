package journal

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrClosed is returned by a Journal after Close.
var ErrClosed = errors.New("journal: closed")

// Options are the choices of Open. The zero value serves.
type Options struct {
	Node string           // names the chain; default "local"
	Now  func() time.Time // default time.Now

	// Queue is how many records may wait for the disk before Append and Commit
	// wait too; default 65,536. As many facts are kept while the journal is failed.
	Queue int
	// Known is how many subjects' keys are kept in memory; default 32,768.
	Known int
	// Send takes the head of each closed segment outside, see CopyHeads. What it refuses is
	// offered again at the next Open. Called from a goroutine of its own.
	Send func(file string, head []byte) error
	// Problem is told of trouble that harms no record: a head not sent, a closed
	// segment not compressed. Called from several goroutines.
	Problem func(error)
	// OpenFile opens the files that the journal appends to, making them when
	// missing; default: those of the operating system.
	OpenFile func(name string) (File, error)
}

func (o Options) filled() Options {
	if o.Node == "" {
		o.Node = "local"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Queue <= 0 {
		o.Queue = 65536
	}
	if o.Known <= 0 {
		o.Known = 32768
	}
	if o.Problem == nil {
		o.Problem = func(error) {}
	}
	if o.OpenFile == nil {
		o.OpenFile = openOS
	}
	return o
}

// Journal appends to one node's chain. Its methods may be called from any
// goroutine. Records are put in order and hashed when they are handed in; one
// goroutine writes all that waits, syncs once and answers everybody.
type Journal struct {
	dir     string
	opt     Options
	secret  secret
	signing ed25519.PrivateKey
	lock    *os.File
	left    Recovery

	wake      chan struct{}   // a group waits for the writer, or the journal was closed
	reopen    chan chan error // Reopen asks the writer
	done      chan struct{}   // closed when the writer has returned
	ending    context.Context // ends when Close begins
	end       context.CancelFunc
	finish    sync.WaitGroup // background work on closed segments
	erasing   sync.Mutex     // one Erase at a time
	finishing sync.Mutex     // one closed segment at a time
	syncs     syncs

	mu      sync.Mutex // guards the fields below
	groups  []*group   // handed in and not on disk, oldest first; the writer takes from the front
	waiting int        // records in groups and in the writer's hands
	room    chan struct{}
	seq     uint64
	prev    digest
	last    time.Time // the journal's clock, never backwards
	slots   uint64    // next free slot of the key file
	known   *known
	synced  uint64
	failed  error
	kept    []Record // facts appended but not on disk when the journal failed, and since
	closed  bool
	spare   []byte // of a group that is on disk, for the lines of one to come
}

// group is what one sync puts on disk.
type group struct {
	day   string
	lines []byte
	keys  []byte // new slots of the key file, to be on disk before the lines
	count int
	last  link     // of its last line
	first link     // of its first line
	times extent   // of its records
	facts []Record // appended, not committed: written again by Reopen should the sync fail
	done  chan struct{}
	err   error // read after done
}

// Recovery is what Open found of the last run.
type Recovery struct {
	Seq   uint64    // last record on disk; 0: a new journal
	At    time.Time // of that record
	Torn  int64     // bytes of an unfinished write that were cut from the end
	Aside string    // file that keeps them
}

// Open takes the folder for this process, checks the newest segment from its first
// to its last line and makes ready to append. An unfinished line at the end, as a crash leaves
// it, is moved aside and noted in the chain. Anything else that is wrong is an error
// that names the file and the line.
func Open(dir string, opt Options) (*Journal, error) {
	opt = opt.filled()
	if err := checkNode(opt.Node); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, keysDir), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, opt.Node+".lock"))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{
		dir: dir, opt: opt, lock: lock,
		wake: make(chan struct{}, 1), reopen: make(chan chan error), done: make(chan struct{}),
		room: make(chan struct{}), known: newKnown(opt.Known),
	}
	j.ending, j.end = context.WithCancel(context.Background())
	w := &writer{j: j}
	if err := j.begin(w); err != nil {
		j.end()
		return nil, errors.Join(fmt.Errorf("journal: open: %w", err), w.close(), lock.Close())
	}
	go w.run()
	j.finish.Go(j.finishOld)
	if j.left.Torn > 0 {
		if err := j.noteTorn(); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	return j, nil
}

// begin loads the keys and resumes the chain.
func (j *Journal) begin(w *writer) error {
	all, err := segments(j.dir)
	if err != nil {
		return err
	}
	if j.secret, err = openSecret(j.dir, len(all) == 0); err != nil {
		return err
	}
	if j.signing, err = openSigning(j.dir, j.opt.Node, len(all[j.opt.Node]) == 0); err != nil {
		return err
	}
	if err := w.resume(); err != nil {
		return err
	}
	j.adopt(w)
	j.left = Recovery{Seq: w.last.seq, At: w.lastAt, Torn: w.torn, Aside: w.aside}
	return nil
}

// adopt continues from what the writer found on disk. Callers hold mu or are alone.
func (j *Journal) adopt(w *writer) {
	j.seq, j.prev, j.synced = w.last.seq, w.last.hash, w.last.seq
	j.slots = uint64(w.keySize) / slotSize
	j.known = newKnown(j.opt.Known)
	if j.last.Before(w.lastAt) {
		j.last = w.lastAt
	}
}

func (j *Journal) noteTorn() error {
	detail, err := json.Marshal(NoteDetail{Text: fmt.Sprintf(
		"the last run ended in the middle of a write: %d bytes were cut from the end and kept in %s", j.left.Torn, filepath.Base(j.left.Aside))})
	if err != nil {
		return err
	}
	_, err = j.Commit(context.Background(), Record{Kind: Note, Detail: detail})
	return err
}

// Recovered tells what Open found.
func (j *Journal) Recovered() Recovery { return j.left }

// Dir is the journal's folder.
func (j *Journal) Dir() string { return j.dir }

// Node names the journal's chain.
func (j *Journal) Node() string { return j.opt.Node }

// PublicKey is the key that the node's heads are signed with.
func (j *Journal) PublicKey() ed25519.PublicKey { return j.signing.Public().(ed25519.PublicKey) }

// Subject is the pseudonym of a number.
func (j *Journal) Subject(number string) string { return j.secret.subject(number).String() }

// Seq is the last record handed in; it may not be on disk yet.
func (j *Journal) Seq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq
}

// Synced is the last record on disk.
func (j *Journal) Synced() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced
}

// Err is why the journal takes no Commit, nil while it does.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil && j.closed {
		return ErrClosed
	}
	return j.failed
}

// Close writes what waits and gives the folder back. A second Close does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		<-j.done
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	j.end()
	j.nudge()
	<-j.done
	j.finish.Wait()
	j.mu.Lock()
	err := j.failed
	if err != nil && len(j.kept) > 0 {
		err = fmt.Errorf("%w; %d records were lost", err, len(j.kept))
	}
	j.mu.Unlock()
	return errors.Join(err, j.lock.Close())
}

func (j *Journal) nudge() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
