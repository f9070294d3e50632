package campaigns

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Callback is what a person hears and may do who rings one of the campaign's
// caller IDs. Keys are telephone keys: 0 to 9, * and #.
type Callback struct {
	Prompt string        `yaml:"prompt" json:"prompt,omitempty"` // WAV that says who called and why, and the keys
	OptOut string        `yaml:"opt_out" json:"opt_out"`         // key: no more calls; default 9
	Agent  string        `yaml:"agent" json:"agent,omitempty"`   // key: an agent; empty: not offered
	Later  string        `yaml:"later" json:"later,omitempty"`   // key: to be called back; empty: not offered
	Delay  time.Duration `yaml:"delay" json:"delay"`             // how much later; default 15m
}

// WithDefaults is the callback with what it leaves out filled in.
func (b Callback) WithDefaults() Callback {
	b.OptOut = cmp.Or(b.OptOut, "9")
	b.Delay = cmp.Or(b.Delay, 15*time.Minute)
	return b
}

func (r *reader) callback(b *Callback, n ast.Node) {
	for _, e := range r.entries("callback", n, []string{"prompt", "opt_out", "agent", "later", "delay"}, map[string]string{"message": "prompt", "optout": "opt_out"}) {
		path := "callback." + e.key
		switch e.key {
		case "prompt":
			r.text(path, e.value, &b.Prompt)
		case "opt_out":
			r.text(path, e.value, &b.OptOut)
		case "agent":
			r.text(path, e.value, &b.Agent)
		case "later":
			r.text(path, e.value, &b.Later)
		case "delay":
			r.duration(path, e.value, &b.Delay)
		}
	}
}

func (v *validator) callback(b Callback) {
	if b.Prompt != "" && !isLine(b.Prompt) {
		v.add("callback.prompt", b.Prompt, "must be the name of a WAV file on one line", "")
	}
	taken := map[string]string{}
	for _, k := range []struct{ name, key string }{{"opt_out", b.OptOut}, {"agent", b.Agent}, {"later", b.Later}} {
		at := "callback." + k.name
		switch {
		case k.key == "" && k.name == "opt_out":
			v.add(at, "", "is missing", "whoever rings back must be able to opt out; the default is 9")
		case k.key == "":
		case len(k.key) != 1 || !strings.Contains("0123456789*#", k.key):
			v.add(at, k.key, "is not a telephone key", `write one of 0 to 9, "*" or "#"`)
		case taken[k.key] != "":
			v.add(at, k.key, "is the key of callback."+taken[k.key]+" too", "give each its own")
		}
		taken[k.key] = k.name
	}
	if b.Delay < time.Minute || b.Delay > 30*24*time.Hour {
		v.add("callback.delay", brief(b.Delay), "must lie between 1m and 720h", fmt.Sprintf("the default is %s", brief(Callback{}.WithDefaults().Delay)))
	}
}

func (w *yamlWriter) callback(b Callback) {
	w.open("callback")
	for _, f := range []struct{ key, value string }{{"prompt", b.Prompt}, {"opt_out", b.OptOut}, {"agent", b.Agent}, {"later", b.Later}} {
		if f.value != "" {
			w.pair(2, f.key, quote(f.value))
		}
	}
	w.pair(2, "delay", brief(b.Delay))
}
