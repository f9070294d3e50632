package campaigns_test

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

// FuzzParseHours: hours that are read are written so that they are read again as they
// were.
func FuzzParseHours(f *testing.F) {
	for _, text := range []string{"mon-fri 18:00-20:00; sat 10:00-12:00, 15:00-17:00", "9:00-12:00", "sun-tue 00:00-24:00", ";;", "fri-mon 08:00-09:00,08:30-10:00", "mon", "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := campaigns.ParseHours(text)
		if err != nil {
			if h != nil || err.Error() == "" {
				t.Fatalf("%q gives %v and the error %v", text, h, err)
			}
			return
		}
		again, err := campaigns.ParseHours(h.Text())
		if err != nil || !gocmp.Equal(again, h) {
			t.Fatalf("%q is %v, written %q, and then %v, %v", text, h, h.Text(), again, err)
		}
	})
}

// FuzzHistory reads what an exported list says became of a lead: a row is refused by
// name of the column, or makes a lead that can be.
func FuzzHistory(f *testing.F) {
	f.Add("3", "1", "no_answer", "2026-11-24T10:30:00Z", "2026-11-25T10:30:00+01:00", "true", "sale", "2", "false", "agent01", "yes")
	f.Add("", "", "", "", "", "", "", "", "", "", "")
	f.Add("1", "1", "", "", "", "", "", "9", "", "", "")
	f.Add("-1", "x", "no answer", "24.11.2026", "0000-00-00T00:00:00Z", "perhaps", "=1+1", "9", "1", "@x", "'a")
	f.Add("1000001", "0x10", "busy", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00Z", "T", "", "0", "TRUE", "\x00", "\n")
	f.Fuzz(func(t *testing.T, attempts, tries, outcome, last, due, done, disposition, next, callback, agent, answer string) {
		var text strings.Builder
		w := csv.NewWriter(&text)
		head := slices.Concat([]string{"phone", "phone2"}, campaigns.HistoryColumns(), []string{"answer:why"})
		row := []string{"+393561000001", "+393561000002", attempts, tries, outcome, last, due, done, disposition, next, callback, agent, answer}
		if err := errors.Join(w.Write(head), w.Write(row)); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		for lead, err := range campaigns.ReadCSV(t.Context(), strings.NewReader(text.String()), campaigns.LoadOptions{Country: "IT", History: true}) {
			var bad *campaigns.RowError
			switch {
			case errors.As(err, &bad):
				if bad.Flaw == campaigns.FlawHistory && (bad.Reason == "" || !slices.Contains(campaigns.HistoryColumns(), bad.Field)) {
					t.Fatalf("row error %+v of %q", bad, row)
				}
			case err != nil: // the text cannot be read as a list
			case lead.Attempts < 0 || lead.Tries < 0 || lead.Turn < 0 || lead.Turn >= len(lead.Numbers) || lead.Number != lead.Numbers[lead.Turn].Number,
				lead.LastOutcome != "" && !slices.Contains(campaigns.Outcomes(), lead.LastOutcome):
				t.Fatalf("lead %+v of %q", lead, row)
			}
		}
	})
}
