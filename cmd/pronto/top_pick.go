package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pronto/dialer"
)

// picker is the list of agents from which those of a campaign are chosen.
type picker struct {
	campaign string
	names    []string // all there are, and those of the campaign that are not there any more
	on       []string // marked, in the campaign's order
	every    bool
	at       int
	note     string
}

// openAgents asks who takes the chosen campaign's calls.
func (w *watch) openAgents() tea.Cmd {
	c, ok := w.chosenOne()
	if !ok {
		return nil
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(w.ctx, topPatience)
		defer cancel()
		doc, err := w.house.agents(ctx, c.Name)
		return topAgents{doc: doc, err: err}
	}
}

// agentsKnown opens the list of agents, or closes it when they were set.
func (w *watch) agentsKnown(msg topAgents) {
	switch {
	case msg.err != nil && w.pick != nil:
		w.pick.note = failedText(msg.err)
	case msg.err != nil:
		w.note = failedText(msg.err)
	case msg.set:
		w.pick, w.note = nil, msg.doc.text()
	default:
		p := &picker{campaign: msg.doc.Name, names: slices.Clone(msg.doc.Known), on: slices.Clone(msg.doc.Agents), every: msg.doc.All}
		for _, name := range p.on {
			if !slices.Contains(p.names, name) {
				p.names = append(p.names, name)
			}
		}
		w.pick = p
		if len(p.names) == 0 {
			w.pick, w.note = nil, "there are no agents: pronto agent add NAME"
		}
	}
}

// pickKey does what a key asks of the list of agents.
func (w *watch) pickKey(k string) tea.Cmd {
	p := w.pick
	p.note = ""
	page := max(w.height-5, 1)
	switch k {
	case "esc", "a":
		w.pick = nil
	case "up", "k":
		p.at--
	case "down", "j":
		p.at++
	case "pgup":
		p.at -= page
	case "pgdown":
		p.at += page
	case "home":
		p.at = 0
	case "end":
		p.at = len(p.names) - 1
	case "e":
		p.every = !p.every
	case "space", "x":
		p.mark()
	case "enter":
		return w.setAgents()
	}
	p.at = max(min(p.at, len(p.names)-1), 0)
	return nil
}

// mark marks the agent of the list, or takes the mark away.
func (p *picker) mark() {
	name := p.names[p.at]
	if i := slices.Index(p.on, name); i >= 0 {
		p.on = slices.Delete(p.on, i, i+1)
	} else {
		p.on = append(p.on, name)
	}
	p.every = false
}

// setAgents asks the service for the agents that are marked.
func (w *watch) setAgents() tea.Cmd {
	p := w.pick
	args := campaignAgentsArgs{Name: p.campaign, Agents: slices.Clone(p.on), All: p.every}
	if p.every {
		args.Agents = nil
	}
	if !args.sets() {
		p.note = "mark an agent, or e for every agent"
		return nil
	}
	p.note = fmt.Sprintf("setting the agents of %s ...", p.campaign)
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(w.ctx, topPatience)
		defer cancel()
		doc, err := w.house.setAgents(ctx, args)
		return topAgents{doc: doc, err: err, set: true}
	}
}

// lines draws the list of agents, held to a window of that height.
func (p *picker) lines(live dialer.Live, height int) []string {
	now := map[string]dialer.AgentLive{}
	for _, a := range live.Agents {
		now[a.Name] = a
	}
	count := plural(len(p.on), "agent")
	if p.every {
		count = "every agent"
	}
	lines := []string{fmt.Sprintf("Who takes the calls of %s: %s", p.campaign, count), ""}
	rows := len(p.names)
	if height > 0 {
		rows = max(min(rows, height-6), 1)
	}
	from := max(min(p.at-rows/2, len(p.names)-rows), 0)
	for i := from; i < from+rows; i++ {
		name := p.names[i]
		at, mark := " ", "[ ]"
		if i == p.at {
			at = ">"
		}
		if p.every || slices.Contains(p.on, name) {
			mark = "[x]"
		}
		state, campaign := stateText(now[name].State), now[name].Campaign
		if state == "" {
			state = "-"
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%s %s %-20s %-10s %s", at, mark, name, state, campaign), " "))
	}
	if rows < len(p.names) {
		lines = append(lines, fmt.Sprintf("      %d agents, %d above and %d below", len(p.names), from, len(p.names)-from-rows))
	}
	return lines
}
