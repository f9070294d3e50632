package dialer

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pronto/campaigns"
)

// schemaPart is what a schema says of one value.
type schemaPart struct {
	Type       any                   `json:"type"`
	Properties map[string]schemaPart `json:"properties"`
	Additional json.RawMessage       `json:"additionalProperties"`
	Items      *schemaPart           `json:"items"`
	AnyOf      []schemaPart          `json:"anyOf"`
}

// schemaKeys are the paths of all values that a campaign file may have, from its
// schema. Those of retry are told once for all outcomes. How a list's file is read is
// for the next load of it and nothing to a campaign that runs.
func schemaKeys(t *testing.T) map[string]bool {
	t.Helper()
	var top schemaPart
	if err := json.Unmarshal(campaigns.Schema(), &top); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, o := range campaigns.Outcomes() {
		if p, ok := top.Properties["retry"].Properties[string(o)]; ok {
			p.walk("retry.*", keys)
		}
	}
	delete(top.Properties, "retry")
	for f := range reflect.TypeFor[campaigns.ListFile]().Fields() {
		delete(top.Properties["lists"].Items.Properties, f.Tag.Get("yaml"))
	}
	top.walk("", keys)
	return keys
}

// walk adds the paths of the values at path and below.
func (p schemaPart) walk(path string, keys map[string]bool) {
	for _, form := range p.AnyOf {
		form.walk(path, keys)
	}
	for name, of := range p.Properties {
		of.walk(strings.TrimPrefix(path+"."+name, "."), keys)
	}
	var each schemaPart
	named := json.Unmarshal(p.Additional, &each) == nil && len(p.Additional) > 0 // false is none
	if named {
		each.walk(path+".*", keys)
	}
	switch {
	case p.Items != nil && (p.Items.Properties != nil):
		p.Items.walk(path+"[]", keys)
	case len(p.Properties) == 0 && len(p.AnyOf) == 0 && !named:
		keys[path] = true
	}
}
