package campaigns_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"pronto/campaigns"
)

// compiled is the schema, held to the rules of JSON Schema.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(campaigns.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(campaigns.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(campaigns.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plainOf is a YAML text as a schema sees it.
func plainOf(t *testing.T, text []byte) any {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaTakesWhatParseTakes(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../testdata/campaigns/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := campaigns.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string][]byte{"as written": text, "with every default": c.Normal()} {
			if err := s.Validate(plainOf(t, text)); err != nil {
				t.Errorf("%s %s: %v", file, what, err)
			}
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compiled(t)
	const lawful = "campaign: spring\nseller: Acme\njurisdiction: it\ncaller_ids: ['+390844000123']\n"
	cases := []struct{ name, more string }{
		{"a misspelt key", "sellr: Acme\n"},
		{"a misspelt nested key", "pacing: {mod: predictive}\n"},
		{"a mode that is not there", "pacing: {mode: turbo}\n"},
		{"an outcome that is not there", "retry: {sleeping: {delay: 4h}}\n"},
		{"a day that is not there", "hours: {monday: ['09:00-10:00']}\n"},
		{"a duration without a unit", "wrap_up: '10'\n"},
		{"too many attempts", "max_attempts: 1000\n"},
		{"a key that phones lack", "callback: {opt_out: x}\n"},
	}
	if err := s.Validate(plainOf(t, []byte(lawful))); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if err := s.Validate(plainOf(t, []byte(lawful+c.more))); err == nil {
			t.Errorf("%s is taken", c.name)
		}
	}
	if err := s.Validate(plainOf(t, []byte(strings.Replace(lawful, "seller: Acme\n", "", 1)))); err == nil {
		t.Error("a campaign without a seller is taken")
	}
}
