package dialer

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// talksAWhile leaves the agent time to enter something.
var talksAWhile = talks(5 * time.Second)

// shown plays that the agent of the next call sees what the changed file has.
func shown(t *testing.T, v *live) {
	v.nextCall()
	s, err := v.svc.Screen("agent00")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(v.after.Words(), s.Dispositions); d != "" {
		t.Errorf("words on the agent's screen:\n%s", d)
	}
	if d := cmp.Diff(v.after.Script, s.Script); d != "" {
		t.Errorf("script on the agent's screen:\n%s", d)
	}
}

// says plays what becomes of the next call's lead by the agent's key 1.
func says(is func(Attempt, time.Duration) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		v.nextCall()
		v.press("agent00", '1')
		began := v.since(journal.Connected)[0].Attempt
		v.within(10*time.Second, "the call has ended by the new words", func() bool {
			v.store.mu.Lock()
			defer v.store.mu.Unlock()
			a := v.store.attempts[began]
			return v.store.settled[began] > 0 && is(a, a.RetryAt.Sub(a.At).Truncate(time.Minute))
		})
	}
}

// word is that the agent's key said so.
func word(w string) func(Attempt, time.Duration) bool {
	return func(a Attempt, _ time.Duration) bool { return a.Disposition == w }
}

// lacks plays that the required answer is asked of the agent with the key 1, or is not.
func lacks(want ...string) func(*testing.T, *live) {
	return func(t *testing.T, v *live) {
		v.nextCall()
		v.press("agent00", '1')
		v.soon("what is missing is told", func() bool {
			said := v.since(journal.Disposed)
			return len(said) == 1 && slices.Equal(detail[journal.DisposedDetail](t, said[0]).Missing, want)
		})
	}
}

// talkedTwice has every lead told of two talks that ended in the same way.
func talkedTwice(l *campaigns.Lead) {
	twoNumbers(l)
	l.LastOutcome, l.Tries, l.Attempts = campaigns.Bridged, 1, 1
}

func liveWordKeys() []liveKey {
	words := func(one string) string { return "dispositions: {never: {does: opt_out}, one: {" + one + "}}" }
	again := func(rule string) string { return words("key: 1, does: retry, retry: {" + rule + "}") }
	question := func(one string) string { return "script: [{" + one + "}]" }
	rows := map[string][2]string{
		"dispositions.*.says": {words("says: it is one"), words("says: it is the one")},
		"script[].question":   {question("question: email"), question("question: address")},
		"script[].says":       {question("question: email, says: your email"), question("question: email, says: your email please")},
		"script[].type":       {question("question: age, type: text"), question("question: age, type: number")},
		"script[].choices":    {question("question: size, type: choice, choices: [s, m]"), question("question: size, type: choice, choices: [s, m, l]")},
		"script[].when.*": {
			"script: [{question: buys, type: yes_no}, {question: email}]",
			"script: [{question: buys, type: yes_no}, {question: email, when: {buys: yes}}]",
		},
	}
	out := []liveKey{
		{key: "dispositions.*.key", before: words("key: 2"), after: words("key: 1"), script: talksAWhile, play: says(word("one"))},
		{key: "dispositions.*.does", before: words("key: 1"), after: words("key: 1, does: refusal"), script: talksAWhile, play: says(func(a Attempt, _ time.Duration) bool { return a.Refusal })},
		{
			key: "dispositions.*.complete", before: words("key: 1") + "\n" + question("question: email, required: true"),
			after: words("key: 1, complete: true") + "\n" + question("question: email, required: true"), script: talksAWhile, play: lacks("email"),
		},
		{
			key: "script[].required", before: words("key: 1, complete: true") + "\n" + question("question: email"),
			after: words("key: 1, complete: true") + "\n" + question("question: email, required: true"), script: talksAWhile, play: lacks("email"),
		},
		{key: "dispositions.*.retry.delay", before: again("delay: 10m, max: 3"), after: again("delay: 20m, max: 3"), script: talksAWhile, play: says(after(20 * time.Minute))},
		{
			key: "dispositions.*.retry.growth", before: again("delay: 10m, max: 3"), after: again("delay: 10m, max: 3, growth: 3"),
			script: talksAWhile, rig: known(talkedTwice), play: says(after(30 * time.Minute)),
		},
		{key: "dispositions.*.retry.max", before: again("delay: 10m, max: 3"), after: again("delay: 10m, max: 1"), script: talksAWhile, rig: known(talkedTwice), play: says(done)},
		{
			key: "dispositions.*.retry.next_number", before: again("delay: 10m, max: 3"), after: again("delay: 10m, max: 3, next_number: true"),
			script: talksAWhile, rig: known(talkedTwice), play: says(nextNumber),
		},
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, liveKey{key: key, before: rows[key][0], after: rows[key][1], script: talksAWhile, play: shown})
	}
	return out
}
