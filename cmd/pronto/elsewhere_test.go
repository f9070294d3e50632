package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// nodesKnown is a state that says which nodes share it.
type nodesKnown struct {
	state
	nodes []dialer.NodeState
}

var _ nodeState = nodesKnown{}

func (s nodesKnown) NodeStates(context.Context) ([]dialer.NodeState, error) { return s.nodes, nil }

func (s nodesKnown) Forget(context.Context, string, time.Time) ([]dialer.Attempt, error) {
	return nil, errors.New("not asked for")
}

func (s nodesKnown) Forgotten(context.Context, string) error { return errors.New("not asked for") }

// TestAgentsElsewhere: an agent who works at another node is not told as one whose
// phone is gone.
func TestAgentsElsewhere(t *testing.T) {
	h, g := served(t, t.TempDir())
	for _, name := range []string{"ada", "ben", "cleo", "dan"} {
		if _, err := ask[addedAgentDoc](t.Context(), g, "agent add", agentArgs{Name: name, Password: "secret"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	h.live = func() dialer.Live { return dialer.Live{Agents: []dialer.AgentLive{{Name: "ada", State: dialer.Ready}}} }
	h.store = nodesKnown{h.store, []dialer.NodeState{
		{Name: h.config.Node, Stands: dialer.NodeLiving, Agents: []string{"ada"}},
		{Name: "n2", Stands: dialer.NodeLiving, Agents: []string{"ben"}},
		{Name: "n3", Stands: dialer.NodeDead, Agents: []string{"cleo"}},
	}}
	all, err := ask[agentsDoc](t.Context(), g, "agent list", struct{}{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"ada": "ready", "ben": "at node n2", "cleo": "not registered", "dan": "not registered"}
	for _, a := range all.Agents {
		if got := a.standing(); got != want[a.Name] {
			t.Errorf("%s is told as %q, want %q", a.Name, got, want[a.Name])
		}
	}
	for name, want := range map[string]string{
		"ben": "agent ben works at node n2: ask there", "eve": `no agent "eve": see pronto agent list`, "dan": "agent dan: the agent is on no call",
	} {
		if err := h.aboutAgent(t.Context(), name, dialer.ErrNoCall); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
