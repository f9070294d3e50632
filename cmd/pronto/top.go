package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"pronto/dialer"
)

// topEvery is how often the view is asked for anew.
const topEvery = 500 * time.Millisecond

// listsEvery is how often the registers are asked for.
const listsEvery = 15 * time.Second

func newTopCommand(g *globals) *cobra.Command {
	once := false
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the running service: campaigns, why pacing dials what it dials, agents",
		Long: `Shows the running service, twice a second: every campaign with its lines, answers, abandon rate against the cap, what the
caps still allow and the reason of pacing's last decision, every trunk with its last hour, every agent with state and time in it, and how long the registers' last word holds. A window of
fewer than 140 columns gets fewer of them.

  up, down   choose a campaign
  p          pause it, or start it again
  q          quit

Without a terminal, with --once or --json, it is shown once.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTop(cmd, g, once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "show it once")
	return cmd
}

func runTop(cmd *cobra.Command, g *globals, once bool) error {
	first, err := ask[dialer.Live](cmd.Context(), g, "live", struct{}{}, nil)
	if err != nil {
		return err
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), first)
	}
	w := &watch{width: 120, height: 50, ask: func(ctx context.Context) (dialer.Live, error) {
		return ask[dialer.Live](ctx, g, "live", struct{}{}, nil)
	}, set: func(ctx context.Context, name string, state dialer.CampaignState) error {
		what := "pause"
		if state == dialer.Running {
			what = "start"
		}
		_, err := ask[setDoc](ctx, g, "campaign set", setArgs{Name: name, State: state, What: what}, nil)
		return err
	}, ctx: cmd.Context()}
	w.lists = func(ctx context.Context) []registerDoc {
		doc, err := ask[registersDoc](ctx, g, "dnc registers", struct{}{}, nil)
		if err != nil {
			return nil // the view goes on without them
		}
		return doc.Registers
	}
	w.taken, w.asked = w.lists(cmd.Context()), time.Now()
	w.take(first, time.Now())
	if once || !isTerminal(cmd.OutOrStdout()) {
		cmd.Print(w.text(false))
		return nil
	}
	return w.run(cmd.InOrStdin(), cmd.OutOrStdout())
}

// run shows the view until the user quits.
func (w *watch) run(in io.Reader, out io.Writer) error {
	_, err := tea.NewProgram(w, tea.WithContext(w.ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(w.width, w.height)).Run()
	if errors.Is(err, tea.ErrProgramKilled) && w.ctx.Err() != nil {
		return nil // Ctrl-C ends a view in good order
	}
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	return w.gone
}

// watch is the view's state. It implements tea.Model.
type watch struct {
	ctx context.Context
	ask func(context.Context) (dialer.Live, error)
	set func(context.Context, string, dialer.CampaignState) error

	live          dialer.Live
	taken         []registerDoc // as they were asked for last
	lists         func(context.Context) []registerDoc
	asked         time.Time  // for the registers
	dialed        []dialedBy // of the last minute, oldest first
	chosen        string     // campaign
	note          string     // what a key did
	gone          error      // why the view ended
	width, height int
}

// dialedBy is how many calls had been dialed at an instant.
type dialedBy struct {
	at time.Time
	n  int
}

// The messages.
type (
	topTick struct{}
	topLive struct {
		live   dialer.Live
		at     time.Time
		err    error
		taken  []registerDoc
		listed bool // the registers were asked for
	}
	topDone struct{ says string }
)

// Init implements tea.Model.
func (w *watch) Init() tea.Cmd { return tick() }

func tick() tea.Cmd {
	return tea.Tick(topEvery, func(time.Time) tea.Msg { return topTick{} })
}

// Update implements tea.Model.
func (w *watch) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		w.width, w.height = msg.Width, msg.Height
	case topTick:
		lists := w.lists
		if time.Since(w.asked) < listsEvery {
			lists = nil
		}
		return w, func() tea.Msg {
			live, err := w.ask(w.ctx)
			msg := topLive{live: live, at: time.Now(), err: err}
			if lists != nil && err == nil {
				msg.taken, msg.listed = lists(w.ctx), true
			}
			return msg
		}
	case topLive:
		if msg.err != nil {
			w.gone = msg.err
			return w, tea.Quit
		}
		if msg.listed {
			w.taken, w.asked = msg.taken, msg.at
		}
		w.take(msg.live, msg.at)
		return w, tick()
	case topDone:
		w.note = msg.says
	case tea.KeyPressMsg:
		return w, w.key(msg.String())
	}
	return w, nil
}

// key does what a key asks for.
func (w *watch) key(k string) tea.Cmd {
	switch k {
	case "q", "ctrl+c", "esc":
		return tea.Quit
	case "up", "k":
		w.choose(-1)
	case "down", "j":
		w.choose(1)
	case "p":
		return w.toggle()
	}
	return nil
}

// choose moves the choice among the campaigns.
func (w *watch) choose(by int) {
	n := len(w.live.Campaigns)
	if n == 0 {
		return
	}
	w.chosen = w.live.Campaigns[(w.place()+by+n)%n].Name
}

// place is where the chosen campaign stands; the first where it has gone.
func (w *watch) place() int {
	for i, c := range w.live.Campaigns {
		if c.Name == w.chosen {
			return i
		}
	}
	return 0
}

// toggle pauses the chosen campaign or starts it again.
func (w *watch) toggle() tea.Cmd {
	if len(w.live.Campaigns) == 0 {
		return nil
	}
	c := w.live.Campaigns[w.place()]
	want, says := dialer.Paused, c.Name+" is paused: calls in progress go on"
	if c.State != dialer.Running {
		want, says = dialer.Running, c.Name+" is running"
	}
	return func() tea.Msg {
		if err := w.set(w.ctx, c.Name, want); err != nil {
			return topDone{err.Error()}
		}
		return topDone{says}
	}
}

// take puts a new look at the service into the view.
func (w *watch) take(live dialer.Live, at time.Time) {
	w.live = live
	n := 0
	for _, c := range live.Campaigns {
		n += c.Tally.Dialed
	}
	if k := len(w.dialed); k > 0 && w.dialed[k-1].n > n {
		w.dialed = nil // a campaign ended, or the service started anew
	}
	w.dialed = append(w.dialed, dialedBy{at, n})
	for len(w.dialed) > 2 && at.Sub(w.dialed[1].at) >= time.Minute {
		w.dialed = w.dialed[1:]
	}
}

// perMinute is how many calls were dialed in the last minute; 0 before two looks.
func (w *watch) perMinute() float64 {
	first, last := w.dialed[0], w.dialed[len(w.dialed)-1]
	if !last.at.After(first.at) {
		return 0
	}
	return float64(last.n-first.n) / last.at.Sub(first.at).Minutes()
}

// View implements tea.Model.
func (w *watch) View() tea.View {
	v := tea.NewView(w.text(true))
	v.AltScreen = true
	return v
}
