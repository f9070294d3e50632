package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// liveView is the service as it is now, with what the demo shows of it.
type liveView struct{ dialer.Live }

// live asks the service.
func (d *demo) live(ctx context.Context) (liveView, error) {
	var v liveView
	err := askLive(ctx, d.data, &v.Live)
	return v, err
}

// count is how many agents are in one of the states.
func (v liveView) count(states ...dialer.AgentState) int {
	n := 0
	for _, a := range v.Agents {
		if slices.Contains(states, a.State) {
			n++
		}
	}
	return n
}

// campaign is the demo's campaign; zero before it runs.
func (v liveView) campaign() dialer.CampaignLive {
	if len(v.Campaigns) == 0 {
		return dialer.CampaignLive{}
	}
	return v.Campaigns[0]
}

// line is the live view in one line of text.
func (v liveView) line(since time.Duration) string {
	c := v.campaign()
	perMinute := 0.0
	if since > 0 {
		perMinute = float64(c.Tally.Dialed) / since.Minutes()
	}
	return fmt.Sprintf("%4.0fs  agents %2d ready %2d talking %2d wrap-up %2d away | lines %2d  answered %3d  connected %3d | abandoned %d = %s of cap %s | %4.0f calls/min | %s",
		since.Seconds(), v.count(dialer.Ready, dialer.Reserved), v.count(dialer.Talking), v.count(dialer.WrapUp), v.count(dialer.NotReady, dialer.LoggedOut),
		c.Lines, c.Tally.Answered, c.Tally.Connected, c.Tally.Abandoned, percent(c.Tally.Abandoned, c.Tally.Connected), rate(c.Cap), perMinute, c.Decision.Reason)
}

func percent(part, whole int) string {
	if whole == 0 {
		return "0.0 %"
	}
	return rate(float64(part) / float64(whole))
}

func rate(r float64) string { return fmt.Sprintf("%.1f %%", r*100) }

// dial runs the campaign for the demo's time and shows it live: in one line
// that rewrites itself on a terminal, else in a line every five seconds.
func (d *demo) dial(ctx context.Context) error {
	if err := d.command(ctx, "pronto.yaml", nil, "campaign", "start", demoCampaign); err != nil {
		return err
	}
	d.dialing = time.Now()
	person := make(chan demoCallback, 1)
	found := make(chan campaigns.Number, 1)
	search, enough := context.WithCancel(ctx)
	defer enough()
	go func() { person <- d.ringBack(ctx, search, found) }()
	every, end := 5*time.Second, "\n"
	if isTerminal(d.show) {
		every, end = 500*time.Millisecond, "\r"
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	over := time.NewTimer(d.duration)
	defer over.Stop()
	for {
		select {
		case <-tick.C:
			if err := d.dead(); err != nil {
				return err
			}
			if v, err := d.live(ctx); err == nil {
				fmt.Fprint(d.show, v.line(time.Since(d.dialing))+strings.Repeat(" ", 4)+end)
			}
		case number := <-found:
			d.say("        %s rings %s back, hears who called, and presses 9%s", number.Masked(), demoCallerID, strings.Repeat(" ", 100)) // over the live line
		case <-over.C:
			fmt.Fprintln(d.show)
			enough()
			d.callback = <-person
			return d.windDown(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// windDown stops the campaign, lets the calls in progress end and waits for the
// far ends to have written what they heard.
func (d *demo) windDown(ctx context.Context) error {
	if err := d.command(ctx, "pronto.yaml", nil, "campaign", "stop", demoCampaign); err != nil {
		return err
	}
	err := d.await(ctx, "the end of the last call", 60*time.Second, func() bool {
		v, err := d.live(ctx)
		return err == nil && v.Lines() == 0
	})
	if err != nil || d.keep {
		return err
	}
	for _, name := range []string{"serve", "agents", "carrier"} {
		for _, c := range d.children {
			if c.name != name {
				continue
			}
			if err := c.stop(15 * time.Second); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
