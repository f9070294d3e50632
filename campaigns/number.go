package campaigns

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a telephone number in E.164 form: a plus sign and up to 15 digits.
// The empty Number is none. As JSON, YAML and text it is the plain string; only
// ParseNumber and ParseCallerID check what they take in.
type Number string

// ErrNumber is wrapped by every error of ParseNumber and ParseCallerID.
var ErrNumber = errors.New("not a telephone number")

// ParseNumber reads a number as people write it: in international form
// (+39 06 1234567, any country), or, when country is given as ISO 3166-1
// alpha-2, also in that country's national form or with its international
// prefix (0039). Spaces, dots, hyphens, round brackets and a slash after the
// area code are dropped; letters, extensions and two numbers in one field are
// errors, never guessed at. The number must be valid by libphonenumber's
// metadata. A text that is valid in national form is read so, even if its
// first digits look like a country code.
func ParseNumber(text, country string) (Number, error) {
	country = strings.ToUpper(strings.TrimSpace(country))
	if country != "" && phonenumbers.GetCountryCodeForRegion(country) == 0 {
		return "", fmt.Errorf("%w: unknown country %q: give two letters as in IT, US, GB", ErrNumber, country)
	}
	digits, plus, err := strip(text)
	if err != nil {
		return "", err
	}
	if plus {
		if n := Number("+" + digits); n.Valid() {
			return n, nil
		}
		digits = "+" + digits
	} else if country == "" {
		return "", fmt.Errorf("%w: no country code: write + and the country code first", ErrNumber)
	}
	if !plus {
		if p := planOf(phonenumbers.GetCountryCodeForRegion(country)); p != nil && phonenumbers.GetRegionCodeForCountryCode(p.code) == country {
			if n, ok := p.national(digits); ok {
				return n, nil
			}
		}
	}
	p, err := phonenumbers.Parse(digits, country)
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrNumber, plainly(err))
	}
	if !phonenumbers.IsValidNumber(p) {
		return "", fmt.Errorf("%w: %s", ErrNumber, whyInvalid(p))
	}
	return Number(phonenumbers.Format(p, phonenumbers.E164)), nil
}

// ParseCallerID reads a number to present, in international form. Beside valid
// numbers it takes those that have a known country code and a sound length but
// that libphonenumber's metadata do not cover, such as Italy's 0843 and 0844
// prefixes for call centres (AGCOM 156/18/CIR).
func ParseCallerID(text string) (Number, error) {
	digits, plus, err := strip(text)
	if err != nil {
		return "", err
	}
	if !plus {
		return "", fmt.Errorf("%w: no country code: write + and the country code first, as in +390844123456", ErrNumber)
	}
	n := Number("+" + digits)
	code, national := n.split()
	switch {
	case code == 0:
		return "", fmt.Errorf("%w: unknown country code", ErrNumber)
	case len(national) < 5:
		return "", fmt.Errorf("%w: too short", ErrNumber)
	}
	return n, nil
}

// strip drops what people put between digits. It gives the digits and whether
// a plus sign came first.
func strip(text string) (digits string, plus bool, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", false, fmt.Errorf("%w: empty", ErrNumber)
	}
	rest, plus := strings.CutPrefix(text, "+")
	out := make([]byte, 0, 16)
	slash := -1
	for _, r := range rest {
		switch {
		case r >= '0' && r <= '9':
			if len(out) == 20 {
				return "", false, fmt.Errorf("%w: too many digits: E.164 allows 15", ErrNumber)
			}
			out = append(out, byte(r))
		case r == '/' && slash < 0:
			slash = len(out)
		case strings.ContainsRune(" \u00a0\u2009\u202f-\u2010\u2011\u2013.()", r):
		default:
			return "", false, fmt.Errorf("%w: holds %q: only digits, a leading + and separators may stand there", ErrNumber, r)
		}
	}
	if slash >= 0 && len(out)-slash < 5 {
		return "", false, fmt.Errorf("%w: %q after the slash is too short: one number per field", ErrNumber, out[slash:])
	}
	if len(out) == 0 {
		return "", false, fmt.Errorf("%w: no digits", ErrNumber)
	}
	if plus && len(out) > 15 {
		return "", false, fmt.Errorf("%w: too many digits: E.164 allows 15", ErrNumber)
	}
	return string(out), plus, nil
}

// plainly says in our words what libphonenumber found.
func plainly(err error) string {
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "unknown country code"
	case errors.Is(err, phonenumbers.ErrTooShortNSN):
		return "too short"
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "too long"
	default:
		return "cannot be read as a number"
	}
}

// whyInvalid says why a number that could be read is not a valid one.
func whyInvalid(p *phonenumbers.PhoneNumber) string {
	where := phonenumbers.GetRegionCodeForCountryCode(int(p.GetCountryCode()))
	if where == "001" || where == "ZZ" {
		where = "+" + strconv.Itoa(int(p.GetCountryCode()))
	}
	switch phonenumbers.IsPossibleNumberWithReason(p) {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "too short for " + where
	case phonenumbers.TOO_LONG:
		return "too long for " + where
	case phonenumbers.INVALID_LENGTH:
		return "no number of " + where + " has that many digits"
	default:
		return "no such number range in " + where
	}
}
