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
		inUse, answered, delay := ofBound(float64(k.InUse), float64(k.Channels)), "-", "-"
		if k.Hour.Calls > 0 {
			answered = rate(k.Hour.AnswerRatio)
		}
		if k.Hour.PostDialP50 > 0 {
			delay = fmt.Sprintf("%.1f s", k.Hour.PostDialP50/1000)
		}
		if w.narrow(live) {
			t.AppendRow(table.Row{k.Name, k.State, inUse, k.Hour.Calls, answered, k.Hour.Failures, k.Why})
			continue
		}
		t.AppendRow(table.Row{
			k.Name, k.State, inUse, ofBound(k.CallsPerSecond, k.MaxPerSecond), k.Hour.Calls,
			answered, delay, k.Hour.Failures, k.Hour.FalseAnswers, k.Why,
		})
	}
	t.Render()
	b.WriteString("\n")
}

// registers says how long the word of the registers that were taken in holds.
func (w *watch) registers() string {
	var all []string
	for _, r := range w.taken {
		if r.Imports == 0 || r.Last == nil {
			continue
		}
		name := r.Register
		if r.Seller != "" {
			name += " for " + r.Seller
		}
		switch {
		case r.FreshUntil.IsZero():
			name += " taken in " + ago(w.live.At.Sub(r.Last.At))
		case r.FreshUntil.Before(w.live.At):
			name += " ended " + ago(w.live.At.Sub(r.FreshUntil))
		default:
			name += " of " + ago(w.live.At.Sub(r.Last.At)) + ", holds " + days(r.FreshUntil.Sub(w.live.At))
		}
		all = append(all, name)
	}
	if len(all) == 0 && len(w.taken) > 0 {
		return "none was taken in yet"
	}
	return strings.Join(all, "; ")
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
		line := fmt.Sprintf("%-11s%3d  ", stateText(state), len(all))
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

// each draws every agent in a line, by name.
func (w *watch) each(b *bytes.Buffer) {
	t := newTable(b, "AGENT", "STATE", "FOR", "CAMPAIGN")
	for _, a := range slices.SortedFunc(slices.Values(w.live.Agents), func(x, y dialer.AgentLive) int { return strings.Compare(x.Name, y.Name) }) {
		t.AppendRow(table.Row{a.Name, stateText(a.State), lasting(w.live.At.Sub(a.Since)), a.Campaign})
	}
	t.Render()
}

// lasting writes a time span as 3:07 or 1:02:03.
func lasting(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
