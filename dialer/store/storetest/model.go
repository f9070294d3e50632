package storetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pronto/campaigns"
	"pronto/dialer"
)

// leaseModel: random histories, each of a campaign of its own in one store,
// beside a plain model of it.
func leaseModel(t *testing.T, m Maker) {
	st := &modelStore{m: m, place: t.TempDir()}
	var err error
	if st.b, err = m.Open(st.place); err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer func() {
		if err := st.b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	rapid.Check(t, func(r *rapid.T) {
		st.campaigns++
		h := &history{modelStore: st, campaign: fmt.Sprintf("campaign%d", st.campaigns), now: monday, leads: map[campaigns.LeadID]*modelLead{}}
		h.begin(r, rapid.SliceOfN(rapid.IntRange(-1, 1), 1, 12).Draw(r, "priorities"))
		r.Repeat(map[string]func(*rapid.T){
			"lease":  h.lease,
			"return": h.giveBack,
			"intend": h.intend,
			"settle": h.settle,
			"wait": func(r *rapid.T) {
				h.now = h.now.Add(time.Duration(rapid.IntRange(0, 5).Draw(r, "minutes")) * time.Minute)
			},
			"replay": h.replay,
			"reopen": h.reopen,
		})
	})
}

// modelStore is the store that the histories share.
type modelStore struct {
	m         Maker
	place     string
	b         Backend
	seq       uint64 // of the journal
	campaigns int
}

// modelLead is what the model knows of a lead.
type modelLead struct {
	class    int // 0 callback, 1 retry, 2 fresh
	priority int
	due      time.Time
	leased   bool
	open     string // attempt without outcome
	done     bool
	attempts int
}

// history is a campaign and its model.
type history struct {
	*modelStore
	campaign string
	now      time.Time
	leads    map[campaigns.LeadID]*modelLead
	changes  []dialer.Change
}

func (h *history) begin(r *rapid.T, priorities []int) {
	if _, err := h.b.PutCampaign(context.Background(), record(h.campaign)); err != nil {
		r.Fatalf("PutCampaign: %v", err)
	}
	list := numbered(0, len(priorities))
	for i := range list {
		list[i].Priority = priorities[i]
	}
	l, err := h.m.Load(context.Background(), h.b, h.campaign, "", monday)
	if err != nil {
		r.Fatalf("Load: %v", err)
	}
	if err := l.Stage(context.Background(), list); err != nil {
		r.Fatalf("Stage: %v", err)
	}
	if _, _, _, err := l.Commit(context.Background()); err != nil {
		r.Fatalf("Commit: %v", err)
	}
	err = h.b.EachLead(context.Background(), h.campaign, func(l campaigns.Lead) error {
		h.leads[l.ID] = &modelLead{class: 2, priority: l.Priority}
		return nil
	})
	if err != nil {
		r.Fatalf("EachLead: %v", err)
	}
}

// sorted are the ids of the leads that fit, in the order of leasing.
func (h *history) sorted(fit func(*modelLead) bool) []campaigns.LeadID {
	ids := slices.Sorted(maps.Keys(h.leads))
	ids = slices.DeleteFunc(ids, func(id campaigns.LeadID) bool { return !fit(h.leads[id]) })
	slices.SortStableFunc(ids, func(a, b campaigns.LeadID) int {
		x, y := h.leads[a], h.leads[b]
		return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(y.priority, x.priority))
	})
	return ids
}

func (h *history) lease(r *rapid.T) {
	n := rapid.IntRange(1, 5).Draw(r, "n")
	want := h.sorted(func(l *modelLead) bool { return !l.leased && l.open == "" && !l.done && !l.due.After(h.now) })
	want = want[:min(n, len(want))]
	leads, err := h.b.Lease(context.Background(), h.campaign, "node1", campaigns.Draw{N: n}, h.now)
	if err != nil {
		r.Fatalf("Lease: %v", err)
	}
	got := make([]campaigns.LeadID, len(leads))
	for i, l := range leads {
		got[i] = l.ID
		if l.Attempts != h.leads[l.ID].attempts {
			r.Fatalf("lead %d has %d attempts, want %d", l.ID, l.Attempts, h.leads[l.ID].attempts)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		r.Fatalf("leased (-want +got):\n%s", diff)
	}
	for _, id := range got {
		h.leads[id].leased = true
	}
}

// one draws one of the leads that fit; false when there is none.
func (h *history) one(r *rapid.T, fit func(*modelLead) bool) (campaigns.LeadID, *modelLead, bool) {
	ids := h.sorted(fit)
	if len(ids) == 0 {
		return 0, nil, false
	}
	id := rapid.SampledFrom(ids).Draw(r, "lead")
	return id, h.leads[id], true
}

// later is a due time: at once or soon.
func (h *history) later(r *rapid.T) time.Time {
	minutes := rapid.IntRange(-1, 6).Draw(r, "due in minutes")
	if minutes < 0 {
		return time.Time{}
	}
	return h.now.Add(time.Duration(minutes) * time.Minute)
}

func (h *history) giveBack(r *rapid.T) {
	id, l, some := h.one(r, func(l *modelLead) bool { return l.leased })
	if !some {
		return
	}
	l.due, l.leased = h.later(r), false
	if err := h.b.Return(context.Background(), []campaigns.LeadID{id}, l.due); err != nil {
		r.Fatalf("Return: %v", err)
	}
}

// write applies a change as the next record of the journal.
func (h *history) write(r *rapid.T, c dialer.Change) {
	h.seq++
	c.Seq, c.Attempt.Campaign = h.seq, h.campaign
	h.changes = append(h.changes, c)
	if err := h.b.Apply(context.Background(), []dialer.Change{c}); err != nil {
		r.Fatalf("Apply: %v", err)
	}
}

func (h *history) intend(r *rapid.T) {
	id, l, some := h.one(r, func(l *modelLead) bool { return l.leased })
	if !some {
		return
	}
	l.leased, l.open = false, fmt.Sprintf("attempt %d", h.seq)
	l.attempts++
	h.write(r, intent(l.open, 0, campaigns.Lead{ID: id, Number: number(0)}, h.now))
}

func (h *history) settle(r *rapid.T) {
	id, l, some := h.one(r, func(l *modelLead) bool { return l.open != "" })
	if !some {
		return
	}
	end := settled(intent(l.open, 0, campaigns.Lead{ID: id, Number: number(0)}, h.now), 0, campaigns.NoAnswer, h.later(r))
	l.open, l.due, l.class = "", end.Attempt.RetryAt, 1
	switch rapid.IntRange(0, 5).Draw(r, "how") {
	case 0:
		l.done, end.Attempt.Done = true, true
	case 1:
		l.class, end.Attempt.Disposition = 0, "callback"
	}
	h.write(r, end)
}

// replay applies the journal's tail again.
func (h *history) replay(r *rapid.T) {
	from := rapid.IntRange(0, len(h.changes)).Draw(r, "from")
	if err := h.b.Apply(context.Background(), h.changes[from:]); err != nil {
		r.Fatalf("Apply again: %v", err)
	}
	seq, err := h.b.Applied(context.Background())
	if err != nil || seq != h.seq {
		r.Fatalf("Applied = %d, %v, want %d", seq, err, h.seq)
	}
}

// reopen closes and opens the store, not too often.
func (h *history) reopen(r *rapid.T) {
	if rapid.IntRange(0, 3).Draw(r, "patience") > 0 {
		return
	}
	if err := h.b.Close(); err != nil {
		r.Fatalf("Close: %v", err)
	}
	var err error
	if h.b, err = h.m.Open(h.place); err != nil {
		r.Fatalf("Open: %v", err)
	}
	for _, l := range h.leads {
		l.leased = false
	}
	open, err := h.b.Unsettled(context.Background())
	open = slices.DeleteFunc(open, func(a dialer.Attempt) bool { return a.Campaign != h.campaign })
	want := h.sorted(func(l *modelLead) bool { return l.open != "" })
	if err != nil || len(open) != len(want) {
		r.Fatalf("Unsettled = %v, %v, want those on leads %v", open, err, want)
	}
}
