package dialer

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// TestPacingIsJournaledInGroups: events and decisions wait for each other, but
// neither long nor in crowds, and none is lost.
func TestPacingIsJournaledInGroups(t *testing.T) {
	begin := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	p, err := newPace(pacing.Config{Mode: pacing.Progressive}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	chain := &fakeJournal{}
	s := newScribe(chain, nil, zap.NewNop())
	turn := func(after time.Duration, agents ...pacing.AgentID) int {
		now := begin.Add(after)
		for _, a := range agents {
			p.observe(pacing.Event{At: now, Kind: pacing.AgentReady, Agent: a})
		}
		p.decide(now, nil)
		p.writeDue(s, "spring", now)
		return len(chain.kinds(journal.Paced))
	}
	if n := turn(0, 1); n != 1 {
		t.Fatalf("%d records after the first turn, want 1 with the configuration", n)
	}
	if n := turn(time.Second, 2); n != 1 {
		t.Fatalf("%d records at once, want none new", n)
	}
	if d := p.again(begin.Add(time.Second)); d > gatherFor {
		t.Errorf("the loop may sleep %s, but a record is due in %s", d, gatherFor)
	}
	if n := turn(time.Second+gatherFor/2, 3); n != 1 {
		t.Fatalf("%d records after half the wait, want none new", n)
	}
	if n := turn(time.Second+gatherFor, 4); n != 2 {
		t.Fatalf("%d records after the wait, want 2", n)
	}
	d := detail[PacedDetail](t, chain.kinds(journal.Paced)[1])
	if len(d.Events) != 3 || len(d.Decides) != 3 {
		t.Errorf("%d events and %d decisions in the second, want 3 and 3", len(d.Events), len(d.Decides))
	}
	crowd := make([]pacing.AgentID, gatherMost)
	for i := range crowd {
		crowd[i] = pacing.AgentID(10 + i)
	}
	if n := turn(2*time.Second, crowd...); n != 3 {
		t.Errorf("%d records after a crowd, want 3", n)
	}
}
