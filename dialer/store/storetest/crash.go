package storetest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

// Crash kills the victim at random moments, again and again on one place, and
// checks each time that whatever was acknowledged is there, that no import or
// list is there by half, and that no lead is lost or out twice. victim starts
// Victim on the place in another process.
func Crash(t *testing.T, m Maker, kills int, victim func(place, round string) *exec.Cmd) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	place := t.TempDir()
	told := &testimony{begun: map[string]string{}, ended: map[string]string{}, imports: map[string]bool{}, optOuts: map[string]bool{}}
	for round := range kills {
		told.hear(t, victim(place, fmt.Sprint(round)), 1+r.IntN(60))
		b, err := m.Open(place)
		if err != nil {
			t.Fatalf("kill %d: Open: %v", round, err)
		}
		told.check(t, b)
		if err := b.Close(); err != nil {
			t.Errorf("kill %d: Close: %v", round, err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", round)
		}
	}
	if len(told.ended) == 0 || len(told.optOuts) == 0 {
		t.Errorf("the victims ended %d attempts and opted %d numbers out: nothing was tried", len(told.ended), len(told.optOuts))
	}
}

// testimony is what the victims said that the store had acknowledged.
type testimony struct {
	begun, ended map[string]string // attempt -> lead
	imports      map[string]bool   // whether it was acknowledged
	optOuts      map[string]bool
}

// hear starts a victim, kills it after some lines, and notes all that it said.
func (told *testimony) hear(t *testing.T, victim *exec.Cmd, lines int) {
	t.Helper()
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	victim.Stderr = &complaint
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	heard := 0
	for scanner.Scan() {
		told.note(strings.Fields(scanner.Text()))
		if heard++; heard == lines {
			if err := victim.Process.Kill(); err != nil {
				t.Errorf("kill: %v", err)
			}
		}
	}
	err = victim.Wait()
	if heard < lines {
		t.Fatalf("the victim ended by itself after %d lines: %v\n%s", heard, err, complaint.String())
	}
}

// note notes one line; a line cut by the kill says nothing.
func (told *testimony) note(words []string) {
	if len(words) < 2 {
		return
	}
	switch {
	case words[0] == "begun" && len(words) == 3:
		told.begun[words[1]] = words[2]
	case words[0] == "ended" && len(words) == 3:
		told.ended[words[1]] = words[2]
	case words[0] == "importing":
		told.imports[words[1]] = told.imports[words[1]] || false
	case words[0] == "imported":
		told.imports[words[1]] = true
	case words[0] == "optedout":
		told.optOuts[words[1]] = true
	}
}

func (told *testimony) check(t *testing.T, b Backend) {
	t.Helper()
	leads := map[string]campaigns.Lead{}
	err := b.EachLead(t.Context(), "spring", func(l campaigns.Lead) error {
		leads[fmt.Sprint(int64(l.ID))] = l
		return nil
	})
	if err != nil {
		t.Fatalf("EachLead: %v", err)
	}
	told.checkLeads(t, b, leads, told.checkAttempts(t, b, leads))
	for name, acknowledged := range told.imports {
		seen := 0
		for i := range 100 {
			_, some, err := b.Screening(t.Context(), name, "acme", number(i))
			if err != nil {
				t.Fatalf("Screening: %v", err)
			}
			if some {
				seen++
			}
		}
		if seen != 100 && (seen != 0 || acknowledged) {
			t.Errorf("import %s, acknowledged %v: %d verdicts of 100 are there", name, acknowledged, seen)
		}
	}
	for seller := range told.optOuts {
		if _, out, err := b.OptedOut(t.Context(), number(0), seller, ""); err != nil || !out {
			t.Errorf("the opt-out for %s is lost: %v", seller, err)
		}
	}
	clear(told.imports) // they were looked at; the next kill has its own
}

// checkAttempts checks what was said of attempts and returns the leads that are being called.
func (told *testimony) checkAttempts(t *testing.T, b Backend, leads map[string]campaigns.Lead) map[campaigns.LeadID]bool {
	t.Helper()
	unsettled, err := b.Unsettled(t.Context())
	if err != nil {
		t.Fatalf("Unsettled: %v", err)
	}
	open, ids := map[campaigns.LeadID]bool{}, map[string]bool{}
	for _, a := range unsettled {
		if open[a.Lead] {
			t.Errorf("lead %d is being called twice", a.Lead)
		}
		open[a.Lead], ids[a.ID] = true, true
		if _, said := told.ended[a.ID]; said {
			t.Errorf("attempt %s was ended and is open", a.ID)
		}
	}
	for id, lead := range told.begun {
		// It may have ended without our hearing of it; then its lead has an outcome.
		if _, said := told.ended[id]; !said && !ids[id] && leads[lead].LastOutcome == "" {
			t.Errorf("attempt %s on lead %s is lost", id, lead)
		}
	}
	return open
}

// checkLeads checks that each lead is there once, is either being called or to
// be had, and that a list is there whole.
func (told *testimony) checkLeads(t *testing.T, b Backend, leads map[string]campaigns.Lead, open map[campaigns.LeadID]bool) {
	t.Helper()
	names, counted := map[string]int{}, map[string]int{}
	for _, l := range leads {
		names[l.Name]++
	}
	if len(names) > 1 {
		t.Errorf("a list is there by half: %v", names)
	}
	if len(leads) != crashLeads && len(leads) != 0 {
		t.Errorf("%d leads, want %d", len(leads), crashLeads)
	}
	for _, lead := range told.begun {
		counted[lead]++
	}
	for lead, n := range counted {
		if leads[lead].Attempts < n {
			t.Errorf("lead %s counts %d attempts of %d", lead, leads[lead].Attempts, n)
		}
	}
	had := map[campaigns.LeadID]bool{}
	for {
		taken, err := b.Lease(t.Context(), "spring", "checker", campaigns.Draw{N: 100}, monday.Add(1000*time.Hour))
		if err != nil {
			t.Fatalf("Lease: %v", err)
		}
		if len(taken) == 0 {
			break
		}
		for _, l := range taken {
			if had[l.ID] || open[l.ID] {
				t.Errorf("lead %d was leased twice or is being called", l.ID)
			}
			had[l.ID] = true
		}
	}
	if len(had)+len(open) != len(leads) {
		t.Errorf("%d leads to be had and %d being called of %d", len(had), len(open), len(leads))
	}
}
