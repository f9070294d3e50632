package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pronto/dialer"
	"pronto/dnc"
	"pronto/pacing"
)

// noonLive is a service with two campaigns and agents, a while after noon.
func noonLive(after time.Duration, dialed int) dialer.Live {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(after)
	return dialer.Live{
		At: at,
		Campaigns: []dialer.CampaignLive{
			{
				Name: "autumn", State: dialer.Running, Lines: 7, Waiting: 1, Talking: 3, Cap: 0.03,
				Tally:    dialer.Tally{Dialed: dialed, Answered: 12, Connected: 11, Abandoned: 1, Refused: map[dnc.Reason]int{dnc.OptedOut: 2}},
				Decision: pacing.Decision{Reason: pacing.OverBudget, Rate: 0.083, Credit: -0.6},
			},
			{Name: "spring", State: dialer.Paused, Cap: 0.03},
		},
		Idle:    map[string]dialer.CampaignState{"autumn": dialer.Stopped, "summer": dialer.Stopped, "winter": dialer.Running},
		Trunks:  []dialer.TrunkLive{{Name: "north", State: dialer.TrunkDown, Why: "not registered", InUse: 3, Channels: 30, CallsPerSecond: 0.5, Hour: dialer.TrunkHour{Calls: 41, AnswerRatio: 0.25, PostDialP50: 2100}}},
		Blocked: map[string]string{"winter": "no rule set"},
		Agents: []dialer.AgentLive{
			{Name: "anna", State: dialer.Talking, Since: at.Add(-187 * time.Second)},
			{Name: "bruno", State: dialer.Ready, Since: at.Add(-3723 * time.Second)},
			{Name: "carla", State: dialer.LoggedOut, Since: at},
		},
	}
}

func TestTopShowsTheService(t *testing.T) {
	w := &watch{width: 200, height: 40}
	began := time.Now()
	w.take(noonLive(0, 100), began)
	w.take(noonLive(30*time.Second, 160), began.Add(30*time.Second))
	text := w.text(true)
	for _, want := range []string{
		"2 campaigns at work, 2 agents here, 120 calls a minute", "> ", "autumn", "8.3 % of 3.0 %", "-0.6", "over-budget",
		"winter cannot start: no rule set", "north", "not registered", "3 of 30", "25.0 %", "2.1 s", "anna 3:07", "bruno 1:02:03", "p: pause or start", "autumn: what a window still allows is kept in hand", "refused since the service started: opted_out 2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "nodes") || strings.Contains(text, "store is away") {
		t.Errorf("a service that is alone tells of others:\n%s", text)
	}
	w.live.Nodes = []dialer.NodeLive{{Name: "n1", Alive: true}, {Name: "n2", Seen: began}}
	w.live.StoreAway = &dialer.StoreAway{Since: began, Why: "connection refused"}
	if text := w.text(true); !strings.Contains(text, "nodes: n1, n2 (dead, last heard of") || !strings.Contains(text, "nothing is dialed until it is back; calls in progress go on (connection refused)") {
		t.Errorf("neither nodes nor the store are told of:\n%s", text)
	}
	w.live.Campaigns[0].Unrecordable = "the disk of the recordings is full"
	w.live.Campaigns[1].Tally = dialer.Tally{Machines: 5, Released: 3}
	for _, live := range []bool{false, true} {
		text := w.text(live)
		for _, want := range []string{
			"autumn: nobody is dialed until there is room: recording.required, and the disk of the recordings is full", "spring: answering machines: 3 released, of 2 the agents were told",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("live %v: %q is missing in\n%s", live, want, text)
			}
		}
	}
	if w.take(noonLive(0, 3), began.Add(time.Minute)); w.perMinute() != 0 {
		t.Errorf("%v calls a minute after the service started anew", w.perMinute())
	}
	empty := &watch{}
	empty.take(dialer.Live{}, began)
	if text := empty.text(false); !strings.Contains(text, "no campaign: pronto campaign apply") || !strings.Contains(text, "no agent's phone") {
		t.Errorf("an empty service is shown as\n%s", text)
	}
}

// TestTopFits draws the view for small and large windows and compares it with the golden
// files; -update writes them.
func TestTopFits(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {200, 60}} {
		name := fmt.Sprintf("%dx%d", size.width, size.height)
		t.Run(name, func(t *testing.T) {
			w := &watch{width: size.width, height: size.height}
			began := time.Now()
			w.take(noonLive(0, 100), began)
			live := noonLive(30*time.Second, 160)
			for i := range 40 {
				live.Agents = append(live.Agents, dialer.AgentLive{Name: fmt.Sprintf("agent%02d", i), State: dialer.Ready, Since: live.At.Add(-time.Duration(i) * time.Minute)})
			}
			w.taken = []registerDoc{
				{Register: "rpo", Seller: "Aurora", Imports: 2, Last: &dnc.Import{At: live.At.AddDate(0, 0, -3)}, FreshUntil: live.At.AddDate(0, 0, 12)},
				{Register: "tps"},
			}
			w.take(live, began.Add(30*time.Second))
			w.note = "autumn is paused: calls in progress go on"
			text := w.text(true)
			for i, line := range strings.Split(text, "\n") {
				if n := len([]rune(line)); n > size.width {
					t.Errorf("line %d has %d columns: %q", i+1, n, line)
				}
			}
			if n := strings.Count(text, "\n") + 1; n > size.height {
				t.Errorf("%d lines", n)
			}
			got := strings.Replace(text, live.At.Local().Format("15:04:05"), "12:00:30", 1) + "\n"
			path := filepath.Join("testdata", "top", name+".txt")
			if *updateTop {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(got), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || string(want) != got {
				t.Errorf("%s is not what is drawn now (run with -update-top), %v:\n%s", path, err, got)
			}
		})
	}
}

var updateTop = flag.Bool("update-top", false, "write the golden files of pronto top")

// TestTopRuns shows the view until q is typed.
func TestTopRuns(t *testing.T) {
	asked := make(chan struct{})
	var once sync.Once
	w := &watch{ctx: t.Context(), width: 120, height: 50, house: &fakeHouse{look: func() (dialer.Live, error) {
		once.Do(func() { close(asked) })
		return noonLive(time.Second, 5), nil
	}}}
	w.take(noonLive(0, 0), time.Now())
	in, keys := io.Pipe()
	go func() {
		<-asked
		_, _ = fmt.Fprint(keys, "q")
	}()
	var out bytes.Buffer
	if err := w.run(in, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "autumn") {
		t.Errorf("shown was %q", out.String())
	}
	var _ tea.Model = w
}
