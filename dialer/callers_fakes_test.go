package dialer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// fakeCallers delivers the rings of a test.
type fakeCallers struct {
	rings chan Ring

	mu      sync.Mutex
	numbers []campaigns.Number
}

func (f *fakeCallers) Take(numbers []campaigns.Number) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.numbers = numbers
}

func (f *fakeCallers) Rings() <-chan Ring { return f.rings }

func (f *fakeCallers) taken() []campaigns.Number {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.numbers
}

// fakeRing is a call that can be answered; its leg ends when told.
type fakeRing struct {
	from, to campaigns.Number
	leg      *fakeLeg
	gone     bool // given up before the answer

	mu      sync.Mutex
	audio   Audio
	refused int
}

func (r *fakeRing) CallID() string           { return r.leg.id }
func (r *fakeRing) Caller() campaigns.Number { return r.from }
func (r *fakeRing) Called() campaigns.Number { return r.to }
func (r *fakeRing) Trunk() string            { return "fake" }

func (r *fakeRing) Answer(_ context.Context, a Audio, remember func(Dialog) error) (Leg, error) {
	if err := remember(r.leg.Dialog()); err != nil {
		return nil, err
	}
	if r.gone {
		return nil, errors.New("given up")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.audio = a
	return r.leg, nil
}

func (r *fakeRing) Refuse(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = status
}

const (
	shownID = campaigns.Number("+390844000123")
	backer  = campaigns.Number("+393331230000") // the number of the first lead
)

// shows makes a campaign show shownID and offer every key.
func shows(c *campaigns.Campaign) {
	c.CallerIDs = []campaigns.Number{shownID}
	c.Callback = campaigns.Callback{Prompt: "who-we-are", OptOut: "9", Agent: "1", Later: "2", Delay: 15 * time.Minute}
}

// ringBack rings a caller ID; an empty number is withheld.
func (r *rig) ringBack(from campaigns.Number) *fakeRing {
	ring := &fakeRing{from: from, to: shownID, leg: newFakeLeg("back-" + string(from))}
	r.callers.rings <- ring
	synctest.Wait()
	return ring
}

// pressed has the caller press a key.
func (r *rig) pressed(ring *fakeRing, key byte) {
	ring.mu.Lock()
	audio := ring.audio
	ring.mu.Unlock()
	r.desk.mu.Lock()
	pressed := r.desk.onDigit[audio]
	r.desk.mu.Unlock()
	pressed(key)
	synctest.Wait()
}

// backs are the steps of the calls that came in.
func (r *rig) backs() []string {
	var steps []string
	for _, rec := range r.journal.kinds(journal.CalledBack) {
		steps = append(steps, rec.Outcome)
	}
	return steps
}

// back is the last record of a step.
func (r *rig) back(step string) (journal.Record, journal.CalledBackDetail) {
	r.t.Helper()
	all := r.journal.kinds(journal.CalledBack)
	slices.Reverse(all)
	i := slices.IndexFunc(all, func(rec journal.Record) bool { return rec.Outcome == step })
	if i < 0 {
		r.t.Fatalf("no %s among %v", step, r.backs())
	}
	return all[i], detail[journal.CalledBackDetail](r.t, all[i])
}

// until lets time pass until a step is there, for d at most.
func (r *rig) until(step string, d time.Duration) {
	for ; d > 0 && !slices.Contains(r.backs(), step); d -= time.Second {
		time.Sleep(time.Second)
		synctest.Wait()
	}
}

func (d *fakeDesk) prompts() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.played)
}

func (s *fakeStore) LastAttempt(_ context.Context, seller string, n campaigns.Number) (Attempt, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last Attempt
	for _, a := range s.attempts {
		if a.Seller == seller && a.Number == n && !a.At.Before(last.At) {
			last = a
		}
	}
	return last, last.ID != "", nil
}

func (s *fakeStore) CallersLeft(context.Context) ([]Caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []Caller
	for _, c := range s.rung {
		left = append(left, c)
	}
	return left, nil
}

func (s *fakeStore) RememberCaller(_ context.Context, c Caller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rung[c.ID] = c
	return nil
}

func (s *fakeStore) ForgetCaller(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rung, id)
	return nil
}

func (s *fakeStore) remembered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rung)
}
