package campaigns_test

import (
	"testing"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

func TestIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		number campaigns.Number
		text   string
		want   bool
	}{
		"plus":                        {"+390844000123", "+390844000123", true},
		"00":                          {"+390844000123", "00390844000123", true},
		"digits":                      {"+390844000123", "390844000123", true},
		"national":                    {"+390844000123", "0844000123", true},
		"national without its zero":   {"+390844000123", "844000123", false},
		"with separators":             {"+390844000123", "+39 0844-000.123", true},
		"british national":            {"+442079460000", "02079460000", true},
		"british without its zero":    {"+442079460000", "2079460000", false},
		"american national":           {"+12125550123", "2125550123", true},
		"american with 1":             {"+12125550123", "12125550123", true},
		"american from abroad":        {"+12125550123", "01112125550123", true},
		"another number":              {"+390844000123", "+390844000124", false},
		"the digits of another after": {"+390844000123", "+3908440001234", false},
		"a name":                      {"+390844000123", "anonymous", false},
		"nothing":                     {"+390844000123", "", false},
		"no number at all":            {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.number.IsSent(c.text); got != c.want {
				t.Errorf("%s as %q: %t, want %t", c.number, c.text, got, c.want)
			}
		})
	}
}

func TestParseSent(t *testing.T) {
	const home = campaigns.Number("+390844000123")
	for name, c := range map[string]struct {
		text string
		home campaigns.Number
		want campaigns.Number
	}{
		"plus":                  {"+393331234567", home, "+393331234567"},
		"00":                    {"00393331234567", home, "+393331234567"},
		"national mobile":       {"3331234567", home, "+393331234567"},
		"national fixed":        {"0612345678", home, "+390612345678"},
		"bare digits":           {"393331234567", home, "+393331234567"},
		"bare digits of abroad": {"442079460000", home, "+442079460000"},
		"abroad after 00":       {"00442079460000", home, "+442079460000"},
		"at an american number": {"2125550123", "+12125550199", "+12125550123"},
		"at a british number":   {"02079460000", "+442079460999", "+442079460000"},
		"an extension":          {"123", home, ""},
		"withheld":              {"anonymous", home, ""},
		"nothing":               {"", home, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := campaigns.ParseSent(c.text, c.home, false)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q at %s: %q, %v, want %q", c.text, c.home, got, err, c.want)
			}
		})
	}
}

func TestParseSentBareDigits(t *testing.T) {
	const text, home = "390612345678", campaigns.Number("+390844000123")
	for _, c := range []struct {
		text  string
		coded bool
		want  campaigns.Number
	}{
		{"390600000", true, "+390600000"},
		{"390600000", false, "+39390600000"},
		{"3331234567", true, "+393331234567"},
		{text, false, "+390612345678"},
	} {
		if got, err := campaigns.ParseSent(c.text, home, c.coded); err != nil || got != c.want {
			t.Errorf("%s, coded %t: %s, %v, want %s", c.text, c.coded, got, err, c.want)
		}
	}
}

// A number is itself in every spelling, and is read from every spelling that
// says where it ends.
func TestSpellingsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := campaigns.Number(rapid.SampledFrom([]string{"+3906", "+39333", "+4420794", "+1212555"}).Draw(t, "begin") + rapid.StringMatching(`[0-9]{5,6}`).Draw(t, "rest"))
		for i, s := range n.Spellings() {
			if !n.IsSent(s) {
				t.Fatalf("%s is not %s", s, n)
			}
			if !n.Valid() || i == 3 || i == 2 && n.Country() == "US" {
				continue
			}
			if got, err := campaigns.ParseSent(s, n, i == 1); err != nil || got != n {
				t.Fatalf("%s, named to a number of its own country, is read as %s, %v, want %s", s, got, err, n)
			}
		}
	})
}
