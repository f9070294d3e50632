package campaigns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

func (r *reader) script(c *Campaign, n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.add("script", n, "", "must be a list of questions", "write one after each hyphen: - question: NAME")
		return
	}
	for i, item := range list.Values {
		path := fmt.Sprintf("script[%d]", i)
		r.note(path, path, item)
		q := Question{Type: AnswerText}
		kind := string(q.Type)
		for _, e := range r.entries(path, item, []string{"question", "says", "type", "choices", "required", "when"}, map[string]string{"name": "question", "text": "says"}) {
			at := path + "." + e.key
			switch e.key {
			case "question":
				r.text(at, e.value, &q.Name)
			case "says":
				r.text(at, e.value, &q.Says)
			case "type":
				r.text(at, e.value, &kind)
			case "choices":
				r.texts(at, e.value, &q.Choices)
			case "required":
				r.truth(at, e.value, &q.Required)
			case "when":
				r.when(at, e.value, &q)
			}
		}
		q.Type = AnswerType(kind)
		c.Script = append(c.Script, q)
	}
}

func (r *reader) when(path string, n ast.Node, q *Question) {
	q.When = make(map[string][]string)
	for _, e := range r.entries(path, n, nil, nil) {
		var of []string
		r.texts(path+"."+e.key, e.value, &of)
		q.When[e.key] = of
	}
}

func (v *validator) script(script []Question) {
	if len(script) > maxQuestions {
		v.add("script", fmt.Sprint(len(script)), fmt.Sprintf("has more than %d questions", maxQuestions), "")
	}
	for i, q := range script {
		path := fmt.Sprintf("script[%d]", i)
		earlier := script[:i]
		switch {
		case q.Name == "":
			v.add(path+".question", "", "is missing", "give the question a name such as email")
		case !isWord(q.Name):
			v.add(path+".question", q.Name, "must be one word of lower-case letters, digits, hyphens or underscores", suggestSlug(q.Name))
		case find(earlier, q.Name) != nil:
			v.add(path+".question", q.Name, "is given twice", "give each question its own name")
		}
		if len([]rune(q.Says)) > 2000 || strings.ContainsFunc(q.Says, func(r rune) bool { return !unicode.IsPrint(r) }) {
			v.add(path+".says", "", "must be text on one line of at most 2000 characters", "fold it with > when it is long")
		}
		v.answerType(path, q)
		for _, name := range slices.Sorted(maps.Keys(q.When)) {
			v.branch(path+".when."+name, find(earlier, name), q.When[name])
		}
	}
}

func find(script []Question, name string) *Question {
	if i := slices.IndexFunc(script, func(q Question) bool { return q.Name == name }); i >= 0 {
		return &script[i]
	}
	return nil
}

func (v *validator) answerType(path string, q Question) {
	if !slices.Contains(answerTypes(), string(q.Type)) {
		mend := "use one of " + strings.Join(answerTypes(), ", ")
		if near := nearest(string(q.Type), answerTypes()); near != "" {
			mend = "did you mean " + near + "?"
		}
		v.add(path+".type", string(q.Type), "is not a type of answer", mend)
		return
	}
	switch {
	case q.Type == AnswerChoice && len(q.Choices) == 0:
		v.add(path+".choices", "", "is missing", "write choices: [a, b]")
	case q.Type != AnswerChoice && len(q.Choices) > 0:
		v.add(path+".choices", "", "is only for type: choice", "write type: choice, or leave it out")
	}
	for i, one := range q.Choices {
		at := fmt.Sprintf("%s.choices[%d]", path, i)
		switch {
		case !isLine(one):
			v.add(at, one, "must be one line of at most 200 characters, without spaces around it", "")
		case slices.Contains(q.Choices[:i], one):
			v.add(at, one, "is given twice", "keep one")
		}
	}
}

// branch checks the answers that an earlier question must have.
func (v *validator) branch(path string, on *Question, answers []string) {
	switch {
	case on == nil:
		v.add(path, "", "names no earlier question", "a branch can only follow what was asked before")
	case len(answers) == 0:
		v.add(path, "", "names no answer", "write [yes] or the like")
	default:
		for i, one := range answers {
			if wrong, mend := on.check(one); wrong != "" && slices.Contains(answerTypes(), string(on.Type)) {
				v.add(fmt.Sprintf("%s[%d]", path, i), one, wrong, mend)
			}
		}
	}
}

func (w *yamlWriter) script(script []Question) {
	if len(script) == 0 {
		return
	}
	w.open("script")
	for _, q := range script {
		w.WriteString("  - question: " + quote(q.Name) + "\n")
		if q.Says != "" {
			w.pair(4, "says", quote(q.Says))
		}
		w.pair(4, "type", string(q.Type))
		if len(q.Choices) > 0 {
			w.list(4, "choices", q.Choices)
		}
		if q.Required {
			w.pair(4, "required", "true")
		}
		if len(q.When) > 0 {
			w.WriteString("    when:\n")
			for _, name := range slices.Sorted(maps.Keys(q.When)) {
				w.list(6, quote(name), q.When[name])
			}
		}
	}
}

func scriptSchema() schema {
	return list("What agents ask, in order.", object("One question.", schema{
		"question": text("Name under which the answer is kept.", "pattern", patternWord),
		"says":     text("What the agent is to say."),
		"type":     text("What the answer must be.", "enum", answerTypes(), "default", string(AnswerText)),
		"choices":  list("Answers of type choice.", schema{"type": []string{"string", "number", "boolean"}}),
		"required": schema{"type": "boolean", "default": false, "description": "A disposition that is complete needs the answer."},
		"when": schema{
			"type": "object", "description": "Asked only where each of these earlier questions has one of these answers.",
			"additionalProperties": schema{"type": []string{"array", "string", "number", "boolean"}},
		},
	}, "required", []string{"question"}))
}
