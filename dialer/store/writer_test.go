package store

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestLongWorkTakesTurns: who writes while a long piece of work goes on comes before the
// next long one, and the work learns that somebody waits.
func TestLongWorkTakesTurns(t *testing.T) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(t.TempDir(), FileName), false))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(conn)
	var order []string // of the writer's goroutine, until work is over
	var work sync.WaitGroup
	ask := func(write func() error) {
		work.Go(func() {
			if err := write(); err != nil {
				t.Error(err)
			}
		})
	}
	note := func(what string) func(*tx) error {
		return func(*tx) error {
			order = append(order, what)
			return nil
		}
	}
	begun, end := make(chan struct{}), make(chan struct{})
	ask(func() error {
		return w.writeLong(t.Context(), func(*tx) error {
			if w.awaited() {
				t.Error("somebody waits before anybody asked")
			}
			close(begun)
			<-end
			return nil
		})
	})
	<-begun
	ask(func() error { return w.writeLong(t.Context(), note("long")) })
	ask(func() error { return w.write(t.Context(), note("short")) })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !w.awaited() {
		<-tick.C
	}
	close(end)
	work.Wait()
	w.close()
	if want := []string{"short", "long"}; !slices.Equal(order, want) {
		t.Errorf("written in the order %v, want %v", order, want)
	}
	for _, stmt := range w.tx.stmts {
		err = errors.Join(err, stmt.Close())
	}
	if err := errors.Join(err, conn.Close(), db.Close()); err != nil {
		t.Error(err)
	}
}
