package campaigns

import (
	"encoding/json"
	"strings"
)

// SchemaID names the schema of campaign files.
const SchemaID = "https://pronto.example/schemas/campaign.json"

// schema is a JSON Schema (draft 2020-12), or a part of one.
type schema map[string]any

// The patterns of words in a campaign file.
const (
	patternDuration = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`
	patternSpan     = `^[0-2]?[0-9]:[0-5][0-9] ?- ?[0-2]?[0-9]:[0-5][0-9]$`
	patternDays     = `^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$`
	patternKey      = `^[0-9*#]$`
	patternWord     = `^[a-z0-9_][a-z0-9_-]*$`
	patternCap      = `^ *[0-9]+ +per +(day|[0-9]+d|([0-9]+(\.[0-9]*)?(s|m|h))+) *$`
)

// Schema is the JSON Schema of a campaign file, for editors that complete and
// check it: every key with its meaning and default. Parse checks more than a
// schema can say.
func Schema() []byte {
	d := Default()
	top := object("A Pronto campaign: a list plus the rules for calling it.", schema{
		"campaign":           text("Name: lower-case letters, digits and hyphens.", "pattern", `^[a-z0-9-]{1,63}$`),
		"seller":             text("Company on whose behalf the calls are made; opt-outs, verdicts and attempts are per seller."),
		"purpose":            text("What the calls are for, as marketing, survey or service.", "default", d.Purpose),
		"sector":             text("Where the law knows sectors, as energy or telecom."),
		"jurisdiction":       text("Rule set: where the called people are.", "pattern", `^[a-z]{2}$`, "examples", []string{"it", "us", "gb", "ca", "fr", "de", "at", "es", "nl", "au", "sg"}),
		"caller_ids":         list("Numbers to show, in international form.", schema{"type": []string{"string", "integer"}}, "minItems", 1),
		"priority":           schema{"type": "integer", "minimum": -1000, "maximum": 1000, "default": 0, "description": "Agents that campaigns share go to the campaign with the higher priority first."},
		"weight":             schema{"type": "integer", "minimum": 1, "maximum": 1000, "default": d.Weight, "description": "Share of the agents' time among campaigns of the same priority."},
		"trunk":              text("The only trunk that the calls may take; without it and trunks: any."),
		"trunks":             list("Trunks that the calls may take.", schema{"type": "string"}),
		"hours":              hoursSchema(),
		"pacing":             pacingSchema(d.Pacing),
		"ring_timeout":       duration("How long a phone rings before the call is given up; never under the law's minimum.", brief(d.RingTimeout)),
		"wrap_up":            duration("The agent's time after a call; 0s: ready at once.", brief(d.WrapUp)),
		"retry":              retrySchema(d.Retry),
		"max_attempts":       schema{"type": "integer", "minimum": 1, "maximum": 100, "default": d.MaxAttempts, "description": "Attempts for each lead."},
		"abandon_message":    text("WAV in the prompts folder, played to a live answer without an agent where the rule set asks for a message."),
		"caps":               capsSchema(),
		"dispositions":       dispositionsSchema(),
		"script":             scriptSchema(),
		"appointments":       appointmentsSchema(),
		"answering_machines": machinesSchema(),
		"recording":          recordingSchema(),
		"callback":           callbackSchema(),
		"agents":             list("Agents who take the calls; none: every agent.", schema{"type": "string"}),
		"agent_order":        text("Which ready agent gets the next call: who has waited longest, the first in agents, or who took the fewest calls today.", "enum", agentOrders(), "default", string(d.AgentOrder)),
		"order":              text("Order of leads of one priority: as loaded, shuffled, or those likely to answer first.", "enum", orders(), "default", string(d.Order)),
		"lists":              listsSchema(),
	}, "required", []string{"campaign", "seller", "jurisdiction", "caller_ids"})
	top["$schema"], top["$id"], top["title"] = "https://json-schema.org/draft/2020-12/schema", SchemaID, "Pronto campaign"
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return nil // not reachable: maps of strings and numbers
	}
	return append(out, '\n')
}

func hoursSchema() schema {
	spans := list("Spans such as 09:00-13:00; a day without one is closed.", text("", "pattern", patternSpan))
	return schema{
		"type": "object", "description": "Calling window in the called party's local time, by day or range of days; only narrower than the law's.",
		"propertyNames":        schema{"pattern": patternDays},
		"additionalProperties": spans,
	}
}

func pacingSchema(d Pacing) schema {
	return object("How many lines to dial.", schema{
		"mode":                 text("predictive, progressive (one line for each free agent) or ratio.", "enum", []string{"predictive", "progressive", "ratio"}, "default", d.Mode),
		"ratio":                number("Lines for each ready agent, in mode ratio."),
		"cap":                  number("Abandon cap as a share, 0.02 for 2 %; only stricter than the rule set's."),
		"target":               number("Share of the cap to aim at."),
		"max_lines":            schema{"type": "integer", "minimum": 0, "description": "Lines at once; 0: no bound."},
		"max_lines_per_agent":  number("Lines for each agent who is not away; 0: no bound."),
		"max_calls_per_second": schema{"type": "integer", "minimum": 0, "description": "Calls begun in a second; 0: no bound."},
	})
}

func retrySchema(d map[Outcome]Retry) schema {
	each := schema{}
	for _, o := range Outcomes() {
		if !o.Retryable() {
			continue
		}
		r := d[o]
		each[string(o)] = retryRuleSchema("When a lead is called again after "+strings.ReplaceAll(string(o), "_", " ")+".", r)
	}
	return object("When a lead is called again, by outcome.", each)
}

func retryRuleSchema(says string, r Retry) schema {
	return object(says, schema{
		"delay":       duration("How long to wait.", brief(r.Delay)),
		"growth":      number("The delay is multiplied by it at each try."),
		"max":         schema{"type": "integer", "minimum": 0, "maximum": 100, "description": "Retries in a row; 0: none.", "default": r.Max},
		"next_number": schema{"type": "boolean", "default": false, "description": "Go on to the next of the lead's numbers, after the last to the first."},
	})
}

func callbackSchema() schema {
	d := Callback{}.WithDefaults()
	key := func(says string, more ...any) schema {
		return schema{"type": []string{"string", "integer"}, "description": says, "pattern": patternKey}.with(more)
	}
	return object("What a person hears and may do who rings one of the caller IDs.", schema{
		"prompt":  text("WAV in the prompts folder that says who called and why, and the keys."),
		"opt_out": key("Key: no more calls.", "default", d.OptOut),
		"agent":   key("Key: an agent; without it none is offered."),
		"later":   key("Key: to be called back; without it that is not offered."),
		"delay":   duration("How much later.", brief(d.Delay)),
	})
}

// with adds keywords and their values, by turns.
func (s schema) with(more []any) schema {
	for i := 0; i+1 < len(more); i += 2 {
		s[more[i].(string)] = more[i+1]
	}
	return s
}

func object(says string, keys schema, more ...any) schema {
	return schema{"type": "object", "description": says, "properties": keys, "additionalProperties": false}.with(more)
}

func text(says string, more ...any) schema {
	s := schema{"type": "string"}
	if says != "" {
		s["description"] = says
	}
	return s.with(more)
}

func off(says string) schema {
	return schema{"enum": []any{"off", "no", "false", false}, "description": says}
}

func number(says string) schema {
	return schema{"type": "number", "minimum": 0, "description": says}
}

func duration(says, otherwise string) schema {
	return schema{"type": []string{"string", "integer"}, "pattern": patternDuration, "description": says + " Written as 90s, 15m, 4h.", "default": otherwise}
}

func list(says string, of schema, more ...any) schema {
	s := schema{"type": "array", "items": of, "description": says}
	return s.with(more)
}
