package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// ringsBack plays that somebody who rings right after the change is served by it.
func ringsBack(key byte, served func(*live) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		ring := v.ringBack(backer)
		if key != 0 {
			v.pressed(ring, key)
		}
		v.soon("who rings is served by the new file", func() bool { return served(v) })
	}
}

// does is that the caller's key did something.
func does(what string) func(*live) bool {
	return func(v *live) bool {
		return slices.ContainsFunc(v.journal.kinds(journal.CalledBack), func(r journal.Record) bool {
			return r.Outcome == journal.CallerKey && detail[journal.CalledBackDetail](v.t, r).Does == what
		})
	}
}

// laterBy is that the last call to the caller is due again in so long.
func laterBy(d time.Duration) func(*live) bool {
	return func(v *live) bool {
		v.store.mu.Lock()
		defer v.store.mu.Unlock()
		return slices.ContainsFunc(v.journal.kinds(journal.CalledBack), func(r journal.Record) bool {
			s := detail[journal.CalledBackDetail](v.t, r).Settled
			return s != nil && s.RetryAt.Sub(r.At) == d
		})
	}
}

func liveCallbackKeys() []liveKey {
	back := func(keys string) string { return "callback: {prompt: who-we-are, " + keys + "}" }
	return []liveKey{
		{key: "callback.prompt", before: "callback: {prompt: who-we-are}", after: "callback: {prompt: message.wav}", script: fails, play: ringsBack(0, func(v *live) bool {
			return slices.Contains(v.desk.prompts(), "message.wav")
		})},
		{key: "callback.opt_out", before: back("opt_out: 9"), after: back("opt_out: 5"), script: fails, play: ringsBack('5', does(journal.WishOptOut))},
		{key: "callback.agent", before: back("agent: 1"), after: back("agent: 2"), script: fails, play: ringsBack('2', does(journal.WishAgent))},
		{key: "callback.later", before: back("later: 2"), after: back("later: 3"), script: fails, play: ringsBack('3', does(journal.WishLater))},
		{key: "callback.delay", before: back("later: 2, delay: 15m"), after: back("later: 2, delay: 40m"), script: fails, play: ringsBack('2', laterBy(40*time.Minute))},
	}
}
