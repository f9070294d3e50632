package rules

import (
	"fmt"
	"strings"
	"time"
)

// Show writes the rules in force readably: each with what it says, its span,
// how sure it is, and its citation.
func (s *Set) Show() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", s.File.Title, s.ID())
	fmt.Fprintf(&b, "file checked for %s to %s, SHA-256 %s\n", s.File.ValidFrom, s.File.ValidTo, s.File.Hash)
	fmt.Fprintf(&b, "these rules hold from %s until %s\n", DateOf(s.From.In(s.File.Zone)), DateOf(s.Until.In(s.File.Zone)))
	b.WriteString("sure: A law or register itself, B consistent secondary sources, C one weak source, K known in the trade\n")
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "\n%s [%s]", r.ID, r.Sure)
		if r.Voluntary {
			b.WriteString(" voluntary")
		}
		b.WriteString("\n")
		for _, line := range r.Says() {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		span := "since " + r.ValidFrom.String()
		if !r.ValidTo.IsZero() {
			span += " to " + r.ValidTo.String()
		}
		if where := r.where(); where != "" {
			span += "; " + where
		}
		fmt.Fprintf(&b, "    %s\n    %s\n", span, r.Cite)
		if r.Note != "" {
			fmt.Fprintf(&b, "    note: %s\n", r.Note)
		}
	}
	return b.String()
}

func (r *Rule) where() string {
	var parts []string
	if len(r.Regions) > 0 {
		parts = append(parts, "in "+strings.Join(r.Regions, ", "))
	}
	if len(r.AreaCodes) > 0 {
		parts = append(parts, "for numbers that begin with "+strings.Join(r.AreaCodes, ", "))
	}
	return strings.Join(parts, " or ")
}

// Says is the rule in plain lines.
func (r *Rule) Says() []string {
	switch {
	case r.Screening != nil:
		return r.Screening.says()
	case r.OptIn != nil:
		return r.OptIn.says()
	case r.Sector != nil:
		return r.Sector.says()
	case r.Numbers != nil:
		return []string{"numbers of " + strings.Join(r.Numbers.Countries, ", ") + " of kind " + strings.Join(r.Numbers.Kinds, ", ")}
	case r.Wireless != nil:
		return []string{fmt.Sprintf("a copy of the list %s at most %s old; numbers on it only with a consent that covers automated calls", r.Wireless.List, r.Wireless.MaxAge)}
	case r.Reassigned != nil:
		return r.Reassigned.says()
	case r.Hours != nil:
		return r.Hours.says()
	case r.Holidays != nil:
		return r.Holidays.says()
	case r.Attempts != nil:
		return []string{fmt.Sprintf("at most %d calls to a number in any %s, by one seller", r.Attempts.Max, r.Attempts.Per)}
	case r.CoolOff != nil:
		return []string{fmt.Sprintf("no call for %d days after a refusal", r.CoolOff.Days)}
	case r.Abandon != nil:
		return r.Abandon.says()
	case r.AbandonLock != nil:
		return r.AbandonLock.says()
	case r.MachineLock != nil:
		return []string{fmt.Sprintf("within %s of an answer that detection took for a machine: only with an agent reserved", r.MachineLock.Agent)}
	case r.Ring != nil:
		return []string{fmt.Sprintf("let it ring for at least %s", r.Ring.Minimum)}
	case r.CallerID != nil:
		return r.CallerID.says()
	case r.Callback != nil:
		return r.Callback.says()
	case r.Recording != nil:
		return r.Recording.says()
	case r.Retention != nil:
		return []string{"keep " + r.Retention.What + " for " + r.Retention.span()}
	}
	return nil
}

// Left is how long the file's span of validity still lasts; negative when it is
// over and somebody has to read the law again.
func (f *File) Left(now time.Time) time.Duration {
	return f.ValidTo.Add(1).Start(f.Zone).Sub(now)
}
