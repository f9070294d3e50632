package campaigns

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Machines says what is done when an answering machine is heard after the call was put through. In a campaign
// file it is one word, or a block with the word as do.
type Machines struct {
	Do MachinesDo `yaml:"do" json:"do,omitempty"`
	// FalsePositives is the share of released calls that were answered by a person, 0 to 1, as the campaign reasons: with
	// release, each released call counts as so much of an abandoned one.
	FalsePositives float64 `yaml:"false_positives" json:"false_positives,omitempty"`
	// Audit is the share of calls, 0 to 1, that are only told of although release is asked for, so that agents go on saying
	// how often the detector errs.
	Audit float64 `yaml:"audit" json:"audit,omitempty"`
}

// MachinesDo is what is done when a machine is heard. The zero value is off.
type MachinesDo string

// What can be done. Nobody listens with off; the agent is told with tell; with release the call is ended and the
// agent is free.
const (
	MachinesOff     MachinesDo = ""
	MachinesTell    MachinesDo = "tell"
	MachinesRelease MachinesDo = "release"
)

// defaultAudit is the share of calls that agents judge although release is asked for.
const defaultAudit = 0.05

// mostFalse is the largest estimate that is taken: who errs more often should not release.
const mostFalse = 0.2

// machineKeys are those of the block.
func machineKeys() []string { return []string{"do", "false_positives", "audit"} }

func (r *reader) machines(m *Machines, n ast.Node) {
	if word, ok := scalar(n); ok {
		m.Do = machinesWord(word)
		r.text("answering_machines", n, &word)
		return
	}
	given := false
	for _, e := range r.entries("answering_machines", n, machineKeys(), nil) {
		switch path := "answering_machines." + e.key; e.key {
		case "do":
			word := ""
			r.text(path, e.value, &word)
			m.Do = machinesWord(word)
		case "false_positives":
			r.float(path, e.value, &m.FalsePositives, "nobody errs never: pronto report machines measures it")
		case "audit":
			r.float(path, e.value, &m.Audit, "")
			given = true
		}
	}
	if m.Do == MachinesRelease && !given {
		m.Audit = defaultAudit
	}
}

// machinesWord is a word of the file; YAML has several for off.
func machinesWord(word string) MachinesDo {
	if word == "off" || word == "false" || word == "no" {
		return MachinesOff
	}
	return MachinesDo(word)
}

func (v *validator) machines(m Machines) {
	const at = "answering_machines"
	switch m.Do {
	case MachinesOff, MachinesTell:
		if m.FalsePositives != 0 {
			v.add(at+".false_positives", share(m.FalsePositives), "is only for do: release", "leave it out")
		}
		if m.Audit != 0 {
			v.add(at+".audit", share(m.Audit), "is only for do: release", "leave it out")
		}
	case MachinesRelease:
		if !(m.FalsePositives > 0 && m.FalsePositives <= mostFalse) {
			v.add(at+".false_positives", share(m.FalsePositives), "must lie above 0 and be at most 0.2",
				"write the share of released calls that people had answered, 0.02 for 2 %; with tell, pronto report machines measures it")
		}
		if !(m.Audit >= 0 && m.Audit <= 1) {
			v.add(at+".audit", share(m.Audit), "must lie between 0 and 1", "the default is "+share(defaultAudit))
		}
	default:
		v.add(at, string(m.Do), "is not what can be done about answering machines", "use one of off, tell, or {do: release, false_positives: 0.02}")
	}
}

func share(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (w *yamlWriter) machines(m Machines) {
	switch m.Do {
	case MachinesOff:
	case MachinesRelease:
		fields := []string{"do: release", "false_positives: " + share(m.FalsePositives), "audit: " + share(m.Audit)}
		w.pair(0, "answering_machines", "{"+strings.Join(fields, ", ")+"}")
	default:
		w.pair(0, "answering_machines", quote(string(m.Do)))
	}
}

func machinesSchema() schema {
	words := []any{"off", false, string(MachinesTell)}
	return schema{
		"description": "What is done when an answering machine is heard after the call was put through: off, tell the agent, or release them.",
		"default":     "off",
		"anyOf": []schema{
			{"enum": words},
			object("With figures.", schema{
				"do":              schema{"enum": append(words, string(MachinesRelease)), "description": "release: the call is ended and the agent is free."},
				"false_positives": schema{"type": "number", "exclusiveMinimum": 0, "maximum": mostFalse, "description": "Share of released calls that people had answered, of do: release; each counts as so much of an abandoned call."},
				"audit":           schema{"type": "number", "minimum": 0, "maximum": 1, "default": defaultAudit, "description": "Share of calls that agents are only told of, so that they go on measuring."},
			}),
		},
	}
}
