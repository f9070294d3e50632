package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// spaces is a network namespace for each node and one for all that nodes reach,
// with a wire between each node's and that one. The addresses are those of loopback,
// which the kernel is told to route: nothing in them reaches another network.
type spaces struct {
	network string
	far     *process   // holds the namespace of what nodes reach
	nodes   []*process // hold the nodes'
	cuts    [][][]string
}

// newSpaces lays the wires. The error says why there can be none on this machine.
func newSpaces(t *testing.T, dir, network string, nodes int) (*spaces, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil, errors.New("not root")
	}
	for _, program := range []string{"ip", "iptables", "nsenter", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, err
		}
	}
	s := &spaces{network: network, cuts: make([][][]string, nodes)}
	var err error
	if s.far, err = newSpace(t, dir); err != nil {
		return nil, err
	}
	steps := slices.Concat(routed, [][]string{{"ip", "route", "add", "local", address(network, 128) + "/25", "dev", "lo", "table", "local"}})
	for _, step := range steps {
		if err := enter(s.far, step); err != nil {
			return nil, err
		}
	}
	for i := range nodes {
		n, err := newSpace(t, dir)
		if err != nil {
			return nil, err
		}
		s.nodes = append(s.nodes, n)
		if err := s.wire(i); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// routed lets a namespace route addresses of loopback.
var routed = [][]string{
	{"sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"},
	{"ip", "link", "set", "lo", "up"},
	{"ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local"},
}

// newSpace makes a namespace that lasts as long as a process that holds it.
func newSpace(t *testing.T, dir string) (*process, error) {
	t.Helper()
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	p := startProcess(t, dir, "unshare", "--net", "sleep", "infinity")
	for limit := time.Now().Add(5 * time.Second); p.running() && time.Now().Before(limit); <-time.After(5 * time.Millisecond) {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.cmd.Process.Pid))
		if err == nil && name != ours {
			return p, nil
		}
	}
	return nil, errors.New("unshare makes none: " + strings.TrimSpace(p.out.String()))
}

// wire connects a node's namespace.
func (s *spaces) wire(node int) error {
	at, pid := address(s.network, nodeHost+node), strconv.Itoa(s.nodes[node].cmd.Process.Pid)
	far := [][]string{
		{"ip", "link", "add", wireName(node), "type", "veth", "peer", "name", "wire", "netns", pid},
		{"ip", "link", "set", wireName(node), "up"},
		{"ip", "route", "add", at + "/32", "dev", wireName(node)},
	}
	near := slices.Concat(routed, [][]string{
		{"ip", "addr", "add", at + "/32", "dev", "wire"},
		{"ip", "link", "set", "wire", "up"},
		{"ip", "route", "add", address(s.network, 0) + "/24", "dev", "wire", "src", at},
		{"iptables", "-w", "-L"}, // nothing is cut later where this fails
	})
	for _, step := range far {
		if err := enter(s.far, step); err != nil {
			return err
		}
	}
	for _, step := range near {
		if err := enter(s.nodes[node], step); err != nil {
			return err
		}
	}
	return nil
}

func wireName(node int) string { return "node" + strconv.Itoa(node) }

func (s *spaces) within(node int) []string {
	if node == faraway {
		return inside(s.far)
	}
	return inside(s.nodes[node])
}

// inside begins a command line that runs in a namespace.
func inside(holder *process) []string {
	return []string{"nsenter", "--target", strconv.Itoa(holder.cmd.Process.Pid), "--net"}
}

func enter(holder *process, command []string) error {
	line := append(inside(holder), command...)
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (s *spaces) redis(int) string {
	return fmt.Sprintf("%s:%d", address(s.network, stateHost), redisPort)
}

func (s *spaces) can(cable) bool { return true }

// cut drops what arrives, at the wire's two ends: who sends is not told.
func (s *spaces) cut(node int, w cable) error {
	var rules [][]string // what follows -s or -d
	switch redis, carriers := address(s.network, stateHost)+"/32", address(s.network, 128)+"/29"; w {
	case toRedis:
		rules = [][]string{{redis}}
	case toCarriers:
		rules = [][]string{{carriers}}
	case toBoth:
		rules = [][]string{{redis}, {carriers}}
	case toAnything:
		rules = [][]string{{"0.0.0.0/0"}}
	case someOfItAll:
		rules = [][]string{{"0.0.0.0/0", "-m", "statistic", "--mode", "random", "--probability", "0.33"}}
	}
	s.cuts[node] = rules
	return s.rules(node, "-A")
}

func (s *spaces) mend(node int) error { return s.rules(node, "-D") }

func (s *spaces) rules(node int, do string) error {
	for _, rule := range s.cuts[node] {
		here := slices.Concat([]string{"iptables", "-w", do, "INPUT", "-i", "wire", "-s"}, rule, []string{"-j", "DROP"})
		there := slices.Concat([]string{"iptables", "-w", do, "INPUT", "-i", wireName(node), "-d"}, rule, []string{"-j", "DROP"})
		if err := errors.Join(enter(s.nodes[node], here), enter(s.far, there)); err != nil {
			return err
		}
	}
	return nil
}
