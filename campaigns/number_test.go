package campaigns_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"pronto/campaigns"
)

func TestParseNumber(t *testing.T) {
	cases := []struct {
		name, text, country string
		want                campaigns.Number
		wrong               string
	}{
		{name: "e164", text: "+393561234567", want: "+393561234567"},
		{name: "spaced", text: " +39 356 123 4567 ", want: "+393561234567"},
		{name: "national mobile", text: "356 1234567", country: "IT", want: "+393561234567"},
		{name: "lower case country", text: "356 1234567", country: "it", want: "+393561234567"},
		{name: "national fixed keeps its zero", text: "06/00123456", country: "IT", want: "+390600123456"},
		{name: "dots and hyphens", text: "06.0012-3456", country: "IT", want: "+390600123456"},
		{name: "no-break space", text: "06\u00a000123456", country: "IT", want: "+390600123456"},
		{name: "00 prefix", text: "0039 356 1234567", country: "IT", want: "+393561234567"},
		{name: "011 prefix", text: "011 39 356 1234567", country: "US", want: "+393561234567"},
		{name: "country code without plus", text: "393561234567", country: "IT", want: "+393561234567"},
		{name: "national first", text: "393 1234567", country: "IT", want: "+393931234567"},
		{name: "trunk prefix", text: "020 7946 0123", country: "GB", want: "+442079460123"},
		{name: "bracketed trunk prefix", text: "+44 (0)20 7946 0123", want: "+442079460123"},
		{name: "other country with plus", text: "+1 (202) 555-0123", country: "IT", want: "+12025550123"},
		{name: "toll free is a number", text: "800123456", country: "IT", want: "+39800123456"},

		{name: "empty", text: " ", country: "IT", wrong: "empty"},
		{name: "no country", text: "3561234567", wrong: "no country code"},
		{name: "bad country", text: "3561234567", country: "Italy", wrong: `unknown country "ITALY"`},
		{name: "letters", text: "1-800-FLOWERS", country: "US", wrong: "holds 'F'"},
		{name: "extension", text: "+1 202 555 0123 x12", wrong: "holds 'x'"},
		{name: "two numbers", text: "3561234567;3571234567", country: "IT", wrong: "holds ';'"},
		{name: "range", text: "06 00123456/7", country: "IT", wrong: "after the slash"},
		{name: "two with slash", text: "3561234567/3571234567", country: "IT", wrong: "too long"},
		{name: "spreadsheet", text: "3.93561E+11", country: "IT", wrong: "holds 'E'"},
		{name: "second plus", text: "++393561234567", wrong: "holds '+'"},
		{name: "lost zero", text: "600123456", country: "IT", wrong: "no such number range in IT"},
		{name: "short", text: "+39356", wrong: "too short for IT"},
		{name: "long", text: "+393561234567890", wrong: "too long for IT"},
		{name: "over 15 digits", text: "+3935612345678901", wrong: "E.164 allows 15"},
		{name: "unknown code", text: "+9991234567", wrong: "unknown country code"},
		{name: "emergency", text: "112", country: "IT", wrong: "too short"},
		{name: "other script", text: "+39٣٥٦١٢٣٤٥٦٧", wrong: "holds"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := campaigns.ParseNumber(c.text, c.country)
			if c.wrong != "" {
				if err == nil || !errors.Is(err, campaigns.ErrNumber) || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("ParseNumber(%q, %q) = %q, %v; want error with %q", c.text, c.country, got, err, c.wrong)
				}
				return
			}
			if err != nil || got != c.want {
				t.Fatalf("ParseNumber(%q, %q) = %q, %v; want %q", c.text, c.country, got, err, c.want)
			}
		})
	}
}

func TestParseCallerID(t *testing.T) {
	cases := []struct {
		name, text string
		want       campaigns.Number
		wrong      string
	}{
		{"agcom prefix", "+39 0844 123456", "+390844123456", ""},
		{"drama number", "+44 1632 960123", "+441632960123", ""},
		{"national", "0844 123456", "", "no country code"},
		{"unknown code", "+999 1234567", "", "unknown country code"},
		{"short", "+39 084", "", "too short"},
		{"empty", "", "", "empty"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := campaigns.ParseCallerID(c.text)
			if got != c.want || (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("ParseCallerID(%q) = %q, %v; want %q, %q", c.text, got, err, c.want, c.wrong)
			}
		})
	}
}

func TestNumberFacts(t *testing.T) {
	cases := []struct {
		n                         campaigns.Number
		masked, country, national string
		code                      int
		kind                      campaigns.Kind
		zones                     []string
		valid                     bool
	}{
		{"+393561234567", "+39 *** 4567", "IT", "3561234567", 39, campaigns.Mobile, []string{"Europe/Rome"}, true},
		{"+390600123456", "+39 *** 3456", "IT", "0600123456", 39, campaigns.Fixed, []string{"Europe/Rome"}, true},
		{"+39800123456", "+39 *** 3456", "IT", "800123456", 39, campaigns.TollFree, []string{"Europe/Rome"}, true},
		{"+39899123456", "+39 *** 3456", "IT", "899123456", 39, campaigns.Premium, []string{"Europe/Rome"}, true},
		{"+390844123456", "+39 *** 3456", "", "0844123456", 39, campaigns.Other, []string{"Europe/Rome"}, false},
		{"+12025550123", "+1 *** 0123", "US", "2025550123", 1, campaigns.FixedOrMobile, []string{"America/New_York"}, true},
		{"+442079460123", "+44 *** 0123", "GB", "2079460123", 44, campaigns.Fixed, []string{"Europe/London"}, true},
		{"+80012345678", "+800 *** 5678", "", "12345678", 800, campaigns.TollFree, nil, true},
		{"+39356", "+39 ***", "", "356", 39, campaigns.Other, []string{"Europe/Rome"}, false},
		{"+999123456789", "***", "", "", 0, campaigns.Other, nil, false},
		{"3561234567", "***", "", "", 0, campaigns.Other, nil, false},
		{"+39356123456a", "***", "", "", 0, campaigns.Other, nil, false},
		{"", "", "", "", 0, campaigns.Other, nil, false},
	}
	for _, c := range cases {
		t.Run(string(c.n), func(t *testing.T) {
			if got := c.n.Masked(); got != c.masked {
				t.Errorf("Masked = %q, want %q", got, c.masked)
			}
			if got := c.n.Country(); got != c.country {
				t.Errorf("Country = %q, want %q", got, c.country)
			}
			if got := c.n.National(); got != c.national {
				t.Errorf("National = %q, want %q", got, c.national)
			}
			if got := c.n.CallingCode(); got != c.code {
				t.Errorf("CallingCode = %d, want %d", got, c.code)
			}
			if got := c.n.Kind(); got != c.kind {
				t.Errorf("Kind = %q, want %q", got, c.kind)
			}
			if got := c.n.Zones(); !slices.Equal(got, c.zones) {
				t.Errorf("Zones = %v, want %v", got, c.zones)
			}
			if got := c.n.Valid(); got != c.valid {
				t.Errorf("Valid = %v, want %v", got, c.valid)
			}
		})
	}
}

func TestNumberIsItsStringInJSON(t *testing.T) {
	b, err := json.Marshal(map[string]campaigns.Number{"n": "+390600123456"})
	if err != nil || string(b) != `{"n":"+390600123456"}` {
		t.Fatalf("json = %s, %v", b, err)
	}
	var back map[string]campaigns.Number
	if err := json.Unmarshal(b, &back); err != nil || back["n"] != "+390600123456" {
		t.Fatalf("back = %v, %v", back, err)
	}
}

// checkNumber holds for whatever ParseNumber accepts.
func checkNumber(t interface{ Fatalf(string, ...any) }, n campaigns.Number) {
	if !n.Valid() {
		t.Fatalf("%q was parsed but is not valid", n)
	}
	if again, err := campaigns.ParseNumber(string(n), ""); err != nil || again != n {
		t.Fatalf("parsing %q again gives %q, %v", n, again, err)
	}
	if n.CallingCode() == 0 || n.National() == "" {
		t.Fatalf("%q has no calling code or no national number", n)
	}
	shown := strings.Count(n.Masked(), "*")
	if digits := len(strings.Map(onlyDigits, strings.SplitN(n.Masked(), " ", 2)[1])); shown != 3 || digits > 4 {
		t.Fatalf("%q masked is %q", n, n.Masked())
	}
}

func onlyDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func TestNumberProperties(t *testing.T) {
	regions := make([]string, 0, 256)
	for r := range phonenumbers.GetSupportedRegions() {
		regions = append(regions, r)
	}
	slices.Sort(regions)
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom(regions).Draw(t, "region")
		example := phonenumbers.GetExampleNumber(region)
		if example == nil {
			return
		}
		e164 := phonenumbers.Format(example, phonenumbers.E164)
		keep := rapid.IntRange(4, len(e164)).Draw(t, "keep")
		tail := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), len(e164)-keep, len(e164)-keep, -1).Draw(t, "tail")
		e164 = e164[:keep] + tail
		n, err := campaigns.ParseNumber(e164, region)
		if err != nil {
			return
		}
		checkNumber(t, n)
		theirs, err := phonenumbers.Parse(string(n), "")
		if err != nil {
			t.Fatalf("libphonenumber does not read %q: %v", n, err)
		}
		national := phonenumbers.Format(theirs, phonenumbers.NATIONAL)
		if back, err := campaigns.ParseNumber(national, n.Country()); err == nil && n.Country() != "" && back != n {
			t.Fatalf("%q in national form %q reads as %q", n, national, back)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"+393561234567", "06/00123456", "1-800-FLOWERS", "+44 (0)20 7946 0123", "\x00", "+", "0039", "٣"} {
		f.Add(s, "IT")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, text, country string) {
		n, err := campaigns.ParseNumber(text, country)
		if err != nil {
			if n != "" {
				t.Fatalf("error and number %q", n)
			}
			return
		}
		checkNumber(t, n)
	})
}

func BenchmarkParseNumber(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := campaigns.ParseNumber("+393561234567", "IT"); err != nil {
			b.Fatal(err)
		}
	}
}
