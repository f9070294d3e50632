package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// nodes are an installation of several nodes that share one Redis, the carriers
// that they call through and a room of agents for each node.
type nodes struct {
	*field
	options  nodesOptions
	ground   ground
	server   *process // Redis
	all      []*oneNode
	happened []*trouble
	still    stillness
	restarts int // of nodes that ended at their start because Redis did not answer
}

type nodesOptions struct {
	t      *testing.T
	nodes  int
	agents int // of each node
	sipps  int // carriers of sipp's
	leads  int
	past   int           // calls put through just before, in each node's journal
	delay  time.Duration // before a number is rung again, whatever came of the last call
	most   int           // calls again after no answer, busy and a refusal
}

// oneNode is one of the nodes.
type oneNode struct {
	*installation
	i       int
	name    string
	service *process
	away    bool // is not to run now
}

// newNodes lays everything out and starts Redis, carriers and agents. No node runs.
func newNodes(t *testing.T, o nodesOptions) *nodes {
	t.Helper()
	o.t = t
	dir := t.TempDir()
	f := &field{dir: dir, net: fmt.Sprintf("127.65.%d", os.Getpid()%250), timers: shortTimers, began: time.Now()}
	c := &nodes{field: f, options: o}
	c.ground = newGround(t, c)
	c.startRedis()
	for i := range o.nodes {
		name := "n" + strconv.Itoa(i)
		in := &installation{t: t, data: f.path(name), config: f.path(name + ".yaml"), within: c.ground.within(i)}
		n := &oneNode{installation: in, i: i, name: name, away: true}
		n.env = []string{"PRONTO_REDIS=redis://" + c.ground.redis(i)}
		writeFile(t, n.config, c.nodeConfig(i, callClock))
		c.all = append(c.all, n)
	}
	f.installation = c.all[0].installation
	c.prepare()
	c.farEnds()
	c.still.watch(t)
	return c
}

// farEnds starts carriers and phones.
func (c *nodes) farEnds() {
	c.t.Helper()
	pronto := prontoBinary(c.t)
	c.startAt(faraway, nil, pronto, "sandbox", "carrier", "--listen", c.address(carrierAt)+":5060", "--log", c.path("carrier.log"),
		"--answer-rate", "0.25", "--stretch", "0.4", "--patience", "1m")
	writeFile(c.t, c.path("sipp.xml"), nodesFile(c.options.t, "carrier.xml"))
	for i := range c.options.sipps {
		c.sipp(i)
	}
	for i, n := 0, c.options.agents; i < c.options.nodes; i++ {
		c.startAt(faraway, nil, pronto, "sandbox", "agents", "--registrar", c.address(nodeHost+i)+":5060", "--count", strconv.Itoa(n), "--before", strconv.Itoa(i*n),
			"--first", c.address(agentHost+i*n), "--password", demoSeed, "--log", c.path("agents"+strconv.Itoa(i)+".log"))
	}
}

func nodesFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/nodes", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c *nodes) redisAddress() string { return fmt.Sprintf("%s:%d", c.address(stateHost), redisPort) }

// startRedis starts the server, with what an earlier one wrote.
func (c *nodes) startRedis() {
	c.options.t.Helper()
	c.server = startRedis(c.options.t, c.dir, c.ground.within(faraway), c.address(stateHost), strconv.Itoa(redisPort), "--appendonly", "yes", "--appendfsync", "always")
}

// nodeConfig is a node's configuration file. Each of sipp's carriers has two calls
// for one of the sandbox's, which speaks and listens.
func (c *nodes) nodeConfig(i int, clock string) string {
	at := c.address(nodeHost + i)
	trunks := fmt.Sprintf("\n  - {name: sandbox, address: \"%s:5060\", weight: 1}", c.address(carrierAt))
	for k := range c.options.sipps {
		trunks += fmt.Sprintf("\n  - {name: sipp%d, address: \"%s:5060\", weight: 2}", k, c.address(carrierAt+1+k))
	}
	return fmt.Sprintf(`node: n%d
sip: {listen: "%s:5060", timers: %s}
media: {address: %s, ports: 20000-21999, ranges: [%s.0/24]}
rehearsal: {clock: %s, since: %s}
trunks: %s
`, i, at, c.timers, at, c.net, clock, c.began.Format(time.RFC3339Nano), trunks)
}

// prepare loads the sample campaign with leads of its own through the first node,
// and writes what each node has called before.
func (c *nodes) prepare() {
	c.t.Helper()
	writeFile(c.t, c.path("campaign.yaml"), string(sample(c.options.t, "campaigns/demo-it.yaml")))
	head, _, _ := strings.Cut(string(sample(c.options.t, "lists/demo-it.csv")), "\n")
	writeFile(c.t, c.path("leads.csv"), head+"\n")
	writeFile(c.t, c.path("rpo.csv"), "")
	c.editCampaign(c.options.campaign)
	c.addLeads(c.options.leads)
	first := c.all[0]
	before := *first.installation
	before.config = c.path("apply.yaml")
	writeFile(c.t, before.config, c.nodeConfig(0, applyClock))
	before.do("campaign", "apply", c.path("campaign.yaml"))
	before.do("leads", "load", demoCampaign, c.path("leads.csv"))
	first.do("dnc", "import", "rpo", c.path("rpo.csv"), "--no-submission", "--reason", "test")
	for i := range c.options.nodes * c.options.agents {
		cmd := first.command("agent", "add", agentName(i), "--password-stdin")
		cmd.Stdin = strings.NewReader(demoSeed + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Fatalf("agent add: %v\n%s", err, out)
		}
	}
	key, err := os.ReadFile(filepath.Join(first.data, store.KeyName))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range c.all {
		if n != first {
			if err := os.MkdirAll(n.data, 0o700); err != nil {
				c.t.Fatal(err)
			}
			writeFile(c.t, filepath.Join(n.data, store.KeyName), string(key))
		}
		c.pastOf(n)
	}
}

// pastOf writes calls that have just been into a node's journal.
func (c *nodes) pastOf(n *oneNode) {
	c.t.Helper()
	at := c.began.Add(c.offset())
	j, err := journal.Open(filepath.Join(n.data, journalFolder), journal.Options{Node: n.name, Now: func() time.Time { return at }})
	if err != nil {
		c.t.Fatal(err)
	}
	for range c.options.past {
		if _, err := j.Append(journal.Record{At: at, Kind: journal.Connected, Campaign: demoCampaign}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// launch starts a node and does not wait for it.
func (c *nodes) launch(n *oneNode) {
	c.t.Helper()
	n.away = false
	n.service = c.startAt(n.i, n.env, prontoBinary(c.t), "--data", n.data, "--config", n.config, "serve")
}

// startAt starts a program at a node, or faraway.
func (c *nodes) startAt(place int, env []string, program string, args ...string) *process {
	t := c.options.t
	t.Helper()
	line := slices.Concat(c.ground.within(place), []string{"env"}, env, []string{program}, args)
	return startProcess(t, c.dir, line[0], line[1:]...)
}

// await waits until commands reach the node.
func (n *oneNode) await(t *testing.T) {
	t.Helper()
	await(t, 20*time.Second, "node "+n.name, func() bool {
		if !n.service.running() {
			t.Fatalf("%s ended: %v\n%s", n.name, n.service.err, lastLines(n.service.out.String(), 20))
		}
		_, ok := n.live()
		return ok
	})
}

// talking is how many calls of the node are put through.
func (n *oneNode) talking() int {
	v, ok := n.live()
	if !ok {
		return 0
	}
	return v.campaign().Talking
}

// awaitTalking waits until a node puts calls through.
func (c *nodes) awaitTalking(n *oneNode, when string) {
	c.t.Helper()
	await(c.t, 60*time.Second, "calls of "+n.name+" "+when, func() bool {
		c.check()
		return n.talking() > 0
	})
}

// awaitDialing waits until a node has placed another call.
func (c *nodes) awaitDialing(n *oneNode, when string) {
	c.t.Helper()
	before := -1
	await(c.t, 90*time.Second, "calls by "+n.name+" "+when, func() bool {
		c.check()
		v, ok := n.live()
		if !ok {
			return false
		}
		if before < 0 {
			before = int(v.campaign().Tally.Dialed)
		}
		return int(v.campaign().Tally.Dialed) > before
	})
}

// check fails the test when a node has ended that is to run. One that did not get
// through its start because Redis did not answer is begun again, as a service manager does.
func (c *nodes) check() {
	c.t.Helper()
	for _, n := range c.all {
		if n.away || n.service.running() {
			continue
		}
		out := n.service.out.String()
		troubled := slices.ContainsFunc(c.happened, func(x *trouble) bool {
			return x.hits(n.i) && (x.ended.IsZero() || time.Since(x.ended) < 15*time.Second)
		})
		if !troubled || strings.Contains(out, "panic") || strings.Contains(out, `"msg":"pronto serves"`) {
			c.t.Fatalf("%s ended: %v\n%s", n.name, n.service.err, lastLines(out, 20))
		}
		c.restarts++
		c.launch(n)
	}
}

// let lets time go by; the nodes must live.
func (c *nodes) let(d time.Duration) {
	c.t.Helper()
	<-time.After(d)
	c.check()
}

// start has all nodes dial.
func (c *nodes) start() {
	c.t.Helper()
	for _, n := range c.all {
		c.launch(n)
	}
	c.all[0].await(c.options.t)
	c.all[0].do("campaign", "start", demoCampaign)
	for _, n := range c.all {
		c.awaitTalking(n, "at first")
	}
}

// stopAll ends all nodes in good order.
func (c *nodes) stopAll() {
	c.t.Helper()
	for _, n := range c.all {
		if err := n.service.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, n := range c.all {
		n.service.wait(40 * time.Second)
	}
}

// campaign makes the sample campaign a quick one that is paced as ever, line by line.
func (o nodesOptions) campaign(line string) string {
	switch key, _, _ := strings.Cut(line, ":"); key {
	case "ring_timeout":
		return "ring_timeout: 5s"
	case "wrap_up":
		return "wrap_up: 0s"
	case "retry":
		text := "retry:\n"
		for _, outcome := range []string{"no_answer", "busy", "rejected"} {
			text += fmt.Sprintf("  %s: {delay: %s, max: %d}\n", outcome, o.delay, o.most)
		}
		for _, outcome := range []string{"interrupted", "failed", "congested"} { // the troubles' doing
			text += fmt.Sprintf("  %s: {delay: %s, max: 50}\n", outcome, o.delay)
		}
		return text
	case "  no_answer", "  busy", "  machine":
		return ""
	case "max_attempts":
		return "max_attempts: 90"
	}
	return line
}
