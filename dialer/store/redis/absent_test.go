package redis_test

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer/store/redis"
)

// TestAbsent tells a Redis that is away or slow from one that will never do: both
// by what Reach, which looks, and Open, which takes, come to.
func TestAbsent(t *testing.T) {
	good := startServer(t, synced...)
	secret := startServer(t, synced...)
	guard := goredis.NewClient(&goredis.Options{Addr: secret.addr})
	if err := errors.Join(guard.ConfigSet(t.Context(), "requirepass", "secret").Err(), guard.Close()); err != nil {
		t.Fatal(err)
	}
	evicts := startServer(t, append([]string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, synced...)...)
	forgets := startServer(t)
	replica := startServer(t, append([]string{"--replicaof", "127.64.0.1 1"}, synced...)...)
	stopped := startServer(t, synced...)
	if err := stopped.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	nobody := net.JoinHostPort(host, freePort(t))
	mute := silentPort(t)
	for name, c := range map[string]struct {
		url    string
		absent bool
	}{
		"refuses connections":  {"redis://" + nobody, true},
		"never answers":        {"redis://" + mute, true},
		"stands still":         {stopped.url(""), true},
		"no such name":         {"redis://redis.invalid:6379", true},
		"sentinels are away":   {"redis+sentinel://" + nobody + "/pronto", true},
		"cluster is away":      {"redis+cluster://" + nobody, true},
		"replica, no master":   {replica.url(""), true},
		"wrong password":       {fmt.Sprintf("redis://:wrong@%s", secret.addr), false},
		"no password":          {secret.url(""), false},
		"database that is not": {fmt.Sprintf("redis://%s/99", good.addr), false},
		"TLS to plain":         {fmt.Sprintf("rediss://%s", good.addr), true}, // it waits for more of the greeting
		"throws keys away":     {evicts.url(""), false},
		"does not sync":        {forgets.url(""), false},
		"not a URL of Redis":   {"http://" + good.addr, false},
		"unknown option":       {good.url("?what=else"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, opened := redis.Open(t.Context(), redis.Options{URL: c.url, Node: "n1", Dir: t.TempDir(), Wait: 200 * time.Millisecond})
			reached := redis.Reach(t.Context(), c.url, 200*time.Millisecond)
			if opened == nil || redis.Absent(opened) != c.absent {
				t.Errorf("Open: %v, absent: %t, want %t", opened, redis.Absent(opened), c.absent)
			}
			if name != "replica, no master" && (reached == nil || redis.Absent(reached) != c.absent) {
				t.Errorf("Reach: %v, absent: %t, want %t", reached, redis.Absent(reached), c.absent)
			}
		})
	}
	if err := redis.Reach(t.Context(), good.url(""), 0); err != nil || redis.Absent(err) {
		t.Errorf("Reach of a good one: %v", err)
	}
}

// silentPort is an address that takes connections and says nothing.
func silentPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
