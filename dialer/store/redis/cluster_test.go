package redis_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// nodesOf are two nodes with the campaign spring on one server, which live.
type nodesOf struct {
	t    *testing.T
	url  string
	dirs map[string]string
	a, b *redis.Store
}

// noon is the service's clock in these tests; the server's is another.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newNodesOf(t *testing.T, leads int) *nodesOf {
	t.Helper()
	return newNodesOn(t, startServer(t), leads)
}

func newNodesOn(t *testing.T, srv *server, leads int) *nodesOf {
	t.Helper()
	n := &nodesOf{t: t, url: srv.url("?fsync=any"), dirs: map[string]string{"a": t.TempDir(), "b": t.TempDir()}}
	n.a = n.open("a")
	record := dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring", Seller: "acme"}, State: dialer.Running, CreatedAt: noon, UpdatedAt: noon}
	if _, err := n.a.PutCampaign(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	load, err := n.a.LoadLeads(t.Context(), "spring", "", noon)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]campaigns.Lead, leads)
	for i := range list {
		list[i] = campaigns.Lead{Number: campaigns.Number(fmt.Sprintf("+39356%07d", i))}
	}
	if err := load.Stage(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := load.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(n.dirs["a"], store.KeyName))
	if err == nil {
		err = os.WriteFile(filepath.Join(n.dirs["b"], store.KeyName), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.b = n.open("b")
	n.beat(n.a)
	n.beat(n.b)
	return n
}

// open starts a process of a node.
func (n *nodesOf) open(node string) *redis.Store {
	n.t.Helper()
	s, err := redis.Open(n.t.Context(), redis.Options{URL: n.url, Node: node, Dir: n.dirs[node], Wait: 20 * time.Second})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			n.t.Error(err)
		}
	})
	return s
}

func (n *nodesOf) beat(s *redis.Store) dialer.Standing {
	n.t.Helper()
	st, err := s.Beat(n.t.Context(), noon)
	if err != nil {
		n.t.Fatal(err)
	}
	return st
}

// dead waits until the others have taken the node for dead.
func (n *nodesOf) dead(name string) {
	n.t.Helper()
	until(n.t, "node "+name+" dead", func() bool {
		for _, k := range n.beat(n.b).Nodes {
			if k.Name == name && !k.Alive {
				return true
			}
		}
		return false
	})
}

func (n *nodesOf) lease(s *redis.Store, most int, now time.Time) []campaigns.Lead {
	n.t.Helper()
	leads, err := s.Lease(n.t.Context(), "spring", "", campaigns.Draw{N: most}, now)
	if err != nil {
		n.t.Fatal(err)
	}
	return leads
}

// attempt is one on a lead, at noon, that waits an hour when nothing more is heard of it.
func attempt(id string, l campaigns.Lead) dialer.Attempt {
	return dialer.Attempt{ID: id, Lead: l.ID, Campaign: "spring", Seller: "acme", Number: l.Number, At: noon, RetryAt: noon.Add(time.Hour)}
}

func numbersOf(leads []campaigns.Lead) []campaigns.Number {
	var all []campaigns.Number
	for _, l := range leads {
		all = append(all, l.Number)
	}
	return all
}

// A dead node's lead without an intent is fresh; one with an intent waits its delay from
// the moment on in which the death was noticed, and its attempt stays the node's own.
func TestDeadNodeGivesBack(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 3)
	held := n.lease(n.a, 2, noon)
	if err := n.a.Intend(t.Context(), attempt("01A", held[0])); err != nil {
		t.Fatal(err)
	}
	if got := n.lease(n.b, 3, noon); len(got) != 1 {
		t.Fatalf("another node leases %v while a lives, want the one lead that is free", numbersOf(got))
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	noticed := noon.Add(10 * time.Minute)
	if _, err := n.b.Beat(t.Context(), noticed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbersOf(held[1:]), numbersOf(n.lease(n.b, 3, noticed))); diff != "" {
		t.Errorf("leased at once (-want +got):\n%s", diff)
	}
	if got := n.lease(n.b, 3, noticed.Add(time.Hour-time.Second)); len(got) != 0 {
		t.Errorf("leased before its delay: %v", numbersOf(got))
	}
	if diff := cmp.Diff(numbersOf(held[:1]), numbersOf(n.lease(n.b, 3, noticed.Add(time.Hour)))); diff != "" {
		t.Errorf("leased after the delay (-want +got):\n%s", diff)
	}
	open, err := n.open("a").Unsettled(t.Context())
	if err != nil || len(open) != 1 || open[0].ID != "01A" {
		t.Errorf("the node's restart finds %v open, %v; want its attempt", open, err)
	}
	if open, err := n.b.Unsettled(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("the other node has %v open, %v", open, err)
	}
}

// Every node can tell how many of a campaign's leads are being called, at whichever.
func TestCalling(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 3)
	is := func(when string, want int) {
		t.Helper()
		if got, err := n.b.Calling(t.Context(), "spring"); err != nil || got != want {
			t.Errorf("%s %d leads are being called, %v; want %d", when, got, err, want)
		}
	}
	held := n.lease(n.a, 2, noon)
	is("leased,", 0)
	a := attempt("01A", held[0])
	if err := n.a.Intend(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	is("with an intent,", 1)
	a.Outcome, a.RetryAt = campaigns.NoAnswer, noon.Add(time.Hour)
	if err := n.a.Apply(t.Context(), []dialer.Change{{Attempt: a, Settled: true, Seq: 1}}); err != nil {
		t.Fatal(err)
	}
	is("settled,", 0)
}

// What a node that was taken for dead does afterwards changes nothing for who has
// the lead now.
func TestLateNodeIsFenced(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	lead := n.lease(n.a, 1, noon)[0]
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.beat(n.b)
	if got := n.lease(n.b, 1, noon); len(got) != 1 {
		t.Fatal("the lead is not free")
	}
	if err := n.a.Intend(t.Context(), attempt("01A", lead)); !errors.Is(err, dialer.ErrLeaseLost) {
		t.Errorf("the late node's intent: %v", err)
	}
	if err := n.a.Return(t.Context(), []campaigns.LeadID{lead.ID}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := n.lease(n.a, 1, noon); len(got) != 0 {
		t.Error("the late node gave another's lease back")
	}
	late := attempt("01A", lead)
	late.Outcome, late.RetryAt = campaigns.Failed, noon
	if err := n.a.Apply(t.Context(), []dialer.Change{{Attempt: late, Settled: true, Seq: 1}}); err != nil {
		t.Fatal(err)
	}
	if got := n.lease(n.a, 1, noon.Add(time.Minute)); len(got) != 0 {
		t.Error("the late node's settlement freed another's lease")
	}
	if st := n.beat(n.a); !st.Lost {
		t.Error("the late node is not told that its leases are lost")
	}
	if st := n.beat(n.a); st.Lost {
		t.Error("it is told twice")
	}
}

// A node that comes back settles what it had begun, and does not bring back a lead
// that another node has finished meanwhile, nor keep it from being finished.
func TestLateSettlementLeavesTheLead(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	lead := n.lease(n.a, 1, noon)[0]
	if err := n.a.Intend(t.Context(), attempt("01A", lead)); err != nil {
		t.Fatal(err)
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.beat(n.b)
	again := n.lease(n.b, 1, noon.Add(time.Hour))
	if len(again) != 1 {
		t.Fatal("the lead is not due again")
	}
	sold := attempt("02B", again[0])
	sold.At = noon.Add(time.Hour)
	if err := n.b.Intend(t.Context(), sold); err != nil {
		t.Fatal(err)
	}
	sold.Outcome, sold.Done = campaigns.Bridged, true
	if err := n.b.Apply(t.Context(), []dialer.Change{{Attempt: sold, Settled: true, Seq: 2}}); err != nil {
		t.Fatal(err)
	}
	late := attempt("01A", lead)
	late.Outcome, late.RetryAt = campaigns.Interrupted, noon
	if err := n.a.Apply(t.Context(), []dialer.Change{{Attempt: late, Settled: true, Seq: 3}}); err != nil {
		t.Fatal(err)
	}
	if open, err := n.a.Unsettled(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("open at the late node: %v, %v", open, err)
	}
	counts, err := n.b.LeadCounts(t.Context(), "spring", noon.Add(2*time.Hour))
	if err != nil || counts.Done != 1 || counts.Dialing != 0 {
		t.Errorf("the lead stands as %+v, %v; want it done", counts, err)
	}
	got, _, err := n.b.FindLead(t.Context(), "spring", lead.Number)
	if err != nil || got.Attempts != 2 || got.LastOutcome != campaigns.Bridged {
		t.Errorf("the lead is %+v, %v; want two attempts, the last put through", got, err)
	}
}

// Two leads with one number, at two nodes: the second attempt is refused, though
// both gates allowed it.
func TestNumberIsCalledByOneNode(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 2)
	one, two := n.lease(n.a, 1, noon)[0], n.lease(n.b, 1, noon)[0]
	two.Number = one.Number
	if err := n.a.Intend(t.Context(), attempt("01A", one)); err != nil {
		t.Fatal(err)
	}
	if err := n.b.Intend(t.Context(), attempt("01B", two)); !errors.Is(err, dialer.ErrNumberTaken) {
		t.Errorf("the second intent: %v", err)
	}
	test := attempt("01C", campaigns.Lead{Number: one.Number})
	if err := n.b.Intend(t.Context(), test); !errors.Is(err, dialer.ErrNumberTaken) {
		t.Errorf("a test call's intent: %v", err)
	}
	test.Number = "+393569999999"
	if err := n.b.Intend(t.Context(), test); err != nil {
		t.Errorf("a test call's intent to another number: %v", err)
	}
}

func TestSilentNodeDies(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	n.lease(n.a, 1, noon)
	began := time.Now()
	n.dead("a")
	if took := time.Since(began); took < dialer.NodeLife-time.Second {
		t.Errorf("dead after %s of silence, want %s", took, dialer.NodeLife)
	}
	if got := n.lease(n.b, 1, noon); len(got) != 1 {
		t.Error("its lease was not taken back")
	}
}

func TestLaterProcessReplaces(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	n.lease(n.a, 1, noon)
	later := n.open("a")
	if got := n.lease(n.b, 1, noon); len(got) != 1 {
		t.Error("the restart did not give back what the node had leased")
	}
	if st := n.beat(later); st.Lost || len(st.Nodes) != 2 {
		t.Errorf("the restarted node stands as %+v", st)
	}
	if _, err := n.a.Beat(t.Context(), noon); !errors.Is(err, dialer.ErrReplaced) {
		t.Errorf("the earlier process: %v", err)
	}
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := n.beat(n.b); !st.Nodes[0].Alive || !st.Nodes[1].Alive {
		t.Errorf("the earlier process ended the life of the later one: %+v", st)
	}
}

func TestSeats(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	sit := func(s *redis.Store, want string) {
		t.Helper()
		if at, err := s.Sit(t.Context(), "agent01"); err != nil || at != want {
			t.Errorf("the agent works at %q, %v; want %q", at, err, want)
		}
	}
	rise := func(s *redis.Store) {
		t.Helper()
		if err := s.Rise(t.Context(), "agent01"); err != nil {
			t.Error(err)
		}
	}
	sit(n.a, "")
	sit(n.a, "")
	sit(n.b, "a")
	rise(n.b) // is not theirs to give
	sit(n.b, "a")
	rise(n.a)
	sit(n.b, "")
	sit(n.a, "b")
	if err := n.b.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	sit(n.a, "")
}

func TestPledges(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	pledge := func(s *redis.Store, credit map[string]float64, want ...dialer.Debt) {
		t.Helper()
		got, err := s.Pledge(t.Context(), credit)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialer.Debt{}, "Since")); err != nil || diff != "" {
			t.Errorf("debts, %v (-want +got):\n%s", err, diff)
		}
		for _, d := range got {
			if ago := time.Since(d.Since); ago < -time.Second || ago > time.Minute {
				t.Errorf("node %s was last heard of %s ago", d.Node, ago)
			}
		}
	}
	pledge(n.a, map[string]float64{"spring": -1.25, "autumn": 3})
	pledge(n.b, map[string]float64{"spring": -7})
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	pledge(n.b, nil, dialer.Debt{Node: "a", Campaign: "spring", Abandons: 1.25})
	n.beat(n.b)
	pledge(n.b, map[string]float64{"spring": 2}, dialer.Debt{Node: "a", Campaign: "spring", Abandons: 1.25})
	n.beat(n.a)
	pledge(n.b, nil)
}
