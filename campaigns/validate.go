package campaigns

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Validate checks a campaign as Parse does. The error, when there is one, is
// Problems, with key paths but no places.
func (c *Campaign) Validate() error { return c.problems().err() }

// problems is everything wrong with c.
func (c *Campaign) problems() Problems {
	v := &validator{}
	v.identity(c)
	v.callerIDs(c.CallerIDs)
	v.hours(c.Hours)
	v.pacing(c.Pacing)
	if c.RingTimeout < 5*time.Second || c.RingTimeout > 120*time.Second {
		v.add("ring_timeout", brief(c.RingTimeout), "must lie between 5s and 120s", "the default is 22s")
	}
	if c.WrapUp < 0 || c.WrapUp > time.Hour {
		v.add("wrap_up", brief(c.WrapUp), "must lie between 0s and 1h", "")
	}
	if c.MaxAttempts < 1 || c.MaxAttempts > 100 {
		v.add("max_attempts", fmt.Sprint(c.MaxAttempts), "must lie between 1 and 100", "the default is 6")
	}
	for _, o := range outcomesOf(c.Retry) {
		v.retry(o, c.Retry[o])
	}
	if c.Priority < -1000 || c.Priority > 1000 {
		v.add("priority", fmt.Sprint(c.Priority), "must lie between -1000 and 1000", "the higher goes first; the default is 0")
	}
	if c.Weight < 1 || c.Weight > 1000 {
		v.add("weight", fmt.Sprint(c.Weight), "must lie between 1 and 1000", "the default is 1")
	}
	v.caps(c.Caps)
	v.dispositions(c)
	v.script(c.Script)
	v.appointments(c.Appointments)
	v.recording(c)
	v.callback(c.Callback)
	v.agents(c.Agents)
	v.orders(c)
	v.lists(c.Lists)
	return v.found
}

type validator struct{ found Problems }

func (v *validator) add(key, value, wrong, mend string) {
	v.found = append(v.found, Problem{Key: key, Value: value, Wrong: wrong, Mend: mend})
}

// identity checks the words that name the campaign and its rules.
func (v *validator) identity(c *Campaign) {
	switch {
	case c.Name == "":
		v.add("campaign", "", "is missing", "give the campaign a name such as autumn-2026")
	case !isSlug(c.Name):
		v.add("campaign", c.Name, "must be lower-case letters, digits and hyphens, at most 63", suggestSlug(c.Name))
	}
	switch {
	case strings.TrimSpace(c.Seller) == "":
		v.add("seller", "", "is missing", "name the company on whose behalf the calls are made")
	case !isLine(c.Seller):
		v.add("seller", c.Seller, "must be one line of at most 200 characters, without spaces around it", "")
	}
	switch {
	case c.Jurisdiction == "":
		v.add("jurisdiction", "", "is missing", "name the rule set, as in it, us, gb")
	case c.Jurisdiction == "uk":
		v.add("jurisdiction", c.Jurisdiction, "is not an ISO 3166 code", "write gb")
	case len(c.Jurisdiction) != 2 || !isSlug(c.Jurisdiction) || !isAlpha(c.Jurisdiction):
		v.add("jurisdiction", c.Jurisdiction, "must be two lower-case letters", "as in it, us, gb")
	}
	for _, f := range []struct{ key, value string }{{"purpose", c.Purpose}, {"sector", c.Sector}, {"trunk", c.Trunk}} {
		if f.value == "" && f.key != "purpose" {
			continue
		}
		if !isWord(f.value) {
			v.add(f.key, f.value, "must be one word of lower-case letters, digits, hyphens or underscores", "")
		}
	}
	v.trunks(c)
	v.machines(c.Machines)
	if c.Message != "" && !isLine(c.Message) {
		v.add("abandon_message", c.Message, "must be the name of a WAV file on one line", "")
	}
}

func (v *validator) trunks(c *Campaign) {
	if c.Trunk != "" && len(c.Trunks) > 0 {
		v.add("trunks", "", "stands beside trunk", "keep one of the two")
	}
	for i, name := range c.Trunks {
		key := fmt.Sprintf("trunks[%d]", i)
		switch {
		case !isWord(name):
			v.add(key, name, "must be one word of lower-case letters, digits, hyphens or underscores", "")
		case slices.Contains(c.Trunks[:i], name):
			v.add(key, name, "is given twice", "keep one")
		}
	}
}

func (v *validator) callerIDs(ids []Number) {
	if len(ids) == 0 {
		v.add("caller_ids", "", "is missing", "give at least one number to present, as in [\"+390844123456\"]")
	}
	for i, id := range ids {
		key := fmt.Sprintf("caller_ids[%d]", i)
		switch n, err := ParseCallerID(string(id)); {
		case err != nil:
			v.add(key, string(id), "is "+err.Error(), "")
		case n != id:
			v.add(key, string(id), "is not in E.164 form", "write "+string(n))
		case slices.Contains(ids[:i], id):
			v.add(key, string(id), "is given twice", "keep one")
		}
	}
}

func (v *validator) hours(h Hours) {
	if h == nil {
		return
	}
	problems := h.problems()
	for _, p := range problems {
		p.Key = "hours." + p.Key
		v.found = append(v.found, p)
	}
	if len(problems) == 0 && len(h.week()) == 0 {
		v.add("hours", "", "has no open span", "leave hours out to use the law's own")
	}
}

func (v *validator) pacing(p Pacing) {
	modes := []string{"predictive", "progressive", "ratio"}
	if !slices.Contains(modes, p.Mode) {
		mend := "use predictive, progressive or ratio"
		if near := nearest(p.Mode, modes); near != "" {
			mend = "did you mean " + near + "?"
		}
		v.add("pacing.mode", p.Mode, "is not a pacing mode", mend)
	}
	switch {
	case p.Mode == "ratio" && !(p.Ratio >= 1 && p.Ratio <= 100):
		v.add("pacing.ratio", fmt.Sprint(p.Ratio), "must lie between 1 and 100 lines per ready agent", "")
	case p.Mode != "ratio" && p.Ratio != 0:
		v.add("pacing.ratio", fmt.Sprint(p.Ratio), "is only for mode ratio", "leave it out")
	}
	if p.Cap != 0 && !(p.Cap > 0 && p.Cap < 1) {
		mend := "it is a share: 0.03 is 3%"
		if p.Cap >= 1 && p.Cap < 100 {
			mend = fmt.Sprintf("it is a share: write %g for %g%%", p.Cap/100, p.Cap)
		}
		v.add("pacing.cap", fmt.Sprint(p.Cap), "must lie between 0 and 1", mend)
	}
	if p.Target != 0 && !(p.Target > 0 && p.Target <= 1) {
		v.add("pacing.target", fmt.Sprint(p.Target), "must lie between 0 and 1", "it is the share of the cap to aim at")
	}
	if p.MaxLines < 0 {
		v.add("pacing.max_lines", fmt.Sprint(p.MaxLines), "must not be negative", "0 is no bound")
	}
	if !(p.MaxLinesPerAgent >= 0 && p.MaxLinesPerAgent <= 1000) {
		v.add("pacing.max_lines_per_agent", fmt.Sprint(p.MaxLinesPerAgent), "must lie between 0 and 1000", "0 is no bound")
	}
	if p.MaxCallsPerSecond < 0 {
		v.add("pacing.max_calls_per_second", fmt.Sprint(p.MaxCallsPerSecond), "must not be negative", "0 is no bound")
	}
}

func (v *validator) retry(o Outcome, r Retry) {
	key := "retry." + string(o)
	if !o.Retryable() {
		v.add(key, "", "is not an outcome that can be retried", "")
		return
	}
	// A lead that was perhaps dialed waits the delay of Interrupted even when it is not retried.
	v.rule(key, r, r.Max > 0 || o == Interrupted)
}

// rule checks one rule; needed says that its delay is used.
func (v *validator) rule(key string, r Retry, needed bool) {
	if r.Max < 0 || r.Max > 100 {
		v.add(key+".max", fmt.Sprint(r.Max), "must lie between 0 and 100 retries", "")
	}
	if r.Delay < 0 || r.Delay > MaxDelay || needed && r.Delay < time.Second {
		v.add(key+".delay", brief(r.Delay), "must lie between 1s and 2160h (90 days)", "")
	}
	if r.Growth != 0 && !(r.Growth >= 1 && r.Growth <= 10) {
		v.add(key+".growth", fmt.Sprint(r.Growth), "must lie between 1 and 10", "1 keeps the delay fixed")
	}
}

func (v *validator) agents(names []string) {
	for i, name := range names {
		key := fmt.Sprintf("agents[%d]", i)
		switch {
		case name == "" || len(name) > 63 || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
			v.add(key, name, "must be an agent's name without spaces, at most 63 characters", "")
		case slices.Contains(names[:i], name):
			v.add(key, name, "is given twice", "keep one")
		}
	}
}

// isSlug reports whether s is fit for a file name, a URL and a metric's label.
func isSlug(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r) && r != '-' })
}

func isPlain(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }

// isWord is isSlug with underscores.
func isWord(s string) bool { return isSlug(strings.ReplaceAll(s, "_", "x")) }

func isAlpha(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

// isLine reports whether s is printable text on one line.
func isLine(s string) bool {
	return s != "" && len([]rune(s)) <= 200 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// suggestSlug is a mend for a name that is nearly a slug.
func suggestSlug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !isPlain(r) })
	if slug := strings.Join(words, "-"); isSlug(slug) {
		return "write " + slug
	}
	return ""
}
