package campaigns_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"pronto/campaigns"
)

// endlessLine is a line of so many characters.
type endlessLine struct{ left int64 }

// Read implements io.Reader.
func (e *endlessLine) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), e.left))
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.left -= int64(n)
	return n, nil
}

// TestLongLineCostsNoMemory: a line of 256 MiB, as one of any length, is passed over with what the rows
// beside it cost.
func TestLongLineCostsNoMemory(t *testing.T) {
	in := io.MultiReader(strings.NewReader("phone,name\n+393561000001,"), &endlessLine{left: 256 << 20}, strings.NewReader("\n+393561000002,Ugo\n"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sink := &shelf{}
	report, err := campaigns.Load(t.Context(), in, campaigns.LoadOptions{}, sink)
	runtime.ReadMemStats(&after)
	if err != nil || report.Rejected != 1 || len(sink.kept) != 1 || report.Rejects[0].Line != 2 || report.Rejects[0].Flaw != campaigns.FlawLong {
		t.Fatalf("%+v, %v", report, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
}

func TestHostileLists(t *testing.T) {
	wide := "phone" + strings.Repeat(",c", 10_000)
	for _, c := range []struct {
		name, text, wrong string
		rejected, kept    int
	}{
		{name: "10,000 columns", text: wide + "\n", wrong: "more than 1000 columns"},
		{name: "10,000 fields in a row", text: "phone\n+393561000001" + strings.Repeat(",x", 10_000) + "\n", rejected: 1},
		{name: "NUL in the header", text: "pho\x00ne\n+393561000001\n", wrong: "control character U+0000"},
		{name: "NUL in a row", text: "phone,name\n+393561000001,\x00\n+393561000002,Ugo\n", rejected: 1, kept: 1},
		{name: "only NULs", text: strings.Repeat("\x00", 1000), wrong: "control character U+0000"},
		{name: "header only", text: "phone,name\n"},
		{name: "headings that differ in case", text: "phone,Name,NAME\n", wrong: "rename one"},
		{name: "formulas stay text", text: "phone,name\n+393561000001,=cmd|'/c calc'!A1\n", kept: 1},
		{name: "quotes without end", text: "phone,name\n+393561000001,\"" + strings.Repeat("\"\"", 40_000), wrong: "longer than 64 KiB"},
		{name: "hours without end", text: "phone,best_hours\n+393561000001,\"mon 25:00-26:00\"\n", rejected: 1},
		{name: "type without end", text: "phone,phone_type\n+393561000001," + strings.Repeat("x", 41) + "\n", rejected: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink, out := &shelf{}, &bytes.Buffer{}
			report, err := campaigns.Load(t.Context(), strings.NewReader(c.text), campaigns.LoadOptions{Rejects: out}, sink)
			if c.wrong != "" {
				if err == nil && (len(report.Rejects) == 0 || !strings.Contains(report.Rejects[0].Error(), c.wrong)) || err != nil && !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("%v, %+v: want %q", err, report, c.wrong)
				}
				return
			}
			if err != nil || report.Rejected != c.rejected || len(sink.kept) != c.kept {
				t.Fatalf("%+v, %v, kept %v", report, err, sink.kept)
			}
		})
	}
}

// TestRejectsLoadAgain: what is left out, mended, is loaded.
func TestRejectsLoadAgain(t *testing.T) {
	const list = "id;telefono;nome;=note\n1;12;Anna;a\n2;+393561000002;Ugo;\"x;y\"\n3;+3935610000;Lea;'=1\n4;+393561000002;Ida;\n"
	sink, out := &shelf{}, &bytes.Buffer{}
	report, err := campaigns.Load(t.Context(), strings.NewReader(list), campaigns.LoadOptions{Country: "IT", Rejects: out}, sink)
	if err != nil || report.Rejected != 2 || report.Duplicate != 1 || len(sink.kept) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	mended := strings.NewReplacer("1;12;", "1;3561000001;", "+3935610000;Lea", "+393561000003;Lea", "4;+393561000002;", "4;+393561000004;").Replace(out.String())
	again := &shelf{}
	if report, err = campaigns.Load(t.Context(), strings.NewReader(mended), campaigns.LoadOptions{Country: "IT"}, again); err != nil || report.Loaded != 3 {
		t.Fatalf("%+v, %v from\n%s", report, err, mended)
	}
	if l := again.kept[1]; l.Name != "Lea" || l.Fields["=note"] != "=1" || len(l.Fields) != 1 {
		t.Errorf("lead %+v: want the row's own columns alone", l)
	}
}

// TestWorkbookFormulas: of a formula the value that was stored counts, never the
// formula.
func TestWorkbookFormulas(t *testing.T) {
	f := excelize.NewFile()
	for at, v := range map[string]string{"A1": "phone", "B1": "name", "A2": "+393561000001", "B2": "Anna"} {
		if err := f.SetCellStr("Sheet1", at, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellFormula("Sheet1", "B2", "HYPERLINK(\"http://x\")"); err != nil {
		t.Fatal(err)
	}
	data, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	sink := &shelf{}
	if report, err := campaigns.Load(t.Context(), data, campaigns.LoadOptions{}, sink); err != nil || len(sink.kept) != 1 || strings.Contains(sink.kept[0].Name, "HYPERLINK") {
		t.Fatalf("%+v, %v, %+v", report, err, sink.kept)
	}
}

// TestWorkbookThatGrows: a small file that unpacks without end is refused.
func TestWorkbookThatGrows(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: 3 << 30, CompressedSize64: 4})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte{0x03, 0x00, 0x00, 0x00}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := campaigns.Load(context.Background(), &b, campaigns.LoadOptions{}, &shelf{})
	if err == nil || !strings.Contains(err.Error(), "unzip size exceeds") {
		t.Fatalf("%v, want that it is too large", err)
	}
}
