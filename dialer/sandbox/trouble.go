package sandbox

import (
	"slices"
	"time"

	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/truth"
)

// Trouble is what the carrier does to try the dialer. The zero value is none.
type Trouble struct {
	// Crossed says which CANCELs of ringing calls, counted from 1, are crossed by a 200.
	Crossed []int
	// BurstFirst callees answer within the same 20 ms, BurstAfter the start, and BurstGrow more
	// each BurstEvery, until one of all answered callees was abandoned. A burst waits up to
	// busyWait for an instant at which nearly as many callees talk as ever did, because only
	// then agents are short. 0: no bursts.
	BurstFirst, BurstGrow  int
	BurstAfter, BurstEvery time.Duration
	// Provisionals has some calls ring with 183 then 180, with 180 more than ten times, or
	// answer with the 200 twice.
	Provisionals bool
}

// AllTrouble is what the demo provokes.
func AllTrouble() Trouble {
	return Trouble{
		Crossed: []int{2, 12}, Provisionals: true,
		BurstFirst: 4, BurstGrow: 1, BurstAfter: 20 * time.Second, BurstEvery: 4 * time.Second,
	}
}

const (
	ringings  = 12 // further 180s of a call that rings again and again
	ringEvery = 100 * time.Millisecond
	holdMost  = 2 * time.Second // a callee held back for a burst answers after so long anyway
	busyWait  = 3 * time.Second // a burst waits so long for agents to be short
	busyShare = 0.85            // of the most callees that ever talked at once
)

// trouble is the carrier's state of it, on its loop.
type trouble struct {
	cancels int // of ringing calls
	size    int // of the next burst
	armed   bool
	over    bool      // an answered callee was abandoned
	held    []*call   // due, and held back for the burst
	since   time.Time // when it was armed
	most    int       // callees that talked at once
	patient *loop.Timer
}

// crosses counts a CANCEL and says whether a 200 shall cross it.
func (c *carrier) crosses() bool {
	c.trouble.cancels++
	return slices.Contains(c.cfg.Trouble.Crossed, c.trouble.cancels)
}

func (c *carrier) planBursts() {
	if c.trouble.size = c.cfg.Trouble.BurstFirst; c.trouble.size > 0 {
		c.loop.After(c.cfg.Trouble.BurstAfter, c.arm)
	}
}

func (c *carrier) arm() {
	if c.trouble.over {
		return
	}
	c.trouble.armed, c.trouble.since = true, time.Now()
	c.loop.After(busyWait, c.tryBurst)
	c.tryBurst()
}

// talking counts the callees who talk now, and remembers the most there ever were.
func (c *carrier) talking() int {
	n := 0
	for _, k := range c.calls {
		if k.stage == taken && !k.agentAt.IsZero() {
			n++
		}
	}
	c.trouble.most = max(c.trouble.most, n)
	return n
}

// agentsShort reports whether a burst may come now.
func (c *carrier) agentsShort() bool {
	return float64(c.talking()) >= busyShare*float64(c.trouble.most) || time.Since(c.trouble.since) >= busyWait
}

// met is called when a callee first hears an agent: the number of those who
// talk has grown.
func (c *carrier) met() {
	c.talking()
	c.tryBurst()
}

// abandoned ends the bursts when the dialer hung up on a callee that heard no agent.
func (c *carrier) abandoned(k *call) {
	if k.agentAt.IsZero() {
		c.trouble.over = true
		c.release()
	}
}

// atDue is what happens when a ringing live callee means to answer: it does, or
// it is held back for the burst.
func (c *carrier) atDue(k *call) func() {
	return func() {
		if !c.trouble.armed {
			k.answer()
			return
		}
		c.trouble.held = append(c.trouble.held, k)
		if len(c.trouble.held) == 1 {
			c.trouble.patient = c.loop.After(holdMost, c.release)
		}
		c.tryBurst()
	}
}

// tryBurst lets callees answer together as soon as enough of them ring: first
// those held back, then those nearest to answering.
func (c *carrier) tryBurst() {
	if !c.trouble.armed {
		return
	}
	var live []*call
	for _, k := range c.calls {
		if k.stage == ringing && k.plan.Plan == Live {
			live = append(live, k)
		}
	}
	if len(live) < c.trouble.size || !c.agentsShort() {
		return
	}
	slices.SortFunc(live, func(a, b *call) int { return a.due.Compare(b.due) })
	c.burst(live[:max(c.trouble.size, c.heldRinging())])
}

func (c *carrier) heldRinging() int {
	n := 0
	for _, k := range c.trouble.held {
		if k.stage == ringing {
			n++
		}
	}
	return n
}

// release lets the callees held back answer, however few they are.
func (c *carrier) release() {
	if c.trouble.armed {
		c.burst(c.trouble.held)
	}
}

func (c *carrier) burst(calls []*call) {
	t := &c.trouble
	t.armed, t.held = false, nil
	t.patient.Stop()
	calls = slices.DeleteFunc(slices.Clone(calls), func(k *call) bool { return k.stage != ringing })
	if len(calls) > 0 {
		c.log.Write(truth.Line{Kind: truth.Burst, Count: len(calls)})
	}
	for _, k := range calls {
		k.answer()
	}
	if !t.over {
		t.size += c.cfg.Trouble.BurstGrow
		c.loop.After(c.cfg.Trouble.BurstEvery, c.arm)
	}
}
