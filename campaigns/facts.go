package campaigns

import (
	"slices"
	"strconv"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"
)

// Kind is what sort of line a number belongs to, by libphonenumber's metadata.
// A number that was ported keeps the kind of its range.
type Kind string

// The kinds.
const (
	Mobile        Kind = "mobile"
	Fixed         Kind = "fixed"
	FixedOrMobile Kind = "fixed_or_mobile" // plans that do not tell them apart, as the North American
	TollFree      Kind = "toll_free"
	Premium       Kind = "premium"
	Shared        Kind = "shared" // shared cost
	VoIP          Kind = "voip"
	Other         Kind = "other" // pagers, universal access, voicemail, personal; also what is not valid
)

// split gives the calling code and the national significant number. The code is
// 0 when n is not E.164 or its code is not assigned.
func (n Number) split() (code int, national string) {
	if len(n) < 3 || len(n) > 16 || n[0] != '+' || n[1] == '0' {
		return 0, ""
	}
	for _, c := range []byte(n[1:]) {
		if c < '0' || c > '9' {
			return 0, ""
		}
	}
	for i := 2; i <= 4 && i < len(n); i++ {
		code, err := strconv.Atoi(string(n[1:i]))
		if err == nil && phonenumbers.GetRegionCodeForCountryCode(code) != phonenumbers.UNKNOWN_REGION {
			return code, string(n[i:])
		}
	}
	return 0, ""
}

// parsed gives n in libphonenumber's form without its parser, whose guesses
// about prefixes an E.164 number does not need; nil when n is not E.164.
func (n Number) parsed() *phonenumbers.PhoneNumber {
	code, national := n.split()
	if code == 0 {
		return nil
	}
	value, err := strconv.ParseUint(national, 10, 64)
	if err != nil {
		return nil
	}
	p := &phonenumbers.PhoneNumber{CountryCode: proto.Int32(int32(code)), NationalNumber: proto.Uint64(value)}
	zeros := 0
	for zeros < len(national)-1 && national[zeros] == '0' {
		zeros++
	}
	if zeros > 0 {
		p.ItalianLeadingZero = proto.Bool(true)
	}
	if zeros > 1 {
		p.NumberOfLeadingZeros = proto.Int32(int32(zeros))
	}
	return p
}

// Valid reports whether n is in E.164 form and within a number range in use, by
// libphonenumber's metadata. It does not say that anybody has the number.
func (n Number) Valid() bool {
	code, national := n.split()
	if p := planOf(code); p != nil {
		return p.valid(national)
	}
	p := n.parsed()
	return p != nil && phonenumbers.IsValidNumber(p)
}

// Masked is n fit for logs: the calling code and the last four digits, as in
// "+39 *** 4567". Short or malformed numbers show no digit but the calling code.
func (n Number) Masked() string {
	if n == "" {
		return ""
	}
	code, national := n.split()
	if code == 0 {
		return "***"
	}
	if len(national) < 7 {
		return "+" + strconv.Itoa(code) + " ***"
	}
	return "+" + strconv.Itoa(code) + " *** " + national[len(national)-4:]
}

// CallingCode is the ITU country calling code, 39 for Italy; 0 when n is not E.164.
func (n Number) CallingCode() int {
	code, _ := n.split()
	return code
}

// Country is the ISO 3166-1 alpha-2 code of the country that n belongs to;
// empty for numbers of no country (+800) and for those that are not valid,
// unless the calling code belongs to one country alone.
func (n Number) Country() string {
	p := n.parsed()
	if p == nil {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(p)
	if region == "" || region == phonenumbers.UNKNOWN_REGION {
		all := phonenumbers.GetRegionCodesForCountryCode(int(p.GetCountryCode()))
		if len(all) != 1 {
			return ""
		}
		region = all[0]
	}
	if len(region) != 2 {
		return ""
	}
	return region
}

// National is the national significant number, digits only, as registers of
// opposition take it: without calling code and trunk prefix. Italian fixed
// numbers keep their leading 0, which is part of the number.
func (n Number) National() string {
	_, national := n.split()
	return national
}

// Kind is the sort of line that n belongs to.
func (n Number) Kind() Kind {
	p := n.parsed()
	if p == nil {
		return Other
	}
	switch phonenumbers.GetNumberType(p) {
	case phonenumbers.MOBILE:
		return Mobile
	case phonenumbers.FIXED_LINE:
		return Fixed
	case phonenumbers.FIXED_LINE_OR_MOBILE:
		return FixedOrMobile
	case phonenumbers.TOLL_FREE:
		return TollFree
	case phonenumbers.PREMIUM_RATE:
		return Premium
	case phonenumbers.SHARED_COST:
		return Shared
	case phonenumbers.VOIP:
		return VoIP
	default:
		return Other
	}
}

// Zones are the IANA time zones in which n may be, sorted by name; nil when
// none is known. A zone that IANA keeps only as another name of one in the
// list is left out. Mobile and non-geographic numbers give every zone of their
// country: a call is within hours only when it is so in all of them.
func (n Number) Zones() []string {
	if code, _ := n.split(); code == 0 {
		return nil
	}
	found, err := phonenumbers.GetTimezonesForPrefix(string(n))
	if err != nil {
		return nil
	}
	var zones []string
	for _, z := range found {
		if z == phonenumbers.UNKNOWN_TIMEZONE {
			continue
		}
		if of, ok := sameClock(z); ok {
			z = of
		}
		zones = append(zones, z)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// sameClock gives the zone of which z is only another name, by the "backward"
// file of the IANA time zone database, for the names that libphonenumber uses
// in Europe. A name that is missing here only makes the answer longer.
func sameClock(z string) (string, bool) {
	switch z {
	case "Europe/Vatican", "Europe/San_Marino":
		return "Europe/Rome", true
	case "Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey":
		return "Europe/London", true
	case "Europe/Vaduz", "Europe/Busingen":
		return "Europe/Zurich", true
	case "Europe/Ljubljana", "Europe/Podgorica", "Europe/Sarajevo", "Europe/Skopje", "Europe/Zagreb":
		return "Europe/Belgrade", true
	case "Europe/Bratislava":
		return "Europe/Prague", true
	case "Europe/Mariehamn":
		return "Europe/Helsinki", true
	default:
		return "", false
	}
}
