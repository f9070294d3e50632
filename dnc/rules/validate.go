package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// weekdays are the day names of rule files, by time.Weekday.
var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// What a holiday and the day before one are called in Hours.Days.
const (
	eveKey     = "eve"
	holidayKey = "holiday"
)

// kinds are the kinds of number a rule file may name; the words are those of
// campaigns.Kind.
var kinds = []string{"fixed", "mobile", "fixed_or_mobile", "voip", "toll_free", "premium", "shared", "other"}

// rules checks all rules, each alone and then against each other.
func (p *parsing) rules(f *File) {
	seen := map[string]int{}
	for i := range f.Rules {
		r := &f.Rules[i]
		p.rule(r)
		if first, dup := seen[r.ID]; dup && r.ID != "" {
			p.add(r.line, "id %q is taken by the rule on line %d", r.ID, first)
		}
		seen[r.ID] = r.line
	}
	p.overlaps(f)
}

func (p *parsing) rule(r *Rule) {
	if r.ID == "" {
		p.add(r.line, "id is missing")
	}
	if r.Cite == "" {
		p.add(r.line, "%s: cite is missing: name the law and article", r.ID)
	}
	if !slices.Contains([]Mark{Primary, Secondary, Weak, Trade}, r.Sure) {
		p.add(r.line, "%s: sure %q: want A, B, C or K", r.ID, r.Sure)
	}
	if r.ValidFrom.IsZero() {
		p.add(r.line, "%s: valid_from is missing", r.ID)
	}
	if !r.ValidTo.IsZero() && before(r.ValidTo, r.ValidFrom) {
		p.add(r.line, "%s: valid_to %s is before valid_from %s", r.ID, r.ValidTo, r.ValidFrom)
	}
	if set := r.parts(); len(set) != 1 {
		p.add(r.line, "%s: want exactly one kind of rule, found %s", r.ID, strings.Join(append(set, ""), " "))
		return
	}
	if problem := r.check(); problem != "" {
		p.add(r.line, "%s: %s", r.ID, problem)
	}
}

// parts names the kinds of rule that are set.
func (r *Rule) parts() []string {
	var set []string
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if field := v.Field(i); field.Kind() == reflect.Pointer && !field.IsNil() {
			set = append(set, v.Type().Field(i).Tag.Get("yaml"))
		}
	}
	return set
}

// Kind names the kind of the rule as its file does: screening, hours, ...
func (r *Rule) Kind() string {
	if set := r.parts(); len(set) == 1 {
		return set[0]
	}
	return ""
}

// check returns what is wrong with the rule's parameters, or nothing. It also
// prepares what must be computed.
func (r *Rule) check() string {
	switch {
	case r.Screening != nil:
		return r.Screening.check()
	case r.Sector != nil && r.Sector.Name == "":
		return "sector: name is missing"
	case r.Numbers != nil:
		return checkKinds("numbers: kinds", r.Numbers.Kinds, true)
	case r.Wireless != nil && (r.Wireless.List == "" || r.Wireless.MaxAge == 0):
		return "wireless: list and max_age are required"
	case r.Reassigned != nil && r.Reassigned.Register == "":
		return "reassigned: register is missing"
	case r.Hours != nil:
		return r.Hours.check()
	case r.Holidays != nil:
		return r.Holidays.check()
	case r.Attempts != nil && (r.Attempts.Max < 1 || r.Attempts.Per == 0):
		return "attempts: want max of 1 or more and per"
	case r.CoolOff != nil && r.CoolOff.Days < 1:
		return "cooloff: want days of 1 or more"
	case r.Abandon != nil:
		return r.Abandon.check()
	case r.AbandonLock != nil && r.AbandonLock.Block == 0 && r.AbandonLock.Agent == 0 && !r.AbandonLock.AgentNext:
		return "abandon_lock: want block, agent or agent_next"
	case r.MachineLock != nil && r.MachineLock.Agent == 0:
		return "machine_lock: agent is missing"
	case r.CallerID != nil:
		return r.CallerID.check()
	case r.Callback != nil && !r.Callback.Answer:
		return "callback: want answer: true; leave the rule out where nothing is demanded"
	case r.Recording != nil && *r.Recording == (Recording{}):
		return "recording: want notice or not_every; leave the rule out where nothing is demanded"
	case r.Retention != nil && !slices.Contains(Kept(), r.Retention.What):
		return fmt.Sprintf("retention: what is %q: want one of %s", r.Retention.What, strings.Join(Kept(), ", "))
	case r.Retention != nil && (r.Retention.Years+r.Retention.Days < 1 || r.Retention.Years < 0 || r.Retention.Days < 0):
		return "retention: want what, and years or days"
	}
	return ""
}

func (s *Screening) check() string {
	switch s.Shape {
	case None:
		if s.Register != "" {
			return "screening: shape none has no register"
		}
		return ""
	case ByVerdict, ByList:
	default:
		return fmt.Sprintf("screening: shape %q: want verdict, list or none", s.Shape)
	}
	if s.Register == "" || s.MaxAge == 0 {
		return "screening: register and max_age are required"
	}
	if s.ContractDays < 0 || s.InquiryDays < 0 {
		return "screening: contract_days and inquiry_days may not be negative"
	}
	if s.ContractDays > 0 && !s.Contract {
		return "screening: contract_days says something only with contract"
	}
	if s.Consent != NoConsent && s.Consent != AnyConsent && s.Consent != LaterConsent {
		return fmt.Sprintf("screening: consent %q: want any or after, or leave it out", s.Consent)
	}
	return ""
}

func (h *Hours) check() string {
	if len(h.Days) == 0 {
		return "hours: days is missing"
	}
	for day, spans := range h.Days {
		if day != eveKey && day != holidayKey && !slices.Contains(weekdays[:], day) {
			return fmt.Sprintf("hours: day %q: want mon to sun, eve or holiday", day)
		}
		for i := 1; i < len(spans); i++ {
			if spans[i].From < spans[i-1].To {
				return fmt.Sprintf("hours: %s: %s and %s overlap or are out of order", day, spans[i-1], spans[i])
			}
		}
	}
	h.compile()
	return ""
}

func (h *Holidays) check() string {
	if !slices.Contains([]Observed{OnTheDay, NextWorkday, Nearest}, h.Observed) {
		return fmt.Sprintf("holidays: observed %q: want next_workday or nearest, or leave it out", h.Observed)
	}
	for i := range h.Days {
		if h.Days[i].Name == "" {
			return "holidays: a day without a name"
		}
		if err := h.Days[i].compile(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (a *Abandon) check() string {
	if len(a.Windows) == 0 {
		return "abandon: windows are missing; a cap of 0 says that none may be planned"
	}
	for _, w := range a.Windows {
		sized := w.Period == Rolling || w.Period == Successive
		switch {
		case !sized && w.Period != Month && w.Period != Campaign:
			return fmt.Sprintf("abandon: period %q: want rolling, successive, month or campaign", w.Period)
		case sized != (w.Length > 0):
			return fmt.Sprintf("abandon: length %q does not go with period %q", w.Length, w.Period)
		case !(w.Cap >= 0 && w.Cap < 1):
			return fmt.Sprintf("abandon: cap %g: want a share from 0 to under 1, as 0.03", w.Cap)
		case w.Base != OfLiveAnswered && w.Base != OfConnected:
			return fmt.Sprintf("abandon: base %q: want live_answered or connected", w.Base)
		}
	}
	if a.Deadline == 0 {
		return "abandon: deadline is missing"
	}
	if a.Clock != "answer" && a.Clock != "greeting_end" {
		return fmt.Sprintf("abandon: clock %q: want answer or greeting_end", a.Clock)
	}
	if a.Treatment != ComfortThenHangup && a.Treatment != Message {
		return fmt.Sprintf("abandon: treatment %q: want comfort_then_hangup or message", a.Treatment)
	}
	return ""
}

func (c *CallerID) check() string {
	if c.OrCallable && len(c.Prefixes) == 0 {
		return "caller_id: or_callable says something only beside prefixes"
	}
	if problem := checkKinds("caller_id: kinds", c.Kinds, false); problem != "" {
		return problem
	}
	return checkKinds("caller_id: deny_kinds", c.DenyKinds, false)
}

func checkKinds(field string, named []string, required bool) string {
	if required && len(named) == 0 {
		return field + " are missing"
	}
	for _, k := range named {
		if !slices.Contains(kinds, k) {
			return fmt.Sprintf("%s: %q: want one of %s", field, k, strings.Join(kinds, ", "))
		}
	}
	return ""
}

// overlaps refuses two rules of a kind that can be held only once at a time.
func (p *parsing) overlaps(f *File) {
	once := []string{"numbers", "wireless", "reassigned", "holidays", "abandon", "abandon_lock", "machine_lock", "ring", "caller_id", "callback", "cooloff", "opt_in"}
	for i := range f.Rules {
		for j := range i {
			a, b := &f.Rules[j], &f.Rules[i]
			if kind := b.Kind(); kind != a.Kind() || !slices.Contains(once, kind) {
				continue
			}
			if !ends(a, b) && !ends(b, a) {
				p.add(b.line, "%s holds at the same time as %s on line %d, and there can be only one", b.ID, a.ID, a.line)
			}
		}
	}
}

// ends reports whether a has ended before b begins.
func ends(a, b *Rule) bool { return !a.ValidTo.IsZero() && before(a.ValidTo, b.ValidFrom) }

func before(a, b Date) bool {
	if a.Year != b.Year {
		return a.Year < b.Year
	}
	if a.Month != b.Month {
		return a.Month < b.Month
	}
	return a.Day < b.Day
}
