package main

import (
	"strings"
	"testing"
)

func TestLastsSentence(t *testing.T) {
	for want, d := range map[string]lastsDoc{
		"nobody is logged in and there were no calls": {},
		"nobody is logged in (the last 7 days: 40":    {PerHour: 40},
		"no calls in the last 7 days (1 agent logged": {Agents: 1},
		"2 agents logged in, at 40 calls for each agent and hour as in the last 7 days, each callable lead is dialed once in 12.5 hours": {Agents: 2, PerHour: 40, Hours: 12.5, Attempts: 6},
	} {
		if got := d.sentence(); !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q in it", d, got, want)
		}
	}
}
