package campaigns

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Normal is the campaign as canonical YAML: every key in its order, defaults
// written out, no comments. Two files that mean the same have the same Normal,
// and Parse of it gives the campaign back.
func (c *Campaign) Normal() []byte {
	var w yamlWriter
	w.pair(0, "campaign", quote(c.Name))
	w.pair(0, "seller", quote(c.Seller))
	w.pair(0, "purpose", quote(c.Purpose))
	w.optional("sector", c.Sector)
	w.pair(0, "jurisdiction", quote(c.Jurisdiction))
	ids := make([]string, len(c.CallerIDs))
	for i, id := range c.CallerIDs {
		ids[i] = string(id)
	}
	w.list(0, "caller_ids", ids)
	if c.Priority != 0 {
		w.pair(0, "priority", strconv.Itoa(c.Priority))
	}
	w.pair(0, "weight", strconv.Itoa(max(c.Weight, 1)))
	w.optional("trunk", c.Trunk)
	if len(c.Trunks) > 0 {
		w.list(0, "trunks", c.Trunks)
	}
	if c.Hours != nil {
		w.open("hours")
		hours := c.Hours.canonical()
		for _, day := range sortedDays(hours) {
			w.list(2, day, hours[day])
		}
	}
	w.pacing(c.Pacing)
	w.pair(0, "ring_timeout", brief(c.RingTimeout))
	w.pair(0, "wrap_up", brief(c.WrapUp))
	if len(c.Retry) > 0 {
		w.open("retry")
		for _, o := range outcomesOf(c.Retry) {
			w.retry(o, c.Retry[o])
		}
	}
	w.pair(0, "max_attempts", strconv.Itoa(c.MaxAttempts))
	w.caps(c.Caps)
	w.dispositions(c.Dispositions)
	w.script(c.Script)
	w.appointments(c.Appointments)
	w.optional("abandon_message", c.Message)
	w.machines(c.Machines)
	w.recording(c.Recording)
	w.callback(c.Callback.WithDefaults())
	if len(c.Agents) > 0 {
		w.list(0, "agents", c.Agents)
	}
	w.pair(0, "agent_order", string(cmp.Or(c.AgentOrder, AgentsIdle)))
	w.pair(0, "order", string(cmp.Or(c.Order, OrderList)))
	w.lists(c.Lists)
	return []byte(w.String())
}

// yamlWriter writes the little YAML that Normal needs.
type yamlWriter struct{ strings.Builder }

func (w *yamlWriter) pair(indent int, key, value string) {
	w.WriteString(strings.Repeat(" ", indent) + key + ": " + value + "\n")
}

func (w *yamlWriter) open(key string) { w.WriteString(key + ":\n") }

func (w *yamlWriter) optional(key, value string) {
	if value != "" {
		w.pair(0, key, quote(value))
	}
}

func (w *yamlWriter) list(indent int, key string, values []string) {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	w.pair(indent, key, "["+strings.Join(quoted, ", ")+"]")
}

// float writes a number of a nested block unless it is zero.
func (w *yamlWriter) float(key string, v float64) {
	if v != 0 {
		w.pair(2, key, strconv.FormatFloat(v, 'f', -1, 64))
	}
}

func (w *yamlWriter) integer(key string, v int) {
	if v != 0 {
		w.pair(2, key, strconv.Itoa(v))
	}
}

func (w *yamlWriter) pacing(p Pacing) {
	w.open("pacing")
	w.pair(2, "mode", quote(p.Mode))
	w.float("ratio", p.Ratio)
	w.float("cap", p.Cap)
	w.float("target", p.Target)
	w.integer("max_lines", p.MaxLines)
	w.float("max_lines_per_agent", p.MaxLinesPerAgent)
	w.integer("max_calls_per_second", p.MaxCallsPerSecond)
}

func (w *yamlWriter) retry(o Outcome, r Retry) {
	w.pair(2, string(o), "{"+strings.Join(retryFields(r), ", ")+"}")
}

func retryFields(r Retry) []string {
	fields := []string{"delay: " + brief(r.Delay)}
	if r.Growth != 0 {
		fields = append(fields, "growth: "+strconv.FormatFloat(r.Growth, 'f', -1, 64))
	}
	fields = append(fields, "max: "+strconv.Itoa(r.Max))
	if r.NextNumber {
		fields = append(fields, "next_number: true")
	}
	return fields
}

// brief is a duration without the zero minutes and seconds that Go writes: 4h,
// not 4h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// quote writes a text so that YAML reads it back as it is: plain when it is a
// word, in single quotes otherwise.
func quote(s string) string {
	if isWord(s) && isAlpha(s[:1]) && !yamlWord(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// yamlWord reports whether YAML 1.1 or 1.2 reads the plain word as something
// other than text.
func yamlWord(s string) bool {
	switch s {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	default:
		return false
	}
}
