package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// FileName is the database's name in the data folder.
const FileName = "pronto.db"

// readers is how many connections read at the same time.
const readers = 8

// ErrNoCampaign says that no campaign of that name was applied.
var ErrNoCampaign = errors.New("no such campaign")

// Store is the state of one data folder. Its methods may be called from any
// goroutine. Close it last.
type Store struct {
	list *ListKey // of the company's own list; nil: lost

	w       *writer
	writing *sql.DB
	reading *sql.DB
	stmts   sync.Map // query -> *sql.Stmt on reading

	purge chan struct{} // a token: there are dropped rows to remove
	quit  chan struct{}
	swept chan struct{} // closed when the sweeper has returned
	once  sync.Once
}

var (
	_ campaigns.LeadStore = (*Store)(nil)
	_ dnc.Screenings      = (*Store)(nil)
	_ dnc.ScreeningSink   = (*Store)(nil)
	_ dnc.OptOuts         = (*Store)(nil)
	_ dnc.OptOutSink      = (*Store)(nil)
	_ dnc.Consents        = (*Store)(nil)
	_ dnc.ConsentSink     = (*Store)(nil)
	_ dnc.History         = (*Store)(nil)
	_ dialer.Attempts     = (*Store)(nil)
	_ dialer.Accounts     = (*Store)(nil)
	_ dialer.Campaigns    = (*Store)(nil)
	_ dialer.PhoneBook    = (*Store)(nil)
)

// Open opens the store of the data folder dir, making both where they do not
// exist, and brings the schema up to date. The caller holds the folder's Lock:
// leases of an earlier process are taken back, loads that it committed are
// finished, and what it staged without a commit is dropped.
func Open(ctx context.Context, dir string) (*Store, error) {
	s, err := open(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("open store in %s: %w", dir, err)
	}
	return s, nil
}

func open(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, err
	}
	// SQLite would make the file readable to all; it holds people's numbers.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	writing, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return nil, err
	}
	reading, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, errors.Join(err, writing.Close())
	}
	reading.SetMaxOpenConns(readers)
	reading.SetMaxIdleConns(readers)
	s := &Store{
		writing: writing,
		reading: reading,
		purge:   make(chan struct{}, 1),
		quit:    make(chan struct{}),
		swept:   make(chan struct{}),
	}
	if err := s.begin(ctx, dir); err != nil {
		return nil, errors.Join(err, reading.Close(), writing.Close())
	}
	return s, nil
}

// begin migrates, starts the writer and puts right what a crash left.
func (s *Store) begin(ctx context.Context, dir string) error {
	s.writing.SetMaxOpenConns(1)
	if err := migrate(s.writing); err != nil {
		return err
	}
	if err := s.takeKey(dir); err != nil {
		return err
	}
	conn, err := s.writing.Conn(ctx)
	if err != nil {
		return err
	}
	s.w = newWriter(conn)
	if err := errors.Join(s.recover(ctx), s.sealOptOuts(ctx)); err != nil {
		s.w.close()
		return errors.Join(err, conn.Close())
	}
	go s.sweep()
	s.wake()
	return nil
}

// recover takes leases back, finishes committed loads and drops what was staged
// without a commit.
func (s *Store) recover(ctx context.Context) error {
	err := s.w.write(ctx, func(t *tx) error {
		for _, query := range []string{
			`UPDATE leads SET state = 0, node = '' WHERE state = 2`,
			`UPDATE loads SET state = 2 WHERE state = 0`,
			`UPDATE imports SET state = 2, ulid = NULL WHERE state = 0`,
		} {
			if _, err := t.exec(query); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.finishLoads(ctx)
}

// dsn is the connection string of the database at path. The log is moved into the
// database when it has 16 MiB, and cut off when it had more than 8 and is begun anew.
func dsn(path string, readOnly bool) string {
	pragmas := []string{"busy_timeout(10000)", "foreign_keys(1)", "temp_store(2)"}
	if readOnly {
		pragmas = append(pragmas, "query_only(1)")
	} else {
		pragmas = append(pragmas, "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-65536)", "secure_delete(FAST)",
			"wal_autocheckpoint(4096)", "journal_size_limit(8388608)")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas}.Encode()}).String()
}

// Close finishes the writes that were begun and closes the files: the log is
// moved into the database and goes away. It may be called twice.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.quit)
		<-s.swept
		s.w.close()
		// SQLite closes a connection, and moves its log, only when its statements are closed.
		s.stmts.Range(func(_, stmt any) bool {
			err = errors.Join(err, stmt.(*sql.Stmt).Close())
			return true
		})
		err = errors.Join(err, s.reading.Close())
		for _, stmt := range s.w.tx.stmts {
			err = errors.Join(err, stmt.Close())
		}
		err = errors.Join(err, s.w.tx.conn.Close(), s.writing.Close())
	})
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// prepare returns the statement of query on the reading connections.
func (s *Store) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := s.stmts.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.reading.Prepare(query)
	if err != nil {
		return nil, err
	}
	if earlier, ok := s.stmts.LoadOrStore(query, stmt); ok {
		return earlier.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

// get scans the only row of a short read into dest; false when there is none.
// Short reads take microseconds: they look at ctx before, not during.
func (s *Store) get(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	stmt, err := s.prepare(query)
	if err != nil {
		return false, err
	}
	return found(stmt.QueryRow(args...).Scan(dest...))
}

// each calls scan for every row of a read.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stmt, err := s.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// nanos is t as stored.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// instant is the time stored as n.
func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
