package redis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer/store"
)

// host is the loopback address that the tests' servers listen on.
const host = "127.64.0.1"

// server is a redis-server of Debian's in a folder of its own.
type server struct {
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// freePort finds a port that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startServer starts a server with an empty folder; it is killed with the test.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir()}
	port := freePort(t)
	s.addr = net.JoinHostPort(host, port)
	s.args = append([]string{"--port", port, "--bind", host, "--dir", s.dir, "--save", "", "--daemonize", "no", "--logfile", filepath.Join(s.dir, "log")}, args...)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

// start starts the process and waits until it answers.
func (s *server) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("redis-server: %v (make setup installs it)", err)
	}
	s.ready(t)
}

// ready waits until the server answers and has read its files.
func (s *server) ready(t testing.TB) {
	t.Helper()
	db := goredis.NewClient(&goredis.Options{Addr: s.addr, MaxRetries: -1})
	defer db.Close()
	until(t, "redis-server answers", func() bool { return db.Ping(context.Background()).Err() == nil })
}

// kill ends the process without a word of warning.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// until asks again and again until it is so, for 20 seconds at most.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if so() {
			return
		}
		<-tick.C
	}
	t.Fatalf("20 s have passed: not %s", what)
}

func (s *server) url(query string) string { return fmt.Sprintf("redis://%s/0%s", s.addr, query) }

// field finds a field in the answer of INFO and its like.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// sameKey makes a data folder with the key of the company's own list that the
// first folder has.
func sameKey(t testing.TB, first string) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(first, store.KeyName))
	if err != nil {
		key = []byte(strings.Repeat("ab", 32) + "\n")
		if err := os.WriteFile(filepath.Join(first, store.KeyName), key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.KeyName), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
