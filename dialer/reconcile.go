package dialer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/pacing"
)

// reconcile makes what runs into what is wanted: campaigns and agents' phones.
func (s *Service) reconcile(ctx context.Context) {
	w, err := s.wanted(ctx)
	if err != nil {
		s.Log.Error("what is wanted is not known", zap.Error(err))
		return
	}
	s.bring(ctx, w)
}

// wanted is what commands have asked for.
type wanted struct {
	records  []CampaignRecord
	accounts []Account
}

// wanted reads it from the store.
func (s *Service) wanted(ctx context.Context) (w wanted, err error) {
	if w.records, err = s.Campaigns.Campaigns(ctx); err != nil {
		return w, err
	}
	w.accounts, err = s.Accounts.Accounts(ctx)
	return w, err
}

// bring makes what runs into what is wanted.
func (s *Service) bring(ctx context.Context, w wanted) {
	if ctx.Err() != nil {
		return
	}
	s.followPhones(ctx, w.accounts) // they ring while the journal is read
	before, err := s.censuses(w.records)
	if err != nil {
		s.Log.Error("campaigns do not start: their abandon rate is not known", zap.Error(err))
	}
	for _, r := range w.records {
		s.follow(ctx, r, before[r.Campaign.Name])
	}
	s.reap(w.records)
	s.noteIdle(w.records)
	s.takeCalls(w.records)
	s.floor.balance()
}

// noteIdle notes which campaigns are not at work, for those who look.
func (s *Service) noteIdle(records []CampaignRecord) {
	idle := map[string]CampaignState{}
	for _, r := range records {
		if s.loops[r.Campaign.Name] == nil {
			idle[r.Campaign.Name] = r.State
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = idle
}

// follow brings one campaign to its wanted state; before is what it counted
// before it starts.
func (s *Service) follow(ctx context.Context, r CampaignRecord, before *census) {
	run := s.loops[r.Campaign.Name]
	if r.State == Draining && (run == nil || s.Cluster != nil && run.loop.idle()) && s.overEverywhere(ctx, r) {
		s.markStopped(ctx, r.Campaign.Name)
	}
	if run == nil {
		if r.State == Running && !s.floor.draining {
			s.start(ctx, r, before)
		}
		return
	}
	p, err := s.policyOf(r.Campaign, r.CreatedAt)
	if err == nil && run.since.Equal(r.UpdatedAt) && run.rules == p.RuleSet && run.close.Equal(p.Close) {
		return
	}
	if err != nil {
		s.Log.Error("campaign paused: no policy", zap.String("campaign", r.Campaign.Name), zap.Error(err))
		r.State = Paused
	}
	run.since, run.rules, run.close = r.UpdatedAt, p.RuleSet, p.Close
	want := r.State
	if want == Stopped || s.floor.draining && want == Running {
		want = Draining
	}
	run.loop.post(func(now time.Time) {
		if err == nil {
			run.loop.reconfigure(r, p, now)
		}
		run.loop.setWanted(want)
	})
}

// start runs a campaign.
func (s *Service) start(ctx context.Context, r CampaignRecord, before *census) {
	log := s.Log.With(zap.String("campaign", r.Campaign.Name))
	l, err := s.newLoop(r, before, log)
	if err != nil {
		if s.blocked[r.Campaign.Name] != err.Error() {
			log.Error("campaign cannot start", zap.Error(err))
		}
		s.setBlocked(r.Campaign.Name, err.Error())
		return
	}
	s.setBlocked(r.Campaign.Name, "")
	ctx, cancel := context.WithCancel(ctx)
	s.loops[r.Campaign.Name] = &running{loop: l, cancel: cancel, since: r.UpdatedAt, rules: l.policy.RuleSet, close: l.policy.Close}
	s.work.Go(func() {
		if err := l.queue.Run(ctx); err != nil && ctx.Err() == nil {
			log.Error("queue stopped", zap.Error(err))
		}
	})
	s.work.Go(func() { l.run(ctx) })
	now := s.Now()
	s.work.Go(func() {
		s.countTurns(ctx, l, now)
		s.foresee(ctx, l)
	})
	log.Info("campaign started", zap.String("rule_set", l.policy.RuleSet), zap.String("mode", r.Campaign.Pacing.Mode))
}

// setBlocked notes why a campaign cannot start; empty: nothing keeps it.
func (s *Service) setBlocked(name, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why == "" {
		delete(s.blocked, name)
		return
	}
	s.blocked[name] = why
}

// Ready says what keeps the service from running a campaign; nil when nothing does.
func (s *Service) Ready(r CampaignRecord) error {
	_, err := s.policyOf(r.Campaign, r.CreatedAt)
	return err
}

// policyOf is the policy of a campaign that could run under it.
func (s *Service) policyOf(camp campaigns.Campaign, created time.Time) (Policy, error) {
	p, err := s.Policy(camp, created, s.Now())
	if err != nil {
		return p, err
	}
	if err := s.checkTrunks(camp.TrunkNames()); err != nil {
		return p, err
	}
	if p.Action == Message && (camp.Message == "" || !s.Desk.HasPrompt(camp.Message)) {
		return p, fmt.Errorf("abandon_message %q: rule set %s wants a message that names the caller, and there is no such prompt; put the WAV into the prompts folder", camp.Message, p.RuleSet)
	}
	switch {
	case !camp.Recording.On():
		return p, nil
	case s.Recorder == nil:
		return p, errors.New("recording: this service records no calls")
	}
	return p, CheckRecording(camp.Recording, p, s.Desk.HasPrompt)
}

// newLoop makes a campaign's loop, with what its journal says was counted.
func (s *Service) newLoop(r CampaignRecord, before *census, log *zap.Logger) (*loop, error) {
	camp := r.Campaign
	p, err := s.policyOf(camp, r.CreatedAt)
	if err != nil {
		return nil, err
	}
	pc, err := newPace(EngineConfig(&camp, p), log)
	if err != nil {
		return nil, err
	}
	if before == nil {
		return nil, errors.New("its answers of the past have not been counted")
	}
	s.recall(pc, EngineConfig(&camp, p), camp.Name)
	for _, e := range s.sinceCreated(r.CreatedAt, before.events()) {
		pc.observe(e)
	}
	l := &loop{
		svc: s, name: camp.Name, record: r, camp: &camp, policy: p, log: log, pace: pc, breaker: breaker{log: log}, state: r.State,
		agents: map[string]*agent{}, calls: map[pacing.CallID]*call{}, owes: map[string]float64{}, sight: foresight{zone: p.Zone},
		tasks: make(chan task, 1024), done: make(chan struct{}), keeper: keeper{at: s.Now()},
	}
	l.queue = campaigns.NewQueue(campaigns.QueueConfig{
		Campaign: camp.Name, Node: s.Node, Store: s.Leads, Now: s.Now, Order: camp.Order, Lists: camp.Lists,
		Log:        seldom(func(c *complaint, err error) { c.about(log, "leads not leased", time.Now(), zap.Error(err)) }),
		Propensity: func(lead campaigns.Lead) float64 { return l.sight.propensity(l.sight.levels(lead, s.Now())) },
	})
	if s.Cluster != nil {
		l.portions.lines.Divide()
		l.portions.starts.Divide()
	}
	l.intake.wake = func() { l.post(func(time.Time) {}) }
	l.publish()
	return l, nil
}

// reap removes loops that have drained, and campaigns that are gone.
func (s *Service) reap(records []CampaignRecord) {
	for name, run := range s.loops {
		i := slices.IndexFunc(records, func(r CampaignRecord) bool { return r.Campaign.Name == name })
		if i < 0 || records[i].State == Stopped && run.loop.idle() {
			run.cancel()
			<-run.loop.done
			delete(s.loops, name)
			s.floor.loopEnded(run.loop)
		}
	}
}

// hearsOf is how long it takes at most until every node begins no more calls of a campaign
// that drains: a second, and a second in which clocks may differ.
const hearsOf = 2 * time.Second

// overEverywhere reports whether no node has calls of a campaign that drains; what cannot be
// asked is taken to go on.
func (s *Service) overEverywhere(ctx context.Context, r CampaignRecord) bool {
	if s.Cluster == nil {
		return true
	}
	if s.Now().Sub(r.UpdatedAt) < hearsOf {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	n, err := s.Cluster.Calling(ctx, r.Campaign.Name)
	return err == nil && n == 0
}

// markStopped writes that a draining campaign has drained.
func (s *Service) markStopped(ctx context.Context, name string) {
	if err := s.Campaigns.SetState(context.WithoutCancel(ctx), name, Stopped, s.Now()); err != nil {
		s.Log.Error("campaign state not written", zap.String("campaign", name), zap.Error(err))
	}
}

// windowsFrom is the earliest instant whose answers a window still counts.
func windowsFrom(ws []pacing.Window, created, now time.Time) time.Time {
	from := now
	for _, w := range ws {
		start := created
		if w.Period == pacing.Rolling {
			start = now.Add(-w.Length)
		}
		if start.Before(from) {
			from = start
		}
	}
	return from
}
