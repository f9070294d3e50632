package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"pronto/dialer"
)

// fakeHouse is a service that keeps what it was asked.
type fakeHouse struct {
	look   func() (dialer.Live, error)
	states map[string]dialer.CampaignState
	crews  map[string][]string // agents by campaign; of none: every agent
	known  []string
	away   error // what every wish is answered with
}

func (f *fakeHouse) live(context.Context) (dialer.Live, error) { return f.look() }
func (f *fakeHouse) registers(context.Context) []registerDoc   { return nil }
func (f *fakeHouse) set(_ context.Context, args setArgs) error {
	if f.away == nil {
		f.states[args.Name] = args.State
	}
	return f.away
}

func (f *fakeHouse) agents(_ context.Context, name string) (campaignAgentsDoc, error) {
	return campaignAgentsDoc{Name: name, Agents: f.crews[name], All: len(f.crews[name]) == 0, Known: f.known}, f.away
}

func (f *fakeHouse) setAgents(_ context.Context, args campaignAgentsArgs) (campaignAgentsDoc, error) {
	if f.away == nil {
		f.crews[args.Name] = args.Agents
	}
	return campaignAgentsDoc{Name: args.Name, Agents: args.Agents, All: args.All, Known: f.known}, f.away
}

func topOf(t *testing.T) (*watch, *fakeHouse) {
	f := &fakeHouse{
		states: map[string]dialer.CampaignState{}, crews: map[string][]string{"autumn": {"carla", "gone"}}, known: []string{"anna", "bruno", "carla"},
		look: func() (dialer.Live, error) { return noonLive(0, 0), nil },
	}
	w := &watch{ctx: t.Context(), house: f, width: 100, height: 30}
	w.take(noonLive(0, 0), time.Now())
	return w, f
}

// press types keys and gives the view what came of each.
func press(w *watch, keys ...string) {
	for _, k := range keys {
		if cmd := w.key(k); cmd != nil {
			w.Update(cmd())
		}
	}
}

func TestTopKeys(t *testing.T) {
	w, f := topOf(t)
	press(w, "p")
	if f.states["autumn"] != dialer.Paused || w.note != "autumn is paused: calls in progress go on" {
		t.Errorf("p: %v, %q", f.states, w.note)
	}
	press(w, "down", "p")
	if w.chosen != "spring" || f.states["spring"] != dialer.Running {
		t.Errorf("down, p: %q, %v", w.chosen, f.states)
	}
	press(w, "down", "p") // it was stopped
	if f.states["summer"] != dialer.Running {
		t.Errorf("a stopped campaign is not started: %v", f.states)
	}
	if press(w, "down", "down"); w.chosen != "autumn" {
		t.Errorf("the choice does not go round: %q", w.chosen)
	}
	press(w, "d", "x")
	if f.states["autumn"] == dialer.Draining || w.note != "" {
		t.Errorf("one d drained it: %v, %q", f.states, w.note)
	}
	press(w, "d", "down", "d")
	if f.states["spring"] == dialer.Draining {
		t.Errorf("d, down, d drained another campaign")
	}
	press(w, "d")
	if f.states["spring"] != dialer.Draining {
		t.Errorf("d, d: %v, %q", f.states, w.note)
	}
	f.away = errors.New("spring cannot start: no prompt")
	if press(w, "p"); w.note != "not done: spring cannot start: no prompt" {
		t.Errorf("a wish that fails: %q", w.note)
	}
	w.take(dialer.Live{}, time.Now())
	for _, k := range []string{"down", "up", "p", "d", "a", "tab", "pgdown", "pgup"} {
		if cmd := w.key(k); cmd != nil {
			t.Errorf("%s does something where there is no campaign", k)
		}
	}
}

func TestTopSetsAgents(t *testing.T) {
	w, f := topOf(t)
	press(w, "a")
	text := w.text(true)
	for _, want := range []string{"Who takes the calls of autumn: 2 agents", "> [ ] anna", "[x] carla", "[x] gone", "talking", "enter: set"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	press(w, "space", "end", "space", "enter") // anna too, gone no more
	if !slices.Equal(f.crews["autumn"], []string{"carla", "anna"}) || w.pick != nil || w.note != "autumn: 2 agents: carla, anna" {
		t.Errorf("set to %v, %q", f.crews["autumn"], w.note)
	}
	press(w, "a", "home", "space", "down", "down", "space", "enter")
	if w.pick == nil || !strings.Contains(w.text(true), "mark an agent") || len(f.crews["autumn"]) != 2 {
		t.Errorf("no agent at all was accepted: %v\n%s", f.crews, w.text(true))
	}
	press(w, "e", "enter")
	if len(f.crews["autumn"]) != 0 || w.pick != nil || !strings.Contains(w.note, "every agent") {
		t.Errorf("every agent: %v, %q", f.crews, w.note)
	}
	press(w, "a", "space")
	f.away = errors.New("the store is away")
	press(w, "enter")
	if w.pick == nil || !strings.Contains(w.text(true), "not done: the store is away") {
		t.Errorf("what fails is not said:\n%s", w.text(true))
	}
	if press(w, "esc"); w.pick != nil || len(f.crews["autumn"]) != 0 {
		t.Errorf("esc changes something: %v", f.crews)
	}
	f.away, f.known = nil, nil
	w.chosen = "spring"
	if press(w, "a"); w.pick != nil || !strings.Contains(w.note, "pronto agent add") {
		t.Errorf("no agents: %q", w.note)
	}
}

// TestTopWaitsForTheService: a service that ends and comes back is waited for, and what was
// seen last stays.
func TestTopWaitsForTheService(t *testing.T) {
	w, f := topOf(t)
	f.look = func() (dialer.Live, error) { return dialer.Live{}, errNoService }
	w.Update(w.look(false)())
	w.Update(w.look(false)())
	if text := w.text(true); !strings.Contains(text, "NO ANSWER since") || !strings.Contains(text, "autumn") {
		t.Errorf("a service that went is shown as\n%s", text)
	}
	f.look = func() (dialer.Live, error) { return noonLive(time.Minute, 3), nil }
	if _, cmd := w.Update(w.look(false)()); cmd == nil || strings.Contains(w.text(true), "NO ANSWER") {
		t.Errorf("and when it is back as\n%s", w.text(true))
	}
}

// manyLive is a service with many of everything.
func manyLive(campaigns, agents int) dialer.Live {
	live := noonLive(0, 100)
	for i := range campaigns {
		live.Idle[fmt.Sprintf("list-%03d", i)] = dialer.Stopped
	}
	for i := range agents {
		live.Agents = append(live.Agents, dialer.AgentLive{Name: fmt.Sprintf("agent%03d", i), State: dialer.Ready, Since: live.At.Add(-time.Duration(i) * time.Minute)})
	}
	return live
}

// TestTopScrolls reaches every campaign and every agent from a low window.
func TestTopScrolls(t *testing.T) {
	w, _ := topOf(t)
	w.width, w.height = 80, 24
	w.take(manyLive(100, 60), time.Now())
	seen := map[string]bool{}
	look := func() {
		for _, line := range strings.Split(w.text(true), "\n") {
			for _, word := range strings.Fields(line) {
				seen[word] = true
			}
		}
	}
	for range 105 {
		press(w, "down")
		if look(); !strings.Contains(w.text(true), ">  "+w.chosen) {
			t.Fatalf("%s is chosen and not shown:\n%s", w.chosen, w.text(true))
		}
	}
	press(w, "tab")
	for range 30 {
		look()
		press(w, "pgdown")
	}
	for i := range 100 {
		if name := fmt.Sprintf("list-%03d", i); !seen[name] {
			t.Errorf("campaign %s cannot be reached", name)
		}
	}
	for i := range 60 {
		if name := fmt.Sprintf("agent%03d", i); !seen[name] {
			t.Errorf("agent %s cannot be reached", name)
		}
	}
}

// TestTopAnywhere: whatever the window, whatever there is and whatever is typed, the view
// fits the window and nothing breaks.
func TestTopAnywhere(t *testing.T) {
	keys := []string{"up", "down", "p", "d", "a", "tab", "pgup", "pgdown", "home", "end", "space", "e", "enter", "esc", "k", "j", "f", "b", "?"}
	rapid.Check(t, func(r *rapid.T) {
		w, f := topOf(t)
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0:
				w.Update(tea.WindowSizeMsg{Width: rapid.IntRange(0, 220).Draw(r, "width"), Height: rapid.IntRange(0, 70).Draw(r, "height")})
			case 1:
				w.take(manyLive(rapid.IntRange(0, 40).Draw(r, "campaigns"), rapid.IntRange(0, 40).Draw(r, "agents")), time.Now())
			case 2:
				f.known = f.known[:rapid.IntRange(0, len(f.known)).Draw(r, "known")]
				f.away = rapid.SampledFrom([]error{nil, errNoService}).Draw(r, "away")
			default:
				press(w, rapid.SampledFrom(keys).Draw(r, "key"))
			}
			lines := strings.Split(w.text(true), "\n")
			if w.height > 0 && len(lines) > w.height {
				r.Fatalf("%d lines in a window of %d:\n%s", len(lines), w.height, w.text(true))
			}
			for _, line := range lines {
				if n := len([]rune(line)); w.width > 0 && n > w.width {
					r.Fatalf("%d columns in a window of %d: %q", n, w.width, line)
				}
			}
		}
	})
}
