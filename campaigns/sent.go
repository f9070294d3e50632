package campaigns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Spellings are the ways in which networks write n where no plus sign and no
// country is agreed: after a plus, after 00 or 011, as bare digits, and in the
// national form of its own country. Nil when n is not E.164.
func (n Number) Spellings() []string {
	p := n.parsed()
	if p == nil {
		return nil
	}
	digits := string(n[1:])
	national := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phonenumbers.Format(p, phonenumbers.NATIONAL))
	return []string{"+" + digits, digits, "00" + digits, "011" + digits, national}
}

// IsSent reports whether a text in which a network names a number, such as the
// user part of a SIP address, stands for n.
func (n Number) IsSent(text string) bool {
	digits, plus, err := strip(text)
	if err != nil {
		return false
	}
	if plus {
		digits = "+" + digits
	}
	return slices.Contains(n.Spellings(), digits)
}

// ParseSent reads a number as a network names it to home, one of our own: with
// a plus, after 00, in the national form of home's country, or as bare digits
// that begin with a country code. Bare digits can often be read both ways: coded
// says that the network puts the country code first.
func ParseSent(text string, home Number, coded bool) (Number, error) {
	region := phonenumbers.GetRegionCodeForCountryCode(home.CallingCode())
	if exact := home.Country(); exact != "" {
		region = exact
	}
	text = strings.TrimSpace(text)
	bare := !strings.HasPrefix(text, "+") && !strings.HasPrefix(text, "0")
	if bare && coded {
		if n, err := ParseNumber("+"+text, ""); err == nil {
			return n, nil
		}
	}
	n, err := ParseNumber(text, region)
	if err != nil && bare {
		if n, err := ParseNumber("+"+text, ""); err == nil {
			return n, nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("%w, neither in %s nor with a country code", err, region)
	}
	return n, nil
}
