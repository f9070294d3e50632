package main

import (
	"regexp"
	"testing"

	"pronto/campaigns"
	"pronto/testdata"
)

// TestSamplesWithAllTheirKeys: the demo's campaign and that of init are right also with the keys that they only name.
func TestSamplesWithAllTheirKeys(t *testing.T) {
	demo, err := testdata.Samples.ReadFile("campaigns/demo-it.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`(?m)^# ?([a-z_]+: |  - |[a-z_]+: *#)`)
	for name, text := range map[string]string{
		"demo": string(demo),
		"init": "campaign: first\nseller: Acme\njurisdiction: it\ncaller_ids: ['+390844000123']\n" + initMore,
	} {
		plain, err := campaigns.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		full, err := campaigns.Parse(name, key.ReplaceAll([]byte(text), []byte("$1")))
		if err != nil {
			t.Fatal(err)
		}
		if len(plain.Lists) > 0 || plain.Recording.On() || len(full.Lists) == 0 || full.Lists[0].File == "" || full.Machines.Do != campaigns.MachinesTell || !full.Recording.On() {
			t.Errorf("%s: as it is %+v, with its keys %+v", name, plain, full)
		}
	}
}
