package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// Calls ring and talk; the service and its Redis are killed, and the service is started without Redis. It ends
// those calls, says how it stands, takes no call, and dials when Redis is there.
func TestServeWaitsForRedis(t *testing.T) {
	const net3 = "127.73.1"
	redisHost, web := net3+".9", "http://"+net3+".1:9090"
	dir := t.TempDir()
	redis := func() *process {
		return startRedis(t, dir, nil, redisHost, "6379", "--appendonly", "yes", "--appendfsync", "always")
	}
	server := redis()
	c := startCapture(t, net3+".0/24")
	numbers := []string{"+390810009014", "+390810009028"}
	for i := range 40 { // sipp takes so many calls, and each request of one that is over is one
		numbers = append(numbers, fmt.Sprintf("+3908100091%d8", 10+i))
	}
	s := setUp(t, stageOptions{
		net: net3, agents: 2, numbers: numbers, carrier: fill(t, "left.xml"),
		more: fmt.Sprintf("\nredis: redis://%s:6379\nnode: n1\nhttp: {listen: \"%s\"}\n", redisHost, strings.TrimPrefix(web, "http://")),
	})
	p := s.startPhones(0)
	for i := range 2 {
		p.add(i, "PCMA")
	}
	s.do("campaign", "start", "peers")
	talks := s.record(journal.Connected, func(journal.Record) bool { return true })
	rings := s.record(journal.Ringing, func(r journal.Record) bool { return strings.HasSuffix(r.Number, "8") })
	s.service.kill()
	server.kill()

	s.service = s.serve("--drain", "5s")
	if live, _ := s.live(); live.StoreAway == nil || live.StoreAway.Why == "" || len(live.Campaigns) != 0 {
		t.Errorf("live without Redis: %+v", live)
	}
	if status, text := fetch(t, web+"/healthz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "waits for its state") {
		t.Errorf("/healthz: %d %s", status, text)
	}
	if _, text := fetch(t, web+"/metrics"); !strings.Contains(text, "\npronto_store_away 1\n") || !strings.Contains(text, "\npronto_healthy 0\n") {
		t.Errorf("metrics: %s", text)
	}
	if out, err := s.command("campaign", "list").CombinedOutput(); err == nil || !strings.Contains(string(out), "waits for its state: the store is away since") {
		t.Errorf("campaign list: %v, %s", err, out)
	}
	if out, err := s.command("doctor").CombinedOutput(); err == nil || !strings.Contains(string(out), "wrong    service: running, and waiting for its state") {
		t.Errorf("doctor: %v, %s", err, out)
	}
	if out := s.do("top", "--once"); !strings.Contains(out, "the store is away since") {
		t.Errorf("top: %s", out)
	}
	await(t, 20*time.Second, "the calls of before to be ended", func() bool {
		return strings.Contains(s.service.out.String(), "by the journal alone") && len(s.records(journal.Interrupted)) == 0
	})
	back := time.Now()
	await(t, 20*time.Second, "a second look for Redis", func() bool { return time.Since(back) > lastLook })
	back = time.Now()
	redis()
	await(t, 20*time.Second, "the service to work", func() bool {
		live, ok := s.live()
		return ok && live.StoreAway == nil
	})
	s.record(journal.Ringing, func(r journal.Record) bool { return r.Attempt != rings.Attempt && r.Attempt != talks.Attempt })
	s.service.stop(os.Interrupt, 20*time.Second)
	if log := s.service.out.String(); !strings.Contains(log, "the store answers") || strings.Count(log, "the store is away") != 1 {
		t.Errorf("the log does not say once that Redis is away, and that it answers:\n%s", log)
	}
	if n := len(s.records(journal.Abandoned)); n != 0 {
		t.Errorf("%d abandoned, want none: who talked had an agent, who rang did not answer", n)
	}
	ended := map[string][]string{}
	for _, q := range c.end().packets {
		if q.at.Before(back) && (q.method == "CANCEL" || q.method == "BYE") {
			ended[q.callID] = append(ended[q.callID], q.method)
		}
	}
	if !slices.Contains(ended[callOf(s, rings)], "CANCEL") || !slices.Contains(ended[callOf(s, talks)], "BYE") {
		t.Errorf("before Redis was back %v had been ended, want CANCEL of what rang and BYE of what talked", ended)
	}
}

// callOf is the Call-ID of the INVITE of a record's attempt.
func callOf(s *stage, r journal.Record) string {
	return s.record(journal.Invited, func(i journal.Record) bool { return i.Attempt == r.Attempt }).CallID
}

func fetch(t *testing.T, url string) (status int, text string) {
	t.Helper()
	r, err := http.Get(url) //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// A service that waits ends at once when it is told to; what waiting does not mend ends it with
// status 1.
func TestServeWaitsForWhatMayCome(t *testing.T) {
	const host = "127.73.2"
	start := func(url string) *process {
		in := install(t, fmt.Sprintf("node: n1\nredis: %q\nsip: {listen: \"%s.1:5060\"}\n", url, host))
		return startProcess(t, t.TempDir(), prontoBinary(t), "--data", in.data, "--config", in.config, "serve")
	}
	p := start("redis://" + host + ".9:6379")
	await(t, 20*time.Second, "the log to say that it waits", func() bool { return strings.Contains(p.out.String(), "waiting for it") })
	p.stop(os.Signal(syscall.SIGTERM), 3*time.Second)

	startRedis(t, t.TempDir(), nil, host+".9", "6379", "--appendonly", "yes", "--appendfsync", "always", "--requirepass", "secret")
	startRedis(t, t.TempDir(), nil, host+".8", "6379", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
	for url, want := range map[string]struct {
		status int
		says   string
	}{
		"redis://:wrong@" + host + ".9:6379": {statusFailed, "WRONGPASS"},
		"redis://" + host + ".9:6379/x":      {statusInvalid, "names database"},
		"redis://" + host + ".8:6379":        {statusFailed, "noeviction"},
	} {
		p := start(url)
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: goes on: %s", url, p.out.String())
		}
		if exit, ok := p.err.(*exec.ExitError); !ok || exit.ExitCode() != want.status || !strings.Contains(p.out.String(), want.says) { //nolint:errorlint // Wait's own
			t.Errorf("%s: %v, %s; want %+v", url, p.err, p.out.String(), want)
		}
	}
}
