package campaigns

import (
	"slices"
	"strconv"
	"time"
)

// fillHistory reads what an exported list says became of the lead.
func (r *rows) fillHistory(lead *Lead, cells []cell) error {
	for _, n := range []struct {
		role role
		to   *int
	}{{roleAttempts, &lead.Attempts}, {roleTries, &lead.Tries}, {roleNextNumber, &lead.Turn}} {
		text := r.value(cells, n.role)
		if text == "" {
			continue
		}
		v, err := strconv.Atoi(text)
		if err != nil || v < 0 || v > 1_000_000 {
			return r.flaw(cells, r.at[n.role], FlawHistory, "is not a count: write it as in 3, or leave it empty")
		}
		*n.to = v
	}
	lead.Turn = max(lead.Turn-1, 0)
	if lead.Turn > 0 && lead.Turn >= len(lead.Numbers) {
		return r.flaw(cells, r.at[roleNextNumber], FlawHistory, "the row has no such number: write 1 for the first")
	}
	if lead.Turn > 0 {
		lead.Number = lead.Numbers[lead.Turn].Number
	}
	for _, at := range []struct {
		role role
		to   *time.Time
	}{{roleLastAttempt, &lead.LastAttempt}, {roleDue, &lead.Due}} {
		text := r.value(cells, at.role)
		if text == "" {
			continue
		}
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return r.flaw(cells, r.at[at.role], FlawHistory, "is not a time: write it as in 2026-11-24T10:30:00Z, or leave it empty")
		}
		*at.to = v.UTC()
	}
	for _, is := range []struct {
		role role
		to   *bool
	}{{roleDone, &lead.Done}, {roleCallback, &lead.Callback}} {
		text := r.value(cells, is.role)
		if text == "" {
			continue
		}
		v, err := strconv.ParseBool(text)
		if err != nil {
			return r.flaw(cells, r.at[is.role], FlawHistory, "is neither true nor false")
		}
		*is.to = v
	}
	lead.LastOutcome = Outcome(r.value(cells, roleLastOutcome))
	if lead.LastOutcome != "" && !slices.Contains(Outcomes(), lead.LastOutcome) {
		return r.flaw(cells, r.at[roleLastOutcome], FlawHistory, "is no outcome: write it as in no_answer, or leave it empty")
	}
	lead.Disposition, lead.Agent = r.value(cells, roleDisposition), r.value(cells, roleAgent)
	for i, question := range r.answers {
		if question == "" || cells[i].text == "" {
			continue
		}
		if lead.Answers == nil {
			lead.Answers = make(map[string]string)
		}
		lead.Answers[question] = cells[i].text
	}
	return nil
}
