package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// AgentsConfig is a room of simulated agents, each with a phone at its own loopback
// address. Agent i is called tones.Voice{Side: tones.Agent, Index: i}.Name(): agent01, agent02, ...
type AgentsConfig struct {
	Registrar string            // SIP address of the registrar, address:port
	Domain    string            // of the agents' addresses; empty: the registrar's address
	Count     int               // at most tones.Agents
	Before    int               // agents of other rooms, whose numbers are passed over: with 5 the first is agent06
	First     string            // address of the first phone; the next have the next ones
	Port      uint16            // of every phone's SIP; 0: 5060
	Password  string            // shared
	Passwords map[string]string // by agent, before the shared one
	Log       string            // truth file, appended to
	Expires   time.Duration     // registration asked for; 0: 60 s
	Retry     time.Duration     // before a failed registration is tried again; 0: 2 s
	Seed      uint64            // of the keys pressed
	Keys      []Key             // pressed after a customer has gone
	Vanish    []Vanishing
	// Ready is called once, when every phone listens.
	Ready func()
	// Told, where it is set, is called after each answer to a REGISTER, from one goroutine: 200 for a phone that is
	// registered, else the status of the refusal; 0 when there was no answer.
	Told func(agent string, status int, text string)
}

// MostAgents is how many agents a room can have.
const MostAgents = tones.Agents

// Key is a digit that an agent presses after a customer has gone: 1 sale, 2 not
// interested, 3 do not call, as the dialer's settings have it.
type Key struct {
	Digit byte          // 0-9 * #
	Share float64       // of the customers; the rest passes without a key
	After time.Duration // from the customer's last audio
}

// Vanishing is a phone that goes dark: no BYE, no REGISTER, no audio.
type Vanishing struct {
	Agent string
	After time.Duration // from the start
	Back  time.Duration // after vanishing it registers anew; 0: it stays away
}

// room is the running agents. Its loop owns everything.
type room struct {
	cfg       AgentsConfig
	registrar netip.AddrPort
	loop      *loop.Loop
	log       *truth.Writer
	pump      *audio.Pump
	agents    []*agent
	random    *rand.Rand
}

// RunAgents registers the agents' phones and answers the calls to them until
// ctx ends; then it hangs up and un-registers. Its error says why it could not start or write its log.
func RunAgents(ctx context.Context, cfg AgentsConfig) error {
	cfg.defaults()
	r := &room{cfg: cfg, loop: loop.New(), pump: &audio.Pump{}, random: rand.New(rand.NewPCG(cfg.Seed, 1))}
	var err error
	if r.registrar, err = sipua.Addr(cfg.Registrar); err != nil {
		return fmt.Errorf("agents: registrar: %w", err)
	}
	if r.cfg.Domain == "" {
		r.cfg.Domain = r.registrar.Addr().String()
	}
	if cfg.Count < 1 || cfg.Before < 0 || cfg.Count > tones.Agents-cfg.Before {
		return fmt.Errorf("agents: count %d after %d others: must be 1 to %d in all", cfg.Count, cfg.Before, tones.Agents)
	}
	if r.log, err = truth.Open(cfg.Log); err != nil {
		return fmt.Errorf("agents: %w", err)
	}
	r.pump.Late = stalls(r.log)
	if err := r.open(); err != nil {
		return errors.Join(fmt.Errorf("agents: %w", err), r.log.Close())
	}
	r.log.Write(truth.Line{Kind: truth.Start, Count: cfg.Count, Text: "agents of " + r.registrar.String()})
	if cfg.Ready != nil {
		cfg.Ready()
	}
	r.run(ctx)
	return r.log.Close()
}

func (c *AgentsConfig) defaults() {
	if c.Port == 0 {
		c.Port = 5060
	}
	if c.Expires == 0 {
		c.Expires = time.Minute
	}
	if c.Retry == 0 {
		c.Retry = 2 * time.Second
	}
}

// open makes all phones, or none.
func (r *room) open() error {
	addr, err := netip.ParseAddr(r.cfg.First)
	if err != nil {
		return fmt.Errorf("first address: %w", err)
	}
	for i := range r.cfg.Count {
		a := &agent{room: r, voice: tones.Voice{Side: tones.Agent, Index: r.cfg.Before + i}, addr: netip.AddrPortFrom(addr, r.cfg.Port)}
		a.name = a.voice.Name()
		if err := a.listen(); err != nil {
			for _, other := range r.agents {
				other.ua.Silence()
			}
			return fmt.Errorf("phone of %s: %w", a.name, err)
		}
		r.agents = append(r.agents, a)
		addr = addr.Next()
	}
	return nil
}

func (r *room) run(ctx context.Context) {
	pumping, stopPump := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { r.pump.Run(pumping) })
	unwatch := context.AfterFunc(ctx, func() { r.loop.Post(r.shutDown) })
	r.loop.Post(func() {
		for _, a := range r.agents {
			a.register()
		}
		for _, v := range r.cfg.Vanish {
			r.loop.After(v.After, func() { r.vanish(v) })
		}
	})
	r.loop.Run()
	unwatch()
	stopPump()
	wg.Wait()
	r.log.Write(truth.Line{Kind: truth.Stop})
}

func (r *room) vanish(v Vanishing) {
	for _, a := range r.agents {
		if a.name == v.Agent && !a.dark {
			a.vanish()
			if v.Back > 0 {
				r.loop.After(v.Back, a.back)
			}
		}
	}
}

// farewell is how long BYE and un-REGISTER may take at the end.
const farewell = 500 * time.Millisecond

// shutDown hangs up and un-registers all phones, and ends once that is answered
// or too slow.
func (r *room) shutDown() {
	open := 1
	over := func() {
		if open--; open == 0 {
			r.close()
		}
	}
	for _, a := range r.agents {
		open += a.leave(over)
	}
	r.loop.After(farewell, func() {
		if open > 0 {
			open = 0
			r.close()
		}
	})
	over()
}

func (r *room) close() {
	for _, a := range r.agents {
		a.darken()
	}
	r.loop.Post(r.loop.Stop)
}
