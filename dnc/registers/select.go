package registers

import (
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// Pending is a lead that is still to be called, with what is known of its number.
type Pending struct {
	Number   campaigns.Number
	Due      time.Time // when it may next be called; zero: now
	OptedOut bool
	// Verdict is the register's newest one; the zero value: none.
	CheckedAt  time.Time
	Registered bool
	// Of a register that is asked about dates of consent.
	Since time.Time // the date of the newest verdict
	Given time.Time // the day of the newest consent that a call may rest on; zero: there is none
	Spare bool      // a call needs no consent
}

// Need says what a register's verdict must be worth.
type Need struct {
	MaxAge time.Duration
	Since  time.Time      // a verdict must not be older: the campaign's creation, where the law wants one per campaign
	Zone   *time.Location // in which a verdict without an hour has its day; with Since
	Now    time.Time
	Dated  bool // the register is asked whether the number changed hands since a consent
}

// ends is when a verdict of that time ends.
func (n Need) ends(checked time.Time) time.Time {
	if n.MaxAge == 0 {
		return checked.AddDate(100, 0, 0)
	}
	return checked.Add(n.MaxAge)
}

// refused reports whether the register's word stands against a call, so that it
// need not be asked again now.
func (n Need) refused(p Pending) bool {
	if n.Dated {
		return p.Registered && p.Given.Before(p.CheckedAt)
	}
	return p.Registered && n.holds(p, n.Now)
}

// holds reports whether the lead's verdict is still good at t.
func (n Need) holds(p Pending, t time.Time) bool {
	if n.Dated && (p.Registered || p.Given.Before(p.Since)) {
		return p.Registered && !n.refused(p) // the consent is younger than the answer
	}
	return !p.CheckedAt.IsZero() && !n.before(p.CheckedAt) && t.Before(n.ends(p.CheckedAt))
}

// before reports whether a verdict is too old for a campaign that wants one of its
// own; as dnc.Gate judges it.
func (n Need) before(checked time.Time) bool {
	return !n.Since.IsZero() && rules.Predates(checked, n.Since, n.Zone)
}

// LeftOut says why a number is not submitted.
type LeftOut string

// Why a number is left out.
const (
	OptedOut   LeftOut = "opted_out"  // on the company's own list: it is not called anyway
	Screened   LeftOut = "screened"   // its verdict still holds when it is due
	Registered LeftOut = "registered" // the register said no; its answer is not bought again
	NotDue     LeftOut = "not_due"    // a verdict of today would have expired when it is due
	Unfit      LeftOut = "unfit"      // not a number that the register takes
	Twice      LeftOut = "twice"      // another lead has the same number
	NoConsent  LeftOut = "no_consent" // there is no consent whose date could be asked about
	Spare      LeftOut = "not_needed" // a call needs no consent, so that its date does not matter
)

// Selection is what is to be submitted.
type Selection struct {
	Digits []uint64             // ascending, each once
	Given  map[uint64]time.Time // the day of consent to ask about; empty: the register is not asked about dates
	Left   map[LeftOut]int
}

// Select picks the numbers that a register must be asked about now: each costs
// money, so that one with a verdict that will do is left out.
func Select(pending []Pending, p Profile, need Need) Selection {
	s := Selection{Left: map[LeftOut]int{}, Given: map[uint64]time.Time{}}
	for _, lead := range pending {
		digits, why := choose(lead, &p, need)
		if why != "" {
			s.Left[why]++
			continue
		}
		s.Digits = append(s.Digits, digits)
		if need.Dated {
			s.Given[digits] = lead.Given
		}
	}
	slices.Sort(s.Digits)
	all := len(s.Digits)
	s.Digits = slices.Compact(s.Digits)
	if twice := all - len(s.Digits); twice > 0 {
		s.Left[Twice] = twice
	}
	return s
}

func choose(lead Pending, p *Profile, need Need) (uint64, LeftOut) {
	digits, ok := p.takes(lead.Number)
	at := lead.Due
	if at.Before(need.Now) {
		at = need.Now
	}
	switch {
	case !ok:
		return 0, Unfit
	case lead.OptedOut:
		return 0, OptedOut
	case need.Dated && lead.Given.IsZero():
		return 0, NoConsent
	case need.Dated && lead.Spare:
		return 0, Spare
	case need.refused(lead):
		return 0, Registered
	case need.holds(lead, at):
		return 0, Screened
	case !at.Before(need.ends(need.Now)):
		return 0, NotDue
	}
	return digits, ""
}

// takes gives the digits of a number that the register can be asked about.
func (p *Profile) takes(n campaigns.Number) (uint64, bool) {
	digits, ok := DigitsOf(n)
	code := n.CallingCode()
	national := n.National()
	if !ok || code == 0 || NumberOf(digits) != n || len(national) < p.Min || len(national) > p.Max {
		return 0, false
	}
	if want := string(n[1 : len(n)-len(national)]); want != p.Calling {
		return 0, false
	}
	if p.Leading != "" && !slices.Contains([]byte(p.Leading), national[0]) {
		return 0, false
	}
	return digits, true
}

// Package is a number of consultations that can be bought at once.
type Package struct {
	Name    string  `yaml:"name"`
	Numbers int     `yaml:"numbers"`
	Price   float64 `yaml:"price"`
}

// Tariff is what a register charges.
type Tariff struct {
	Currency string    `yaml:"currency"`
	Packages []Package `yaml:"packages"`
}

// Cost is the least price of packages for n numbers, and which: how many of
// each, by name. It is 0 without packages.
func (t Tariff) Cost(n int) (price float64, buy map[string]int) {
	packages := slices.Clone(t.Packages)
	packages = slices.DeleteFunc(packages, func(p Package) bool { return p.Numbers < 1 || p.Price < 0 })
	slices.SortFunc(packages, func(a, b Package) int { return b.Numbers - a.Numbers })
	counts := make([]int, len(packages))
	best, bestCounts := -1.0, []int(nil)
	var try func(i, rest int, spent float64)
	try = func(i, rest int, spent float64) {
		if best >= 0 && spent >= best {
			return
		}
		if rest <= 0 {
			best, bestCounts = spent, slices.Clone(counts)
			return
		}
		if i == len(packages) {
			return
		}
		p := packages[i]
		whole := rest / p.Numbers
		for _, k := range []int{whole + 1, whole} {
			if k*p.Numbers >= rest+p.Numbers {
				continue
			}
			counts[i] = k
			try(i+1, rest-k*p.Numbers, spent+float64(k)*p.Price)
		}
		counts[i] = 0
	}
	try(0, n, 0)
	buy = map[string]int{}
	for i, k := range bestCounts {
		if k > 0 {
			buy[packages[i].Name] = k
		}
	}
	return max(best, 0), buy
}
