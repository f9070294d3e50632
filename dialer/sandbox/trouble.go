package sandbox

import (
	"slices"
	"strings"
	"time"

	"pronto/dialer/sandbox/truth"
)

// Trouble is what the carrier does to try the dialer. The zero value is none.
type Trouble struct {
	// Crossed says which CANCELs of ringing calls, counted from 1, are crossed by a 200.
	Crossed []int
	// BurstFirst callees answer within the same 20 ms, BurstAfter the start: first those who
	// mean to answer, then others who ring, whose talk is short. 0: no bursts.
	BurstFirst int
	BurstAfter time.Duration
	// The next bursts come BurstEvery at the soonest, each as soon as enough callees ring to be one more than the
	// agents who can be free in time, the next two more, and so on, until one of all answered
	// callees was abandoned.
	BurstEvery time.Duration
	// BurstSpare is how soon a callee must hang up for its agent to be free in time for the
	// burst: the dialer's deadline less the agents' wrap-up.
	BurstSpare time.Duration
	// BurstCalm is how long after a burst nobody else answers, so that few are abandoned.
	BurstCalm time.Duration
	// Provisionals has some calls ring with 183 then 180, with 180 more than ten times, or
	// answer with the 200 twice.
	Provisionals bool
}

// AllTrouble is what the demo provokes.
func AllTrouble() Trouble {
	return Trouble{
		Crossed: []int{2, 12}, Provisionals: true,
		BurstFirst: 4, BurstAfter: 20 * time.Second, BurstEvery: 4 * time.Second,
		BurstSpare: 1500 * time.Millisecond, BurstCalm: 2500 * time.Millisecond,
	}
}

const (
	ringings  = 12 // further 180s of a call that rings again and again
	ringEvery = 100 * time.Millisecond
	calmGap   = 150 * time.Millisecond // between the answers of those held back in a calm
	onDuty    = 20 * time.Second       // an agent heard within it is there
)

// trouble is the carrier's state of it, on its loop.
type trouble struct {
	cancels int // of ringing calls
	bursts  int // so far
	armed   bool
	over    bool                 // an answered callee was abandoned
	agents  map[string]time.Time // when each was last heard beginning to talk
	calm    time.Time            // nobody answers before it
}

// crosses counts a CANCEL and says whether a 200 shall cross it.
func (c *carrier) crosses() bool {
	c.trouble.cancels++
	return slices.Contains(c.cfg.Trouble.Crossed, c.trouble.cancels)
}

func (c *carrier) planBursts() {
	c.trouble.agents = map[string]time.Time{}
	if c.cfg.Trouble.BurstFirst > 0 {
		c.loop.After(c.cfg.Trouble.BurstAfter, c.arm)
	}
}

func (c *carrier) arm() {
	c.trouble.armed = !c.trouble.over
	c.tryBurst()
}

// met notes that a callee hears an agent.
func (c *carrier) met(agent string) {
	c.trouble.agents[agent] = time.Now()
	c.tryBurst()
}

// abandoned ends the bursts when the dialer hung up on a callee that heard no agent.
func (c *carrier) abandoned(k *call) {
	if k.agentAt.IsZero() {
		c.trouble.over, c.trouble.armed = true, false
	}
}

// atDue is what happens when a ringing live callee means to answer: it does, or
// in a calm it waits for its end.
func (c *carrier) atDue(k *call) func() {
	return func() {
		now := time.Now()
		if !now.Before(c.trouble.calm) {
			k.answer()
			return
		}
		c.trouble.calm = c.trouble.calm.Add(calmGap)
		k.timer = c.loop.After(c.trouble.calm.Sub(now), k.answer)
	}
}

// tryBurst lets callees answer together as soon as enough of them ring.
func (c *carrier) tryBurst() {
	if !c.trouble.armed {
		return
	}
	size := c.cfg.Trouble.BurstFirst
	if c.trouble.bursts > 0 {
		size = max(size, c.free(time.Now())+c.trouble.bursts)
	}
	var ring []*call
	for _, k := range c.calls {
		if k.stage == ringing {
			ring = append(ring, k)
		}
	}
	if len(ring) < size {
		return
	}
	slices.SortFunc(ring, sooner)
	c.burst(ring[:size])
}

// sooner orders callees: those who mean to answer by when, then the others.
func sooner(a, b *call) int {
	if (a.plan.Plan == Live) != (b.plan.Plan == Live) {
		if a.plan.Plan == Live {
			return -1
		}
		return 1
	}
	if d := a.due.Compare(b.due); d != 0 {
		return d
	}
	return strings.Compare(a.id, b.id)
}

// free is how many agents are free now, or will be in time for callees who
// answer now.
func (c *carrier) free(now time.Time) int {
	n := 0
	for _, heard := range c.trouble.agents {
		if now.Sub(heard) < onDuty {
			n++
		}
	}
	for _, k := range c.calls {
		if k.stage == taken && (k.agentAt.IsZero() || k.ends.Sub(now) > c.cfg.Trouble.BurstSpare) {
			n--
		}
	}
	return max(0, n)
}

func (c *carrier) burst(calls []*call) {
	c.trouble.armed = false
	c.trouble.bursts++
	c.trouble.calm = time.Now().Add(c.cfg.Trouble.BurstCalm)
	c.log.Write(truth.Line{Kind: truth.Burst, Count: len(calls)})
	for _, k := range calls {
		if k.plan.Plan != Live {
			k.plan.Talk = c.cfg.World.Talk.Least
		}
		k.answer()
	}
	c.loop.After(c.cfg.Trouble.BurstEvery, c.arm)
}
