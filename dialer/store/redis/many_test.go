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

	"pronto/campaigns"
	"pronto/dialer/store/redis"
	"pronto/dialer/store/storetest"
)

// TestCluster: the conformance suite on three masters.
func TestCluster(t *testing.T) {
	t.Parallel()
	_, addrs := startCluster(t, 0)
	storetest.Run(t, maker("redis+cluster://"+addrs))
}

// clusterServer starts a server of a cluster.
func clusterServer(t *testing.T, args ...string) *server {
	t.Helper()
	return startServer(t, append([]string{"--cluster-enabled", "yes", "--cluster-announce-ip", host, "--cluster-port", freePort(t), "--cluster-node-timeout", "2000"}, args...)...)
}

// startCluster starts three masters, each with so many replicas; masters come first.
func startCluster(t *testing.T, replicas int, args ...string) (servers []*server, addrs string) {
	t.Helper()
	const masters, slots = 3, 16384
	for i := range masters * (1 + replicas) {
		srv := clusterServer(t, args...)
		db := srv.client(t)
		if i < masters {
			if err := db.ClusterAddSlotsRange(t.Context(), slots*i/masters, slots*(i+1)/masters-1).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, other := range servers {
			h, port, _ := net.SplitHostPort(other.addr)
			if err := db.Do(t.Context(), "CLUSTER", "MEET", h, port, busPort(other)).Err(); err != nil {
				t.Fatal(err)
			}
		}
		servers = append(servers, srv)
		addrs += "," + srv.addr
	}
	for _, srv := range servers {
		db := srv.client(t)
		until(t, "the cluster is whole", func() bool {
			info, err := db.ClusterInfo(context.Background()).Result()
			return err == nil && field(info, "cluster_state") == "ok" && field(info, "cluster_known_nodes") == fmt.Sprint(len(servers))
		})
	}
	for i, srv := range servers[masters:] {
		id, err := servers[i%masters].client(t).Do(t.Context(), "CLUSTER", "MYID").Text()
		if err == nil {
			err = srv.client(t).ClusterReplicate(t.Context(), id).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, srv := range servers[masters:] {
		db := srv.client(t)
		until(t, "the replica follows", func() bool {
			info, err := db.Info(context.Background(), "replication").Result()
			return err == nil && field(info, "role") == "slave" && field(info, "master_link_status") == "up"
		})
	}
	return servers, addrs[1:]
}

// client is one to the server alone, closed with the test.
func (s *server) client(t *testing.T) *goredis.Client {
	t.Helper()
	db := goredis.NewClient(&goredis.Options{Addr: s.addr})
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestClusterFailover: the master of a campaign's leads is killed while everything is
// written; its replica takes over, and nothing that was acknowledged is lost. No intent is good without a
// replica: work goes on once the dead master is back as one.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	servers, addrs := startCluster(t, 1, append([]string{"--repl-diskless-sync-delay", "0"}, synced...)...)
	s := opened(t, redis.Options{URL: "redis+cluster://" + addrs, Node: "node1", Dir: t.TempDir(), Wait: 2 * time.Second}, 20_000)
	c := newClerk(s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.work(ctx)
	}()
	until(t, "attempts are acknowledged", func() bool { return c.acknowledged() > 100 })
	slot, err := servers[0].client(t).ClusterKeySlot(t.Context(), "pronto:{c1}n").Result()
	if err != nil {
		t.Fatal(err)
	}
	dead := int(slot * 3 / 16384)
	servers[dead].kill()
	replica := servers[3+dead].client(t)
	until(t, "the replica takes over", func() bool {
		info, err := replica.Info(context.Background(), "replication").Result()
		return err == nil && field(info, "role") == "master"
	})
	alone := c.acknowledged()
	until(t, "the new master leases leads", func() bool {
		leads, err := s.Lease(context.Background(), "spring", "", campaigns.Draw{N: 1}, monday)
		return err == nil && len(leads) == 1
	})
	if now := c.acknowledged(); now > alone+4 { // those that were on their way
		t.Errorf("%d intents were taken without a replica", now-alone)
	}
	servers[dead].start(t)
	before := c.acknowledged()
	until(t, "work goes on", func() bool { return c.acknowledged() > before+100 })
	stop()
	<-done
	c.check(t)
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
