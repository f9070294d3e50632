package campaigns

import "testing"

func TestDomestic(t *testing.T) {
	for name, test := range map[string]struct {
		number  Number
		country string
		want    string
		foreign bool
	}{
		"Italian, fixed":           {number: "+390212345678", country: "IT", want: "0212345678"},
		"Italian, mobile":          {number: "+393471234567", country: "it", want: "3471234567"},
		"Italian, call centre":     {number: "+390844123456", country: "IT", want: "0844123456"},
		"Vatican in Italy":         {number: "+390669812345", country: "IT", want: "0669812345"},
		"British":                  {number: "+442079460000", country: "GB", want: "02079460000"},
		"American":                 {number: "+12025550123", country: "US", want: "2025550123"},
		"Canadian in America":      {number: "+16135550123", country: "US", want: "6135550123"},
		"German":                   {number: "+498912345678", country: "DE", want: "08912345678"},
		"French in Italy":          {number: "+33123456789", country: "IT", foreign: true},
		"a country that is none":   {number: "+390212345678", country: "XX", foreign: true},
		"a number that is not one": {number: "+", country: "IT", foreign: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := test.number.Domestic(test.country)
			if got != test.want || ok == test.foreign {
				t.Errorf("%q, %t, want %q, %t", got, ok, test.want, !test.foreign)
			}
		})
	}
	if !KnownCountry("it") || KnownCountry("XX") || KnownCountry("") {
		t.Error("countries are not told from what is none")
	}
}
