package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// crashLeads is how many leads the victim's campaign has.
const crashLeads = 200

// Victim works on the store for ever and says on out, one line each, what the
// store has acknowledged, until its process is killed. round makes its names
// unique.
func Victim(m Maker, place, round string, out io.Writer) error {
	b, err := m.Open(place)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var mu sync.Mutex // guards out
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(out, format+"\n", args...) // whoever listens has gone
	}
	if err := prepareVictim(ctx, m, b); err != nil {
		return err
	}
	fails := make(chan error)
	for _, work := range []func(int) error{
		func(i int) error { return victimCalls(ctx, b, fmt.Sprintf("%s-a%d", round, i), say) },
		func(i int) error { return victimCalls(ctx, b, fmt.Sprintf("%s-b%d", round, i), say) },
		func(i int) error { return victimImport(ctx, b, fmt.Sprintf("%s-%d", round, i), say) },
		func(i int) error { return victimLoad(ctx, m, b, i, say) },
	} {
		go func() {
			for i := 0; ; i++ {
				if err := work(i); err != nil {
					fails <- err
					return
				}
			}
		}()
	}
	return <-fails
}

func prepareVictim(ctx context.Context, m Maker, b Backend) error {
	if _, err := b.PutCampaign(ctx, record("spring")); err != nil {
		return err
	}
	l, err := m.Load(ctx, b, "spring", monday)
	if err != nil {
		return err
	}
	if err := l.Stage(ctx, numbered(0, crashLeads)); err != nil {
		return err
	}
	_, _, _, err = l.Commit(ctx)
	return err
}

// victimCalls leases leads, begins attempts on most and ends about half of these.
func victimCalls(ctx context.Context, b Backend, name string, say func(string, ...any)) error {
	leads, err := b.Lease(ctx, "spring", "node1", 3, monday)
	if err != nil {
		return err
	}
	for i, l := range leads {
		if i == 2 {
			if err := b.Return(ctx, []campaigns.LeadID{l.ID}, time.Time{}); err != nil {
				return err
			}
			continue
		}
		begun := intent(fmt.Sprintf("%s-%d", name, i), 1, l, monday)
		if err := b.Apply(ctx, []dialer.Change{begun}); err != nil {
			return err
		}
		say("begun %s %d", begun.Attempt.ID, l.ID)
		if i == 0 {
			continue
		}
		if err := b.Apply(ctx, []dialer.Change{settled(begun, 2, campaigns.NoAnswer, time.Time{})}); err != nil {
			return err
		}
		say("ended %s %d", begun.Attempt.ID, l.ID)
	}
	return nil
}

// victimImport takes in a register file of two batches and opts a number out.
func victimImport(ctx context.Context, b Backend, name string, say func(string, ...any)) error {
	say("importing %s", name)
	for half := range 2 {
		batch := make([]dnc.Screening, 50)
		for i := range batch {
			batch[i] = dnc.Screening{Register: name, Seller: "acme", Number: number(50*half + i), CheckedAt: monday}
		}
		if err := b.Stage(ctx, name, batch); err != nil {
			return err
		}
	}
	if err := b.Commit(ctx, dnc.Import{ID: name, Register: name, At: monday}); err != nil {
		return err
	}
	say("imported %s", name)
	if _, err := b.AddOptOuts(ctx, []dnc.OptOut{{Number: number(0), Seller: name, At: monday, Source: "cli"}}); err != nil {
		return err
	}
	say("optedout %s", name)
	return nil
}

// victimLoad loads the list again, with another name for every lead.
func victimLoad(ctx context.Context, m Maker, b Backend, i int, say func(string, ...any)) error {
	l, err := m.Load(ctx, b, "spring", monday)
	if err != nil {
		return err
	}
	list := numbered(0, crashLeads)
	for k := range list {
		list[k].Name = fmt.Sprint(i)
	}
	if err := l.Stage(ctx, list); err != nil {
		return err
	}
	if _, _, _, err = l.Commit(ctx); err == nil {
		say("loaded %d", i)
	}
	return err
}

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
		taken, err := b.Lease(t.Context(), "spring", "checker", 100, monday.Add(1000*time.Hour))
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
