package rules

import (
	"fmt"
	"slices"
)

// compare names everything that own allows and base does not.
func compare(base, own *Rule) []string {
	if base.Kind() != own.Kind() {
		return []string{fmt.Sprintf("is a rule on %s in the place of one on %s", own.Kind(), base.Kind())}
	}
	d := &difference{}
	everywhere := len(own.Regions)+len(own.AreaCodes) == 0
	d.when(!everywhere && (len(base.Regions)+len(base.AreaCodes) == 0 ||
		!subset(base.Regions, own.Regions) || !subset(base.AreaCodes, own.AreaCodes)), "holds in fewer places")
	switch {
	case base.Screening != nil:
		d.screening(base.Screening, own.Screening)
	case base.OptIn != nil:
		d.optIn(base.OptIn, own.OptIn)
	case base.Sector != nil:
		d.sector(base.Sector, own.Sector)
	case base.Numbers != nil:
		d.when(!narrower(base.Numbers.Countries, own.Numbers.Countries), "more countries")
		d.when(!narrower(base.Numbers.Kinds, own.Numbers.Kinds), "more kinds of number")
	case base.Wireless != nil:
		d.when(base.Wireless.List != own.Wireless.List, "another list of wireless numbers")
		d.when(own.Wireless.MaxAge > base.Wireless.MaxAge, "an older list of wireless numbers")
	case base.Reassigned != nil:
		b, o := base.Reassigned, own.Reassigned
		d.when(b.Register != o.Register, "another register of reassigned numbers")
		d.when(b.MaxAge > 0 && (o.MaxAge == 0 || o.MaxAge > b.MaxAge), "older answers about reassigned numbers")
		d.when(b.Required && !o.Required, "consents without an answer about reassigned numbers")
	case base.Hours != nil:
		d.hours(base.Hours, own.Hours)
	case base.Holidays != nil:
		d.holidays(base, own)
	case base.Attempts != nil:
		d.when(own.Attempts.Max > base.Attempts.Max || own.Attempts.Per < base.Attempts.Per, "more attempts")
	case base.CoolOff != nil:
		d.when(own.CoolOff.Days < base.CoolOff.Days, "a shorter cool-off")
	case base.Abandon != nil:
		d.abandon(base.Abandon, own.Abandon)
	case base.AbandonLock != nil:
		d.when(own.AbandonLock.Block < base.AbandonLock.Block, "a shorter lock after an abandoned call")
		d.when(own.AbandonLock.Agent < base.AbandonLock.Agent || base.AbandonLock.AgentNext && !own.AbandonLock.AgentNext, "no reserved agent after an abandoned call")
	case base.MachineLock != nil:
		d.when(own.MachineLock.Agent < base.MachineLock.Agent, "no reserved agent after a detected machine")
	case base.Ring != nil:
		d.when(own.Ring.Minimum < base.Ring.Minimum, "a shorter ring")
	case base.CallerID != nil:
		d.callerID(base.CallerID, own.CallerID)
	case base.Callback != nil:
		d.when(base.Callback.Answer && !own.Callback.Answer || base.Callback.Inform && !own.Callback.Inform || base.Callback.OptOut && !own.Callback.OptOut, "less for people who ring back")
	case base.Recording != nil:
		d.when(base.Recording.Notice && !own.Recording.Notice || base.Recording.NotEvery && !own.Recording.NotEvery, "more recording")
	case base.Retention != nil:
		d.when(own.Retention.What != base.Retention.What || own.Retention.For() < base.Retention.For(), "a shorter retention")
	}
	return d.found
}

// difference collects what own allows beyond base.
type difference struct{ found []string }

func (d *difference) when(looser bool, what string) {
	if looser {
		d.found = append(d.found, what)
	}
}

// narrower reports whether own names nothing beyond base; naming nothing is
// naming all.
func narrower[T comparable](base, own []T) bool {
	if len(base) == 0 {
		return true
	}
	return len(own) > 0 && !slices.ContainsFunc(own, func(v T) bool { return !slices.Contains(base, v) })
}

// covers reports whether own names all that base does; naming nothing is naming all.
func covers[T comparable](base, own []T) bool { return narrower(own, base) }

func (d *difference) screening(base, own *Screening) {
	if base.Shape == None {
		return
	}
	d.when(own.Register != base.Register || own.Shape != base.Shape, "another register")
	d.when(own.MaxAge > base.MaxAge, "older answers of the register")
	d.when(base.PerCampaign && !own.PerCampaign, "answers from before the campaign")
	rank := map[Lift]int{NoConsent: 0, LaterConsent: 1, AnyConsent: 2}
	d.when(rank[own.Consent] > rank[base.Consent], "more consents that lift a registration")
	d.when(own.Contract && !base.Contract || own.ContractDays > base.ContractDays, "more contracts that lift a registration")
	d.when(own.InquiryDays > base.InquiryDays, "older inquiries that lift a registration")
	d.when(!covers(base.Purposes, own.Purposes), "fewer purposes for which the register is consulted")
}

func (d *difference) optIn(base, own *OptIn) {
	d.when(base.MaxAge > 0 && (own.MaxAge == 0 || own.MaxAge > base.MaxAge), "older consents")
	d.when(!covers(base.Purposes, own.Purposes), "fewer purposes that need a consent")
	d.when(slices.ContainsFunc(own.Exempt, func(p string) bool { return !slices.Contains(base.Exempt, p) }), "more purposes that need none")
	d.when(own.Contract && (!base.Contract || own.ContractDays > base.ContractDays || !narrower(base.ContractFor, own.ContractFor)), "more contracts in the place of a consent")
	d.when(own.Prior && !base.Prior, "customers without a consent")
}

func (d *difference) sector(base, own *Sector) {
	d.when(own.Name != base.Name || !subset(base.Also, own.Also), "another sector")
	d.when(own.Consent && !base.Consent || own.Contract && !base.Contract, "calls for a banned sector")
	d.when(!covers(base.Purposes, own.Purposes), "fewer purposes for which the sector is banned")
}

func (d *difference) hours(base, own *Hours) {
	for weekday := range 7 {
		for _, day := range []Day{{Weekday: weekday}, {Weekday: weekday, Eve: true}, {Weekday: weekday, Holiday: true}, {Weekday: weekday, Eve: true, Holiday: true}} {
			for minute := range 24 * 60 {
				if own.Open(day, minute) && !base.Open(day, minute) {
					d.when(true, fmt.Sprintf("calls on %s at %02d:%02d", weekdays[weekday], minute/60, minute%60))
					return
				}
			}
		}
	}
}

// holidays compares two calendars day by day for ten years from the later
// beginning.
func (d *difference) holidays(base, own *Rule) {
	a := &Calendar{rules: base.Holidays.Days, observed: base.Holidays.Observed}
	b := &Calendar{rules: own.Holidays.Days, observed: own.Holidays.Observed}
	regions := []string{""}
	for i := range base.Holidays.Days {
		regions = append(regions, base.Holidays.Days[i].Regions...)
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	from := base.ValidFrom
	if before(from, own.ValidFrom) {
		from = own.ValidFrom
	}
	for day, n := from, 0; n < 10*366; day, n = day.Add(1), n+1 {
		for _, region := range regions {
			name, is := a.Holiday(day, region)
			if !is {
				continue
			}
			if _, still := b.Holiday(day, region); !still {
				d.when(true, fmt.Sprintf("calls on %s, %s", day, name))
				return
			}
		}
	}
}

func (d *difference) abandon(base, own *Abandon) {
	for _, w := range base.Windows {
		kept := slices.ContainsFunc(own.Windows, func(o Window) bool {
			return o.Period == w.Period && o.Length == w.Length && o.Cap <= w.Cap && (o.Base == w.Base || o.Base == OfConnected)
		})
		d.when(!kept, fmt.Sprintf("more abandoned calls (%s window)", w.Period))
	}
	d.when(own.Deadline > base.Deadline || own.Clock == "greeting_end" && base.Clock == "answer", "a later deadline")
	d.when(own.Treatment != base.Treatment, "another treatment of abandoned calls")
	d.when(base.Hangups && !own.Hangups, "fewer calls that count as abandoned")
	d.when(own.Machines != base.Machines, "another count of machines")
	d.when(own.AMD && !base.AMD, "answering-machine detection")
}

func (d *difference) callerID(base, own *CallerID) {
	d.when(len(base.Countries)+len(base.CallingCodes) > 0 && (len(own.Countries)+len(own.CallingCodes) == 0 ||
		len(own.Countries) > 0 && !subset(own.Countries, base.Countries) || len(own.CallingCodes) > 0 && !subset(own.CallingCodes, base.CallingCodes)),
		"caller IDs of more countries")
	d.when(!narrower(base.Kinds, own.Kinds) || !subset(base.DenyKinds, own.DenyKinds), "caller IDs of more kinds")
	d.when(!narrower(base.Prefixes, own.Prefixes) || own.OrCallable && !base.OrCallable && len(base.Prefixes) > 0 || !subset(base.DenyPrefixes, own.DenyPrefixes), "caller IDs of more ranges")
	d.when(base.ProofOfControl && !own.ProofOfControl, "caller IDs without proof")
	d.when(base.DomesticTrunk && !own.DomesticTrunk, "foreign trunks")
}

func subset[T comparable](a, b []T) bool {
	return !slices.ContainsFunc(a, func(v T) bool { return !slices.Contains(b, v) })
}
