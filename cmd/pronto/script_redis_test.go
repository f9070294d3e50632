package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestScriptsOnRedis runs the scripts with the state on Redis.
func TestScriptsOnRedis(t *testing.T) {
	host := fmt.Sprintf("127.64.%d.1", 100+os.Getpid()%100)
	const port = "18100"
	dir := t.TempDir()
	startRedis(t, dir, nil, host, port)
	runScripts(t, "testdata/script", net.JoinHostPort(host, port))
}

// startRedis starts a redis-server in the folder dir, with what an earlier one wrote
// there, and waits until it has read that. within begins the command line where it is to run elsewhere.
func startRedis(t *testing.T, dir string, within []string, host, port string, args ...string) *process {
	t.Helper()
	line := slices.Concat(within, []string{"redis-server", "--bind", host, "--port", port, "--dir", dir, "--protected-mode", "no", "--save", "", "--daemonize", "no"}, args)
	p := startProcess(t, dir, line[0], line[1:]...)
	await(t, time.Minute, "redis-server", func() bool { return strings.Contains(p.out.String(), "Ready to accept connections") })
	return p
}
