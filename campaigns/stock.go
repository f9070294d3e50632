package campaigns

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Stock is what a queue holds of its campaign's leads.
type Stock struct {
	Held    int  // leads that nobody took yet
	Wanting bool // lines were wanted, no lead is held and the store had none that is due
	Idle    bool // nobody wanted a lead for a while, as where no agent works
}

// StockStore is a LeadStore that several nodes draw from. Each node leases ahead of need; so those that
// asked first can hold all that is due, while the agents of another wait.
type StockStore interface {
	// Level tells the other nodes what this one holds, and answers how many it may hold, below zero: as many as it
	// likes. While another node is wanting, that is an even part of what all hold together, and nothing for an idle one. It
	// is asked every second.
	Level(ctx context.Context, campaign, node string, s Stock) (most int, err error)
}

// idleAfter is how long nobody must have wanted a lead for the queue to say that it is idle.
const idleAfter = 10 * time.Second

// agreedHold is how long an idle queue keeps an agreed call from other nodes, whose agents may be free.
const agreedHold = 2 * time.Second

// Want tells whether lines are wanted for which the queue holds no lead.
func (q *Queue) Want(wanted bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wanted = wanted
	if wanted {
		q.used = q.cfg.Now()
	}
}

// idle reports whether nobody has wanted a lead for a while, although the nodes that share the leads may; mu is held.
func (q *Queue) idle(now time.Time) bool {
	_, shared := q.cfg.Store.(StockStore)
	return shared && now.Sub(q.used) >= idleAfter
}

// lets reports whether a lead held should go where an agent may be free for it; mu is held.
func (q *Queue) lets(h holding, now time.Time) bool {
	return h.lead.Callback && now.Sub(h.since) >= agreedHold && q.idle(now)
}

// Leave gives agreed calls that were taken and not dialed back for another node to find, where the agent
// works for whom they were agreed: this queue leases none for a moment.
func (q *Queue) Leave(leads ...Lead) {
	now := q.cfg.Now()
	q.mu.Lock()
	q.let = now
	q.mu.Unlock()
	q.Release(time.Time{}, leads...)
}

// letting reports whether leads that were let go are being left to other nodes; mu is held.
func (q *Queue) letting(now time.Time) bool {
	return !now.Before(q.let) && now.Sub(q.let) < pollShort
}

// level compares what is held with what other nodes hold, and gives back what is more than
// this one's part, those that would be called last.
func (q *Queue) level(ctx context.Context, now time.Time) error {
	store, ok := q.cfg.Store.(StockStore)
	q.mu.Lock()
	early := now.Sub(q.levelled) < pollShort && !now.Before(q.levelled)
	s := Stock{Held: len(q.held), Idle: q.idle(now)}
	s.Wanting = q.wanted && q.dry && s.Held == 0 && !s.Idle
	q.mu.Unlock()
	if !ok || early {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	most, err := store.Level(bounded, q.cfg.Campaign, q.cfg.Node, s)
	if err != nil {
		err = fmt.Errorf("compare leads held with the other nodes: %w", err)
		q.cfg.Log(err)
		return err
	}
	if most < 0 {
		most = math.MaxInt
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.levelled, q.most = now, most
	for i := q.most; i < len(q.held); i++ {
		q.giveBack(q.held[i].lead.ID, time.Time{}, now)
	}
	q.held = q.held[:min(q.most, len(q.held))]
	return nil
}
