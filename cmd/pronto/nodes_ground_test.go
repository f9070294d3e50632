package main

import (
	"fmt"
	"strconv"
	"testing"
)

// ground is where an installation of several nodes runs, and what can be cut there.
type ground interface {
	// within begins a command line that is to run at a node; with faraway, where everything else runs.
	within(node int) []string
	// redis is the address at which the node reaches Redis.
	redis(node int) string
	// can reports whether the cable can be cut here.
	can(w cable) bool
	// cut cuts a node off, and mend undoes it.
	cut(node int, w cable) error
	mend(node int) error
}

// cable is what a node can be cut off from.
type cable string

// The cables. A cut loses packets without a word to anybody, as a pulled plug does.
const (
	toRedis     cable = "redis"
	toCarriers  cable = "carriers"
	toBoth      cable = "redis and carriers"
	toAnything  cable = "anything" // the agents' phones too
	someOfItAll cable = "a third of what arrives"
)

// faraway is where Redis, carriers and phones are.
const faraway = -1

// The hosts of an installation of several nodes. In a network of their own the
// upper half of the addresses is far away.
const (
	nodeHost  = 3   // of the first node
	linkHost  = 110 // of the first node's proxy, where there are no namespaces
	carrierAt = 130 // that of the sandbox; then sipp's, up to 135
	stateHost = 140
	agentHost = 150 // of the first phone
	redisPort = 18000
)

// newGround takes network namespaces where this machine lets it, else loopback
// with a proxy between each node and Redis.
func newGround(t *testing.T, c *nodes) ground {
	t.Helper()
	s, err := newSpaces(t, c.dir, c.net, c.options.nodes)
	if err == nil {
		return s
	}
	t.Logf("no network namespaces (%v): nodes are cut off by a proxy, and from Redis alone; as root, with iproute2 and iptables, each node has a network of its own", err)
	p := &proxies{host: c.address}
	for i := range c.options.nodes {
		p.links = append(p.links, newLink(t, p.redis(i), c.redisAddress()))
	}
	return p
}

// proxies is the loopback network that everything shares, with a proxy between
// each node and Redis.
type proxies struct {
	host  func(int) string
	links []*link
}

func (p *proxies) within(int) []string { return nil }

func (p *proxies) redis(node int) string {
	return fmt.Sprintf("%s:%d", p.host(linkHost+node), redisPort)
}

func (p *proxies) can(w cable) bool { return w == toRedis }

func (p *proxies) cut(node int, _ cable) error {
	p.links[node].set(linkDark)
	return nil
}

func (p *proxies) mend(node int) error {
	p.links[node].set(linkUp)
	return nil
}

// address joins the network's three parts and a host.
func address(network string, host int) string { return network + "." + strconv.Itoa(host) }
