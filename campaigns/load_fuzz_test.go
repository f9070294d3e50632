package campaigns_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

func FuzzReadCSV(f *testing.F) {
	for _, name := range []string{"broken-it.csv", "latin1.csv", "bom-tab-crlf.csv", "open-quote.csv"} {
		data, err := os.ReadFile("../testdata/lists/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, latin1 bool) {
		seen := make(map[campaigns.Number]bool)
		lines := 1 + bytes.Count(data, []byte("\n"))
		ended := false
		for lead, err := range campaigns.ReadCSV(t.Context(), bytes.NewReader(data), campaigns.LoadOptions{Country: "IT", Latin1: latin1}) {
			if ended {
				t.Fatal("went on after the last error")
			}
			var bad *campaigns.RowError
			switch {
			case errors.As(err, &bad):
				if bad.Line < 1 || bad.Line > lines || bad.Column < 1 || bad.Reason == "" || bad.Flaw == "" {
					t.Fatalf("row error %+v in %d lines", bad, lines)
				}
			case err != nil:
				ended = true
			case !lead.Number.Valid() || seen[lead.Number]:
				t.Fatalf("lead %+v", lead)
			default:
				seen[lead.Number] = true
			}
			if err != nil && !equalLead(lead) {
				t.Fatalf("a lead comes with the error: %+v", lead)
			}
		}
	})
}

// equalLead reports whether the lead is the zero one.
func equalLead(l campaigns.Lead) bool { return gocmp.Equal(l, campaigns.Lead{}) }
