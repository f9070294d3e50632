package campaigns

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// maxFile bounds a campaign file; none that a person writes comes near it.
const maxFile = 64 << 10

// maxDepth bounds nested brackets and hyphens, on which the YAML library spends
// time that grows with the square of the depth.
const maxDepth = 32

// Default is a campaign with every default filled in and nothing else.
func Default() Campaign {
	c := Campaign{
		Purpose:      "marketing",
		Pacing:       Pacing{Mode: "predictive"},
		Weight:       1,
		AgentOrder:   AgentsIdle,
		Order:        OrderList,
		RingTimeout:  22 * time.Second,
		MaxAttempts:  defaultMaxAttempts,
		Callback:     Callback{}.WithDefaults(),
		Appointments: DefaultAppointments(),
		Retry:        make(map[Outcome]Retry),
	}
	for _, o := range Outcomes() {
		if r := DefaultRetry(o); o.Retryable() && r.Max > 0 {
			c.Retry[o] = r
		}
	}
	return c
}

// Parse reads a campaign file: YAML with the keys of Campaign and no others,
// defaults filled in. name is the file's name for messages. The error, when
// there is one, is Problems: everything that is wrong, each with its place.
func Parse(name string, data []byte) (*Campaign, error) {
	r := &reader{file: name, places: make(map[string]place), bad: make(map[string]bool)}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(data) > maxFile {
		return nil, Problems{{File: name, Wrong: fmt.Sprintf("is larger than %d KiB", maxFile>>10)}}
	}
	if line := firstBadLine(data); line > 0 {
		return nil, Problems{{File: name, Line: line, Wrong: "is not UTF-8 text", Mend: "save the file as UTF-8"}}
	}
	if line := firstDeepLine(data); line > 0 {
		return nil, Problems{{File: name, Line: line, Wrong: "is nested too deeply"}}
	}
	root := r.tree(data)
	if root == nil {
		return nil, r.found.err()
	}
	c := Default()
	r.campaign(&c, root)
	if !r.bad[""] { // else there were no keys to check
		r.check(&c, root)
	}
	if err := r.found.err(); err != nil {
		return nil, err
	}
	c.Hours = c.Hours.canonical()
	return &c, nil
}

// firstBadLine is the line, from 1, of the first byte that is not UTF-8 text or
// is a control character other than tab and line ends; 0 when there is none.
func firstBadLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size <= 1:
			return line
		case r == '\n':
			line++
		case r < ' ' && r != '\t' && r != '\r' || r == 0x7f:
			return line
		}
		data = data[size:]
	}
	return 0
}

// firstDeepLine is the line, from 1, on which more than maxDepth brackets are
// open, or which begins with more than maxDepth marks of nested blocks; 0 when
// there is none.
func firstDeepLine(data []byte) int {
	line, open, marks := 1, 0, 0
	for i, c := range data {
		switch c {
		case '\n':
			line, marks = line+1, 0
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?', ':':
			if i+1 < len(data) && (data[i+1] == ' ' || data[i+1] == '\t') {
				marks++
			}
		}
		if open > maxDepth || marks > 8*maxDepth {
			return line
		}
	}
	return 0
}

// campaignKeys are the keys of a campaign file, in the order of Campaign.
func campaignKeys() []string {
	return []string{
		"campaign", "seller", "purpose", "sector", "jurisdiction", "caller_ids", "priority", "weight", "trunk", "trunks",
		"hours", "pacing", "ring_timeout", "wrap_up", "retry", "max_attempts", "caps", "dispositions", "script", "appointments", "abandon_message", "answering_machines",
		"recording", "callback", "agents", "agent_order", "order", "lists",
	}
}

// campaign reads the top level.
func (r *reader) campaign(c *Campaign, root ast.Node) {
	synonyms := map[string]string{
		"name": "campaign", "country": "jurisdiction", "cli": "caller_ids", "message": "abandon_message",
		"company": "seller", "attempts": "max_attempts", "calling_hours": "hours",
	}
	for _, e := range r.entries("", root, campaignKeys(), synonyms) {
		switch e.key {
		case "campaign":
			r.text(e.key, e.value, &c.Name)
		case "seller":
			r.text(e.key, e.value, &c.Seller)
		case "purpose":
			r.text(e.key, e.value, &c.Purpose)
		case "sector":
			r.text(e.key, e.value, &c.Sector)
		case "jurisdiction":
			r.text(e.key, e.value, &c.Jurisdiction)
		case "caller_ids":
			r.callerIDs(c, e.value)
		case "priority":
			r.integer(e.key, e.value, &c.Priority)
		case "weight":
			r.integer(e.key, e.value, &c.Weight)
		case "trunk":
			r.text(e.key, e.value, &c.Trunk)
		case "trunks":
			r.texts(e.key, e.value, &c.Trunks)
		case "hours":
			r.hours(c, e.value)
		case "pacing":
			r.pacing(&c.Pacing, e.value)
		case "ring_timeout":
			r.duration(e.key, e.value, &c.RingTimeout)
		case "wrap_up":
			r.duration(e.key, e.value, &c.WrapUp)
		case "retry":
			r.retries(c, e.value)
		case "max_attempts":
			r.integer(e.key, e.value, &c.MaxAttempts)
		case "caps":
			r.caps(&c.Caps, e.value)
		case "dispositions":
			r.dispositions(c, e.value)
		case "script":
			r.script(c, e.value)
		case "appointments":
			r.appointments(&c.Appointments, e.value)
		case "answering_machines":
			r.machines(&c.Machines, e.value)
		case "recording":
			r.recording(&c.Recording, e.value)
		case "abandon_message":
			r.text(e.key, e.value, &c.Message)
		case "callback":
			r.callback(&c.Callback, e.value)
		case "agents":
			r.texts(e.key, e.value, &c.Agents)
		case "agent_order":
			r.text(e.key, e.value, (*string)(&c.AgentOrder))
		case "order":
			r.text(e.key, e.value, (*string)(&c.Order))
		case "lists":
			r.lists(c, e.value)
		}
	}
}

func (r *reader) callerIDs(c *Campaign, n ast.Node) {
	var texts []string
	r.texts("caller_ids", n, &texts)
	for _, text := range texts {
		id, err := ParseCallerID(text)
		if err != nil {
			id = Number(text) // Validate says what is wrong
		}
		c.CallerIDs = append(c.CallerIDs, id)
	}
}

func (r *reader) pacing(p *Pacing, n ast.Node) {
	known := []string{"mode", "ratio", "cap", "target", "max_lines", "max_lines_per_agent", "max_calls_per_second"}
	for _, e := range r.entries("pacing", n, known, nil) {
		path := "pacing." + e.key
		switch e.key {
		case "mode":
			r.text(path, e.value, &p.Mode)
		case "ratio":
			r.float(path, e.value, &p.Ratio, "")
		case "cap":
			r.float(path, e.value, &p.Cap, "leave it out for the rule set's cap, or set mode: progressive to plan no abandon")
		case "target":
			r.float(path, e.value, &p.Target, "leave it out for the default")
		case "max_lines":
			r.integer(path, e.value, &p.MaxLines)
		case "max_lines_per_agent":
			r.float(path, e.value, &p.MaxLinesPerAgent, "leave it out for no bound")
		case "max_calls_per_second":
			r.integer(path, e.value, &p.MaxCallsPerSecond)
		}
	}
}

// check adds what Validate finds, with places, leaving out what was reported
// while reading.
func (r *reader) check(c *Campaign, root ast.Node) {
	for _, p := range c.problems() {
		if r.bad[p.Key] {
			continue
		}
		p.File = r.file
		p.Line, p.Column = position(root)
		if at, ok := r.places[p.Key]; ok {
			p.Line, p.Column, p.Key = at.line, at.column, at.shown
			p.Value = at.value
		} else if at, ok := r.places[parent(p.Key)]; ok {
			p.Line, p.Column = at.line, at.column
		}
		r.found = append(r.found, p)
	}
	r.found.sortByPlace()
	r.found = slices.Compact(r.found)
}

// parent is the path without its last step.
func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return ""
}
