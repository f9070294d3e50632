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
	w.trunks(&b, live)
	w.agents(&b)
	w.registers(&b)
	if !live {
		return b.String()
	}
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if room := w.height - 2; room > 0 && len(lines) > room {
		lines = append(lines[:room-1], fmt.Sprintf("… %d more lines: make the window higher", len(lines)-room+1))
	}
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		lines[i] = line
		if r := []rune(line); w.width > 0 && len(r) > w.width {
			lines[i] = string(r[:w.width])
		}
	}
	last := "up, down: choose   p: pause or start   q: quit"
	if long := last + "   | " + w.note; w.note != "" && w.width > 0 && len([]rune(long)) > w.width {
		last = string([]rune(w.note)[:min(len([]rune(w.note)), w.width)])
	} else if w.note != "" {
		last = long
	}
	return strings.Join(append(lines, "", last), "\n")
}

// campaigns draws one line for each campaign that runs.
func (w *watch) campaigns(b *bytes.Buffer, live bool) {
	if len(w.live.Campaigns) == 0 {
		b.WriteString("no campaign runs: pronto campaign start NAME\n")
		return
	}
	heads := []any{"", "CAMPAIGN", "STATE", "LINES", "WAITING", "TALKING", "DIALED", "ANSWERED", "CONNECTED", "ABANDONED", "RATE OF CAP", "CREDIT", "WHY"}
	if w.narrow(live) {
		heads = []any{"", "CAMPAIGN", "STATE", "LINES", "TALK", "RATE OF CAP", "CREDIT", "WHY"}
	}
	t := newTable(b, heads...)
	for i, c := range w.live.Campaigns {
		mark := ""
		if live && i == w.place() {
			mark = ">"
		}
		spent, credit := rate(c.Decision.Rate)+" of "+rate(c.Cap), fmt.Sprintf("%.1f", c.Decision.Credit)
		if w.narrow(live) {
			t.AppendRow(table.Row{mark, c.Name, c.State, c.Lines, c.Talking, spent, credit, c.Decision.Reason})
			continue
		}
		t.AppendRow(table.Row{
			mark, c.Name, c.State, c.Lines, c.Waiting, c.Talking, c.Tally.Dialed, c.Tally.Answered, c.Tally.Connected, c.Tally.Abandoned,
			spent, credit, c.Decision.Reason,
		})
	}
	t.Render()
}

// wide is the least width of a window that shows every column.
const wide = 140

// narrow reports whether columns are left out.
func (w *watch) narrow(live bool) bool { return live && w.width > 0 && w.width < wide }

// trunks draws one line for each trunk.
func (w *watch) trunks(b *bytes.Buffer, live bool) {
	if len(w.live.Trunks) == 0 {
		return
	}
	heads := []any{"TRUNK", "STATE", "CALLS NOW", "A SECOND", "LAST HOUR", "ANSWERED", "POST-DIAL", "FAILURES", "FALSE ANSWERS", ""}
	if w.narrow(live) {
		heads = []any{"TRUNK", "STATE", "CALLS NOW", "LAST HOUR", "ANSWERED", "FAILURES", ""}
	}
	t := newTable(b, heads...)
	for _, k := range w.live.Trunks {
		inUse, answered := ofBound(float64(k.InUse), float64(k.Channels)), rate(k.Hour.AnswerRatio)
		if w.narrow(live) {
			t.AppendRow(table.Row{k.Name, k.State, inUse, k.Hour.Calls, answered, k.Hour.Failures, k.Why})
			continue
		}
		t.AppendRow(table.Row{
			k.Name, k.State, inUse, ofBound(k.CallsPerSecond, k.MaxPerSecond), k.Hour.Calls,
			answered, fmt.Sprintf("%.1f s", k.Hour.PostDialP50/1000), k.Hour.Failures, k.Hour.FalseAnswers, k.Why,
		})
	}
	t.Render()
	b.WriteString("\n")
}

// registers says how long the registers' last word holds.
func (w *watch) registers(b *bytes.Buffer) {
	var all []string
	for _, r := range w.taken {
		name := r.Register
		if r.Seller != "" {
			name += " for " + r.Seller
		}
		switch {
		case r.Imports == 0 || r.Last == nil:
			name += " never taken in"
		case r.FreshUntil.IsZero():
			name += " taken in " + ago(w.live.At.Sub(r.Last.At))
		case r.FreshUntil.Before(w.live.At):
			name += " ended " + ago(w.live.At.Sub(r.FreshUntil))
		default:
			name += " of " + ago(w.live.At.Sub(r.Last.At)) + ", holds " + days(r.FreshUntil.Sub(w.live.At))
		}
		all = append(all, name)
	}
	if len(all) > 0 {
		fmt.Fprintf(b, "registers: %s\n", strings.Join(all, "; "))
	}
}

// days writes a span of time roughly.
func days(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	case d >= time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d min", int(max(d, 0).Minutes()))
}

func ago(d time.Duration) string { return days(d) + " ago" }

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
		line := fmt.Sprintf("%-11s%3d  ", state, len(all))
		for i, a := range all {
			next := fmt.Sprintf("%s %s  ", a.Name, lasting(w.live.At.Sub(a.Since)))
			if w.width > 0 && len([]rune(line+next)) > w.width-len("and 10000 more") {
				line += fmt.Sprintf("and %d more", len(all)-i)
				break
			}
			line += next
		}
		b.WriteString(line + "\n")
	}
}

// lasting writes a time span as 3:07 or 1:02:03.
func lasting(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
