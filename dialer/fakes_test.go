package dialer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/pacing"
)

// rig is a service on fakes: a scripted trunk, phones that are always there,
// a store and a journal in memory.
type rig struct {
	t       *testing.T
	svc     *Service
	trunk   *fakeTrunk
	phones  *fakePhones
	desk    *fakeDesk
	store   *fakeStore
	journal *fakeJournal
	gate    *fakeGate
	callers *fakeCallers
	stop    context.CancelFunc
	ended   chan error
}

// rigOptions are what a test wants of its rig.
type rigOptions struct {
	agents int
	leads  int
	script func(k int) script // what the k-th call does
	camp   func(*campaigns.Campaign)
	policy func(*Policy)
	config func(*Config)
}

func newRig(t *testing.T, o rigOptions) *rig {
	t.Helper()
	r := &rig{t: t, trunk: &fakeTrunk{script: o.script}, desk: &fakeDesk{}, journal: &fakeJournal{}, gate: &fakeGate{}, ended: make(chan error, 1)}
	camp := campaigns.Campaign{
		Name: "spring", Seller: "Acme", Jurisdiction: "it", RingTimeout: 20 * time.Second, WrapUp: 5 * time.Second,
		Pacing: campaigns.Pacing{Mode: "progressive"}, MaxAttempts: 6,
	}
	if o.camp != nil {
		o.camp(&camp)
	}
	policy := Policy{Zone: time.UTC, Deadline: 3 * time.Second, Action: HangUp, Windows: []pacing.Window{{Period: pacing.Campaign, Start: time.Now(), Cap: 0.03}}}
	if o.policy != nil {
		o.policy(&policy)
	}
	r.phones = &fakePhones{legs: map[string]*fakeLeg{}, audio: map[string]*fakeAudio{}, ears: map[string]Audio{}, changes: make(chan string)}
	r.store = newFakeStore(camp, o.leads, o.agents)
	r.callers = &fakeCallers{rings: make(chan Ring)}
	c := Config{
		Node: "n1", Now: time.Now, Log: zaptest.NewLogger(t, zaptest.Level(zapWarn), zaptest.WrapOptions(zap.Hooks(r.refusedByPacing))), Gate: r.gate, Trunk: r.trunk, Routing: r.trunk, Phones: r.phones, Desk: r.desk,
		Leads: r.store, Attempts: r.store, Campaigns: r.store, Accounts: r.store, Book: r.store, OptOuts: r.store, Consents: r.store, Journal: r.journal,
		Callers: r.callers, CallerBook: r.store,
		Read: r.journal.read, ReadFrom: r.journal.readFrom,
		Policy: func(campaigns.Campaign, time.Time, time.Time) (Policy, error) { return policy, nil },
	}
	if o.config != nil {
		o.config(&c)
	}
	r.svc = New(c)
	return r
}

// refusedByPacing fails the test when the loop tells pacing what cannot be.
func (r *rig) refusedByPacing(e zapcore.Entry) error {
	if e.Message == refusedEvent {
		r.t.Error(e.Message)
	}
	return nil
}

// run starts the service; the rig ends with the test.
func (r *rig) run() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.svc.Run(ctx) }()
}

// end stops the service and returns when it has stopped.
func (r *rig) end() {
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Errorf("run: %v", err)
	}
}

// script is what a fake callee does.
type script struct {
	ring    time.Duration // from INVITE to the answer or the failure
	fails   campaigns.Outcome
	talk    time.Duration // the callee hangs up so long after the answer; 0: never
	ignores bool          // rings until cancelled, then fails with NoAnswer
	dead    bool          // never rings
	mute    bool          // sends no audio
	deaf    bool          // answers no OPTIONS
}

// fakeTrunk answers by script.
type fakeTrunk struct {
	script func(k int) script

	mu        sync.Mutex
	placed    int
	recovered []Dialog
	answers   []string // Call-IDs that Recover finds answered
	met       func(Dialog, time.Time)
	legs      []*fakeLeg

	routes    []Route               // nil: one trunk, fake
	elsewhere bool                  // another trunk takes calls
	dialed    func(d Dialog, k int) // sees the INVITEs; the trunks behind the first get one each
}

func (f *fakeTrunk) Originate(ctx context.Context, _ dnc.Clearance, p Placing) (Leg, Result) {
	f.mu.Lock()
	k := f.placed
	f.placed++
	f.mu.Unlock()
	s := f.script(k)
	now := time.Now()
	r := Result{Invited: now, Trunk: "fake", Dialog: Dialog{CallID: p.callID(k), Branch: "b", Trunk: p.Trunk}}
	if err := p.Dialing(r.Dialog); err != nil {
		return nil, Result{Outcome: campaigns.Refused}
	}
	if f.dialed != nil {
		f.dialed(r.Dialog, k)
		for i, name := range p.Others {
			r.Trunk, r.Dialog.Trunk, r.Dialog.CallID = name, name, r.Dialog.CallID+"-"+string(rune('2'+i))
			if err := p.Dialing(r.Dialog); err != nil {
				return nil, Result{Outcome: campaigns.Refused}
			}
			f.dialed(r.Dialog, k)
		}
	}
	if !s.dead {
		r.Ringing = time.Now()
		p.Ringing(r.Ringing, Dialog{ToTag: "tag", Contact: "sip:callee@far", Route: []string{"<sip:proxy;lr>"}})
	}
	timeout := p.RingTimeout
	if s.ignores {
		s.ring, s.fails = timeout, campaigns.NoAnswer
	}
	select {
	case <-time.After(min(s.ring, timeout)):
	case <-ctx.Done():
		s.fails = campaigns.NoAnswer
	}
	r.Final = time.Now()
	if s.fails != "" {
		r.Outcome = s.fails
		return nil, r
	}
	r.Answered = r.Final
	p.Answered(r.Answered, r.Dialog)()
	leg := newFakeLeg(r.Dialog.CallID)
	leg.dead.Store(s.deaf)
	if s.mute {
		p.Audio.(*fakeAudio).silence()
	}
	if s.talk > 0 {
		time.AfterFunc(s.talk, func() { leg.end(End{ByFar: true}) })
	}
	f.mu.Lock()
	f.legs = append(f.legs, leg)
	f.mu.Unlock()
	return leg, r
}

func (f *fakeTrunk) Routes(Wish) []Route {
	if f.routes != nil {
		return f.routes
	}
	return []Route{{Trunk: "fake"}}
}

func (f *fakeTrunk) Carries([]string, string) bool { return f.elsewhere }

func (f *fakeTrunk) Trunks() []TrunkLive {
	var all []TrunkLive
	for _, r := range f.Routes(Wish{}) {
		all = append(all, TrunkLive{Name: r.Trunk})
	}
	return all
}

func (p Placing) callID(k int) string { return "call-" + string(rune('a'+k%26)) }

func (f *fakeTrunk) Presume(p Presumed) Dialog {
	return Dialog{CallID: "presumed-" + p.Attempt, Trunk: p.Trunk}
}

func (f *fakeTrunk) Recover(_ context.Context, left []Dialog, met func(Dialog, time.Time)) {
	f.recovered, f.met = left, met
	for _, id := range f.answers {
		met(Dialog{CallID: id}, time.Now())
	}
}

func (f *fakeTrunk) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.placed
}

// fakeLeg is a dialog that ends when told.
type fakeLeg struct {
	id   string
	once sync.Once
	done chan struct{}
	how  End
	dead atomic.Bool // does not answer OPTIONS
}

func newFakeLeg(id string) *fakeLeg { return &fakeLeg{id: id, done: make(chan struct{})} }

func (l *fakeLeg) CallID() string             { return l.id }
func (l *fakeLeg) Done() <-chan struct{}      { return l.done }
func (l *fakeLeg) Ended() End                 { return l.how }
func (l *fakeLeg) Hangup()                    { l.end(End{}) }
func (l *fakeLeg) Dialog() Dialog             { return Dialog{CallID: l.id, Answered: true} }
func (l *fakeLeg) Alive(context.Context) bool { return !l.dead.Load() }
func (l *fakeLeg) end(e End)                  { l.once.Do(func() { l.how = e; close(l.done) }) }

// fakePhones are phones that answer at once.
type fakePhones struct {
	mu       sync.Mutex
	legs     map[string]*fakeLeg
	audio    map[string]*fakeAudio
	ears     map[string]Audio // as the calls have them
	gone     map[string]bool
	deaf     map[string]bool   // calls ring on until they are given up
	busy     map[string]bool   // calls are refused
	at       map[string]string // where a phone has registered; empty: 192.0.2.1:5060
	rung     map[string][]time.Time
	restored []Binding
	changes  chan string
}

func (f *fakePhones) Call(ctx context.Context, agent string, a Audio) (Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rung == nil {
		f.rung = map[string][]time.Time{}
	}
	f.rung[agent] = append(f.rung[agent], time.Now())
	if f.deaf[agent] {
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return nil, ctx.Err()
	}
	if f.gone[agent] || f.busy[agent] {
		return nil, errors.New("gone")
	}
	f.legs[agent], f.audio[agent], f.ears[agent] = newFakeLeg("phone-"+agent), a.(ear).Audio.(*fakeAudio), a
	return f.legs[agent], nil
}

// hold has a phone put its call on hold, or take it off.
func (f *fakePhones) hold(agent string, on bool) {
	f.mu.Lock()
	a := f.ears[agent]
	f.mu.Unlock()
	a.Connect(Remote{SendOnly: on})
}

func (f *fakePhones) Registered(agent string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.gone[agent]
}

func (f *fakePhones) Changes() <-chan string { return f.changes }

func (f *fakePhones) Binding(agent string) (Binding, bool) {
	f.mu.Lock()
	at := cmp.Or(f.at[agent], "192.0.2.1:5060")
	f.mu.Unlock()
	return Binding{Agent: agent, Source: at}, f.Registered(agent)
}

func (f *fakePhones) Restore(known []Binding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restored = known
}

// dark has a phone send nothing any more; answers says whether it still answers OPTIONS.
func (f *fakePhones) dark(agent string, answers bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audio[agent].silence()
	f.legs[agent].dead.Store(!answers)
	if !answers {
		f.setGone(agent)
	}
}

// vanish takes a phone away for good.
func (f *fakePhones) vanish(agent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setGone(agent)
	f.legs[agent].end(End{ByFar: true})
}

func (f *fakePhones) setGone(agent string) {
	if f.gone == nil {
		f.gone = map[string]bool{}
	}
	f.gone[agent] = true
}

// fakeDesk joins nothing but notes who was joined.
type fakeDesk struct {
	mu      sync.Mutex
	bridges int
	plays   int
	played  []string // prompts to people who rang back
	onDigit map[Audio]func(byte)
	born    func(*fakeAudio) // told of each one that is opened
}

// fakeAudio is heard all the time until it is mute.
type fakeAudio struct {
	id   int
	mute atomic.Pointer[time.Time]
}

// silence has the far end send nothing from now on.
func (a *fakeAudio) silence() {
	now := time.Now()
	a.mute.Store(&now)
}

func (*fakeAudio) Local() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:20000") }
func (*fakeAudio) Connect(Remote)        {}
func (a *fakeAudio) LastHeard() time.Time {
	if at := a.mute.Load(); at != nil {
		return *at
	}
	return time.Now()
}
func (*fakeAudio) Close() {}

func (d *fakeDesk) Open(onDigit func(byte)) (Audio, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.onDigit == nil {
		d.onDigit = map[Audio]func(byte){}
	}
	a := &fakeAudio{id: len(d.onDigit)}
	if d.born != nil {
		d.born(a)
	}
	d.onDigit[a] = onDigit
	return a, nil
}

func (d *fakeDesk) Bridge(_, _ Audio, heard func(time.Time)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bridges++
	at := time.Now()
	if heard != nil {
		go heard(at)
	}
}

func (d *fakeDesk) Part(Audio, Bed) {}

func (d *fakeDesk) HasPrompt(name string) bool {
	return name == "message.wav" || strings.HasPrefix(name, "tone-") || name == "who-we-are"
}

func (d *fakeDesk) Play(_ Audio, prompt string, done func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plays++
	d.played = append(d.played, prompt)
	time.AfterFunc(5*time.Second, done)
	return nil
}

// fakeGate allows what refuse does not name.
type fakeGate struct {
	refuse func(l campaigns.Lead, reserved bool) dnc.Verdict
	asked  func(dnc.Request)
}

func (g *fakeGate) Clear(_ context.Context, r dnc.Request, _ time.Time) (dnc.Clearance, dnc.Verdict) {
	if g.asked != nil {
		g.asked(r)
	}
	if g.refuse != nil {
		if v := g.refuse(r.Lead, r.Reserved); v.Reason != "" {
			return dnc.Clearance{}, v
		}
	}
	return dnc.Clearance{}, dnc.Verdict{Allowed: true}
}

// fakeJournal is a chain in memory.
type fakeJournal struct {
	mu      sync.Mutex
	records []journal.Record
	synced  uint64 // everything up to this record is on disk
}

func (j *fakeJournal) Append(r journal.Record) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Seq = uint64(len(j.records) + 1)
	j.records = append(j.records, r)
	return r.Seq, nil
}

func (j *fakeJournal) Commit(ctx context.Context, r journal.Record) (uint64, error) {
	seq, err := j.Append(r)
	return seq, errors.Join(err, j.Sync(ctx))
}

func (j *fakeJournal) Sync(context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.synced = uint64(len(j.records))
	return nil
}

func (j *fakeJournal) Err() error                   { return nil }
func (j *fakeJournal) Reopen(context.Context) error { return nil }

func (j *fakeJournal) Seq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.records))
}

func (j *fakeJournal) all() []journal.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]journal.Record(nil), j.records...)
}

// kinds returns the records of one kind.
func (j *fakeJournal) kinds(k journal.Kind) []journal.Record {
	var out []journal.Record
	for _, r := range j.all() {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

func (j *fakeJournal) read(o journal.ReadOptions) iter.Seq2[journal.Record, error] {
	return j.where(func(r journal.Record) bool { return !r.At.Before(o.From) && slices.Contains(o.Kinds, r.Kind) })
}

func (j *fakeJournal) readFrom(seq uint64) iter.Seq2[journal.Record, error] {
	return j.where(func(r journal.Record) bool { return r.Seq >= seq })
}

func (j *fakeJournal) where(keep func(journal.Record) bool) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for _, r := range j.all() {
			if keep(r) && !yield(r, nil) {
				return
			}
		}
	}
}

// detail decodes a record's detail.
func detail[T any](t *testing.T, r journal.Record) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(r.Detail, &v); err != nil {
		t.Fatalf("detail of %s: %v", r.Kind, err)
	}
	return v
}

// fakeStore keeps leads and attempts in memory.
type fakeStore struct {
	mu       sync.Mutex
	record   CampaignRecord
	others   []CampaignRecord // more campaigns
	accounts []Account
	leads    map[campaigns.LeadID]*campaigns.Lead
	leased   map[campaigns.LeadID]bool
	attempts map[string]Attempt
	settled  map[string]int
	applied  uint64
	optOuts  []dnc.OptOut
	consents []dnc.Consent
	full     bool // no opt-out and no consent can be written
	bindings map[string]Binding
	nailed   map[string]Dialog
	rung     map[string]Caller
}

func newFakeStore(c campaigns.Campaign, leads, agents int) *fakeStore {
	s := &fakeStore{
		record: CampaignRecord{Campaign: c, State: Running, CreatedAt: time.Now(), UpdatedAt: time.Now()},
		leads:  map[campaigns.LeadID]*campaigns.Lead{}, leased: map[campaigns.LeadID]bool{},
		attempts: map[string]Attempt{}, settled: map[string]int{}, bindings: map[string]Binding{}, nailed: map[string]Dialog{}, rung: map[string]Caller{},
	}
	for i := range leads {
		id := campaigns.LeadID(i + 1)
		s.leads[id] = &campaigns.Lead{ID: id, Campaign: c.Name, Number: campaigns.Number("+3933312300" + string(rune('0'+i/10%10)) + string(rune('0'+i%10)))}
	}
	for i := range agents {
		s.accounts = append(s.accounts, Account{Name: "agent" + string(rune('0'+i/10)) + string(rune('0'+i%10))})
	}
	return s
}

func (s *fakeStore) lead(id campaigns.LeadID) campaigns.Lead {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.leads[id]
}

func (s *fakeStore) Lease(_ context.Context, campaign, _ string, n int, now time.Time) ([]campaigns.Lead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []campaigns.Lead
	for id := campaigns.LeadID(1); int(id) <= len(s.leads) && len(out) < n; id++ {
		if l := s.leads[id]; l.Campaign == campaign && !s.leased[id] && !l.Done && !l.Due.After(now) {
			s.leased[id] = true
			out = append(out, *l)
		}
	}
	return out, nil
}

func (s *fakeStore) LeaseCallbacks(_ context.Context, campaign, _ string, n int, now time.Time) ([]campaigns.Lead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []campaigns.Lead
	for id := campaigns.LeadID(1); int(id) <= len(s.leads) && len(out) < n; id++ {
		if l := s.leads[id]; l.Callback && l.Campaign == campaign && !s.leased[id] && !l.Done && !l.Due.After(now) {
			s.leased[id] = true
			out = append(out, *l)
		}
	}
	return out, nil
}

func (s *fakeStore) Return(_ context.Context, ids []campaigns.LeadID, due time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.leased, id)
		s.leads[id].Due = due
	}
	return nil
}

func (s *fakeStore) Apply(_ context.Context, changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		a := c.Attempt
		l := s.leads[a.Lead]
		if l == nil { // a call to nobody of the list
			l = &campaigns.Lead{}
		}
		if _, ok := s.attempts[a.ID]; !ok {
			l.Attempts++
			s.leased[a.Lead] = true
		}
		if c.Settled && (s.settled[a.ID] == 0 || c.Amended) {
			s.settled[a.ID]++
			delete(s.leased, a.Lead)
			if !c.Amended {
				if l.LastOutcome != a.Outcome {
					l.Tries = 0
				}
				l.Tries++
			}
			l.Due, l.Done, l.LastOutcome = a.RetryAt, a.Done, a.Outcome
			l.Callback, l.Agent = a.Callback, a.Agent
			if a.Disposition != "" {
				l.Disposition = a.Disposition
			}
			if a.Answers != nil {
				l.Answers = a.Answers
			}
		}
		s.attempts[a.ID] = a
		s.applied = max(s.applied, cmp.Or(c.Safe, c.Seq))
	}
	return nil
}

func (s *fakeStore) Applied(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied, nil
}

func (s *fakeStore) Settled(_ context.Context, id string) (Attempt, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.attempts[id]
	return a, ok && s.settled[id] > 0, nil
}

func (s *fakeStore) Unsettled(context.Context) ([]Attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Attempt
	for id, a := range s.attempts {
		if s.settled[id] == 0 {
			l := s.leads[a.Lead]
			if l == nil {
				l = &campaigns.Lead{}
			}
			a.Before = campaigns.Lead{Attempts: l.Attempts - 1, Tries: l.Tries, LastOutcome: l.LastOutcome}
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *fakeStore) Accounts(context.Context) ([]Account, error) { return s.accounts, nil }

func (s *fakeStore) Campaigns(context.Context) ([]CampaignRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]CampaignRecord{s.record}, s.others...), nil
}

func (s *fakeStore) SetState(_ context.Context, name string, st CampaignState, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.others {
		if s.others[i].Campaign.Name == name {
			s.others[i].State, s.others[i].UpdatedAt = st, now
			return nil
		}
	}
	s.record.State, s.record.UpdatedAt = st, now
	return nil
}

func (s *fakeStore) RemoveOptOut(_ context.Context, n campaigns.Number, seller, campaign string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.optOuts)
	s.optOuts = slices.DeleteFunc(s.optOuts, func(o dnc.OptOut) bool {
		return o.Number == n && o.Seller == seller && o.Campaign == campaign
	})
	return len(s.optOuts) < before, nil
}

func (s *fakeStore) AddOptOuts(_ context.Context, o []dnc.OptOut) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return 0, errors.New("disk full")
	}
	s.optOuts = append(s.optOuts, o...)
	return len(o), nil
}

func (s *fakeStore) AddConsents(_ context.Context, records []dnc.Consent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("disk full")
	}
	s.consents = append(s.consents, records...)
	return nil
}

func (s *fakeStore) Bindings(context.Context) ([]Binding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.bindings)), nil
}

func (s *fakeStore) NailedUp(context.Context) (map[string]Dialog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.nailed), nil
}

func (s *fakeStore) RememberBinding(_ context.Context, agent string, b *Binding) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bindings, agent)
	if b != nil {
		s.bindings[agent] = *b
	}
	return nil
}

func (s *fakeStore) RememberCall(_ context.Context, agent string, d *Dialog) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nailed, agent)
	if d != nil {
		s.nailed[agent] = *d
	}
	return nil
}

// fullJournal cannot sync while its disk is full.
type fullJournal struct {
	*fakeJournal
	full *atomic.Bool
}

func (j *fullJournal) Commit(ctx context.Context, r journal.Record) (uint64, error) {
	if j.full.Load() {
		return 0, errors.New("disk full")
	}
	return j.fakeJournal.Commit(ctx, r)
}
