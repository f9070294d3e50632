package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"pronto/dialer"
)

// text draws the view; live with the choice and the keys, held to the window.
func (w *watch) text(live bool) string {
	if live && w.pick != nil {
		return w.framed(w.pick.lines(w.live, w.height), "up, down: choose   space: mark   e: every agent   enter: set   esc: back", w.pick.note)
	}
	head, table, rest := w.head(live), w.table(live), w.rest(live)
	if !live {
		lines := slices.Concat(head, table, rest)
		for i, line := range lines {
			lines[i] = strings.TrimRight(line, " ")
		}
		return strings.Join(lines, "\n") + "\n"
	}
	keys := "up, down: choose   p: pause or start   d: drain   a: agents   tab: each agent   q: quit"
	if w.narrow(live) {
		keys = "up/down  p: pause/start  d: drain  a: agents  tab: each agent  q: quit"
	}
	return w.framed(w.fitted(head, table, rest), keys, w.note)
}

// wrapped breaks a sentence at the window's width.
func (w *watch) wrapped(live bool, format string, args ...any) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(fmt.Sprintf(format, args...)) {
		if live && line != "" && w.width > 0 && len([]rune(line))+1+len([]rune(word)) > w.width {
			lines, line = append(lines, line), "  "+word
			continue
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// head is the first line, and what is to be known before all else.
func (w *watch) head(live bool) []string {
	here := 0
	for _, a := range w.live.Agents {
		if a.State != dialer.LoggedOut {
			here++
		}
	}
	line := fmt.Sprintf("pronto  %s  %s at work, %s here", w.live.At.Local().Format("15:04:05"), plural(len(w.live.Campaigns), "campaign"), plural(here, "agent"))
	if live {
		line += fmt.Sprintf(", %.0f calls a minute", w.perMinute())
	}
	if n := len(w.live.Callers); n > 0 {
		line += fmt.Sprintf(", %d ringing back", n)
	}
	lines := append(w.wrapped(live, "%s", line), "")
	if w.lost != nil {
		lines = append(lines, w.wrapped(live, "NO ANSWER since %s, what follows is of before; asking again: %v", w.lostAt.Local().Format("15:04:05"), w.lost)...)
		lines = append(lines, "")
	}
	if w.live.StoreAway != nil {
		lines = append(lines, w.wrapped(live, "%s", awayText(w.live.StoreAway))...)
		lines = append(lines, "")
	}
	if w.live.ClockWrong != "" {
		lines = append(lines, w.wrapped(live, "%s", w.live.ClockWrong)...)
		lines = append(lines, "")
	}
	return lines
}

// table draws one line for each campaign, below its heads.
func (w *watch) table(live bool) []string {
	all := w.campaigns()
	if len(all) == 0 {
		return []string{"no campaign: pronto campaign apply FILE"}
	}
	heads := []any{"", "CAMPAIGN", "STATE", "LINES", "WAITING", "TALKING", "DIALED", "ANSWERED", "CONNECTED", "ABANDONED", "RATE OF CAP", "BUDGET LEFT", "WHY"}
	if w.narrow(live) {
		heads = []any{"", "CAMPAIGN", "STATE", "LINES", "TALK", "RATE OF CAP", "BUDGET LEFT", "WHY"}
	}
	var b bytes.Buffer
	t := newTable(&b, heads...)
	at := w.place(all)
	for i, c := range all {
		mark := ""
		if live && i == at {
			mark = ">"
		}
		t.AppendRow(w.row(mark, c, live))
	}
	t.Render()
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

// row is a campaign's line.
func (w *watch) row(mark string, c shown, live bool) table.Row {
	state := string(c.State)
	if c.blocked {
		state = "cannot start"
	}
	if c.Mode == "" && c.DecidedAt.IsZero() && c.Tally.Dialed == 0 && c.Cap == 0 { // it is not at work
		return table.Row{mark, c.Name, state}
	}
	why := c.Decision.Reason.String()
	switch {
	case c.State != dialer.Running: // nothing is decided
		why = ""
	case c.Unrecordable != "":
		why = "recording"
	}
	spent, credit := rate(c.Decision.Rate)+" of "+rate(c.Cap), fmt.Sprintf("%.1f", c.Decision.Credit)
	if w.narrow(live) {
		return table.Row{mark, c.Name, state, c.Lines, c.Talking, spent, credit, why}
	}
	return table.Row{
		mark, c.Name, state, c.Lines, c.Waiting, c.Talking, c.Tally.Dialed, c.Tally.Answered, c.Tally.Connected, c.Tally.Abandoned,
		spent, credit, why,
	}
}

// rest is what follows the campaigns.
func (w *watch) rest(live bool) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, w.wrapped(live, format, args...)...) }
	if c, ok := w.chosenOne(); ok && live && c.State == dialer.Running && !c.blocked {
		lines = append(lines, "")
		say("%s: %s", c.Name, reasonText(c.Decision.Reason))
		if len(c.Tally.Refused) > 0 {
			say("refused since the service started: %s", refusedText(c.Tally.Refused))
		}
	}
	for _, c := range w.live.Campaigns {
		if c.Unrecordable != "" {
			say("%s: %s", c.Name, unrecordableText(c.Unrecordable))
		}
		if text := machinesText(c.Tally); text != "" {
			say("%s: answering machines: %s, since the service started", c.Name, text)
		}
	}
	for _, name := range sortedKeys(w.live.Blocked) {
		say("%s cannot start: %s", name, w.live.Blocked[name])
	}
	if len(w.live.Nodes) > 0 {
		say("nodes: %s", nodesText(w.live.Nodes))
	}
	var b bytes.Buffer
	b.WriteString("\n")
	w.trunks(&b, live)
	if w.crew && live {
		w.each(&b)
	} else {
		w.agents(&b)
	}
	lines = append(lines, strings.Split(strings.TrimRight(b.String(), "\n"), "\n")...)
	if taken := w.registers(); taken != "" {
		say("registers: %s", taken)
	}
	return lines
}

// leastRows is how many campaigns a low window still shows.
const leastRows = 3

// fitted is what the window has room for: the campaigns around the chosen one, and of what
// follows as much as page down has reached.
func (w *watch) fitted(head, table, rest []string) []string {
	room := w.height - len(head) - 2
	if w.height <= 0 || room >= len(table)+len(rest) {
		w.below = 0
		return slices.Concat(head, table, rest)
	}
	rows := min(len(table)-1, max(leastRows, room/2))
	if len(table)-1 > rows {
		at := w.place(w.campaigns())
		from := max(min(at-rows/2, len(table)-1-rows), 0)
		more := fmt.Sprintf("   %d campaigns, %d above and %d below", len(table)-1, from, len(table)-1-from-rows)
		table = slices.Concat(table[:1], table[1+from:1+from+rows], []string{more})
	}
	if room -= len(table); room <= 0 {
		return slices.Concat(head, table)
	}
	if len(rest) <= room {
		w.below = 0
		return slices.Concat(head, table, rest)
	}
	w.below = max(min(w.below, len(rest)-room+1), 0)
	w.page = max(room-1, 1)
	last := w.below + room - 1
	return slices.Concat(head, table, rest[w.below:last], []string{fmt.Sprintf("… lines %d to %d of %d: page up, page down", w.below+1, last, len(rest))})
}

// framed puts a note and the keys below the lines, and holds all to the window.
func (w *watch) framed(lines []string, keys, note string) string {
	if room := w.height - 2; room > 0 && len(lines) > room {
		lines = lines[:room]
	}
	lines = append(slices.Clone(lines), note, keys)
	if w.height > 0 && len(lines) > w.height {
		lines = lines[len(lines)-w.height:]
	}
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		if r := []rune(line); w.width > 0 && len(r) > w.width {
			line = string(r[:w.width])
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// wide is the least width of a window that shows every column.
const wide = 140

// narrow reports whether columns are left out.
func (w *watch) narrow(live bool) bool { return live && w.width > 0 && w.width < wide }
