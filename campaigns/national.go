package campaigns

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// KnownCountry reports whether the text is the ISO 3166-1 alpha-2 code of a
// country with telephone numbers.
func KnownCountry(code string) bool {
	return phonenumbers.GetCountryCodeForRegion(strings.ToUpper(code)) != 0
}

// Domestic writes the number as it is dialed inside a country (ISO 3166-1
// alpha-2), trunk prefix included: +390212345678 in Italy is 0212345678,
// +442079460000 in the United Kingdom 02079460000. It is false for a number with
// another country's calling code.
func (n Number) Domestic(country string) (string, bool) {
	code := phonenumbers.GetCountryCodeForRegion(strings.ToUpper(country))
	p := n.parsed()
	if p == nil || code == 0 || n.CallingCode() != code {
		return "", false
	}
	var digits strings.Builder
	for _, c := range phonenumbers.Format(p, phonenumbers.NATIONAL) {
		if c >= '0' && c <= '9' {
			digits.WriteRune(c)
		}
	}
	return digits.String(), true
}
