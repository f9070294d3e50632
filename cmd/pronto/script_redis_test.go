package main

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// TestScriptsOnRedis runs the scripts with the state on Redis.
func TestScriptsOnRedis(t *testing.T) {
	host := fmt.Sprintf("127.64.%d.1", 100+os.Getpid()%100)
	const port = "18100"
	dir := t.TempDir()
	startRedis(t, dir, host, port)
	runScripts(t, "testdata/script", net.JoinHostPort(host, port))
}

// startRedis starts a redis-server in the folder dir, with what an earlier one wrote there.
func startRedis(t *testing.T, dir, host, port string, args ...string) *process {
	t.Helper()
	p := startProcess(t, dir, "redis-server", append([]string{"--bind", host, "--port", port, "--dir", dir, "--save", "", "--daemonize", "no"}, args...)...)
	await(t, 10*time.Second, "redis-server", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		answer := make([]byte, 5)
		_, err = conn.Write([]byte("PING\r\n"))
		if err == nil {
			_, err = conn.Read(answer)
		}
		return err == nil && string(answer) == "+PONG"
	})
	return p
}
