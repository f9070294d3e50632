package campaigns_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"pronto/campaigns"
)

const plainList = "telefono;nome\n+393561000001;Anna\n3561000002;Niccolò\n"

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func utf16le(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// book is a workbook with the sheets' rows.
func book(t *testing.T, sheets map[string][][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range sheets {
			if !yield(name) {
				return
			}
		}
	}) {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, row := range sheets[name] {
			at, err := excelize.CoordinatesToCellName(1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if row == nil {
				continue
			}
			if err := f.SetSheetRow(name, at, &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func people() map[string][][]any {
	return map[string][][]any{"Lista": {
		{"telefono", "nome", "note"},
		{"+393561000001", "Anna", "first\nsecond"},
		nil,
		{3561000002, "Niccolò"},
		{"12", "Ugo"},
	}}
}

func TestLoadPackedLists(t *testing.T) {
	cases := []struct {
		name string
		data []byte
	}{
		{"as it is", []byte(plainList)},
		{"gzip", zipped(t, plainList)},
		{"UTF-16", utf16le(plainList)},
		{"UTF-16 in gzip", zipped(t, string(utf16le(plainList)))},
		{"workbook", book(t, people())},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := &shelf{}
			report, err := campaigns.Load(t.Context(), bytes.NewReader(c.data), campaigns.LoadOptions{Country: "IT"}, sink)
			if err != nil || len(sink.kept) != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			if sink.kept[0].Number != "+393561000001" || sink.kept[1].Number != "+393561000002" || sink.kept[1].Name != "Niccolò" {
				t.Errorf("kept %+v", sink.kept)
			}
		})
	}
}

func TestWorkbookRowsAndSheets(t *testing.T) {
	sink := &shelf{}
	report, err := campaigns.Load(t.Context(), bytes.NewReader(book(t, people())), campaigns.LoadOptions{Country: "IT"}, sink)
	if err != nil || report.Rejected != 1 || report.Rejects[0].Line != 5 || report.Rejects[0].Value != "12" {
		t.Errorf("the bad row is told as %+v, %v", report, err)
	}
	if got := sink.kept[0].Fields["note"]; got != "first second" {
		t.Errorf("a value of two lines became %q", got)
	}
	two := people()
	two["Altra"] = [][]any{{"phone"}, {"+393561000009"}}
	if _, err := campaigns.Load(t.Context(), bytes.NewReader(book(t, two)), campaigns.LoadOptions{}, &shelf{}); err == nil || !strings.Contains(err.Error(), "--sheet, one of Altra, Lista") {
		t.Errorf("two sheets with rows: %v", err)
	}
	sink = &shelf{}
	if _, err := campaigns.Load(t.Context(), bytes.NewReader(book(t, two)), campaigns.LoadOptions{Sheet: "Altra"}, sink); err != nil || len(sink.kept) != 1 {
		t.Errorf("the named sheet: %v, %+v", err, sink.kept)
	}
	if _, err := campaigns.Load(t.Context(), bytes.NewReader(book(t, two)), campaigns.LoadOptions{Sheet: "Terza"}, &shelf{}); err == nil || !strings.Contains(err.Error(), "the sheets are") {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

func TestLoadRefusesBrokenPacks(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if f, err := w.Create("a.txt"); err != nil {
		t.Fatal(err)
	} else if _, err := io.WriteString(f, "x"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := zipped(t, strings.Repeat(plainList, 200))
	cases := []struct {
		name  string
		data  []byte
		sheet string
		wrong string
	}{
		{"ZIP without a workbook", b.Bytes(), "", "no Excel workbook"},
		{"cut gzip", whole[:len(whole)-20], "", "gzip: unexpected EOF"},
		{"cut workbook", book(t, people())[:900], "", "no Excel workbook"},
		{"sheet of a text", []byte(plainList), "Lista", "this is no workbook"},
		{"workbook without rows", book(t, nil), "", "no sheet of the workbook has rows"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sink := &shelf{}
			_, err := campaigns.Load(t.Context(), bytes.NewReader(c.data), campaigns.LoadOptions{Country: "IT", Sheet: c.sheet}, sink)
			if err == nil || !strings.Contains(err.Error(), c.wrong) || len(sink.kept) != 0 {
				t.Errorf("%v, kept %d", err, len(sink.kept))
			}
		})
	}
}
