package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/sandbox/truth"
)

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

// environment is a variable's parts between commas.
func environment(name string) []string {
	text := os.Getenv(name)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// TestNodesShareLeads lets nodes dial one campaign over one Redis, kills them, makes
// them stand still, cuts them off, and does the same to Redis. What really happened the carriers say,
// sipp's and the sandbox's.
func TestNodesShareLeads(t *testing.T) {
	troubles := number(t, "PRONTO_TROUBLES", 0) // 0: a few of each kind
	o := nodesOptions{nodes: number(t, "PRONTO_NODES", 3), agents: 6, sipps: 1, leads: number(t, "PRONTO_LEADS", 600), past: 600, delay: 12 * time.Second, most: 50}
	if troubles > 0 {
		o.agents, o.sipps, o.delay, o.most = 20, 3, time.Minute, 1
	}
	c := newNodes(t, o)
	t.Cleanup(c.keep)
	c.start()
	c.let(2 * time.Second)
	if troubles == 0 {
		c.few()
		for _, n := range c.all {
			c.awaitDialing(n, "at last")
		}
	} else { // to the end of the list: what is left then may be one node's alone
		c.carry(c.atRandom(troubles))
		c.awaitAllRung(time.Duration(o.leads) * 50 * time.Millisecond)
		await(t, o.delay+time.Minute, "numbers that are rung again", func() bool { return c.rungAgain(nil) >= 20 })
	}
	c.stopAll()
	s := c.judge()
	s.tell()
	if len(s.calls) < 100 || s.sipp < 50 || s.again < 10 || s.both < 3 || troubles == 0 && s.orphan < 1 {
		t.Error("too little happened to prove anything")
	}
}

// few gives each of three nodes and Redis some trouble. The first node stays dead
// until others have rung what rang when it died.
func (c *nodes) few() {
	c.t.Helper()
	plan := []*trouble{
		{kind: stands, node: 1, from: time.Second, to: 9 * time.Second}, // longer than a node may be silent
		{kind: cutRedis, node: 2, from: time.Second, to: 4 * time.Second},
		{kind: cutCarriers, node: 2, from: 6 * time.Second, to: 9 * time.Second},
		{kind: cutBoth, node: 2, from: 11 * time.Second, to: 18 * time.Second},
		{kind: lossy, node: 1, from: 11 * time.Second, to: 13 * time.Second},
		{kind: cutAll, node: 1, from: 14 * time.Second, to: 17 * time.Second},
	}
	var possible []*trouble
	for _, x := range plan {
		if cables[x.kind] == "" || c.ground.can(cables[x.kind]) {
			possible = append(possible, x)
		}
	}
	lost := &trouble{kind: killed, node: 0}
	left := c.lose(lost)
	c.carry(possible)
	c.awaitRedialed(left)
	c.mendIt(lost)
	c.awaitDialing(c.all[0], "after a kill")
	c.carry([]*trouble{
		{kind: redisKilled, node: faraway, from: 0, to: time.Second},
		{kind: redisStands, node: faraway, from: 4 * time.Second, to: 6 * time.Second},
	})
}

// lose kills a node while several of its lines ring, and says which numbers.
func (c *nodes) lose(x *trouble) map[string]bool {
	c.t.Helper()
	n := c.all[x.node]
	await(c.t, 30*time.Second, "ringing lines of "+n.name, func() bool {
		v, ok := n.live()
		return ok && v.campaign().Calls-v.campaign().Talking >= 6
	})
	c.breakIt(x)
	theirs := map[string]bool{}
	for r, err := range journal.Read(filepath.Join(n.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Cleared}}) {
		if err != nil {
			c.t.Fatal(err)
		}
		theirs[strings.ToLower(r.Attempt)] = true
	}
	rang := map[string]bool{}
	for _, r := range c.rungs() {
		if theirs[r.id] && r.answered.IsZero() && (r.over.IsZero() || r.over.After(x.began)) {
			rang[r.number] = true
		}
	}
	if len(rang) == 0 {
		c.t.Fatal("no line rang when the node was killed")
	}
	return rang
}

// awaitRedialed waits until living nodes have rung the numbers again that rang when
// one died. That they were not too early is judged later.
func (c *nodes) awaitRedialed(rang map[string]bool) {
	c.t.Helper()
	await(c.t, dialer.NodeLife+c.options.delay+20*time.Second, "calls by other nodes to what rang when one died", func() bool {
		return 2*c.rungAgain(rang) >= len(rang)
	})
}

// rungAgain counts, a moment later, which of some numbers were rung more than once; nil: of all.
func (c *nodes) rungAgain(some map[string]bool) int {
	c.let(200 * time.Millisecond)
	times, again := map[string]int{}, 0
	for _, r := range c.rungs() {
		times[r.number]++
		if times[r.number] == 2 && (some == nil || some[r.number]) {
			again++
		}
	}
	return again
}

// awaitAllRung waits until no lead is fresh, and says of those that are how they
// stand.
func (c *nodes) awaitAllRung(patience time.Duration) {
	c.t.Helper()
	var doc leadsDoc
	for limit := time.Now().Add(patience); time.Now().Before(limit); c.let(time.Second) {
		doc = c.leads("1")
		if n := doc.Counts; n.Fresh == 0 && n.Leased < c.options.nodes*1000 {
			return
		}
	}
	c.t.Errorf("not all leads are rung after %s: %+v", patience, doc.Counts)
	doc = c.leads("0")
	left := map[string]bool{}
	for _, l := range doc.Leads {
		left[truth.Digits(string(l.Number))] = l.Attempts == 0
	}
	for _, r := range c.rungs() {
		delete(left, r.number)
	}
	for _, l := range doc.Leads {
		if left[truth.Digits(string(l.Number))] {
			c.t.Logf("lead %d was not rung: due %s, %s", l.ID, l.Due, l.LastOutcome)
		}
	}
}

// leads asks a node how the leads stand until it can say so.
func (c *nodes) leads(limit string) (doc leadsDoc) {
	c.t.Helper()
	await(c.t, time.Minute, "how the leads stand", func() bool {
		out, err := c.command("leads", "list", demoCampaign, "--limit", limit, "--json").Output()
		return err == nil && json.Unmarshal(out, &doc) == nil
	})
	return doc
}

// keep leaves all files of a failed test behind.
func (c *nodes) keep() {
	if !c.options.t.Failed() {
		return
	}
	kept := filepath.Join(os.TempDir(), "pronto-nodes-"+strconv.Itoa(os.Getpid()))
	for _, n := range c.all {
		n.service.kill()
		_ = os.Remove(filepath.Join(n.data, "pronto.sock")) // cannot be copied
	}
	if err := os.CopyFS(kept, os.DirFS(c.dir)); err != nil {
		c.options.t.Error(err)
	}
	c.options.t.Logf("all files are in %s", kept)
}
