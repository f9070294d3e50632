package campaigns_test

import (
	"strings"
	"testing"

	"pronto/campaigns"
)

func TestMachines(t *testing.T) {
	const head = "campaign: m\nseller: A\njurisdiction: it\ncaller_ids: [+390844000123]\n"
	for text, want := range map[string]campaigns.Machines{
		"":                                     {},
		"off":                                  {},
		"false":                                {},
		"tell":                                 {Do: campaigns.MachinesTell},
		"{do: off}":                            {},
		"{do: tell}":                           {Do: campaigns.MachinesTell},
		"{do: release, false_positives: 0.02}": {Do: campaigns.MachinesRelease, FalsePositives: 0.02, Audit: 0.05},
		"{do: release, false_positives: 0.2, audit: 0}":  {Do: campaigns.MachinesRelease, FalsePositives: 0.2},
		"{do: release, false_positives: 0.01, audit: 1}": {Do: campaigns.MachinesRelease, FalsePositives: 0.01, Audit: 1},
	} {
		file := head
		if text != "" {
			file += "answering_machines: " + text + "\n"
		}
		c, err := campaigns.Parse("m.yaml", []byte(file))
		if err != nil || c.Machines != want {
			t.Errorf("%q: %+v, %v, want %+v", text, c, err, want)
			continue
		}
		again, err := campaigns.Parse("again.yaml", c.Normal())
		if err != nil || again.Machines != want {
			t.Errorf("%q, written and read again: %+v, %v", text, again, err)
		}
	}
	for text, want := range map[string]string{
		"release":                                         "false_positives: \"0\" must lie above 0",
		"hang_up":                                         "use one of off, tell",
		"{do: release}":                                   "pronto report machines measures it",
		"{do: release, false_positives: 0}":               "nobody errs never",
		"{do: release, false_positives: 0.3}":             "at most 0.2",
		"{do: release, false_positives: .nan}":            "is not a number",
		"{do: release, false_positives: 0.1, audit: 1.5}": "must lie between 0 and 1",
		"{do: tell, audit: 0.5}":                          "only for do: release",
		"[tell]":                                          "answering_machines",
	} {
		_, err := campaigns.Parse("m.yaml", []byte(head+"answering_machines: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}
