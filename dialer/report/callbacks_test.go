package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/dialer/journal"
)

// back is a record of a call from somebody who rang back.
func back(second int, attempt, step string, d journal.CalledBackDetail) journal.Record {
	return journal.Record{
		At: noon.Add(time.Duration(second) * time.Second), Kind: journal.CalledBack, Campaign: "spring", Attempt: attempt, Outcome: step, Detail: journal.Detailed(d),
	}
}

// rangBack are four calls: one opts out, one waits for a second agent and is
// called later, one is missed, one is nobody's lead and shows no number first.
func rangBack() []journal.Record {
	agent := back(11, "B", journal.CallerConnected, journal.CalledBackDetail{WaitMS: 4000})
	agent.Agent = "ann"
	again := agent
	again.Agent = "bob"
	return []journal.Record{
		back(1, "A", journal.CallerAnswered, journal.CalledBackDetail{CallerID: "+390844000123", Trunk: "main", Prompt: "who-we-are"}),
		back(2, "A", journal.CallerKey, journal.CalledBackDetail{Key: "9", Does: journal.WishOptOut}),
		back(4, "A", journal.CallerEnded, journal.CalledBackDetail{Result: journal.WishOptOut, LastMS: 3000}),
		back(5, "B", journal.CallerAnswered, journal.CalledBackDetail{}),
		back(7, "B", journal.CallerKey, journal.CalledBackDetail{Key: "1", Does: journal.WishAgent}),
		agent, again,
		back(20, "B", journal.CallerTalked, journal.CalledBackDetail{TalkMS: 9000, Disposition: "callback", Settled: &journal.SettledDetail{RetryAt: noon.Add(time.Hour)}}),
		back(21, "B", journal.CallerEnded, journal.CalledBackDetail{ByFar: true, Result: journal.WishAgent, LastMS: 16000}),
		back(22, "C", journal.CallerMissed, journal.CalledBackDetail{Text: "the caller gave up"}),
		back(23, "D", journal.CallerAnswered, journal.CalledBackDetail{Withheld: true}),
		back(24, "D", journal.CallerKey, journal.CalledBackDetail{Key: "2", Does: journal.WishLater, Text: "the number is withheld"}),
		back(25, "E", journal.CallerAnswered, journal.CalledBackDetail{}),
		back(26, "E", journal.CallerKey, journal.CalledBackDetail{Key: "2", Does: journal.WishLater, NoLead: true}),
	}
}

func TestCallbacksCounted(t *testing.T) {
	want := Callbacks{Answered: 4, Missed: 1, OptedOut: 1, Agent: 1, Later: 1, NoLead: 1, Withheld: 1, Wait: Mean{Count: 1, Sum: 4, Mean: 4}}
	c, err := ComplianceOf(records(rangBack()...), complianceOptions())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, c.Callbacks); d != "" {
		t.Errorf("compliance counts:\n%s", d)
	}
	if c.Abandon.LiveAnswers != 0 || c.Dialed != 0 {
		t.Errorf("calls to us count as ours: %d live answers, %d dialed", c.Abandon.LiveAnswers, c.Dialed)
	}
	r, err := Of(records(rangBack()...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	calls := r.Calls.Campaigns
	if len(calls) != 1 || calls[0].Callbacks == nil || cmp.Diff(want, *calls[0].Callbacks) != "" {
		t.Errorf("calls report: %+v", calls)
	}
	var text strings.Builder
	if err := r.Calls.WriteText(&text); err != nil || !strings.Contains(text.String(), "Rang back: opted out") {
		t.Errorf("%v:\n%s", err, text.String())
	}
}

func TestCallbacksTold(t *testing.T) {
	var told []string
	for _, r := range rangBack() {
		told = append(told, sentence(r))
	}
	interrupted := back(30, "F", journal.CallerEnded, journal.CalledBackDetail{})
	interrupted.Reason = "interrupted"
	disposed := back(31, "B", journal.CallerDisposed, journal.CalledBackDetail{Disposition: "sale", Settled: &journal.SettledDetail{Done: true}})
	disposed.Agent = "bob"
	told = append(told, sentence(interrupted), sentence(disposed))
	want := []string{
		"The person rang +390844000123 through trunk main and was answered with the prompt who-we-are.",
		"The caller pressed 9 to be called no more.",
		"The call is over after 3.0 s.",
		"The person rang and was answered.",
		"The caller pressed 1 for an agent.",
		"Put through to agent ann, 4000 ms after the answer.",
		"Put through to agent bob, 4000 ms after the answer.",
		"The talk with agent unknown lasted 9.0 s, who entered: callback; due again from 2026-11-22 13:00:00.",
		"The call is over, the caller hung up after 16.0 s.",
		"Somebody rang and was not answered: the caller gave up.",
		"The person rang and was answered.",
		"The caller pressed 2 to be called back, which was not done: the number is withheld.",
		"The person rang and was answered.",
		"The caller pressed 2 to be called back; there is no lead to be called, somebody must see to it.",
		"The call is over: the service had died (interrupted).",
		"Agent bob entered: sale; no further attempt.",
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("told:\n%s", d)
	}
}
