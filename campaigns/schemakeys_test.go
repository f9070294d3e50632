package campaigns

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

// TestSchemaHasEveryKey holds the schema's keys to those of a campaign file.
func TestSchemaHasEveryKey(t *testing.T) {
	type part struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var top part
	if err := json.Unmarshal(Schema(), &top); err != nil {
		t.Fatal(err)
	}
	check := func(of string, got part, want []string) {
		t.Helper()
		var keys []string
		for key := range got.Properties {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		slices.Sort(want)
		if !slices.Equal(keys, want) {
			t.Errorf("%s: the schema has %q, a file %q", of, keys, want)
		}
	}
	check("campaign", top, campaignKeys())
	for name, form := range map[string]any{"pacing": Pacing{}, "callback": Callback{}, "caps": Caps{}, "appointments": Appointments{}} {
		var nested part
		if err := json.Unmarshal(top.Properties[name], &nested); err != nil {
			t.Fatal(err)
		}
		check(name, nested, tags(form))
	}
	var machines struct {
		AnyOf []part `json:"anyOf"`
	}
	if err := json.Unmarshal(top.Properties["answering_machines"], &machines); err != nil || len(machines.AnyOf) != 2 {
		t.Fatalf("answering_machines: %v, %d forms", err, len(machines.AnyOf))
	}
	check("answering_machines", machines.AnyOf[1], tags(Machines{}))
	var script struct{ Items part }
	if err := json.Unmarshal(top.Properties["script"], &script); err != nil {
		t.Fatal(err)
	}
	check("script", script.Items, tags(Question{}))
	var lists struct{ Items part }
	if err := json.Unmarshal(top.Properties["lists"], &lists); err != nil {
		t.Fatal(err)
	}
	check("lists", lists.Items, listKeys())
	check("lists", lists.Items, slices.DeleteFunc(append(tags(List{}), tags(ListFile{})...), func(tag string) bool { return tag == ",inline" }))
	var words struct {
		AdditionalProperties part `json:"additionalProperties"`
	}
	if err := json.Unmarshal(top.Properties["dispositions"], &words); err != nil {
		t.Fatal(err)
	}
	check("dispositions", words.AdditionalProperties, tags(Disposition{}))
	var retry, one part
	if err := json.Unmarshal(top.Properties["retry"], &retry); err != nil {
		t.Fatal(err)
	}
	var outcomes []string
	for _, o := range Outcomes() {
		if o.Retryable() {
			outcomes = append(outcomes, string(o))
		}
	}
	check("retry", retry, outcomes)
	if err := json.Unmarshal(retry.Properties["busy"], &one); err != nil {
		t.Fatal(err)
	}
	check("retry.busy", one, tags(Retry{}))
}

// tags are the YAML keys of a struct.
func tags(form any) []string {
	var out []string
	for i := range reflect.TypeOf(form).NumField() {
		out = append(out, reflect.TypeOf(form).Field(i).Tag.Get("yaml"))
	}
	return out
}
