package rules

import (
	"errors"
	"strings"
	"testing"
)

const small = `jurisdiction: xx
title: Nowhere
zone: Europe/Rome
valid_from: 2020-01-01
valid_to: 2030-12-31
rules:
  - {id: n, numbers: {countries: [IT], kinds: [fixed]}, valid_from: 2020-01-01, cite: x, sure: K}
  - {id: c, caller_id: {}, valid_from: 2020-01-01, cite: x, sure: K}
  - {id: s, screening: {shape: none}, valid_from: 2020-01-01, cite: x, sure: K}
  - id: a
    abandon:
      windows:
        - {period: rolling, length: 24h, cap: 0.03, base: connected}
      deadline: 3s
      clock: answer
      treatment: message
    valid_from: 2020-01-01
    cite: x
    sure: K
`

func TestParseSmall(t *testing.T) {
	f, err := Parse("xx.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewBook(f); err != nil {
		t.Fatal(err)
	}
	if _, err := NewBook(f, f); err == nil {
		t.Error("two files for one jurisdiction")
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown key", "deadline: 3s", "dead_line: 3s", `xx.yaml:14: unknown field "dead_line"`},
		{"unknown head key", "title: Nowhere", "name: Nowhere", `xx.yaml:2: unknown field "name"`},
		{"duration", "deadline: 3s", "deadline: soon", `xx.yaml:14: duration "soon"`},
		{"negative duration", "deadline: 3s", "deadline: -3s", "xx.yaml:14: duration"},
		{"date", "valid_to: 2030-12-31", "valid_to: 2030-13-31", `xx.yaml:5: date "2030-13-31"`},
		{"date list", "valid_to: 2030-12-31", "valid_to: [1]", "xx.yaml:5"},
		{"zone", "Europe/Rome", "Europe/Remo", `zone "Europe/Remo"`},
		{"no citation", "sure: K}\n  - {id: c,", "sure: K}\n  - {id: c, note: x,", ""},
		{"mark", "cite: x, sure: K}\n  - {id: c", "cite: x, sure: D}\n  - {id: c", `xx.yaml:7: n: sure "D"`},
		{"citation", "caller_id: {}, valid_from: 2020-01-01, cite: x", "caller_id: {}, valid_from: 2020-01-01", "xx.yaml:8: c: cite is missing"},
		{"two kinds", "caller_id: {}", "caller_id: {}, ring: {minimum: 15s}", "exactly one kind of rule"},
		{"no kind", "caller_id: {}, ", "", "exactly one kind of rule"},
		{"id twice", "id: c,", "id: n,", `xx.yaml:8: id "n" is taken by the rule on line 7`},
		{"cap", "cap: 0.03", "cap: 3", "cap 3: want a share"},
		{"cap not a number", "cap: 0.03", "cap: .nan", "want a share"},
		{"period", "period: rolling", "period: daily", `period "daily"`},
		{"length", "length: 24h, ", "", "does not go with period"},
		{"base", "base: connected", "base: dialed", `base "dialed"`},
		{"treatment", "treatment: message", "treatment: silence", `treatment "silence"`},
		{"clock", "clock: answer", "clock: dial", `clock "dial"`},
		{"kind of number", "kinds: [fixed]", "kinds: [landline]", `"landline"`},
		{"shape", "shape: none", "shape: cloud", `shape "cloud"`},
		{"register without age", "shape: none", "shape: list, register: x", "register and max_age are required"},
		{"ends before it begins", "valid_from: 2020-01-01, cite: x, sure: K}\n  - {id: c", "valid_from: 2020-01-01, valid_to: 2019-01-01, cite: x, sure: K}\n  - {id: c", "is before valid_from"},
		{"two at once", "  - id: a\n", "  - {id: c2, caller_id: {}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", "c2 holds at the same time as c on line 8"},
		{"span", "  - id: a\n", "  - {id: h, hours: {days: {mon: ['20:00-09:00']}}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", `xx.yaml:10: span "20:00-09:00"`},
		{"day", "  - id: a\n", "  - {id: h, hours: {days: {lunes: ['09:00-20:00']}}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", `day "lunes"`},
		{"spans overlap", "  - id: a\n", "  - {id: h, hours: {days: {mon: ['09:00-12:00', '11:00-13:00']}}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", "overlap"},
		{"holiday", "  - id: a\n", "  - {id: h, holidays: {days: [{name: X, on: 5th mon of 13}]}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", `holiday "X"`},
		{"callback that answers nobody", "  - id: a\n", "  - {id: k, callback: {opt_out: true}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", "want answer: true"},
		{"two callbacks", "  - id: a\n", "  - {id: k, callback: {answer: true}, valid_from: 2021-01-01, cite: x, sure: K}\n  - {id: l, callback: {answer: true}, valid_from: 2021-01-01, cite: x, sure: K}\n  - id: a\n", "l holds at the same time as k"},
		{"tag", "rules:\n", "rules: !x\n", ""},
		{"not YAML", "rules:\n", "rules: {{\n", "xx.yaml"},
		{"two documents", "rules:\n", "---\nrules:\n", "want one YAML document"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(small, tt.from, tt.to, 1)
			if text == small {
				t.Fatal("nothing was changed")
			}
			_, err := Parse("xx.yaml", []byte(text))
			if tt.want == "" {
				return
			}
			var problems Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseNamesEveryProblem(t *testing.T) {
	text := strings.NewReplacer("cap: 0.03", "cap: 3", "shape: none", "shape: cloud", "title: Nowhere\n", "").Replace(small)
	_, err := Parse("xx.yaml", []byte(text))
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Errorf("got %v", err)
	}
}

func TestBookNeedsWhatEveryCallNeeds(t *testing.T) {
	for _, drop := range []string{"id: n,", "id: c,", "id: s,"} {
		var kept []string
		for _, line := range strings.Split(small, "\n") {
			if !strings.Contains(line, drop) {
				kept = append(kept, line)
			}
		}
		f, err := Parse("xx.yaml", []byte(strings.Join(kept, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewBook(f); err == nil || !strings.Contains(err.Error(), "no rule for") {
			t.Errorf("without %s: %v", drop, err)
		}
	}
	late := strings.Replace(small, "id: s, screening: {shape: none}, valid_from: 2020-01-01", "id: s, screening: {shape: none}, valid_from: 2020-06-01", 1)
	f, err := Parse("xx.yaml", []byte(late))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewBook(f); err == nil || !strings.Contains(err.Error(), "from 2020-01-01 on") {
		t.Errorf("a gap in time: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("jurisdiction: it\nrules:\n  - holidays: {days: [{name: X, on: easter+1}]}\n    valid_from: 2020-01-01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz.yaml", data)
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if file == nil {
			return
		}
		if _, err := NewBook(file); err != nil && !strings.Contains(err.Error(), "no rule for") {
			t.Fatal(err)
		}
	})
}
