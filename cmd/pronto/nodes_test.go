package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nodesCampaign makes the sample campaign a quick one that is paced as ever.
func nodesCampaign(line string) string {
	if strings.HasPrefix(line, "  mode:") {
		return line
	}
	return strings.Replace(killedCampaign(line), "interrupted: {delay: "+interruptedDelay.String(), "interrupted: {delay: "+perhapsDelay.String(), 1)
}

// perhapsDelay is how long a number waits that may have rung: longer than it takes
// to notice that its node is dead.
const perhapsDelay = 12 * time.Second

// number is a whole number of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: give a number above 0", name, text)
	}
	return n
}

// TestNodesShareLeads lets nodes dial one campaign over one Redis, kills them, makes
// them stand still, cuts them off, and restarts Redis. The carrier says what really happened.
func TestNodesShareLeads(t *testing.T) {
	troubles := number(t, "PRONTO_TROUBLES", 0) // 0: one of each kind
	o := nodesOptions{t: t, nodes: number(t, "PRONTO_NODES", 2), agents: 8, leads: number(t, "PRONTO_LEADS", 250), past: 600, edit: nodesCampaign}
	if troubles > 0 {
		o.past = 20 * troubles // what a kill leaves unanswered is to be affordable
	}
	c := newNodes(t, o)
	for _, n := range c.all {
		c.launch(n)
	}
	c.all[0].await(t)
	c.all[0].do("campaign", "start", demoCampaign)
	for _, n := range c.all {
		c.awaitTalking(n, "at first")
	}
	c.let(2 * time.Second)
	if troubles == 0 {
		c.oneOfEach()
	} else {
		c.atRandom(troubles)
	}
	c.stopAll()
	s := c.judge()
	again, both := s.redialed()
	t.Logf("%d calls, %d of them to numbers rung before, %d numbers rung by more than one node; %d were in progress at a death and rung again; %d connected, %d abandoned, of which %d by dead processes",
		len(s.calls), again, both, s.lost, s.connected-o.nodes*o.past, s.abandoned, s.interrupted)
	if len(s.calls) < 100 || again < 10 || both < 3 {
		t.Error("too little happened to prove anything")
	}
}

// oneOfEach gives two nodes one trouble of each kind.
func (c *nodes) oneOfEach() {
	a, b := c.all[0], c.all[1]
	c.kill(a, 0)
	c.let(time.Second)
	c.freeze(b, 8*time.Second) // longer than a node may be silent
	c.let(time.Second)
	c.restartRedis(time.Second)
	c.let(time.Second)
	c.darken(a, linkDark, 3*time.Second)
	c.let(8 * time.Second)
}

// atRandom gives the nodes n troubles, and restarts Redis halfway.
func (c *nodes) atRandom(n int) {
	seed := uint64(number(c.options.t, "PRONTO_SEED", int(time.Now().UnixNano())))
	c.t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		node := c.all[random.IntN(len(c.all))]
		d := time.Duration(random.Int64N(int64(12 * time.Second)))
		switch {
		case i == n/2:
			c.restartRedis(time.Second)
		case random.IntN(3) == 0:
			c.freeze(node, d)
		case random.IntN(2) == 0:
			c.darken(node, linkState(1+random.IntN(2)), d)
		default:
			c.kill(node, d)
		}
		c.let(time.Duration(random.Int64N(int64(6 * time.Second))))
	}
	if c.options.leads <= 1000 {
		c.awaitAllRung(2 * time.Minute)
	}
}
