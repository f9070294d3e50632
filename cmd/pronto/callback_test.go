package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// rungStage is a stage without a carrier's calls: people ring the service from
// the network of its trunk.
func rungStage(t *testing.T, net string, more ...string) *stage {
	t.Helper()
	s := &stage{net: net, dir: t.TempDir()}
	prompts := s.path("prompts")
	if err := os.Mkdir(prompts, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(prompts, "who-we-are.wav"), wavFile(sine(customerTones[0], time.Second)))
	s.installation = install(t, fmt.Sprintf(`sip: {listen: "%[1]s.1:5060"}
media: {address: %[1]s.1, ports: 20000-20999, ranges: [127.0.0.0/8]}
trunks: [{name: carrier, address: "%[1]s.2:5060", peering: true, sources: [%[1]s.128/25]}]
prompts: %[2]s
rehearsal: {clock: %[3]s}
%[4]s
`, net, prompts, callClock, strings.Join(more, "\n")))
	s.do("campaign", "apply", "testdata/peers/callback.yaml")
	s.do("agent", "add", s.agent(0), "--password", "secret")
	s.service = s.serve("--drain", "5s")
	return s
}

// person gives a baresip a line of its own that is registered nowhere.
func (p *phones) person(number string) {
	p.s.t.Helper()
	p.command("uanew", fmt.Sprintf("<sip:%s@%s:5060>;regint=0;audio_codecs=PCMA;audio_source=aufile,%s/%s.wav", number, p.host, p.dir, p.s.agent(3)))
}

// ring has the person ring a number of ours.
func (p *phones) ring(number string) {
	p.s.t.Helper()
	p.command("dial", fmt.Sprintf("sip:%s@%s:5060", number, p.s.host(serviceHost)))
}

// step waits for the n-th record of a step of calls to us.
func (s *stage) step(name string, n int) journal.Record {
	s.t.Helper()
	var found []journal.Record
	await(s.t, 20*time.Second, fmt.Sprintf("%s, %d times", name, n), func() bool {
		found = slices.DeleteFunc(s.records(journal.CalledBack), func(r journal.Record) bool { return r.Outcome != name })
		return len(found) >= n
	})
	return found[n-1]
}

// A person with a real phone rings the caller ID: hears the prompt, is put
// through to an agent, each hears the other; rings again and is opted out at
// once; a third call outlives the service, and the next one ends it.
func TestPeersRingBack(t *testing.T) {
	const number = "+393331234567"
	s := rungStage(t, "127.65.1")
	agents := s.startPhones(0)
	agents.add(0, "PCMA")
	s.do("campaign", "start", "peers")
	s.awaitState(s.agent(0), 20*time.Second, dialer.Ready)
	people := s.startPhones(130)
	people.person(number)

	people.ring("0844000123") // as Italians dial it
	s.step(journal.CallerAnswered, 1)
	hear := func(seconds time.Duration, tone float64, who string, of func() []int16) {
		t.Helper()
		await(t, 10*time.Second, fmt.Sprintf("%s hears %g Hz", who, tone), func() bool {
			return listen(of(), []float64{tone}).of[0] >= seconds
		})
	}
	caller := func() []int16 { return readRecording(t, people.recordings()[0]) }
	await(t, 5*time.Second, "a recording of what the caller hears", func() bool { return len(people.recordings()) == 1 })
	hear(900*time.Millisecond, customerTones[0], "the caller, the prompt,", caller)
	people.command("sndcode", "1")
	if r := s.step(journal.CallerConnected, 1); r.Agent != s.agent(0) || r.Number != number {
		t.Errorf("put through: %+v", r)
	}
	hear(time.Second, agentTones[0], "the caller, the agent,", caller)
	hear(time.Second, agentTones[3], "the agent", func() []int16 { return agents.heard(s.agent(0)) })
	if shown := s.do("campaign", "show", "peers"); !strings.Contains(shown, "1 talk") {
		t.Errorf("campaign show:\n%s", shown)
	}
	people.command("hangup", "")
	s.step(journal.CallerEnded, 1)
	s.awaitState(s.agent(0), 10*time.Second, dialer.Ready)

	people.ring("+390844000123")
	s.step(journal.CallerAnswered, 2)
	people.command("sndcode", "9")
	s.record(journal.OptedOut, func(r journal.Record) bool { return r.Number == number })
	if said := s.refused("dnc", "check", number, "--campaign", "peers"); !strings.Contains(said, "opted_out") {
		t.Errorf("dnc check after the key, within the call:\n%s", said)
	}
	s.step(journal.CallerEnded, 2)

	people.ring("+390844000124")
	await(t, 10*time.Second, "404 at the phone", func() bool { return strings.Contains(people.process.out.String(), "404 Not Found") })

	people.ring("+390844000123")
	s.step(journal.CallerAnswered, 3)
	s.service.kill()
	s.service = s.serve("--drain", "5s")
	if r := s.step(journal.CallerEnded, 3); r.Reason != "interrupted" {
		t.Errorf("the end of a call that outlived the service: %+v", r)
	}
	await(t, 15*time.Second, "the BYE at the phone", func() bool {
		return strings.Count(people.process.out.String(), "session closed") >= 3
	})
	story := s.do("audit", "show", number)
	for _, part := range []string{"and was answered with the prompt who-we-are", "pressed 1 for an agent", "Put through to agent " + s.agent(0), "pressed 9 to be called no more", "the person rang back and pressed the key", "the service had died"} {
		if !strings.Contains(story, part) {
			t.Errorf("the story lacks %q:\n%s", part, story)
		}
	}
	if told := s.do("report", "calls"); !strings.Contains(told, "Rang back: opted out") {
		t.Errorf("report calls:\n%s", told)
	}
	s.service.stop(os.Interrupt, 20*time.Second)
	s.do("audit", "verify")
}

// refused runs a command that must be refused for compliance.
func (in *installation) refused(args ...string) string {
	in.t.Helper()
	cmd := in.command(args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 {
		in.t.Fatalf("pronto %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// sipp as the carrier brings calls, each presses 9: as many opt-outs, and the
// calls beyond the bound hear busy.
func TestPeersCarrierBringsCalls(t *testing.T) {
	const calls = 8
	s := rungStage(t, "127.65.2", "callbacks: {channels: 8}")
	writeFile(t, s.path("caller.xml"), fill(t, "caller.xml", "USER", "00390844000123"))
	sipp := startProcess(t, s.dir, "sipp", s.host(serviceHost)+":5060", "-sf", "caller.xml", "-i", s.host(carrierHost), "-p", "5060", "-mi", s.host(carrierHost), "-mp", "30000",
		"-m", fmt.Sprint(calls), "-r", "4", "-nostdin", "-trace_err", "-error_file", "errors")
	sipp.wait(60 * time.Second)
	s.step(journal.CallerEnded, calls)
	numbers := map[string]bool{}
	for _, r := range s.records(journal.OptedOut) {
		numbers[r.Number] = true
	}
	if len(numbers) != calls || !numbers["+39333123451"+"0"] {
		t.Errorf("opted out %v, want %d numbers, by the asserted identity", numbers, calls)
	}
	s.service.stop(os.Interrupt, 20*time.Second)
}
