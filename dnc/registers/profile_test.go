package registers

import (
	"context"
	"strings"
	"testing"
	"time"
)

const singapore = `name: sg-voice
title: Singapore, no voice call register
semantics: verdict_list
delimiter: ";"
header: true
number: [2]
calling: "65"
min: 8
max: 8
leading: "3689"
status: 1
blocked: ["REGISTERED"]
clear: ["NOT REGISTERED"]
date: 3
date_formats: ["02.01.2006"]
`

func TestParseProfile(t *testing.T) {
	p, err := ParseProfile("sg.yaml", []byte(singapore))
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.CheckedAt = time.Time{}
	r, err := ReadVerdicts(context.Background(), source(t, "status;number;date\nREGISTERED;61234567;20.11.2026\nNOT REGISTERED;91234567;20.11.2026\n"), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Screenings) != 2 || r.Screenings[0].Number != "+6561234567" || !r.Screenings[0].Registered || r.Screenings[1].Registered || r.Import.Register != "sg-voice" {
		t.Errorf("got %+v", r.Screenings)
	}
}

func TestProfilesRefused(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown key", "header: true", "headers: true", "sg.yaml:5: unknown field"},
		{"wrong type", "min: 8", "min: eight", "sg.yaml:8:"},
		{"semantics", "verdict_list", "list", `semantics "list"`},
		{"delimiter", `";"`, `";;"`, "delimiter"},
		{"column 0", "number: [2]", "number: [0]", "columns of the number"},
		{"calling code", `"65"`, `"0065"`, "calling code"},
		{"span", "min: 8", "min: 9", "min 9, max 8"},
		{"no status", "status: 1", "status: 0", "needs status"},
		{"both", `clear: ["NOT REGISTERED"]`, `clear: ["REGISTERED"]`, "both blocked and clear"},
		{"not YAML", "min: 8", "min: [8", "sg.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseProfile("sg.yaml", []byte(strings.Replace(singapore, tt.from, tt.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestVerdictsByAbsence(t *testing.T) {
	o := options(t)
	o.Submission = &Submission{ID: "s1", At: o.Now.Add(-time.Hour), Digits: []uint64{61200000001, 61200000002, 61200000003}}
	cleaned, block := profile(t, "au-dnc"), profile(t, "au-dnc")
	block.Semantics = Blocklist
	for _, tt := range []struct {
		name string
		p    Profile
		data string
		want string // registered numbers' last digits; empty with wrong set: refused
		err  string
	}{
		{"cleaned", cleaned, "0200000001\n0200000003\n", "2", ""},
		{"cleaned, nothing taken out", cleaned, "0200000001\n0200000002\n0200000003\n", "", ""},
		{"registered ones alone", block, "0200000002\n", "2", ""},
		{"one that was not asked about", cleaned, "0200000009\n", "", "was not in submission"},
		{"an earlier one that was not", cleaned, "0100000009\n0200000001\n", "", "was not in submission"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ReadVerdicts(context.Background(), source(t, tt.data), tt.p, o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, s := range r.Screenings {
				if s.Registered {
					got += string(s.Number[len(s.Number)-1:])
				}
			}
			if got != tt.want || len(r.Screenings) != 3 {
				t.Errorf("registered %q of %d", got, len(r.Screenings))
			}
		})
	}
	if _, err := ReadVerdicts(context.Background(), source(t, "0200000001\n"), cleaned, options(t)); err == nil {
		t.Error("a cleaned list without its submission")
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(singapore))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProfile("fuzz.yaml", data)
		if err == nil && p.Validate() != nil {
			t.Fatalf("accepted and not valid: %+v", p)
		}
	})
}
