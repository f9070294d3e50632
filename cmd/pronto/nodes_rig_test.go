package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// nodes are an installation of several nodes that share one Redis, with one
// carrier and a room of agents for each node.
type nodes struct {
	*field
	options nodesOptions
	server  *process // Redis
	all     []*oneNode
	// rough are the times at which something was broken: what ended shortly before may not be known.
	rough []stretch
}

type nodesOptions struct {
	t      *testing.T
	nodes  int
	agents int // of each node
	leads  int
	past   int // calls put through just before, in each node's journal
	edit   func(line string) string
}

// stretch is a time in which something was broken.
type stretch struct {
	from, to time.Time
	died     string // node whose calls in progress nobody but itself knew of afterwards
}

// oneNode is one of the nodes.
type oneNode struct {
	*installation
	name    string
	url     string
	link    *link
	service *process
}

const (
	nodeHost  = 3 // of the first; field.carrier is at 2
	stateHost = 101
	linkHost  = 110
	agentHost = 150
)

// newNodes lays everything out and starts Redis, carrier and agents. No node runs.
func newNodes(t *testing.T, o nodesOptions) *nodes {
	t.Helper()
	dir := t.TempDir()
	f := &field{dir: dir, net: fmt.Sprintf("127.65.%d", os.Getpid()%250), timers: shortTimers, began: time.Now()}
	c := &nodes{field: f, options: o}
	c.startRedis(t)
	for i := range o.nodes {
		n := &oneNode{
			installation: &installation{t: t, data: f.path("node" + strconv.Itoa(i)), config: f.path("node" + strconv.Itoa(i) + ".yaml")},
			name:         "n" + strconv.Itoa(i), link: newLink(t, fmt.Sprintf("%s:%d", f.address(linkHost+i), redisPort), c.redisAddress()),
			url: fmt.Sprintf("redis://%s:%d", f.address(linkHost+i), redisPort),
		}
		n.env = []string{"PRONTO_REDIS=" + n.url}
		writeFile(t, n.config, c.nodeConfig(i, callClock))
		c.all = append(c.all, n)
	}
	f.installation = c.all[0].installation
	c.prepare()
	c.carrier("--answer-rate", "0.25", "--stretch", "0.4", "--patience", "1m")
	for i := range c.all {
		c.start("sandbox", "agents", "--registrar", f.address(nodeHost+i)+":5060", "--count", strconv.Itoa(o.agents), "--before", strconv.Itoa(i*o.agents),
			"--first", f.address(agentHost+i*o.agents), "--password", demoSeed, "--log", f.path("agents"+strconv.Itoa(i)+".log"))
	}
	return c
}

// redisPort is that of Redis and of each node's link to it.
const redisPort = 18000

func (c *nodes) redisAddress() string { return fmt.Sprintf("%s:%d", c.address(stateHost), redisPort) }

// startRedis starts the server, with what an earlier one wrote.
func (c *nodes) startRedis(t *testing.T) {
	t.Helper()
	c.server = startRedis(t, c.dir, c.address(stateHost), strconv.Itoa(redisPort), "--appendonly", "yes", "--appendfsync", "always")
}

// nodeConfig is a node's configuration file.
func (c *nodes) nodeConfig(i int, clock string) string {
	at := c.address(nodeHost + i)
	return fmt.Sprintf(`node: n%d
sip: {listen: "%s:5060", timers: %s}
media: {address: %s, ports: 20000-21999, ranges: [%s.0/24]}
trunks: [{name: sandbox, address: "%s:5060"}]
rehearsal: {clock: %s, since: %s}
`, i, at, c.timers, at, c.net, c.address(2), clock, c.began.Format(time.RFC3339Nano))
}

// prepare loads the sample campaign with leads of its own through the first node,
// and writes what each node has called before.
func (c *nodes) prepare() {
	c.t.Helper()
	writeFile(c.t, c.path("campaign.yaml"), string(sample(c.options.t, "campaigns/demo-it.yaml")))
	head, _, _ := strings.Cut(string(sample(c.options.t, "lists/demo-it.csv")), "\n")
	writeFile(c.t, c.path("leads.csv"), head+"\n")
	writeFile(c.t, c.path("rpo.csv"), "")
	c.editCampaign(c.options.edit)
	c.addLeads(c.options.leads)
	first := c.all[0]
	before := &installation{t: c.t, data: first.data, config: c.path("apply.yaml"), env: first.env}
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
	n.service = c.startWith(n.env, "--data", n.data, "--config", n.config, "serve")
}

// startWith is start with something added to the environment.
func (c *nodes) startWith(env []string, args ...string) *process {
	c.t.Helper()
	return startProcess(c.t, c.dir, "env", append(append([]string{}, env...), append([]string{prontoBinary(c.t)}, args...)...)...)
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
	await(c.t, 30*time.Second, "calls of "+n.name+" "+when, func() bool {
		if !n.service.running() {
			c.t.Fatalf("%s ended %s: %v\n%s", n.name, when, n.service.err, lastLines(n.service.out.String(), 20))
		}
		return n.talking() > 0
	})
}

// let lets time go by; the nodes must live.
func (c *nodes) let(d time.Duration) {
	c.t.Helper()
	<-time.After(d)
	for _, n := range c.all {
		if !n.service.running() {
			c.t.Fatalf("%s ended: %v\n%s", n.name, n.service.err, lastLines(n.service.out.String(), 20))
		}
	}
}

// roughly notes that something is broken while do runs.
func (c *nodes) roughly(died string, do func()) {
	from := time.Now()
	do()
	c.rough = append(c.rough, stretch{from, time.Now(), died})
}

// kill ends a node as kill -9 does, and starts it again after a while.
func (c *nodes) kill(n *oneNode, away time.Duration) {
	c.roughly(n.name, func() {
		n.service.kill()
		<-time.After(away)
		c.launch(n)
		c.awaitTalking(n, "after a kill")
	})
}

// freeze stops a node for a while.
func (c *nodes) freeze(n *oneNode, d time.Duration) {
	died := ""
	if d > dialer.NodeLife+2*time.Second {
		died = n.name
	}
	c.roughly(died, func() {
		pid := n.service.cmd.Process.Pid
		if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
			c.t.Fatal(err)
		}
		<-time.After(d)
		if err := syscall.Kill(-pid, syscall.SIGCONT); err != nil {
			c.t.Fatal(err)
		}
		c.awaitTalking(n, "after it stood still")
	})
}

// darken cuts a node off from Redis for a while.
func (c *nodes) darken(n *oneNode, how linkState, d time.Duration) {
	c.roughly("", func() {
		n.link.set(how)
		<-time.After(d)
		n.link.set(linkUp)
		c.awaitTalking(n, "after it was cut off")
	})
}

// restartRedis ends Redis as kill -9 does and starts it again.
func (c *nodes) restartRedis(away time.Duration) {
	c.roughly("", func() {
		c.server.kill()
		<-time.After(away)
		c.startRedis(c.options.t)
		for _, n := range c.all {
			c.awaitTalking(n, "after Redis was restarted")
		}
	})
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
