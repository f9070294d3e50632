package campaigns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Effect is what a disposition does with the lead.
type Effect string

// The effects.
const (
	EffectDone        Effect = "done"         // no further call
	EffectRetry       Effect = "retry"        // called again by the disposition's own retry
	EffectCallback    Effect = "callback"     // called again at the time that was agreed
	EffectOptOut      Effect = "opt_out"      // the number goes on the company's list of the seller
	EffectRefusal     Effect = "refusal"      // not for now: the rule set's cool-off begins
	EffectMachine     Effect = "machine"      // it was an answering machine: called again by retry.machine
	EffectWrongNumber Effect = "wrong_number" // the lead's next number is called, without one nobody
)

// effects lists all of them.
func effects() []string {
	return []string{
		string(EffectDone), string(EffectRetry), string(EffectCallback), string(EffectOptOut), string(EffectRefusal),
		string(EffectMachine), string(EffectWrongNumber),
	}
}

// Disposition is a word with which agents say what came of a call.
type Disposition struct {
	Key      string `yaml:"key" json:"key,omitempty"`           // telephone key 0 to 9 that says it; empty: none does
	Says     string `yaml:"says" json:"says,omitempty"`         // what it means, for the agent
	Does     Effect `yaml:"does" json:"does"`                   // default done
	Retry    Retry  `yaml:"retry" json:"retry,omitzero"`        // of effect retry; max counts talks in a row
	Complete bool   `yaml:"complete" json:"complete,omitempty"` // the script's required questions must be answered
}

// DefaultDispositions are those of a campaign that names none.
func DefaultDispositions() map[string]Disposition {
	return map[string]Disposition{
		"sale":            {Key: "1", Does: EffectDone, Complete: true},
		"not_interested":  {Key: "2", Does: EffectDone},
		"do_not_call":     {Key: "3", Does: EffectOptOut},
		"callback":        {Key: "4", Does: EffectCallback},
		"wrong_number":    {Key: "5", Does: EffectWrongNumber},
		"machine":         {Key: "6", Does: EffectMachine},
		"refused_for_now": {Key: "7", Does: EffectRefusal},
	}
}

// Words are the campaign's dispositions by their words.
func (c *Campaign) Words() map[string]Disposition {
	if len(c.Dispositions) > 0 {
		return c.Dispositions
	}
	return DefaultDispositions()
}

// WordOf is the disposition of a telephone key; empty when there is none.
func (c *Campaign) WordOf(key byte) string {
	for _, word := range slices.Sorted(maps.Keys(c.Words())) {
		if c.Words()[word].Key == string(key) {
			return word
		}
	}
	return ""
}

// Does is the effect of a word; empty for one that the campaign does not know.
func (c *Campaign) Does(word string) Effect { return c.Words()[word].Does }

func (r *reader) dispositions(c *Campaign, n ast.Node) {
	c.Dispositions = make(map[string]Disposition)
	for _, e := range r.entries("dispositions", n, nil, nil) {
		path := "dispositions." + e.key
		d := Disposition{Does: EffectDone}
		does := string(d.Does)
		for _, f := range r.entries(path, e.value, []string{"key", "says", "does", "retry", "complete"}, nil) {
			at := path + "." + f.key
			switch f.key {
			case "key":
				r.text(at, f.value, &d.Key)
			case "says":
				r.text(at, f.value, &d.Says)
			case "does":
				r.text(at, f.value, &does)
			case "retry":
				r.retry(at, f.at, f.value, &d.Retry)
			case "complete":
				r.truth(at, f.value, &d.Complete)
			}
		}
		d.Does = Effect(does)
		c.Dispositions[e.key] = d
	}
}

// truth reads true or false.
func (r *reader) truth(path string, n ast.Node, out *bool) {
	text := ""
	if !r.text(path, n, &text) {
		return
	}
	switch text {
	case "true", "yes":
		*out = true
	case "false", "no":
		*out = false
	default:
		r.add(path, n, text, "is neither true nor false", "")
	}
}

// maxDispositions bounds the words of a campaign.
const maxDispositions = 100

func (v *validator) dispositions(c *Campaign) {
	if c.Dispositions == nil {
		return
	}
	if len(c.Dispositions) > maxDispositions {
		v.add("dispositions", fmt.Sprint(len(c.Dispositions)), fmt.Sprintf("are more than %d", maxDispositions), "")
	}
	taken := map[string]string{}
	optOut := false
	for _, word := range slices.Sorted(maps.Keys(c.Dispositions)) {
		d, path := c.Dispositions[word], "dispositions."+word
		v.disposition(path, word, d)
		if other := taken[d.Key]; d.Key != "" && other != "" {
			v.add(path+".key", d.Key, "is the key of "+other+" too", "give each its own")
		}
		taken[d.Key] = word
		optOut = optOut || d.Does == EffectOptOut
	}
	if !optOut {
		v.add("dispositions", "", "have none that does opt_out", "add do_not_call: {does: opt_out}: whoever wants no more calls must get that")
	}
}

func (v *validator) disposition(path, word string, d Disposition) {
	if !isWord(word) {
		v.add(path, word, "must be one word of lower-case letters, digits, hyphens or underscores", suggestSlug(word))
	}
	if d.Key != "" && (len(d.Key) != 1 || d.Key[0] < '0' || d.Key[0] > '9') {
		v.add(path+".key", d.Key, "is not a key that agents have for it", "write one of 0 to 9; * and # are for pause and next call")
	}
	if d.Says != "" && !isLine(d.Says) {
		v.add(path+".says", d.Says, "must be one line of at most 200 characters, without spaces around it", "")
	}
	if !slices.Contains(effects(), string(d.Does)) {
		mend := "use one of " + strings.Join(effects(), ", ")
		if near := nearest(string(d.Does), effects()); near != "" {
			mend = "did you mean " + near + "?"
		}
		v.add(path+".does", string(d.Does), "is not what a disposition can do", mend)
	}
	switch {
	case d.Does == EffectRetry && d.Retry.Max < 1:
		v.add(path+".retry", "", "is missing, or has no max", "write retry: {delay: 48h, max: 2}")
	case d.Does == EffectRetry:
		v.rule(path+".retry", d.Retry, true)
	case d.Retry != Retry{}:
		v.add(path+".retry", "", "is only for does: retry", "leave it out")
	}
}

func (w *yamlWriter) dispositions(all map[string]Disposition) {
	if len(all) == 0 {
		return
	}
	w.open("dispositions")
	for _, word := range slices.Sorted(maps.Keys(all)) {
		d := all[word]
		fields := []string{"does: " + string(d.Does)}
		if d.Key != "" {
			fields = append(fields, "key: "+quote(d.Key))
		}
		if d.Says != "" {
			fields = append(fields, "says: "+quote(d.Says))
		}
		if (d.Retry != Retry{}) {
			fields = append(fields, "retry: {"+strings.Join(retryFields(d.Retry), ", ")+"}")
		}
		if d.Complete {
			fields = append(fields, "complete: true")
		}
		w.pair(2, quote(word), "{"+strings.Join(fields, ", ")+"}")
	}
}

func dispositionsSchema() schema {
	one := object("What agents say came of a call.", schema{
		"key":      schema{"type": []string{"string", "integer"}, "description": "Telephone key that says it.", "pattern": `^[0-9]$`, "minimum": 0, "maximum": 9},
		"says":     text("What it means, for the agent."),
		"does":     text("What becomes of the lead.", "enum", effects(), "default", string(EffectDone)),
		"retry":    retryRuleSchema("When the lead is called again, of does: retry.", Retry{}),
		"complete": schema{"type": "boolean", "default": false, "description": "The script's required questions must be answered."},
	})
	return schema{
		"type": "object", "description": "What agents may say came of a call, instead of the seven of every campaign; one must do opt_out.",
		"propertyNames": schema{"pattern": patternWord}, "additionalProperties": one,
	}
}

// Appointments say how calls at an agreed time are placed.
type Appointments struct {
	AgentWait time.Duration `yaml:"agent_wait" json:"agent_wait"` // how long a call that is for one agent waits for them; then any agent takes it
	Retry     Retry         `yaml:"retry" json:"retry"`           // when nobody takes the call; still agreed, for the same agent
}

// DefaultAppointments are those of a campaign that names none.
func DefaultAppointments() Appointments {
	return Appointments{AgentWait: 10 * time.Minute, Retry: Retry{Delay: 15 * time.Minute, Max: 2}}
}

func (r *reader) appointments(a *Appointments, n ast.Node) {
	for _, e := range r.entries("appointments", n, []string{"agent_wait", "retry"}, nil) {
		switch path := "appointments." + e.key; e.key {
		case "agent_wait":
			r.duration(path, e.value, &a.AgentWait)
		case "retry":
			r.retry(path, e.at, e.value, &a.Retry)
		}
	}
}

func (v *validator) appointments(a Appointments) {
	if a.AgentWait < 0 || a.AgentWait > 24*time.Hour {
		v.add("appointments.agent_wait", brief(a.AgentWait), "must lie between 0s and 24h", "the default is "+brief(DefaultAppointments().AgentWait))
	}
	v.rule("appointments.retry", a.Retry, a.Retry.Max > 0)
}

func (w *yamlWriter) appointments(a Appointments) {
	w.open("appointments")
	w.pair(2, "agent_wait", brief(a.AgentWait))
	w.pair(2, "retry", "{"+strings.Join(retryFields(a.Retry), ", ")+"}")
}

func appointmentsSchema() schema {
	d := DefaultAppointments()
	return object("Calls at a time agreed with the person.", schema{
		"agent_wait": duration("How long a call that is for one agent waits for them; then any agent takes it.", brief(d.AgentWait)),
		"retry":      retryRuleSchema("When nobody takes the call; then retry applies as to any other.", d.Retry),
	})
}
