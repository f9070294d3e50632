package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed says that the store was closed before the work was begun.
var ErrClosed = errors.New("store: closed")

// maxGroup bounds the jobs of one transaction.
const maxGroup = 500

// job is one piece of writing. It is done whole or not at all.
type job struct {
	ctx  context.Context
	work func(*tx) error
	done chan error
}

// writer owns the one connection that writes.
type writer struct {
	tx   tx
	jobs chan job
	long chan job      // each in a transaction of its own, by turns with those that wait in jobs
	quit chan struct{} // closed by close: no job is taken from then on
	gone chan struct{} // closed when run has returned

	once sync.Once
}

// newWriter starts the writing goroutine on conn.
func newWriter(conn *sql.Conn) *writer {
	w := &writer{
		tx:   tx{conn: conn, stmts: map[string]*sql.Stmt{}},
		jobs: make(chan job, maxGroup),
		long: make(chan job),
		quit: make(chan struct{}),
		gone: make(chan struct{}),
	}
	go w.run()
	return w
}

// write runs work inside a transaction and returns once it is on disk, or has
// failed and left no trace. A ctx that ends before the work is begun gives its
// error; afterwards the work is finished.
func (w *writer) write(ctx context.Context, work func(*tx) error) error {
	return w.ask(ctx, w.jobs, work)
}

// writeLong is write for a piece of some tens of milliseconds. It shall end early when
// others wait, as awaited tells, and ask again for the rest.
func (w *writer) writeLong(ctx context.Context, work func(*tx) error) error {
	return w.ask(ctx, w.long, work)
}

// awaited reports whether somebody waits for the writer.
func (w *writer) awaited() bool { return len(w.jobs) > 0 }

func (w *writer) ask(ctx context.Context, to chan<- job, work func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := job{ctx: ctx, work: work, done: make(chan error, 1)}
	select {
	case to <- j:
	case <-w.quit:
		return ErrClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-w.gone:
	}
	select { // answered just before the goroutine ended
	case err := <-j.done:
		return err
	default:
		return ErrClosed
	}
}

// close ends the goroutine after the jobs that it has begun.
func (w *writer) close() {
	w.once.Do(func() { close(w.quit) })
	<-w.gone
}

func (w *writer) run() {
	defer close(w.gone)
	group := make([]job, 0, maxGroup)
	wasLong := true
	for {
		var j job
		if wasLong = w.next(&j, !wasLong); j.done == nil {
			return
		}
		group = append(group[:0], j)
	more:
		for !wasLong && len(group) < maxGroup {
			select {
			case j := <-w.jobs:
				group = append(group, j)
			default:
				break more
			}
		}
		w.commit(group)
	}
}

// next takes the next job, a long one first if that is wanted, and reports whether
// it is long. After close there is none.
func (w *writer) next(j *job, long bool) bool {
	select {
	case <-w.quit:
		return false
	default:
	}
	first := w.jobs
	if long {
		first = w.long
	}
	select {
	case *j = <-first:
		return long
	default:
	}
	select {
	case <-w.quit:
		return false
	case *j = <-w.jobs:
		return false
	case *j = <-w.long:
		return true
	}
}

// commit runs the jobs in one transaction and answers each. A job that fails is
// undone alone.
func (w *writer) commit(group []job) {
	results := make([]error, len(group))
	transact := w.transact
	if len(group) == 1 {
		transact = w.transactOne
	}
	err := transact(group, results)
	for i, j := range group {
		switch {
		case results[i] != nil:
			j.done <- results[i]
		default:
			j.done <- err
		}
	}
}

func (w *writer) transact(group []job, results []error) error {
	if _, err := w.tx.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for i, j := range group {
		if results[i] = j.ctx.Err(); results[i] != nil {
			continue
		}
		var broken error
		results[i], broken = w.attempt(j)
		if broken != nil {
			w.tx.exec(`ROLLBACK`) //nolint:errcheck // SQLite may have rolled back already, as on a full disk
			return broken
		}
	}
	if _, err := w.tx.exec(`COMMIT`); err != nil {
		w.tx.exec(`ROLLBACK`) //nolint:errcheck // as above
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// transactOne does what transact does for a job that is alone. It needs no
// savepoint, for which SQLite copies each page before it is changed.
func (w *writer) transactOne(group []job, results []error) error {
	if results[0] = group[0].ctx.Err(); results[0] != nil {
		return nil
	}
	if _, err := w.tx.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if results[0] = group[0].work(&w.tx); results[0] != nil {
		w.tx.exec(`ROLLBACK`) //nolint:errcheck // SQLite may have rolled back already, as on a full disk
		return nil
	}
	if _, err := w.tx.exec(`COMMIT`); err != nil {
		w.tx.exec(`ROLLBACK`) //nolint:errcheck // as above
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// attempt runs one job inside a savepoint. broken is an error that ends the
// whole transaction.
func (w *writer) attempt(j job) (failed, broken error) {
	if _, err := w.tx.exec(`SAVEPOINT job`); err != nil {
		return nil, err
	}
	failed = j.work(&w.tx)
	if failed != nil {
		if _, err := w.tx.exec(`ROLLBACK TO job`); err != nil {
			return failed, failed
		}
	}
	if _, err := w.tx.exec(`RELEASE job`); err != nil {
		return failed, err
	}
	return failed, nil
}
