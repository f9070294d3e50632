package campaigns_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

func TestFollow(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC)
	agreed := at.Add(26 * time.Hour)
	two := []campaigns.LeadNumber{{Number: "+390612345601"}, {Number: "+390612345602"}}
	c := campaigns.Default()
	c.Retry[campaigns.Busy] = campaigns.Retry{Delay: time.Minute, Max: 3, NextNumber: true}
	c.Dispositions = campaigns.DefaultDispositions()
	c.Dispositions["interested"] = campaigns.Disposition{Does: campaigns.EffectRetry, Retry: campaigns.Retry{Delay: 48 * time.Hour, Growth: 2, Max: 2}}
	for _, x := range []struct {
		name string
		lead campaigns.Lead
		o    campaigns.Outcome
		said campaigns.Said
		want campaigns.Following
	}{
		{"nothing said", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{}, campaigns.Following{Done: true}},
		{"sale", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "sale"}, campaigns.Following{Done: true}},
		{"a word of another campaign", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "other"}, campaigns.Following{Done: true}},
		{"interested", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "interested"}, campaigns.Following{Due: at.Add(48 * time.Hour)}},
		{"interested again: the delay grows", campaigns.Lead{LastOutcome: campaigns.Bridged, Tries: 1, Attempts: 2}, campaigns.Bridged, campaigns.Said{Word: "interested"}, campaigns.Following{Due: at.Add(96 * time.Hour)}},
		{"interested once too often", campaigns.Lead{LastOutcome: campaigns.Bridged, Tries: 2, Attempts: 2}, campaigns.Bridged, campaigns.Said{Word: "interested"}, campaigns.Following{Done: true}},
		{"interested at the last attempt", campaigns.Lead{Attempts: 5}, campaigns.Bridged, campaigns.Said{Word: "interested"}, campaigns.Following{Done: true}},
		{"opted out", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "do_not_call"}, campaigns.Following{Done: true, OptOut: true}},
		{"not for now", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "refused_for_now"}, campaigns.Following{Done: true, Refusal: true}},
		{"machine", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "machine"}, campaigns.Following{Due: at.Add(6 * time.Hour)}},
		{"callback soon", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "callback"}, campaigns.Following{Due: at.Add(4 * time.Hour), Callback: true}},
		{"callback at a time, for one agent, on the number that was reached", campaigns.Lead{Numbers: two, Turn: 1, Attempts: 9}, campaigns.Bridged, campaigns.Said{Word: "callback", At: agreed, Agent: "ada"}, campaigns.Following{Due: agreed, Callback: true, Agent: "ada", Turn: 1}},
		{"nobody takes the agreed call", campaigns.Lead{Callback: true, Agent: "ada", LastOutcome: campaigns.Bridged, Tries: 1}, campaigns.NoAnswer, campaigns.Said{}, campaigns.Following{Due: at.Add(15 * time.Minute), Callback: true, Agent: "ada"}},
		{"nor the third time: like any other", campaigns.Lead{Callback: true, Agent: "ada", LastOutcome: campaigns.NoAnswer, Tries: 2, Attempts: 3}, campaigns.NoAnswer, campaigns.Said{}, campaigns.Following{Due: at.Add(4 * time.Hour)}},
		{"an agreed call is abandoned", campaigns.Lead{Callback: true}, campaigns.Abandoned, campaigns.Said{}, campaigns.Following{Due: at.Add(120 * time.Hour)}},
		{"an agreed call at the last attempt", campaigns.Lead{Callback: true, Attempts: 5}, campaigns.NoAnswer, campaigns.Said{}, campaigns.Following{Done: true}},
		{"busy: the next number", campaigns.Lead{Numbers: two}, campaigns.Busy, campaigns.Said{}, campaigns.Following{Due: at.Add(time.Minute), Turn: 1}},
		{"busy: the first again", campaigns.Lead{Numbers: two, Turn: 1}, campaigns.Busy, campaigns.Said{}, campaigns.Following{Due: at.Add(time.Minute)}},
		{"no answer: the same number", campaigns.Lead{Numbers: two, Turn: 1}, campaigns.NoAnswer, campaigns.Said{}, campaigns.Following{Due: at.Add(4 * time.Hour), Turn: 1}},
		{"vacant", campaigns.Lead{}, campaigns.Vacant, campaigns.Said{}, campaigns.Following{Done: true}},
		{"vacant: the next number at once", campaigns.Lead{Numbers: two}, campaigns.Vacant, campaigns.Said{}, campaigns.Following{Due: at, Turn: 1}},
		{"vacant: no number is left", campaigns.Lead{Numbers: two, Turn: 1}, campaigns.Vacant, campaigns.Said{}, campaigns.Following{Done: true, Turn: 1}},
		{"vacant: no attempt is left", campaigns.Lead{Numbers: two, Attempts: 5}, campaigns.Vacant, campaigns.Said{}, campaigns.Following{Done: true}},
		{"wrong number", campaigns.Lead{}, campaigns.Bridged, campaigns.Said{Word: "wrong_number"}, campaigns.Following{Done: true}},
		{"wrong number: the next one", campaigns.Lead{Numbers: two}, campaigns.Bridged, campaigns.Said{Word: "wrong_number"}, campaigns.Following{Due: at, Turn: 1}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if diff := cmp.Diff(x.want, c.Follow(x.lead, x.o, x.said, at)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckAnswers(t *testing.T) {
	c := campaigns.Default()
	c.Script = []campaigns.Question{
		{Name: "offer", Type: campaigns.AnswerYesNo, Required: true},
		{Name: "size", Type: campaigns.AnswerChoice, Choices: []string{"small", "large"}, When: map[string][]string{"offer": {"yes"}}, Required: true},
		{Name: "people", Type: campaigns.AnswerNumber},
		{Name: "day", Type: campaigns.AnswerDate},
		{Name: "words", Type: campaigns.AnswerText},
	}
	for _, x := range []struct {
		name, word string
		answers    map[string]string
		want       string
	}{
		{"all well", "sale", map[string]string{"offer": "yes", "size": "large", "people": "2.5", "day": "2026-11-30", "words": "è così"}, ""},
		{"the branch is not taken", "sale", map[string]string{"offer": "no"}, ""},
		{"nothing needed", "not_interested", nil, ""},
		{"required", "sale", nil, "answers.offer: is missing: sale needs it"},
		{"required in the branch", "sale", map[string]string{"offer": "yes"}, "answers.size: is missing"},
		{"not asked", "sale", map[string]string{"offer": "no", "size": "small"}, `answers.size: "small" is not asked after these answers`},
		{"misspelt question", "sale", map[string]string{"offer": "no", "wrods": "x"}, "answers.wrods: is not a question of the script: did you mean words?"},
		{"misspelt choice", "sale", map[string]string{"offer": "yes", "size": "smal"}, "did you mean small?"},
		{"not yes or no", "not_interested", map[string]string{"offer": "perhaps"}, "yes or no"},
		{"not a number", "not_interested", map[string]string{"people": "NaN"}, "is not an answer of type number"},
		{"not a day", "not_interested", map[string]string{"day": "30/11"}, "a day such as"},
		{"too much text", "not_interested", map[string]string{"words": strings.Repeat("è", 2000), "people": strings.Repeat("1", 1001)}, "5001 bytes together"},
		{"endless text", "not_interested", map[string]string{"words": strings.Repeat("x", 2001)}, "at most 2000"},
	} {
		t.Run(x.name, func(t *testing.T) {
			err := c.CheckAnswers(x.word, x.answers)
			var problems campaigns.Problems
			switch {
			case x.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case x.want != "" && (!errors.As(err, &problems) || !strings.Contains(err.Error(), x.want)):
				t.Errorf("%v, want %q", err, x.want)
			}
		})
	}
}
