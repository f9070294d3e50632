package dialer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// liveKey is what a change of one key of the campaign file does while the campaign runs.
type liveKey struct {
	key           string // its path: * stands for a name, [] for a place in a list
	before, after string // of the campaign file, instead of the lines of liveFile with these keys
	leads         int    // 0: 99
	agents        int    // 0: 1
	script        func(int) script
	rig           func(*rig) // before the service runs; may be nil
	play          func(t *testing.T, v *live)
}

// liveFile is the campaign that runs, but for what a row says.
const liveFile = `campaign: spring
seller: Acme
purpose: marketing
jurisdiction: it
caller_ids: ["+390844000123"]
ring_timeout: 60s
wrap_up: 0s
pacing: {mode: progressive}`

// fileWith is the campaign file with other lines.
func fileWith(lines string) string {
	key := func(line string) string { k, _, _ := strings.Cut(line, ":"); return k }
	given := map[string]bool{}
	for line := range strings.Lines(lines) {
		given[key(line)] = true
	}
	var out []string
	for line := range strings.Lines(liveFile + "\n") {
		if !given[key(line)] {
			out = append(out, line)
		}
	}
	return strings.Join(out, "") + lines + "\n"
}

// live is a running campaign whose file is applied anew.
type live struct {
	*rig
	after   campaigns.Campaign
	applied time.Time
	changed chan struct{}
	tapes   *fakeRecorder

	mu     sync.Mutex // guards all below
	asked  []dnc.Request
	wishes []Wish
	placed []Placing
	draws  []campaigns.Draw
	refuse func(dnc.Request) bool // the gate says no, for a day
}

// playLive runs a row.
func playLive(t *testing.T, k liveKey) {
	t.Helper()
	before, after := parsed(t, k.before), parsed(t, k.after)
	if string(before.Normal()) == string(after.Normal()) {
		t.Fatal("the row changes nothing")
	}
	v := &live{after: *after, tapes: &fakeRecorder{}}
	o := rigOptions{agents: max(k.agents, 1), leads: k.leads, script: k.script, camp: func(c *campaigns.Campaign) { *c = *before }, config: v.listen}
	if o.leads == 0 {
		o.leads = 99
	}
	in(t, o, func(t *testing.T, r *rig) {
		v.rig = r
		policy := r.svc.Policy
		r.svc.Policy = func(c campaigns.Campaign, created, at time.Time) (Policy, error) {
			p, err := policy(c, created, at)
			p.RuleSet, p.Zone = c.Jurisdiction, time.UTC
			if c.Message != "" {
				p.Action = Message
			}
			return p, err
		}
		if k.rig != nil {
			k.rig(r)
		}
		r.run()
		defer r.end()
		k.play(t, v)
		if v.applied.IsZero() {
			t.Error("the row applies nothing")
		}
	})
}

func parsed(t *testing.T, lines string) *campaigns.Campaign {
	t.Helper()
	c, err := campaigns.Parse("campaign.yaml", []byte(fileWith(lines)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listen has every request to gate, trunk and store noted.
func (v *live) listen(c *Config) {
	v.changed = make(chan struct{}, 1)
	c.Changed, c.Recorder = v.changed, v.tapes
	c.Gate, c.Trunk, c.Routing, c.Leads = liveGate{v, c.Gate}, liveTrunk{v, c.Trunk}, liveRouting{v, c.Routing}, liveLeads{v, c.Leads.(*fakeStore)}
}

type (
	liveGate struct {
		*live
		of Gate
	}
	liveTrunk struct {
		v *live
		Trunk
	}
	liveRouting struct {
		v *live
		Routing
	}
	liveLeads struct {
		v *live
		*fakeStore
	}
)

func (g liveGate) Clear(ctx context.Context, r dnc.Request, now time.Time) (dnc.Clearance, dnc.Verdict) {
	g.mu.Lock()
	g.asked = append(g.asked, r)
	refuse := g.refuse
	g.mu.Unlock()
	if refuse != nil && refuse(r) {
		return dnc.Clearance{}, dnc.Verdict{Reason: dnc.OutsideHours, NextCallable: now.Add(24 * time.Hour)}
	}
	return g.of.Clear(ctx, r, now)
}

func (f liveTrunk) Originate(ctx context.Context, c dnc.Clearance, p Placing) (Leg, Result) {
	f.v.mu.Lock()
	f.v.placed = append(f.v.placed, p)
	f.v.mu.Unlock()
	return f.Trunk.Originate(ctx, c, p)
}

func (f liveRouting) Routes(w Wish) []Route {
	f.v.mu.Lock()
	defer f.v.mu.Unlock()
	f.v.wishes = append(f.v.wishes, w)
	return f.Routing.Routes(w)
}

func (s liveLeads) Lease(ctx context.Context, campaign, node string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	s.v.mu.Lock()
	s.v.draws = append(s.v.draws, d)
	s.v.mu.Unlock()
	return s.fakeStore.Lease(ctx, campaign, node, d, now)
}

// apply makes the changed file the campaign's, as the command does.
func (v *live) apply() {
	v.store.mu.Lock()
	v.store.record.Campaign, v.store.record.UpdatedAt = v.after, time.Now()
	v.store.mu.Unlock()
	v.mu.Lock()
	v.asked, v.wishes, v.placed, v.draws = nil, nil, nil, nil
	v.mu.Unlock()
	v.applied = time.Now()
	v.changed <- struct{}{}
	synctest.Wait()
}

// soon fails unless something holds within a second of virtual time.
func (v *live) soon(what string, holds func() bool) {
	v.t.Helper()
	v.within(time.Second, what, holds)
}

func (v *live) within(d time.Duration, what string, holds func() bool) {
	v.t.Helper()
	for end := time.Now().Add(d); !holds(); settle(10 * time.Millisecond) {
		if !time.Now().Before(end) {
			v.t.Errorf("%s: not within %s", what, d)
			return
		}
	}
}

// Of what was noted since the change.
func (v *live) some(holds func() bool) func() bool {
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return holds()
	}
}

// since are the records of a kind from the change on.
func (v *live) since(k journal.Kind) []journal.Record {
	return slices.DeleteFunc(v.journal.kinds(k), func(r journal.Record) bool { return r.At.Before(v.applied) })
}

// settled is an attempt that began after the change and has ended; false: none has.
func (v *live) settled() (Attempt, bool) {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	for id, a := range v.store.attempts {
		if a.At.After(v.applied) && v.store.settled[id] > 0 {
			return a, true
		}
	}
	return Attempt{}, false
}

// nextCall applies the change and waits for the next call that is put through.
func (v *live) nextCall() {
	v.t.Helper()
	v.within(time.Minute, "a call", func() bool { return len(v.journal.kinds(journal.Connected)) > 0 })
	v.apply()
	settle(time.Millisecond)
	v.applied = time.Now() // calls that had begun are under the old file
	v.within(time.Minute, "the next call", func() bool {
		for _, rec := range v.since(journal.Connected) {
			v.store.mu.Lock()
			began := v.store.attempts[rec.Attempt].At
			v.store.mu.Unlock()
			if began.After(v.applied) {
				return true
			}
		}
		return false
	})
}

// lines are the calls in progress.
func (v *live) lines() int { return v.svc.Live().Lines() }

// rings never ends by itself; fails is over soon.
func rings(int) script { return script{ignores: true} }

func fails(int) script { return script{ring: 200 * time.Millisecond, fails: campaigns.Busy} }

func talksShort(int) script { return script{ring: 100 * time.Millisecond, talk: time.Second} }

// TestEveryKeyIsLive plays each key of a campaign file, so that no key is left out.
func TestEveryKeyIsLive(t *testing.T) {
	rows := slices.Concat(liveGateKeys(), livePacingKeys(), liveAgentKeys(), liveLeadKeys(), liveWordKeys(), liveSoundKeys(), liveCallbackKeys())
	played := map[string]bool{}
	for _, k := range rows {
		played[k.key] = true
		t.Run(k.key, func(t *testing.T) { playLive(t, k) })
	}
	keys := schemaKeys(t)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !played[key] {
			t.Errorf("no row plays %s", key)
		}
	}
	for key := range played {
		if !keys[key] {
			t.Errorf("a row plays %s, which is no key", key)
		}
	}
}
