package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// awaitAgents waits until every agent's phone is called and answered.
func (f *field) awaitAgents(count int) {
	f.t.Helper()
	await(f.t, 15*time.Second, "the agents", func() bool {
		v, ok := f.live()
		there := 0
		for _, a := range v.Agents {
			if a.State != dialer.LoggedOut {
				there++
			}
		}
		return ok && there == count
	})
}

// vicious starts one of sipvicious' programs.
func (f *field) vicious(program string, args ...string) *process {
	f.t.Helper()
	return startProcess(f.t, f.t.TempDir(), program, append(args, "-p", "5060", f.address(1))...)
}

// printed waits for the end of a program that may end as it likes.
func (p *process) printed(patience time.Duration) string {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
		p.t.Errorf("%s did not end within %s", p.name, patience)
	}
	return p.out.String()
}

// TestSIPVicious lets the tools of those who look for open dialers loose on the
// running service: they find neither agents nor passwords.
func TestSIPVicious(t *testing.T) {
	f := newTrouble(t, 5)
	f.busyCarrier()
	f.phones(troubledAgents)
	service := f.serve()
	f.awaitAgents(troubledAgents)
	names := []string{"100", "101", "ghost", "agent99"}
	for i := range troubledAgents {
		names = append(names, agentName(i))
	}
	writeFile(t, f.path("names"), strings.Join(names, "\n")+"\n")
	words := make([]string, 100)
	for i := range words {
		words[i] = fmt.Sprint("word", i)
	}
	words[30] = demoSeed
	writeFile(t, f.path("words"), strings.Join(words, "\n")+"\n")
	writeFile(t, f.path("password"), demoSeed+"\n")

	const patience = 50 * time.Second
	war, scan := map[string]*process{}, map[string]*process{}
	for _, method := range []string{"REGISTER", "INVITE", "OPTIONS"} {
		war[method] = f.vicious("svwar", "--force", "-m", method, "-d", f.path("names"))
	}
	for _, method := range []string{"INVITE", "OPTIONS"} {
		scan[method] = f.vicious("svmap", "-m", method)
	}
	crack := f.vicious("svcrack", "-u", agentName(0), "-d", f.path("words"), "--maximumtime", "2")
	for method, p := range war {
		out := p.printed(patience)
		for _, name := range names {
			if strings.Contains(out, "| "+name+" ") {
				t.Errorf("svwar -m %s has found %s:\n%s", method, name, out)
			}
		}
	}
	for method, p := range scan {
		if out := p.printed(patience); !strings.Contains(out, "found nothing") {
			t.Errorf("svmap -m %s:\n%s", method, out)
		}
	}
	if out := crack.printed(patience); strings.Contains(out, demoSeed) || !strings.Contains(out, "found nothing") {
		t.Errorf("svcrack has found the password:\n%s", out)
	}
	f.says(service, time.Second, "too many wrong passwords: not looked at")
	// Last, because its address is a phone's once it has registered.
	told := f.vicious("svcrack", "-u", agentName(1), "-d", f.path("password"))
	if out := told.printed(patience); !strings.Contains(out, demoSeed) {
		t.Errorf("svcrack does not find the password though it is told: the test tests nothing:\n%s", out)
	}
	f.awaitCalls("all the while", 10*time.Second)
}
