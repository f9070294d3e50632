package campaigns

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// AnswerType is what an answer must be.
type AnswerType string

// The types of answers.
const (
	AnswerText   AnswerType = "text"   // up to 2000 characters
	AnswerYesNo  AnswerType = "yes_no" // yes or no
	AnswerNumber AnswerType = "number" // with a decimal point
	AnswerDate   AnswerType = "date"   // 2026-11-30
	AnswerChoice AnswerType = "choice" // one of the question's choices
)

func answerTypes() []string {
	return []string{string(AnswerText), string(AnswerYesNo), string(AnswerNumber), string(AnswerDate), string(AnswerChoice)}
}

// Question is one step of a campaign's script.
type Question struct {
	Name     string     `yaml:"question" json:"question"`           // under which the answer is kept
	Says     string     `yaml:"says" json:"says,omitempty"`         // what the agent is to say
	Type     AnswerType `yaml:"type" json:"type"`                   // default text
	Choices  []string   `yaml:"choices" json:"choices,omitempty"`   // of type choice
	Required bool       `yaml:"required" json:"required,omitempty"` // for dispositions that are complete
	// When is the branch: the question is asked only where each of these earlier questions has one of these
	// answers; nil: always.
	When map[string][]string `yaml:"when" json:"when,omitempty"`
}

// Asked reports whether the question is asked, given the answers so far.
func (q Question) Asked(answers map[string]string) bool {
	for name, of := range q.When {
		if !slices.Contains(of, answers[name]) {
			return false
		}
	}
	return true
}

// check says what is wrong with an answer; empty: nothing.
func (q Question) check(answer string) (wrong, mend string) {
	var ok bool
	switch q.Type {
	case AnswerYesNo:
		ok, mend = answer == "yes" || answer == "no", "yes or no"
	case AnswerNumber:
		v, err := strconv.ParseFloat(answer, 64)
		ok, mend = err == nil && v-v == 0, "a number such as 12 or 0.5"
	case AnswerDate:
		_, err := time.Parse(time.DateOnly, answer)
		ok, mend = err == nil, "a day such as 2026-11-30"
	case AnswerChoice:
		ok, mend = slices.Contains(q.Choices, answer), "one of "+strings.Join(q.Choices, ", ")
		if near := nearest(answer, q.Choices); !ok && near != "" {
			mend = "did you mean " + near + "?"
		}
	default:
		ok = len([]rune(answer)) <= 2000 && !strings.ContainsFunc(answer, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' })
		mend = "text of at most 2000 characters"
	}
	if ok {
		return "", ""
	}
	return "is not an answer of type " + string(q.Type), mend
}

// maxAnswers bounds all answers of a lead together, in bytes: a store keeps them
// in 32 KiB, where each may need six.
const maxAnswers = 5000

// CheckAnswers says what is wrong with the answers that an agent gives beside a
// disposition: questions that the script does not have or does not ask after
// these answers, answers of another type, and, where the disposition is complete, required
// ones that are missing. Keys are as in answers.email.
func (c *Campaign) CheckAnswers(word string, answers map[string]string) error {
	var found Problems
	names := make([]string, len(c.Script))
	for i, q := range c.Script {
		names[i] = q.Name
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if slices.Contains(names, name) {
			continue
		}
		mend := "the script has no questions"
		if len(names) > 0 {
			mend = "the questions are " + strings.Join(names, ", ")
		}
		if near := nearest(name, names); near != "" {
			mend = "did you mean " + near + "?"
		}
		found = append(found, Problem{Key: "answers." + name, Wrong: "is not a question of the script", Mend: mend})
	}
	for _, q := range c.Script {
		answer, given := answers[q.Name]
		switch {
		case given && !q.Asked(answers):
			found = append(found, Problem{Key: "answers." + q.Name, Value: answer, Wrong: "is not asked after these answers", Mend: "leave it out"})
		case given:
			if wrong, mend := q.check(answer); wrong != "" {
				found = append(found, Problem{Key: "answers." + q.Name, Value: answer, Wrong: wrong, Mend: mend})
			}
		}
	}
	size := 0
	for _, answer := range answers {
		size += len(answer)
	}
	if size > maxAnswers {
		found = append(found, Problem{Key: "answers", Wrong: fmt.Sprintf("are %d bytes together, %d are the most", size, maxAnswers)})
	}
	if c.Words()[word].Complete {
		for _, name := range c.Missing(answers) {
			found = append(found, Problem{Key: "answers." + name, Wrong: "is missing: " + word + " needs it"})
		}
	}
	return found.err()
}

// Missing are the required questions that are asked after these answers and have
// none.
func (c *Campaign) Missing(answers map[string]string) []string {
	var names []string
	for _, q := range c.Script {
		if q.Required && q.Asked(answers) && answers[q.Name] == "" {
			names = append(names, q.Name)
		}
	}
	return names
}

// maxQuestions bounds a script.
const maxQuestions = 200
