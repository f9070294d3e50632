package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// retries plays what becomes of a lead whose call begins after the change and is busy.
func retries(is func(Attempt, time.Duration) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		v.soon("the next busy lead waits by the new rule", func() bool {
			a, ok := v.settled()
			return ok && is(a, a.RetryAt.Sub(a.At).Truncate(time.Minute))
		})
	}
}

// after is that the lead waits so long.
func after(d time.Duration) func(Attempt, time.Duration) bool {
	return func(_ Attempt, waits time.Duration) bool { return waits == d }
}

func done(a Attempt, _ time.Duration) bool { return a.Done }

func nextNumber(a Attempt, _ time.Duration) bool { return a.NextNumber == 2 }

// known changes every lead before the service runs.
func known(change func(*campaigns.Lead)) func(*rig) {
	return func(r *rig) {
		for _, l := range r.store.leads {
			change(l)
		}
	}
}

func triedTwice(l *campaigns.Lead) { l.LastOutcome, l.Tries, l.Attempts = campaigns.Busy, 2, 2 }

func twoNumbers(l *campaigns.Lead) {
	l.Numbers = []campaigns.LeadNumber{{Number: l.Number}, {Number: "+390655599002"}}
}

func agreed(l *campaigns.Lead) { l.Callback, l.Due = true, time.Now() }

func agreedTwice(l *campaigns.Lead) {
	agreed(l)
	twoNumbers(l)
	l.LastOutcome, l.Tries, l.Attempts = campaigns.Busy, 1, 1
}

// draws plays that leads are drawn in another way.
func draws(is func(campaigns.Draw) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		v.soon("leads are drawn in the new way", v.some(func() bool { return slices.ContainsFunc(v.draws, is) }))
	}
}

// inList puts the leads into the list autumn, every second one into spring.
func inList(l *campaigns.Lead) {
	l.List = "autumn"
	if l.ID%2 == 0 {
		l.List = "spring"
	}
}

// calls plays that leads of a list are called that were not before.
func calls(list string) func(*testing.T, *live) {
	return func(t *testing.T, v *live) {
		called := func() bool {
			return slices.ContainsFunc(v.asked, func(r dnc.Request) bool { return r.Lead.List == list })
		}
		settle(3 * time.Second)
		if v.some(called)() {
			t.Fatalf("leads of %s are called before the change", list)
		}
		v.apply()
		v.soon("leads of "+list+" are called", v.some(called))
	}
}

func liveLeadKeys() []liveKey {
	busy := func(rule string) string { return "retry: {busy: {" + rule + "}}" }
	agreedRule := func(rule string) string { return "appointments: {retry: {" + rule + "}}" }
	return []liveKey{
		{key: "retry.*.delay", before: busy("delay: 10m, max: 5"), after: busy("delay: 3m, max: 5"), script: fails, play: retries(after(3 * time.Minute))},
		{
			key: "retry.*.growth", before: busy("delay: 10m, max: 5"), after: busy("delay: 10m, growth: 2, max: 5"),
			script: fails, rig: known(triedTwice), play: retries(after(40 * time.Minute)),
		},
		{key: "retry.*.max", before: busy("delay: 10m, max: 5"), after: busy("delay: 10m, max: 0"), script: fails, play: retries(done)},
		{
			key: "retry.*.next_number", before: busy("delay: 10m, max: 5"), after: busy("delay: 10m, max: 5, next_number: true"),
			script: fails, rig: known(twoNumbers), play: retries(nextNumber),
		},
		{key: "max_attempts", before: "max_attempts: 6", after: "max_attempts: 3", script: fails, rig: known(triedTwice), play: retries(done)},
		{key: "appointments.retry.delay", before: agreedRule("delay: 10m, max: 5"), after: agreedRule("delay: 4m, max: 5"), script: fails, rig: known(agreed), play: retries(after(4 * time.Minute))},
		{
			key: "appointments.retry.growth", before: agreedRule("delay: 10m, max: 5"), after: agreedRule("delay: 10m, growth: 3, max: 5"),
			script: fails, rig: known(agreedTwice), play: retries(after(30 * time.Minute)),
		},
		{
			key: "appointments.retry.max", before: agreedRule("delay: 10m, max: 5"), after: agreedRule("delay: 10m, max: 0"), script: fails, rig: known(agreed),
			play: retries(func(a Attempt, _ time.Duration) bool { return !a.Callback }),
		},
		{
			key: "appointments.retry.next_number", before: agreedRule("delay: 10m, max: 5"), after: agreedRule("delay: 10m, max: 5, next_number: true"),
			script: fails, rig: known(agreedTwice), play: retries(nextNumber),
		},
		{
			key: "appointments.agent_wait", before: "appointments: {agent_wait: 1h}", after: "appointments: {agent_wait: 10s}", script: fails,
			rig: known(func(l *campaigns.Lead) { agreed(l); l.Agent = "agent07" }), play: takenByAnother,
		},
		{key: "order", before: "order: list", after: "order: shuffled", script: fails, play: draws(func(d campaigns.Draw) bool { return d.Order == campaigns.OrderShuffled })},
		{key: "lists[].name", before: "lists: [{name: spring}]", after: "lists: [{name: autumn}]", script: fails, rig: known(inList), play: calls("autumn")},
		{
			key: "lists[].paused", before: "lists: [{name: spring}, {name: autumn, paused: true}]", after: "lists: [{name: spring, paused: true}, {name: autumn}]",
			script: fails, rig: known(inList), play: calls("autumn"),
		},
		{
			key: "lists[].share", before: "lists: [{name: spring, share: 1}, {name: autumn, share: 1}]", after: "lists: [{name: spring, share: 1}, {name: autumn, share: 9}]",
			script: fails, rig: known(inList), play: draws(func(d campaigns.Draw) bool { return d.Fresh("autumn") > 5*d.Fresh("spring") }),
		},
	}
}

// takenByAnother plays that a call agreed for one agent, who is not there, is made by
// another once that may be.
func takenByAnother(t *testing.T, v *live) {
	settle(time.Minute)
	if n := v.trunk.count(); n != 0 {
		t.Fatalf("%d calls that are for an agent who is not there", n)
	}
	v.apply()
	v.soon("another agent takes the call", func() bool { return v.trunk.count() > 0 })
}
