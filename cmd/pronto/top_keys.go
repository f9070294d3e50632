package main

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"pronto/dialer"
)

// key does what a key asks for.
func (w *watch) key(k string) tea.Cmd {
	if k == "q" || k == "ctrl+c" {
		return tea.Quit
	}
	if w.pick != nil {
		return w.pickKey(k)
	}
	draining := w.draining
	w.draining = ""
	if draining != "" && k != "d" {
		w.note = ""
	}
	switch k {
	case "esc":
		if draining == "" && !w.crew {
			return tea.Quit
		}
		w.crew = false
	case "up", "k":
		w.choose(-1)
	case "down", "j":
		w.choose(1)
	case "pgdown", "space", "f":
		w.below += w.page // text holds it to what there is
	case "pgup", "b":
		w.below = max(w.below-w.page, 0)
	case "tab":
		w.crew, w.below = !w.crew, 0
	case "p":
		return w.toggle()
	case "d":
		return w.drain(draining)
	case "a":
		return w.openAgents()
	}
	return nil
}

// choose moves the choice among the campaigns.
func (w *watch) choose(by int) {
	all := w.campaigns()
	if n := len(all); n > 0 {
		w.chosen = all[(w.place(all)+by+n)%n].Name
	}
}

// chosenOne is the chosen campaign; false when there is none.
func (w *watch) chosenOne() (shown, bool) {
	all := w.campaigns()
	if len(all) == 0 {
		return shown{}, false
	}
	return all[w.place(all)], true
}

// toggle pauses the chosen campaign or starts it.
func (w *watch) toggle() tea.Cmd {
	c, ok := w.chosenOne()
	if !ok {
		return nil
	}
	want, says := setArgs{Name: c.Name, State: dialer.Paused, What: "campaign paused"}, c.Name+" is paused: calls in progress go on"
	if c.State != dialer.Running {
		want, says = setArgs{Name: c.Name, State: dialer.Running, What: "campaign started"}, c.Name+" is running"
	}
	return w.apply(want, says)
}

// drain drains the chosen campaign when it is asked for a second time.
func (w *watch) drain(before string) tea.Cmd {
	c, ok := w.chosenOne()
	switch {
	case !ok:
		return nil
	case c.State == dialer.Stopped:
		w.note = c.Name + " is stopped"
		return nil
	case before != c.Name:
		w.draining, w.note = c.Name, "d again drains "+c.Name+"; any other key: no"
		return nil
	}
	return w.apply(setArgs{Name: c.Name, State: dialer.Draining, What: "campaign drained"}, c.Name+" drains: it is stopped when the last call has ended")
}

// apply asks the service for a campaign's state.
func (w *watch) apply(want setArgs, says string) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(w.ctx, topPatience)
		defer cancel()
		if err := w.house.set(ctx, want); err != nil {
			return topDone{failedText(err)}
		}
		return topDone{says}
	}
}

// failedText says why a key had no effect.
func failedText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "the service has not answered: look whether it was done"
	}
	return "not done: " + err.Error()
}
