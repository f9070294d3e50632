package judge

import (
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func records(rs ...Record) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestLoad(t *testing.T) {
	e, err := Load(Files{
		Leads:     write(t, "\ufeffname;phone\r\nAda;+39 055 0000001\r\nBob;0550000002\r\nEve;no number\r\n"),
		Registers: []Result{{Path: write(t, "0550000001,1,2026-03-01\r\n3330000002,0,01/03/2026\r\n"), CheckedAt: at(0)}, {Path: write(t, "number,status\n0550000003,0\n0550000001,0\n"), CheckedAt: at(-9e7)}},
		OptOuts:   write(t, "+390550000009\n"),
		Carrier:   write(t, `{"at":"2026-03-04T10:00:00Z","kind":"invite","call_id":"x"}`+"\n"+`{"at":"2026-`),
		Agents:    write(t, ""), Country: "39",
	}, records(Record{Kind: "refused", Number: "+39 055 1"}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.Leads, []string{"390550000001", "390550000002"}) {
		t.Errorf("leads %v", e.Leads)
	}
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if want := map[string]Entry{"390550000001": {true, march}, "393330000002": {false, march}, "390550000003": {false, at(-9e7)}}; !maps.Equal(e.Register, want) {
		t.Errorf("register %v", e.Register)
	}
	if !e.OptOuts["390550000009"] || len(e.OptOuts) != 1 || len(e.Carrier) != 1 || e.Journal[0].Number != "390551" {
		t.Errorf("%+v", e)
	}
}

func TestLoadErrors(t *testing.T) {
	good := func() Files {
		return Files{Leads: write(t, "+390550000001\n"), Carrier: write(t, ""), Agents: write(t, ""), Country: "39"}
	}
	cases := []struct {
		name  string
		spoil func(*Files)
		want  string
	}{
		{"no leads file", func(f *Files) { f.Leads = "/nowhere" }, "/nowhere"},
		{"no number column", func(f *Files) { f.Leads = write(t, "name,city\nAda,Roma\n") }, "no column for the number"},
		{"unknown status", func(f *Files) {
			f.Registers = []Result{{Path: write(t, "0550000001,0,2026-03-01\n0550000002,2,2026-03-01\n")}}
		}, `line 2: status "2"`},
		{"unknown date", func(f *Files) { f.Registers = []Result{{Path: write(t, "0550000001,0,March\n")}} }, `line 1: date "March"`},
		{"garbage in a log", func(f *Files) { f.Carrier = write(t, "{}\nx\n") }, "line 2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			c.spoil(&f)
			if _, err := Load(f, records()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	broken := func(yield func(Record, error) bool) { yield(Record{}, errors.New("cut")) }
	if _, err := Load(good(), broken); err == nil || !strings.Contains(err.Error(), "cut") {
		t.Errorf("error %v of the journal", err)
	}
}

func FuzzEachNumber(f *testing.F) {
	f.Add("phone,name\n+390550000001,Ada\n")
	f.Add("0550000001;1;2026-03-01\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, s string) {
		_ = eachNumber(strings.NewReader(s), "39", func(n string, _ row) error {
			if len(n) < 7 || len(n) > 15 {
				t.Errorf("number %q", n)
			}
			return nil
		})
		_ = readRegister(strings.NewReader(s), "39", time.Time{}, map[string]Entry{})
	})
}
