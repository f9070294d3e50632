package campaigns_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

// shelf is a LeadSink that remembers what was done to it.
type shelf struct {
	staged, kept []campaigns.Lead
	rolledBack   int
	failStage    error
	failCommit   error
	failRollback error
}

func (s *shelf) Stage(_ context.Context, leads []campaigns.Lead) error {
	s.staged = append(s.staged, leads...)
	return s.failStage
}

func (s *shelf) Commit(context.Context) (added, updated, unchanged int, err error) {
	if s.failCommit != nil {
		return 0, 0, 0, s.failCommit
	}
	s.kept, s.staged = s.staged, nil
	return len(s.kept), 0, 0, nil
}

func (s *shelf) Rollback(ctx context.Context) error {
	s.staged = nil
	s.rolledBack++
	return cmp.Or(s.failRollback, ctx.Err())
}

func TestLoadReportsBadRows(t *testing.T) {
	data, err := os.ReadFile("../testdata/lists/broken-it.csv")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	sink := &shelf{}
	report, err := campaigns.Load(t.Context(), bytes.NewReader(data), campaigns.LoadOptions{Campaign: "demo", Country: "IT", Now: now, Batch: 2}, sink)
	if err != nil {
		t.Fatal(err)
	}
	if n := report.Loaded + report.Updated + report.Unchanged + report.Duplicate + report.Rejected; n != report.Read || report.Loaded != len(sink.kept) {
		t.Fatalf("counts do not add up: %+v", report)
	}
	out, err := json.MarshalIndent(struct {
		Report campaigns.LoadReport
		Leads  []campaigns.Lead
	}{report, sink.kept}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/load/broken-it.json", append(out, '\n'))
}

func TestLoadForms(t *testing.T) {
	const one = "+393561000001"
	cases := []struct {
		name, text string
		opt        campaigns.LoadOptions
		want       []campaigns.Lead
	}{
		{name: "comma", text: "phone,name\n+393561000001,Anna\n", want: []campaigns.Lead{{Number: one, Name: "Anna"}}},
		{name: "semicolon", text: "Name; Phone\nAnna;+39 356 1000001", want: []campaigns.Lead{{Number: one, Name: "Anna"}}},
		{name: "bar", text: "name|phone\nAnna|+393561000001", want: []campaigns.Lead{{Number: one, Name: "Anna"}}},
		{name: "sep line", text: "sep=;\r\nphone;a,b,c\r\n+393561000001;x\r\n", want: []campaigns.Lead{{Number: one, Fields: map[string]string{"a,b,c": "x"}}}},
		{name: "one column", text: "TELEFONO\n\n+393561000001\n   \n", want: []campaigns.Lead{{Number: one}}},
		{name: "other delimiters in headings", text: "phone;city, region, country\n+393561000001;Roma", want: []campaigns.Lead{{Number: one, Fields: map[string]string{"city, region, country": "Roma"}}}},
		{name: "quoted headings", text: "\"phone\",\"a,b\"\n\"+393561000001\", \"x, y\" \n", want: []campaigns.Lead{{Number: one, Fields: map[string]string{"a,b": "x, y"}}}},
		{name: "surname and name", text: "cognome,nome,cellulare\nRossi,Anna,+393561000001", want: []campaigns.Lead{{Number: one, Name: "Anna Rossi"}}},
		{name: "weak heading", text: "number,name\n+393561000001,Anna", want: []campaigns.Lead{{Number: one, Name: "Anna"}}},
		{name: "weak heading beside a sure one", text: "number,phone\n7,+393561000001", want: []campaigns.Lead{{Number: one, Fields: map[string]string{"number": "7"}}}},
		{name: "named column", text: "phone,mobile\n1,+393561000001", opt: campaigns.LoadOptions{Columns: map[string][]string{"number": {"Mobile"}}}, want: []campaigns.Lead{{Number: one, Fields: map[string]string{"phone": "1"}}}},
		{name: "national", text: "phone\n356 1000001", opt: campaigns.LoadOptions{Country: "IT"}, want: []campaigns.Lead{{Number: one}}},
		{name: "everything", text: "external_id,phone,name,timezone,region,language,priority,Note\nx1,+393561000001,Anna,Europe/Rome,IT-62,it,-3,ciao", want: []campaigns.Lead{{
			Number: one, Name: "Anna", External: "x1", Zone: "Europe/Rome", Region: "IT-62", Language: "it", Priority: -3, Fields: map[string]string{"Note": "ciao"},
		}}},
		{name: "empty field at the end without heading", text: "phone,name,\n+393561000001,Anna,\n", want: []campaigns.Lead{{Number: one, Name: "Anna"}}},
		{name: "quotes over lines", text: "phone,note\r\n+393561000001,\"a\r\n\"\"b\"\"\r\n\r\nc\"\r\n+393561000002,d\r\n", want: []campaigns.Lead{
			{Number: one, Fields: map[string]string{"note": "a\n\"b\"\n\nc"}}, {Number: "+393561000002", Fields: map[string]string{"note": "d"}},
		}},
		{name: "latin 1", text: "phone,name\n+393561000001,Niccol\xf2 \x80", opt: campaigns.LoadOptions{Latin1: true}, want: []campaigns.Lead{{Number: one, Name: "Niccolò €"}}},
		{name: "header only", text: "phone\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := &shelf{}
			report, err := campaigns.Load(t.Context(), iotest.OneByteReader(strings.NewReader(c.text)), c.opt, sink)
			if err != nil || report.Rejected+report.Duplicate != 0 {
				t.Fatalf("report %+v, %v", report, err)
			}
			if diff := gocmp.Diff(c.want, sink.kept); diff != "" && len(c.want)+len(sink.kept) > 0 {
				t.Fatalf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadRefusesWholeFiles(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	cases := []struct{ name, text, wrong string }{
		{"empty", "", "the file is empty"},
		{"blank", "\n \n", "the file is empty"},
		{"no header", "+393561000001,Anna\n+393561000002,Ugo\n", "header: line 1: it looks like a row of leads"},
		{"no number column", "nome,città\nAnna,Roma\n", `header: line 1: no column of numbers: call it phone, or say which of "nome", "città" it is`},
		{"two weak number columns", "numero,contact\n", `"numero", "contact" could each be the number`},
		{"same heading twice", "phone,Note,note\n", `columns 2 and 3 are both called "note"`},
		{"workbook", "PK\x03\x04rest", "workbook"},
		{"latin 1", "phone,name\n+393561000001,Niccol\xf2\n", "line 2, column 21: not UTF-8"},
		{"latin 1 header", "phone,citt\xe0\n", "line 1, column 11: not UTF-8"},
		{"open quote", "phone,name\n+393561000001,Anna\n+393561000002,\"Ugo\n+393561000003,Lea\n", "line 3, column 15: the quote that opens here is not closed"},
		{"open quote over many lines", "phone,name\n+393561000001,\"" + strings.Repeat("x\n", 200) + "\"", "line 2, column 15: the quote"},
		{"open quote over a long line", "phone,name\n+393561000001,\"x\n" + long + "\"\n", "line 2, column 15: the quote"},
		{"control character in quotes", "phone,name\n+393561000001,\"x\n\x00\"\n", "line 3, column 1: holds the control character U+0000"},
		{"open quote in header", "phone,\"name\n", "header: line 1: a quote is not closed"},
		{"long header", "phone," + long + "\n", "longer than 64 KiB"},
		{"only carriage returns", "phone,name\r+393561000001,Anna\r", "control character U+000D"},
		{"columns without end", "phone" + strings.Repeat(",", 1001) + "\n", "more than 1000 columns"},
		{"bad sep", "sep=x\nphone\n", "sep= must name"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := &shelf{}
			report, err := campaigns.Load(t.Context(), strings.NewReader(c.text), campaigns.LoadOptions{Batch: 1}, sink)
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("error %v, want %q", err, c.wrong)
			}
			if sink.rolledBack != 1 || len(sink.kept)+len(sink.staged) != 0 || report.Loaded != 0 {
				t.Fatalf("half-loaded: %+v %+v", sink, report)
			}
		})
	}
}

func TestLoadRefusesRows(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	cases := []struct {
		name, row    string
		line, column int
		flaw         campaigns.Flaw
	}{
		{"long line", "+393561000001," + long, 2, 1, campaigns.FlawLong},
		{"long value", "+393561000001," + long[:5000], 2, 15, campaigns.FlawText},
		{"control character", "+393561000001,a\x01", 2, 16, campaigns.FlawText},
		{"column counts characters", "é,é,+39", 2, 5, campaigns.FlawFields},
		{"quote inside", "+393561000001,a\"b", 2, 16, campaigns.FlawQuote},
		{"after the quote", "+393561000001,\"a\"b", 2, 18, campaigns.FlawQuote},
		{"short", "+393561000001", 2, 1, campaigns.FlawFields},
		{"no country", "3561000001,x", 2, 1, campaigns.FlawNumber},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := &shelf{}
			text := "phone,name\n" + c.row + "\n+393561000009,Lea\n"
			report, err := campaigns.Load(t.Context(), strings.NewReader(text), campaigns.LoadOptions{}, sink)
			if err != nil || len(sink.kept) != 1 || sink.kept[0].Name != "Lea" || report.Rejected != 1 {
				t.Fatalf("report %+v, kept %v, %v", report, sink.kept, err)
			}
			if bad := report.Rejects[0]; bad.Line != c.line || bad.Column != c.column || bad.Flaw != c.flaw || bad.Reason == "" {
				t.Fatalf("reject %+v", bad)
			}
		})
	}
}

func TestLoadBoundsItsReport(t *testing.T) {
	text := "phone\n" + strings.Repeat("x\n", 30)
	report, err := campaigns.Load(t.Context(), strings.NewReader(text), campaigns.LoadOptions{MaxRejects: 10}, &shelf{})
	if err != nil || report.Rejected != 30 || len(report.Rejects) != 10 || report.Omitted != 20 {
		t.Fatalf("%+v, %v", report, err)
	}
}

func TestLoadRollsBack(t *testing.T) {
	broken := errors.New("disk full")
	const text = "phone\n+393561000001\n"
	cases := []struct {
		name string
		sink *shelf
		in   io.Reader
	}{
		{"stage fails", &shelf{failStage: broken}, strings.NewReader(text)},
		{"commit fails", &shelf{failCommit: broken}, strings.NewReader(text)},
		{"roll back fails too", &shelf{failCommit: broken, failRollback: errors.New("still full")}, strings.NewReader(text)},
		{"reading fails", &shelf{}, io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))},
		{"first read fails", &shelf{}, iotest.ErrReader(broken)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			report, err := campaigns.Load(t.Context(), c.in, campaigns.LoadOptions{}, c.sink)
			if !errors.Is(err, broken) || c.sink.rolledBack != 1 || len(c.sink.kept) != 0 || report.Loaded != 0 {
				t.Fatalf("%v, %+v, %+v", err, c.sink, report)
			}
			if c.sink.failRollback != nil && !errors.Is(err, c.sink.failRollback) {
				t.Fatalf("%v does not say that the roll back failed", err)
			}
		})
	}
}

func TestLoadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("operator pressed ^C")
	cancel(why)
	sink := &shelf{}
	if _, err := campaigns.Load(ctx, strings.NewReader("phone\n+393561000001\n"), campaigns.LoadOptions{}, sink); !errors.Is(err, why) || sink.rolledBack != 1 || len(sink.kept) != 0 {
		t.Fatalf("%v, %+v", err, sink)
	}
}

func BenchmarkReadCSV(b *testing.B) {
	data := demoList(3000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range campaigns.ReadCSV(b.Context(), bytes.NewReader(data), campaigns.LoadOptions{Country: "IT"}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 3000 {
			b.Fatal(n)
		}
	}
}

func TestSampleListsRead(t *testing.T) {
	for name, want := range map[string]int{"bom-tab-crlf.csv": 2, "latin1.csv": 2} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("../testdata/lists/" + name)
			if err != nil {
				t.Fatal(err)
			}
			sink := &shelf{}
			report, err := campaigns.Load(t.Context(), bytes.NewReader(data), campaigns.LoadOptions{Latin1: strings.HasPrefix(name, "latin1")}, sink)
			if err != nil || report.Loaded != want || !slices.ContainsFunc(sink.kept, func(l campaigns.Lead) bool { return l.Name == "Anna" }) {
				t.Fatalf("%+v, %v", report, err)
			}
		})
	}
}
