package redis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer/store/redis"
	"pronto/dialer/store/storetest"
)

// TestCluster: the conformance suite on three masters.
func TestCluster(t *testing.T) {
	t.Parallel()
	var servers []*server
	for range 3 {
		servers = append(servers, startServer(t, "--cluster-enabled", "yes", "--cluster-announce-ip", host, "--cluster-port", freePort(t), "--cluster-node-timeout", "2000"))
	}
	const slots = 16384
	addrs := ""
	for i, srv := range servers {
		db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
		defer db.Close()
		if err := db.ClusterAddSlotsRange(t.Context(), slots*i/3, slots*(i+1)/3-1).Err(); err != nil {
			t.Fatal(err)
		}
		for _, other := range servers[:i] {
			h, port, _ := net.SplitHostPort(other.addr)
			if err := db.Do(t.Context(), "CLUSTER", "MEET", h, port, busPort(other)).Err(); err != nil {
				t.Fatal(err)
			}
		}
		addrs += "," + srv.addr
	}
	for _, srv := range servers {
		db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
		defer db.Close()
		until(t, "the cluster is whole", func() bool {
			info, err := db.ClusterInfo(context.Background()).Result()
			return err == nil && field(info, "cluster_state") == "ok" && field(info, "cluster_known_nodes") == "3"
		})
	}
	storetest.Run(t, maker("redis+cluster://"+addrs[1:]))
	t.Run("take", func(t *testing.T) { thereAndBack(t, "redis+cluster://"+addrs[1:]+"?fsync=any&prefix=") })
}

// busPort is the port at which a server of a cluster speaks with the others.
func busPort(s *server) string { return s.args[slices.Index(s.args, "--cluster-port")+1] }

// TestFailover: the master is killed while everything is written; the sentinels
// make a replica master, and nothing that was acknowledged is lost.
func TestFailover(t *testing.T) {
	t.Parallel()
	master := startServer(t, synced...)
	h, port, _ := net.SplitHostPort(master.addr)
	for range 2 {
		startServer(t, append([]string{"--replica-announce-ip", host, "--replicaof", h + " " + port, "--repl-diskless-sync-delay", "0"}, synced...)...)
	}
	addrs := ""
	for range 3 {
		addrs += "," + startSentinel(t, h, port)
	}
	db := goredis.NewClient(&goredis.Options{Addr: master.addr})
	defer db.Close()
	until(t, "both replicas follow", func() bool {
		info, err := db.Info(context.Background(), "replication").Result()
		return err == nil && field(info, "connected_slaves") == "2"
	})
	s := opened(t, redis.Options{URL: "redis+sentinel://" + addrs[1:] + "/pronto", Node: "node1", Dir: t.TempDir(), Wait: 2 * time.Second}, 20_000)
	c := newClerk(s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.work(ctx)
	}()
	until(t, "attempts are acknowledged", func() bool { return c.acknowledged() > 100 })
	master.kill()
	before := c.acknowledged()
	until(t, "work goes on", func() bool { return c.acknowledged() > before+100 })
	stop()
	<-done
	c.check(t)
}

// startSentinel starts a sentinel that watches the master.
func startSentinel(t *testing.T, host, port string) (addr string) {
	t.Helper()
	dir, own := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind %s\nsentinel announce-ip %s\ndir %s\nlogfile %s/log\nsentinel monitor pronto %s %s 2\nsentinel down-after-milliseconds pronto 1000\nsentinel failover-timeout pronto 4000\n",
		own, host, host, dir, dir, host, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{addr: net.JoinHostPort(host, own), dir: dir, cmd: exec.Command("redis-sentinel", conf)}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("redis-sentinel: %v (make setup installs it)", err)
	}
	t.Cleanup(s.kill)
	s.ready(t)
	db := goredis.NewSentinelClient(&goredis.Options{Addr: s.addr})
	defer db.Close()
	until(t, "the sentinel knows the replicas", func() bool {
		all, err := db.Replicas(context.Background(), "pronto").Result()
		return err == nil && len(all) == 2
	})
	return s.addr
}
