package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (s *Screening) says() []string {
	if s.Shape == None {
		return []string{"no register to consult"}
	}
	what := "a verdict of"
	if s.Shape == ByList {
		what = "a copy of"
	}
	lines := []string{fmt.Sprintf("%s the register %s, at most %s old", what, s.Register, s.MaxAge)}
	if s.PerCampaign {
		lines = append(lines, "taken after the campaign was created")
	}
	if len(s.Purposes) > 0 {
		lines = append(lines, "for campaigns of purpose "+strings.Join(s.Purposes, ", "))
	}
	switch s.Consent {
	case NoConsent:
	case AnyConsent:
		lines = append(lines, "a registration is lifted by a consent")
	case LaterConsent:
		lines = append(lines, "a registration is lifted by a consent given after it")
	}
	if s.Contract {
		lines = append(lines, "or by a contract in force"+after(s.ContractDays))
	}
	if s.InquiryDays > 0 {
		lines = append(lines, fmt.Sprintf("or by an inquiry of the last %d days", s.InquiryDays))
	}
	return lines
}

func after(days int) string {
	if days == 0 {
		return ""
	}
	return fmt.Sprintf(" or ended at most %d days ago", days)
}

func (o *OptIn) says() []string {
	line := "only with a consent on file"
	if o.MaxAge > 0 {
		line += fmt.Sprintf(", at most %s old", o.MaxAge)
	}
	lines := []string{line}
	if len(o.Purposes) > 0 {
		lines = append(lines, "for campaigns of purpose "+strings.Join(o.Purposes, ", "))
	}
	if o.Contract {
		line := "a contract in force" + after(o.ContractDays) + " stands in for it"
		if len(o.ContractFor) > 0 {
			line += " for purpose " + strings.Join(o.ContractFor, ", ")
		}
		lines = append(lines, line)
	}
	if o.Prior {
		lines = append(lines, "a customer record for similar products stands in for it")
	}
	if len(o.Exempt) > 0 {
		lines = append(lines, "not needed for purpose "+strings.Join(o.Exempt, ", "))
	}
	return lines
}

func (s *Sector) says() []string {
	line := "no calls for the sector " + strings.Join(append([]string{s.Name}, s.Also...), ", ")
	if s.Consent {
		line += " without a consent that names it"
	}
	if s.Contract {
		line += " or a contract in force"
	}
	return []string{line}
}

func (h *Hours) says() []string {
	var lines []string
	order := append(slices.Clone(weekdays[1:]), weekdays[0], eveKey, holidayKey)
	for i := 0; i < len(order); {
		day := order[i]
		spans, named := h.Days[day]
		last := i + 1
		for last < 7 && i < 7 && slices.Equal(h.Days[order[last]], spans) {
			last++
		}
		if i >= 7 && !named {
			i++
			continue
		}
		name := day
		switch {
		case day == eveKey:
			name = "day before a holiday:"
		case day == holidayKey:
			name = "holiday:"
		case last > i+1:
			name += " to " + order[last-1]
		}
		lines = append(lines, name+" "+spansText(spans))
		i = last
	}
	return lines
}

func spansText(spans []Span) string {
	if len(spans) == 0 {
		return "closed"
	}
	words := make([]string, len(spans))
	for i, s := range spans {
		words[i] = s.String()
	}
	return strings.Join(words, ", ")
}

func (r *Reassigned) says() []string {
	lines := []string{"a consent given before the register " + r.Register + " said that the number was reassigned does not count, nor one older than the date that it was asked about"}
	if r.MaxAge > 0 {
		lines = append(lines, "an answer holds for "+r.MaxAge.String())
	}
	if r.Required {
		return append(lines, "a consent counts only with an answer")
	}
	return append(lines, "a consent for whose number there is no answer counts")
}

func (h *Holidays) says() []string {
	var lines []string
	for i := range h.Days {
		d := &h.Days[i]
		line := d.Name + ": " + d.On
		if d.From != 0 {
			line += fmt.Sprintf(", from %d", d.From)
		}
		if d.To != 0 {
			line += fmt.Sprintf(", until %d", d.To)
		}
		if len(d.Regions) > 0 {
			line += " (" + strings.Join(d.Regions, ", ") + ")"
		}
		lines = append(lines, line)
	}
	switch h.Observed {
	case OnTheDay:
	case NextWorkday:
		lines = append(lines, "a holiday on a weekend is kept on the next working day too")
	case Nearest:
		lines = append(lines, "a holiday on a Saturday is kept on the Friday too, one on a Sunday on the Monday")
	}
	return lines
}

func (a *Abandon) says() []string {
	var lines []string
	for _, w := range a.Windows {
		rate := "abandoned / (abandoned + connected)"
		if w.Base == OfConnected {
			rate = "abandoned / connected"
		}
		over := map[Period]string{
			Campaign: "over the campaign", Month: "in each calendar month",
			Rolling: "in any " + w.Length.String(), Successive: "in each successive " + w.Length.String(),
		}[w.Period]
		if w.Cap == 0 {
			lines = append(lines, fmt.Sprintf("no abandoned call is planned (%s, %s)", rate, over))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s at most %s %% %s", rate, strconv.FormatFloat(w.Cap*100, 'g', 6, 64), over))
	}
	clock := map[string]string{"answer": "the answer", "greeting_end": "the end of the greeting (counted from the answer)"}[a.Clock]
	does := map[Treatment]string{ComfortThenHangup: "comfort noise from the answer, then hang up", Message: "play the message"}[a.Treatment]
	lines = append(lines, fmt.Sprintf("an agent within %s of %s; else %s", a.Deadline, clock, does))
	for _, part := range []struct {
		on   bool
		text string
	}{
		{a.Machines, "machines count"},
		{!a.Machines, "machines do not count"},
		{a.Hangups, "callees who leave before the deadline count"},
		{!a.Hangups, "callees who leave before the deadline do not count"},
		{!a.AMD, "answering-machine detection is off unless the campaign asks for it"},
	} {
		if part.on {
			lines = append(lines, part.text)
		}
	}
	return lines
}

func (l *AbandonLock) says() []string {
	var lines []string
	if l.Block > 0 {
		lines = append(lines, fmt.Sprintf("no call for %s after an abandoned one", l.Block))
	}
	if l.Agent > 0 {
		lines = append(lines, fmt.Sprintf("within %s of an abandoned call: only with an agent reserved", l.Agent))
	}
	if l.AgentNext {
		lines = append(lines, "the next contact after an abandoned call: only with an agent reserved")
	}
	return lines
}

func (c *CallerID) says() []string {
	lines := []string{"a number must be shown"}
	if len(c.Countries) > 0 {
		lines = append(lines, "of "+strings.Join(c.Countries, ", "))
	}
	if len(c.Prefixes) > 0 {
		line := "that begins with " + strings.Join(c.Prefixes, ", ")
		if c.OrCallable {
			line += ", or one that takes calls back"
		}
		lines = append(lines, line)
	}
	if len(c.Kinds) > 0 {
		lines = append(lines, "of kind "+strings.Join(c.Kinds, ", "))
	}
	if len(c.DenyKinds) > 0 {
		lines = append(lines, "not of kind "+strings.Join(c.DenyKinds, ", "))
	}
	if len(c.DenyPrefixes) > 0 {
		lines = append(lines, "that does not begin with "+strings.Join(c.DenyPrefixes, ", "))
	}
	if c.ProofOfControl {
		lines = append(lines, "with proof on file of the right to show it")
	}
	if c.DomesticTrunk {
		lines = append(lines, "through a trunk of the country")
	}
	return lines
}

func (c *Callback) says() []string {
	lines := []string{"whoever rings the number shown is answered"}
	if c.Inform {
		lines = append(lines, "and told who called and why")
	}
	if c.OptOut {
		lines = append(lines, "and can opt out there and then")
	}
	return lines
}

func (r *Recording) says() []string {
	var lines []string
	if r.Notice {
		lines = append(lines, "calls are recorded only after the person was told")
	}
	if r.NotEvery {
		lines = append(lines, "not every call is recorded")
	}
	return lines
}

func (r *Retention) span() string {
	var parts []string
	if r.Years > 0 {
		parts = append(parts, plural(r.Years, "year"))
	}
	if r.Days > 0 {
		parts = append(parts, plural(r.Days, "day"))
	}
	return strings.Join(parts, " and ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
