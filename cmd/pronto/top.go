package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"pronto/dialer"
)

// topEvery is how often the view is asked for anew, and topPatience how long the service
// may take to answer.
const (
	topEvery    = 500 * time.Millisecond
	topPatience = 10 * time.Second
)

// listsEvery is how often the registers are asked for.
const listsEvery = 15 * time.Second

func newTopCommand(g *globals) *cobra.Command {
	once := false
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the running service: campaigns, why pacing dials what it dials, agents",
		Long: `Shows the running service, twice a second: every campaign with its lines, answers, abandon rate against the cap, what the
caps still allow and the reason of pacing's last decision, every trunk with its last hour, every agent with state and time in it, and how long the registers' last word holds. A window of
fewer than 140 columns gets fewer of them. A service that ends or starts anew is waited for.

  up, down            choose a campaign
  p                   pause it, or start it
  d, and d again      drain it: start no more calls, end the run when the last call has ended
  a                   choose the agents who take its calls
  tab                 every agent in a line of their own, and back
  page up, page down  the lines that do not fit
  q                   quit

What a key changes is journaled with your name, as by pronto campaign. Without a terminal, with --once or --json, it is
shown once.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTop(cmd, g, once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "show it once")
	return cmd
}

func runTop(cmd *cobra.Command, g *globals, once bool) error {
	w := &watch{width: 120, height: 50, ctx: cmd.Context(), house: topHouse{g}}
	first, err := w.house.live(cmd.Context())
	if err != nil {
		return err
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), first)
	}
	w.taken, w.asked = w.house.registers(cmd.Context()), time.Now()
	w.take(first, time.Now())
	if once || !isTerminal(cmd.OutOrStdout()) || !isTyped(cmd.InOrStdin()) || os.Getenv("TERM") == "dumb" {
		cmd.Print(w.text(false))
		return nil
	}
	return w.run(cmd.InOrStdin(), cmd.OutOrStdout())
}

// isTyped reports whether a person can type into r.
func isTyped(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && isTerminal(f)
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
	return nil
}

// watched is what the view asks of the service.
type watched interface {
	live(context.Context) (dialer.Live, error)
	registers(context.Context) []registerDoc // none when they cannot be told
	set(context.Context, setArgs) error
	agents(context.Context, string) (campaignAgentsDoc, error)
	setAgents(context.Context, campaignAgentsArgs) (campaignAgentsDoc, error)
}

// topHouse asks the service that runs on the data folder.
type topHouse struct{ g *globals }

var _ watched = topHouse{}

func (h topHouse) live(ctx context.Context) (dialer.Live, error) {
	return askService[dialer.Live](ctx, h.g, "live", struct{}{})
}

func (h topHouse) registers(ctx context.Context) []registerDoc {
	doc, err := askService[registersDoc](ctx, h.g, "dnc registers", struct{}{})
	if err != nil {
		return nil // the view goes on without them
	}
	return doc.Registers
}

func (h topHouse) set(ctx context.Context, args setArgs) error {
	_, err := askService[setDoc](ctx, h.g, "campaign set", args)
	return err
}

func (h topHouse) agents(ctx context.Context, name string) (campaignAgentsDoc, error) {
	return askService[campaignAgentsDoc](ctx, h.g, "campaign agents", campaignAgentsArgs{Name: name})
}

func (h topHouse) setAgents(ctx context.Context, args campaignAgentsArgs) (campaignAgentsDoc, error) {
	return askService[campaignAgentsDoc](ctx, h.g, "set agents", args)
}

// watch is the view's state. It implements tea.Model.
type watch struct {
	ctx   context.Context
	house watched

	live          dialer.Live
	lost          error         // why the last look at the service failed
	lostAt        time.Time     // since when looks fail
	taken         []registerDoc // as they were asked for last
	asked         time.Time     // for the registers
	dialed        []dialedBy    // of the last minute, oldest first
	chosen        string        // campaign
	draining      string        // campaign that a second d drains
	note          string        // what a key did
	crew          bool          // every agent in a line of their own
	below, page   int           // lines that page down has passed, and passes at once
	pick          *picker       // the agents' list is open
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
	topDone   struct{ says string }
	topAgents struct {
		doc campaignAgentsDoc
		err error
		set bool // they were set
	}
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
		return w, w.look(time.Since(w.asked) >= listsEvery)
	case topLive:
		w.looked(msg)
		return w, tick()
	case topDone:
		w.note = msg.says
	case topAgents:
		w.agentsKnown(msg)
	case tea.KeyPressMsg:
		return w, w.key(msg.String())
	}
	return w, nil
}

// look asks the service how it stands.
func (w *watch) look(lists bool) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(w.ctx, topPatience)
		defer cancel()
		live, err := w.house.live(ctx)
		msg := topLive{live: live, at: time.Now(), err: err}
		if lists && err == nil {
			msg.taken, msg.listed = w.house.registers(ctx), true
		}
		return msg
	}
}

// looked takes what was seen; a service that does not answer is asked again, and the last
// look stays.
func (w *watch) looked(msg topLive) {
	if msg.err != nil {
		if w.lost == nil {
			w.lostAt = msg.at
		}
		w.lost = msg.err
		return
	}
	w.lost = nil
	if msg.listed {
		w.asked = msg.at
	}
	if msg.taken != nil { // else they cannot be told now
		w.taken = msg.taken
	}
	w.take(msg.live, msg.at)
}

// shown is one campaign of the view.
type shown struct {
	dialer.CampaignLive
	blocked bool
}

// campaigns are those at work and then the others, by name.
func (w *watch) campaigns() []shown {
	var all []shown
	at := map[string]bool{}
	for _, c := range w.live.Campaigns {
		at[c.Name] = true
		all = append(all, shown{CampaignLive: c})
	}
	for _, name := range sortedKeys(w.live.Idle) {
		if !at[name] {
			_, blocked := w.live.Blocked[name]
			all = append(all, shown{dialer.CampaignLive{Name: name, State: w.live.Idle[name]}, blocked})
		}
	}
	return all
}

// place is where the chosen campaign stands; the first where it has gone.
func (w *watch) place(all []shown) int {
	return max(slices.IndexFunc(all, func(c shown) bool { return c.Name == w.chosen }), 0)
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
