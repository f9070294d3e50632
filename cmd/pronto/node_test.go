package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// pair are two nodes on one Redis, without trunks and phones: nothing is dialed.
type pair struct {
	t     *testing.T
	dir   string
	url   string
	nodes [2]*installation
}

func newPair(t *testing.T) *pair {
	t.Helper()
	host := fmt.Sprintf("127.62.%d.1", os.Getpid()%250)
	p := &pair{t: t, dir: t.TempDir(), url: fmt.Sprintf("redis://%s:18000?fsync=any", host)}
	startProcess(t, p.dir, "redis-server", "--bind", host, "--port", "18000", "--dir", p.dir, "--save", "", "--daemonize", "no")
	await(t, 10*time.Second, "redis-server", func() bool {
		conn, err := net.Dial("tcp", host+":18000")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	for i := range p.nodes {
		n := &installation{t: t, data: filepath.Join(p.dir, fmt.Sprintf("data%d", i)), config: filepath.Join(p.dir, fmt.Sprintf("n%d.yaml", i))}
		writeFile(t, n.config, fmt.Sprintf("node: n%d\nredis: %s\nsip: {listen: \"127.62.%d.%d:5060\"}\nmedia: {address: 127.62.%d.%d}\n", i, p.url, os.Getpid()%250, 2+i, os.Getpid()%250, 2+i))
		p.nodes[i] = n
	}
	first := p.nodes[0]
	campaign := filepath.Join(p.dir, "campaign.yaml")
	writeFile(t, campaign, string(sample(t, "campaigns/demo-it.yaml")))
	first.do("campaign", "apply", campaign)
	list := filepath.Join(p.dir, "leads.csv")
	writeFile(t, list, string(sample(t, "lists/demo-it.csv")))
	first.do("leads", "load", demoCampaign, list)
	key, err := os.ReadFile(filepath.Join(first.data, store.KeyName))
	if err == nil {
		err = os.MkdirAll(p.nodes[1].data, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(p.nodes[1].data, store.KeyName), string(key))
	return p
}

// refuses runs a command that must fail, and say why.
func (in *installation) refuses(why string, args ...string) {
	in.t.Helper()
	out, err := in.command(args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), why) {
		in.t.Errorf("pronto %s: %v, and does not say %q:\n%s", strings.Join(args, " "), err, why, out)
	}
}

// leaveOpen has the second node, which does not run, leave an attempt open.
func (p *pair) leaveOpen() dialer.Attempt {
	p.t.Helper()
	s, err := redis.Open(p.t.Context(), redis.Options{URL: p.url, Node: "n1", Dir: p.nodes[1].data, Wait: 10 * time.Second})
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	now := time.Now()
	leads, err := s.Lease(p.t.Context(), demoCampaign, "", campaigns.Draw{N: 1}, now)
	if err != nil || len(leads) != 1 {
		p.t.Fatalf("leased %d, %v", len(leads), err)
	}
	a := dialer.Attempt{ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Lead: leads[0].ID, Campaign: demoCampaign, Number: leads[0].Number, At: now, RetryAt: now.Add(time.Hour)}
	if err := s.Intend(p.t.Context(), a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// A node that is lost is given up: what it left open is counted, reports need its
// journal or a word that it is missing, and it cannot come back.
func TestForgetNode(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	one, two := p.nodes[0], p.nodes[1]
	one.serve()
	lost := two.serve()
	if out := one.do("node", "list"); strings.Count(out, "living") != 2 {
		t.Errorf("both live, and node list says:\n%s", out)
	}
	one.refuses("the node lives", "node", "forget", "n1", "--reason", "test")
	one.refuses("this node itself", "node", "forget", "n0", "--reason", "test")
	one.refuses("no node of that name", "node", "forget", "n7", "--reason", "test")
	one.refuses("give --reason", "node", "forget", "n1")
	lost.kill()
	open := p.leaveOpen()
	await(t, 20*time.Second, "n1 dead", func() bool { return strings.Contains(one.do("node", "list"), "dead") })
	if out := one.do("node", "forget", "n1", "--reason", "its disk is gone"); !strings.Contains(out, "n1 is forgotten: 1 call that") {
		t.Errorf("node forget says: %s", out)
	}
	back := startProcess(t, p.dir, prontoBinary(t), "--data", two.data, "--config", two.config, "serve")
	await(t, 20*time.Second, "the forgotten node ends", func() bool { return !back.running() })
	if out := back.out.String(); !strings.Contains(out, "the node was forgotten") {
		t.Errorf("the forgotten node says:\n%s", out)
	}
	p.added(open)
}

// added looks at what reports over both journals say.
func (p *pair) added(open dialer.Attempt) {
	p.t.Helper()
	one := p.nodes[0]
	var kinds []journal.Kind
	for r, err := range journal.Read(filepath.Join(one.data, journalFolder), journal.ReadOptions{}) {
		if err != nil {
			p.t.Fatal(err)
		}
		if r.Attempt == open.ID || strings.Contains(string(r.Detail), "its disk is gone") {
			kinds = append(kinds, r.Kind)
		}
	}
	if fmt.Sprint(kinds) != "[config abandoned interrupted]" {
		p.t.Errorf("journaled %v", kinds)
	}
	const whole = `"abandoned": 1`
	if out := one.do("report", "abandon", "--journal", p.dir, "--json"); !strings.Contains(out, whole) {
		p.t.Errorf("over both journals:\n%s", out)
	}
	one.refuses("no journal of node n1", "report", "abandon", "--journal", one.data)
	one.refuses("no journal of node n1", "audit", "verify", "--journal", one.data)
	if out := one.do("report", "abandon", "--journal", one.data, "--without", "n1", "--json"); !strings.Contains(out, whole) {
		p.t.Errorf("without the lost node's:\n%s", out)
	}
	one.refuses("node n0 has a journal in", "report", "calls", "--journal", one.data, "--journal", p.dir)
	one.refuses("there is no journal in it", "report", "calls", "--journal", p.t.TempDir())
	if out := one.do("audit", "verify", "--journal", p.dir); !strings.Contains(out, "the journal holds") {
		p.t.Errorf("audit verify: %s", out)
	}
	if out := one.do("audit", "show", string(open.Number), "--journal", p.dir); !strings.Contains(out, "Node n1, which made the call, was given up") {
		p.t.Errorf("audit show: %s", out)
	}
}
