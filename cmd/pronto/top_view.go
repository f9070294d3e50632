package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"pronto/dialer"
)

// text draws the view; live with the choice and the keys.
func (w *watch) text(live bool) string {
	var b bytes.Buffer
	here := 0
	for _, a := range w.live.Agents {
		if a.State != dialer.LoggedOut {
			here++
		}
	}
	fmt.Fprintf(&b, "pronto  %s  %s, %s here, %.0f calls a minute\n\n", w.live.At.Local().Format("15:04:05"), plural(len(w.live.Campaigns), "campaign"), plural(here, "agent"), w.perMinute())
	if w.live.StoreAway != nil {
		fmt.Fprintf(&b, "%s\n\n", awayText(w.live.StoreAway))
	}
	w.campaigns(&b, live)
	for _, name := range sortedKeys(w.live.Blocked) {
		fmt.Fprintf(&b, "%s cannot start: %s\n", name, w.live.Blocked[name])
	}
	if len(w.live.Nodes) > 0 {
		fmt.Fprintf(&b, "nodes: %s\n", nodesText(w.live.Nodes))
	}
	b.WriteString("\n")
	w.trunks(&b)
	w.agents(&b)
	if !live {
		return b.String()
	}
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if room := w.height - 2; room > 0 && len(lines) > room {
		lines = append(lines[:room-1], fmt.Sprintf("… %d more lines: make the window higher", len(lines)-room+1))
	}
	for i, line := range lines {
		if r := []rune(line); w.width > 0 && len(r) > w.width {
			lines[i] = string(r[:w.width])
		}
	}
	last := "up, down: choose   p: pause or start   q: quit"
	if w.note != "" {
		last += "   | " + w.note
	}
	return strings.Join(append(lines, "", last), "\n")
}

// campaigns draws one line for each campaign that runs.
func (w *watch) campaigns(b *bytes.Buffer, live bool) {
	if len(w.live.Campaigns) == 0 {
		b.WriteString("no campaign runs: pronto campaign start NAME\n")
		return
	}
	t := newTable(b, "", "CAMPAIGN", "STATE", "LINES", "WAITING", "TALKING", "DIALED", "ANSWERED", "CONNECTED", "ABANDONED", "RATE OF CAP", "CREDIT", "WHY")
	for i, c := range w.live.Campaigns {
		mark := ""
		if live && i == w.place() {
			mark = ">"
		}
		t.AppendRow(table.Row{
			mark, c.Name, c.State, c.Lines, c.Waiting, c.Talking, c.Tally.Dialed, c.Tally.Answered, c.Tally.Connected, c.Tally.Abandoned,
			rate(c.Decision.Rate) + " of " + rate(c.Cap), fmt.Sprintf("%.1f", c.Decision.Credit), c.Decision.Reason,
		})
	}
	t.Render()
}

// trunks draws one line for each trunk.
func (w *watch) trunks(b *bytes.Buffer) {
	if len(w.live.Trunks) == 0 {
		return
	}
	t := newTable(b, "TRUNK", "STATE", "CALLS NOW", "A SECOND", "LAST HOUR", "ANSWERED", "POST-DIAL", "FAILURES", "FALSE ANSWERS", "")
	for _, k := range w.live.Trunks {
		t.AppendRow(table.Row{
			k.Name, k.State, ofBound(float64(k.InUse), float64(k.Channels)), ofBound(k.CallsPerSecond, k.MaxPerSecond), k.Hour.Calls,
			rate(k.Hour.AnswerRatio), fmt.Sprintf("%.1f s", k.Hour.PostDialP50/1000), k.Hour.Failures, k.Hour.FalseAnswers, k.Why,
		})
	}
	t.Render()
	b.WriteString("\n")
}

// ofBound writes how much of a bound is used; a bound of 0 is none.
func ofBound(used, bound float64) string {
	text := strconv.FormatFloat(used, 'f', -1, 64)
	if bound > 0 {
		text += " of " + strconv.FormatFloat(bound, 'f', -1, 64)
	}
	return text
}

// agents draws the agents by state, those in it longest first.
func (w *watch) agents(b *bytes.Buffer) {
	if len(w.live.Agents) == 0 {
		b.WriteString("no agent's phone has shown up\n")
		return
	}
	by := map[dialer.AgentState][]dialer.AgentLive{}
	for _, a := range w.live.Agents {
		by[a.State] = append(by[a.State], a)
	}
	for _, state := range []dialer.AgentState{dialer.Ready, dialer.Reserved, dialer.Talking, dialer.WrapUp, dialer.NotReady, dialer.LoggedOut} {
		all := by[state]
		if len(all) == 0 {
			continue
		}
		slices.SortFunc(all, func(x, y dialer.AgentLive) int { return x.Since.Compare(y.Since) })
		fmt.Fprintf(b, "%-11s%3d  ", state, len(all))
		for i, a := range all {
			if i == agentsShown {
				fmt.Fprintf(b, "and %d more", len(all)-i)
				break
			}
			fmt.Fprintf(b, "%s %s  ", a.Name, lasting(w.live.At.Sub(a.Since)))
		}
		b.WriteString("\n")
	}
}

// agentsShown is how many agents of a state are named.
const agentsShown = 6

// lasting writes a time span as 3:07 or 1:02:03.
func lasting(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
