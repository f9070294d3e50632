package campaigns

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Recording says which calls are recorded, how the person is told, and how long
// recordings are kept. The zero value records none.
type Recording struct {
	Calls        string        `yaml:"calls" json:"calls,omitempty"`                 // none, all, on_demand, or a share of the calls as in 10%
	Announce     string        `yaml:"announce" json:"announce,omitempty"`           // WAV that tells the person first; AnnouncedByAgent, NotAnnounced
	Keep         time.Duration `yaml:"keep" json:"keep,omitempty"`                   // then it is removed
	Required     bool          `yaml:"required" json:"required,omitempty"`           // no recording, no call
	Key          string        `yaml:"key" json:"key,omitempty"`                     // of the agent's phone: begins, pauses, resumes; default 8
	ObjectionKey string        `yaml:"objection_key" json:"objection_key,omitempty"` // of the agent's phone: the person objects; default 9
}

// The words of Recording.Calls beside a share.
const (
	RecordNone     = "none"
	RecordAll      = "all"
	RecordOnDemand = "on_demand"
)

// The words of Recording.Announce beside the name of a prompt.
const (
	AnnouncedByAgent = "agent" // who tells the person, then begins the recording
	NotAnnounced     = "none"
)

// The bounds of Recording.Keep.
const (
	leastKeep = time.Hour
	mostKeep  = 3660 * 24 * time.Hour
)

// On reports whether any call may be recorded.
func (r Recording) On() bool { return r.Calls != "" && r.Calls != RecordNone }

// Share is the share of calls that are recorded without anybody asking, 0 to 1.
func (r Recording) Share() float64 {
	switch r.Calls {
	case "", RecordNone, RecordOnDemand:
		return 0
	case RecordAll:
		return 1
	}
	share, _ := shareOf(r.Calls) // Validate has seen it
	return share
}

// Prompt is the WAV that tells the person; empty: there is none.
func (r Recording) Prompt() string {
	if r.Announce == AnnouncedByAgent || r.Announce == NotAnnounced {
		return ""
	}
	return r.Announce
}

// withDefaults fills the keys in where calls are recorded.
func (r Recording) withDefaults() Recording {
	if r.On() {
		r.Key, r.ObjectionKey = cmp.Or(r.Key, "8"), cmp.Or(r.ObjectionKey, "9")
	}
	return r
}

// shareOf reads a share such as 10% or 2.5 %.
func shareOf(text string) (float64, bool) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	return v / 100, percent && err == nil && v > 0 && v <= 100
}

// recording reads the block, or a word that says that nothing is recorded.
func (r *reader) recording(out *Recording, n ast.Node) {
	if word, ok := scalar(n); ok {
		switch word {
		case "off", "false", "no", RecordNone:
		default:
			r.add("recording", n, word, "is no policy", "write off, or a block with calls, announce and keep")
		}
		return
	}
	known := []string{"calls", "announce", "keep", "required", "key", "objection_key"}
	for _, e := range r.entries("recording", n, known, map[string]string{"prompt": "announce", "retention": "keep", "sample": "calls", "record_key": "key"}) {
		path := "recording." + e.key
		switch e.key {
		case "calls":
			if r.text(path, e.value, &out.Calls) {
				if v, ok := shareOf(out.Calls); ok {
					out.Calls = strconv.FormatFloat(100*v, 'g', 6, 64) + "%"
				}
			}
		case "announce":
			r.text(path, e.value, &out.Announce)
		case "keep":
			r.days(path, e.value, &out.Keep)
		case "required":
			r.truth(path, e.value, &out.Required)
		case "key":
			r.text(path, e.value, &out.Key)
		case "objection_key":
			r.text(path, e.value, &out.ObjectionKey)
		}
	}
	if out.Calls == RecordNone {
		*out = Recording{}
	}
	*out = out.withDefaults()
}

// days reads a time in whole days, as in 90d, or a Go duration.
func (r *reader) days(path string, n ast.Node, out *time.Duration) {
	text, ok := scalar(n)
	if number, days := strings.CutSuffix(text, "d"); ok && days {
		v, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			r.add(path, n, text, "is not a number of days", "write it as in 90d")
			return
		}
		*out = time.Duration(v) * 24 * time.Hour
		return
	}
	r.duration(path, n, out)
}

func (v *validator) recording(c *Campaign) {
	r := c.Recording
	_, share := shareOf(r.Calls)
	switch {
	case r.Calls == "" && r != (Recording{}):
		v.add("recording.calls", "", "is missing", "write all, none, on_demand or a share such as 10%")
		return
	case r.Calls != "" && r.Calls != RecordNone && r.Calls != RecordAll && r.Calls != RecordOnDemand && !share:
		v.add("recording.calls", r.Calls, "says not which calls are recorded", "write all, none, on_demand or a share such as 10%")
		return
	case !r.On():
		return
	}
	switch {
	case r.Announce == "":
		v.add("recording.announce", "", "is missing", "name the WAV that tells the person; agent where the agent says it; none where the law asks for none")
	case !isLine(r.Announce):
		v.add("recording.announce", r.Announce, "must be the name of a WAV file on one line, agent or none", "")
	case r.Announce == AnnouncedByAgent && r.Calls != RecordOnDemand:
		v.add("recording.announce", r.Announce, "goes with calls: on_demand alone", "the agent tells the person and then presses the key; for other calls name a WAV")
	}
	if r.Keep < leastKeep || r.Keep > mostKeep {
		v.add("recording.keep", keepText(r.Keep), "must lie between 1h and 3660d", "say how long recordings are needed, as in 90d")
	}
	if r.Required && r.Calls != RecordAll {
		v.add("recording.required", "true", "goes with calls: all alone", "leave it out")
	}
	v.recordingKeys(c)
}

// recordingKeys checks the keys against each other and against the dispositions'.
func (v *validator) recordingKeys(c *Campaign) {
	for _, k := range []struct{ name, key, other string }{
		{"recording.key", c.Recording.Key, c.Recording.ObjectionKey}, {"recording.objection_key", c.Recording.ObjectionKey, ""},
	} {
		switch {
		case len(k.key) != 1 || k.key[0] < '0' || k.key[0] > '9':
			v.add(k.name, k.key, "is not a key that agents have for it", "write one of 0 to 9; * and # are for pause and next call")
		case k.key == k.other:
			v.add(k.name, k.key, "is the key of recording.objection_key too", "give each its own")
		case c.WordOf(k.key[0]) != "":
			v.add(k.name, k.key, "is the key of the disposition "+c.WordOf(k.key[0]), "give each its own")
		}
	}
}

func (w *yamlWriter) recording(r Recording) {
	if !r.On() {
		return
	}
	w.open("recording")
	for _, f := range []struct{ key, value string }{
		{"calls", quote(r.Calls)},
		{"announce", quote(r.Announce)},
		{"keep", keepText(r.Keep)},
		{"required", fmt.Sprint(r.Required)},
		{"key", quote(r.Key)},
		{"objection_key", quote(r.ObjectionKey)},
	} {
		w.pair(2, f.key, f.value)
	}
}

// keepText writes whole days as days.
func keepText(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return brief(d)
}

func recordingSchema() schema {
	key := func(says, otherwise string) schema {
		return schema{"type": []string{"string", "integer"}, "description": says, "pattern": `^[0-9]$`, "default": otherwise}
	}
	block := object("Which calls are recorded, how the person is told, how long recordings are kept.", schema{
		"calls":         text("all, none, on_demand (the agent begins it), or a share of the calls such as 10%.", "pattern", `^(all|none|on_demand|[0-9]+(\.[0-9]*)? *%)$`),
		"announce":      text("WAV in the prompts folder that tells the person before the recording begins; agent: the agent says it (on_demand); none: where the law asks for none."),
		"keep":          schema{"type": "string", "pattern": `^[0-9]+d$|` + patternDuration, "description": "How long recordings are kept, as 90d."},
		"required":      schema{"type": "boolean", "default": false, "description": "No recording, no call: with calls: all."},
		"key":           key("Key of the agent's phone: begins, pauses and resumes the recording.", "8"),
		"objection_key": key("Key of the agent's phone: the person objects, the recording is destroyed.", "9"),
	}, "required", []string{"calls"})
	return schema{"description": block["description"], "anyOf": []any{off("Calls are not recorded."), block}}
}
