package campaigns_test

import (
	"testing"

	"pronto/campaigns"
)

const withFiles = `campaign: spring
seller: Acme
jurisdiction: it
caller_ids: ['+390844000123']
lists:
  - name: autumn
    file: lists/autumn.csv
    columns:
      number: [Cellulare, "2"]
      name: Kunde
    country: de
    duplicate_rows: last
    known: skip
    all_or_nothing: true
  - name: book
    file: lists/book.xlsx
    sheet: Leads
    history: yes
    consents: yes
    latin1: no
`

func TestListFiles(t *testing.T) {
	c, err := campaigns.Parse("spring.yaml", []byte(withFiles))
	if err != nil {
		t.Fatal(err)
	}
	checkNormal(t, c)
	if err := compiled(t).Validate(plainOf(t, c.Normal())); err != nil {
		t.Errorf("the schema refuses: %v", err)
	}
	autumn, book := c.Lists[0], c.Lists[1]
	if autumn.Country != "DE" || autumn.Repeated != campaigns.Last || autumn.Known != campaigns.Skip || !autumn.Whole || len(autumn.Columns["number"]) != 2 || autumn.Columns["name"][0] != "Kunde" {
		t.Errorf("autumn = %+v", autumn)
	}
	if book.Sheet != "Leads" || !book.History || !book.Consents || book.Latin1 || book.Known != campaigns.Update {
		t.Errorf("book = %+v", book)
	}
}

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		key          string
		line, column int
	}{
		{"lists[0].file", 7, 11},
		{"lists[0].columns.name", 10, 13},
		{"lists[0].columns.number[1]", 9, 27},
		{"lists[0].columns.zone", 9, 7},
		{"nothing", 0, 0},
	} {
		p := campaigns.Locate("spring.yaml", []byte(withFiles), campaigns.Problem{Key: c.key, Wrong: "is wrong"})
		if p.File != "spring.yaml" || p.Key != c.key || p.Line != c.line || p.Column != c.column {
			t.Errorf("%s: %+v, want line %d, column %d", c.key, p, c.line, c.column)
		}
	}
}
