package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// kind is what can happen to a node, or to Redis.
type kind string

// The kinds of troubles.
const (
	killed      kind = "node killed"
	stands      kind = "node stands still"
	cutRedis    kind = "node cut off from redis"
	cutCarriers kind = "node cut off from the carriers"
	cutBoth     kind = "node cut off from redis and carriers"
	cutAll      kind = "node cut off from everything"
	lossy       kind = "node loses a third of what is sent"

	redisKilled  kind = "redis killed"
	redisStopped kind = "redis restarted"
	redisStands  kind = "redis stands still"
)

var (
	nodeKinds  = []kind{killed, stands, cutRedis, cutCarriers, cutBoth, cutAll, lossy}
	redisKinds = []kind{redisKilled, redisStopped, redisStands}
)

// cables are what the kinds of cuts cut.
var cables = map[kind]cable{cutRedis: toRedis, cutCarriers: toCarriers, cutBoth: toBoth, cutAll: toAnything, lossy: someOfItAll}

// trouble is something that is broken for a while.
type trouble struct {
	kind     kind
	node     int           // faraway: Redis
	from, to time.Duration // as planned, since the plan began
	began    time.Time     // as it was
	ended    time.Time
}

func (x *trouble) String() string {
	return fmt.Sprintf("%s %d from %s to %s", x.kind, x.node, clock(x.began), clock(x.ended))
}

// hits reports whether it concerns a node.
func (x *trouble) hits(node int) bool { return x.node == node || x.node == faraway }

// carry has everything in the plan happen.
func (c *nodes) carry(plan []*trouble) {
	c.t.Helper()
	type step struct {
		at time.Duration
		do func()
	}
	var steps []step
	for _, x := range plan {
		steps = append(steps, step{x.from, func() { c.breakIt(x) }}, step{x.to, func() { c.mendIt(x) }})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	began := time.Now()
	for _, s := range steps {
		for time.Since(began) < s.at {
			c.let(min(200*time.Millisecond, max(0, s.at-time.Since(began))))
		}
		s.do()
	}
}

func (c *nodes) breakIt(x *trouble) {
	c.t.Helper()
	x.began = time.Now()
	c.happened = append(c.happened, x)
	switch x.kind {
	case killed:
		c.all[x.node].away = true
		c.all[x.node].service.kill()
	case stands:
		c.signal(c.all[x.node].service, syscall.SIGSTOP)
	case redisKilled:
		c.server.kill()
	case redisStopped:
		c.signal(c.server, syscall.SIGTERM)
	case redisStands:
		c.signal(c.server, syscall.SIGSTOP)
	default:
		if err := c.ground.cut(x.node, cables[x.kind]); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *nodes) mendIt(x *trouble) {
	c.t.Helper()
	switch x.kind {
	case killed:
		c.launch(c.all[x.node])
	case stands:
		c.signal(c.all[x.node].service, syscall.SIGCONT)
	case redisStopped:
		c.server.wait(10 * time.Second)
		c.startRedis()
	case redisKilled:
		c.startRedis()
	case redisStands:
		c.signal(c.server, syscall.SIGCONT)
	default:
		if err := c.ground.mend(x.node); err != nil {
			c.t.Fatal(err)
		}
	}
	x.ended = time.Now()
}

// signal reaches a process and those that it started.
func (c *nodes) signal(p *process, s syscall.Signal) {
	c.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		c.t.Fatal(err)
	}
}

// atRandom plans n troubles: each node has some of its own, one after the other, and
// Redis now and then. Those that meet are not kept apart.
func (c *nodes) atRandom(n int) (plan []*trouble) {
	seed := uint64(number(c.options.t, "PRONTO_SEED", int(time.Now().UnixNano())))
	c.t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	ofNodes, ofRedis := chosen(c.options.t, nodeKinds), chosen(c.options.t, redisKinds)
	ofNodes = slices.DeleteFunc(ofNodes, func(k kind) bool { return cables[k] != "" && !c.ground.can(cables[k]) })
	lanes := map[int]time.Duration{}
	for i := range n {
		node, kinds, length, rest := i%c.options.nodes, ofNodes, 12*time.Second, 36*time.Second
		if i%12 == 11 && len(ofRedis) > 0 || len(ofNodes) == 0 {
			node, kinds, length, rest = faraway, ofRedis, 5*time.Second, 120*time.Second
			if len(ofNodes) == 0 {
				rest = 12 * time.Second
			}
		}
		x := &trouble{kind: kinds[random.IntN(len(kinds))], node: node, from: lanes[node] + 2*time.Second + upTo(rest)}
		x.to = x.from + 200*time.Millisecond + upTo(length)
		lanes[node] = x.to
		plan = append(plan, x)
	}
	return plan
}

// chosen are the kinds that PRONTO_KINDS names, with commas between them; all of
// them where it is not set.
func chosen(t *testing.T, kinds []kind) []kind {
	t.Helper()
	names := environment("PRONTO_KINDS")
	for _, n := range names {
		if !slices.Contains(slices.Concat(nodeKinds, redisKinds), kind(n)) {
			t.Fatalf("PRONTO_KINDS=%s: there is no such kind: give some of %q", n, slices.Concat(nodeKinds, redisKinds))
		}
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return len(names) > 0 && !slices.Contains(names, string(k)) })
}
