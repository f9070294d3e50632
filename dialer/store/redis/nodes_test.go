package redis_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store/redis"
)

// forgotten are two nodes of which a has left an attempt open, leads leased, an agent and a debt.
func forgotten(t *testing.T) (n *nodesOf, open dialer.Attempt) {
	t.Helper()
	n = newNodesOf(t, 3)
	held := n.lease(n.a, 2, noon)
	open = attempt("01A", held[0])
	if err := n.a.Intend(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	if _, err := n.a.Sit(t.Context(), "agent01"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.a.Pledge(t.Context(), map[string]float64{"spring": -1.5, "autumn": 2}); err != nil {
		t.Fatal(err)
	}
	return n, open
}

func (n *nodesOf) states(s *redis.Store) []dialer.NodeState {
	n.t.Helper()
	all, err := s.NodeStates(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return all
}

func TestNodeStates(t *testing.T) {
	t.Parallel()
	n, _ := forgotten(t)
	seen := cmpopts.IgnoreFields(dialer.NodeState{}, "Seen", "Clock")
	want := []dialer.NodeState{
		{Name: "a", Stands: dialer.NodeLiving, Agents: []string{"agent01"}, Lines: 1, Leads: 1, Owes: []dialer.CampaignOwe{{Campaign: "spring", Abandons: 1.5}}},
		{Name: "b", Stands: dialer.NodeLiving},
	}
	if diff := cmp.Diff(want, n.states(n.b), seen); diff != "" {
		t.Errorf("while both live (-want +got):\n%s", diff)
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.beat(n.b)
	want[0].Stands, want[0].Leads = dialer.NodeLeft, 0
	if diff := cmp.Diff(want, n.states(n.b), seen); diff != "" {
		t.Errorf("after a has left (-want +got):\n%s", diff)
	}
}

// A node that is given up loses everything but its debts, and never comes back.
func TestForget(t *testing.T) {
	t.Parallel()
	n, attempt := forgotten(t)
	if _, err := n.b.Forget(t.Context(), "a", noon); !errors.Is(err, redis.ErrNodeLives) {
		t.Errorf("a living node: %v", err)
	}
	if _, err := n.b.Forget(t.Context(), "c", noon); !errors.Is(err, redis.ErrNoNode) {
		t.Errorf("an unknown node: %v", err)
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	open, err := n.b.Forget(t.Context(), "a", noon)
	if err != nil || len(open) != 1 || open[0].ID != attempt.ID || open[0].Number != attempt.Number {
		t.Fatalf("left open: %+v, %v", open, err)
	}
	if got := n.lease(n.b, 3, noon); len(got) != 2 {
		t.Errorf("%d leads are free, want those that were not called", len(got))
	}
	if at, err := n.b.Sit(t.Context(), "agent01"); err != nil || at != "" {
		t.Errorf("the agent works at %q, %v", at, err)
	}
	again, err := n.b.Forget(t.Context(), "a", noon)
	if err != nil || len(again) != 1 {
		t.Errorf("before it is settled it is found again: %v, %v", again, err)
	}
	_, _, settled := dialer.GiveUp(open[0], nil, "a", noon)
	if err := n.b.Apply(t.Context(), []dialer.Change{{Attempt: settled, Settled: true, Seq: 7, Safe: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := n.b.Forgotten(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if applied, err := n.b.Applied(t.Context()); err != nil || applied > 1 {
		t.Errorf("the node claims to have its own journal up to %d, %v", applied, err)
	}
	got, known, err := n.b.FindLead(t.Context(), "spring", attempt.Number)
	if err != nil || !known || got.LastOutcome != campaigns.Abandoned || got.Attempts != 1 {
		t.Errorf("the lead is %+v, %v", got, err)
	}
	if debts, err := n.b.Pledge(t.Context(), nil); err != nil || len(debts) != 1 || debts[0].Abandons != 1.5 {
		t.Errorf("debts: %v, %v", debts, err)
	}
	n.comesBack()
}

// comesBack has the forgotten node a try everything once more.
func (n *nodesOf) comesBack() {
	n.t.Helper()
	t := n.t
	if _, err := n.a.Beat(t.Context(), noon); !errors.Is(err, dialer.ErrForgotten) {
		t.Errorf("the forgotten node's process: %v", err)
	}
	if _, err := n.open("a").Beat(t.Context(), noon); !errors.Is(err, dialer.ErrForgotten) {
		t.Errorf("its restart: %v", err)
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if debts, err := n.a.Pledge(t.Context(), map[string]float64{"spring": 5}); err != nil || len(debts) != 0 {
		t.Errorf("it pledges, and is told of %v, %v", debts, err)
	}
	if debts, err := n.b.Pledge(t.Context(), nil); err != nil || len(debts) != 1 {
		t.Errorf("its debt is gone: %v, %v", debts, err)
	}
	if st := n.beat(n.b); len(st.Nodes) != 1 {
		t.Errorf("the others still know of %+v", st.Nodes)
	}
	if all := n.states(n.b); all[0].Stands != dialer.NodeForgotten || all[0].Lines != 0 {
		t.Errorf("it stands as %+v", all[0])
	}
}
