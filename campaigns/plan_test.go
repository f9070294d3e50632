package campaigns

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// byLibrary is ParseNumber of digits in national form as libphonenumber does it.
func byLibrary(digits, country string) Number {
	p, err := phonenumbers.Parse(digits, country)
	if err != nil || !phonenumbers.IsValidNumber(p) {
		return ""
	}
	return Number(phonenumbers.Format(p, phonenumbers.E164))
}

// drawDigits draws digits that are often close to a number of the country: an
// example of its numbers with some digits changed, added or taken away.
func drawDigits(t *rapid.T, country string) string {
	example := phonenumbers.GetExampleNumberForType(country, rapid.SampledFrom([]phonenumbers.PhoneNumberType{
		phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE, phonenumbers.PREMIUM_RATE, phonenumbers.VOIP,
	}).Draw(t, "type"))
	digits := rapid.StringMatching(`[0-9]{2,16}`).Draw(t, "digits")
	if example != nil && rapid.IntRange(0, 4).Draw(t, "free") > 0 {
		digits = phonenumbers.GetNationalSignificantNumber(example)
	}
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		at := rapid.IntRange(0, len(digits)-1).Draw(t, "at")
		digits = digits[:at] + strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "digit")) + digits[at+1:]
	}
	switch rapid.IntRange(0, 9).Draw(t, "ends") {
	case 0:
		digits += "7"
	case 1:
		digits = digits[:max(len(digits)-1, 2)]
	}
	prefix := rapid.SampledFrom([]string{"", "", "", "0", "00", "1", "8", strconv.Itoa(phonenumbers.GetCountryCodeForRegion(country))}).Draw(t, "prefix")
	return prefix + digits
}

// TestPlansEqualLibphonenumber: what plans say is what libphonenumber says, of
// every country.
func TestPlansEqualLibphonenumber(t *testing.T) {
	var countries []string
	for country := range phonenumbers.GetSupportedRegions() {
		countries = append(countries, country)
	}
	slices.Sort(countries)
	fast := 0
	rapid.Check(t, func(t *rapid.T) {
		// Many draws in one check: the plans of a country are made once.
		for range 40 {
			country := rapid.SampledFrom(append([]string{"IT", "US", "GB", "DE", "FR", "ES"}, countries...)).Draw(t, "country")
			digits := drawDigits(t, country)
			p := planOf(phonenumbers.GetCountryCodeForRegion(country))
			if p == nil {
				continue
			}
			got, err := ParseNumber(digits, country)
			if want := byLibrary(digits, country); got != want && len(digits) <= 20 || err == nil != (got != "") {
				t.Fatalf("%s in %s is %q, %v; libphonenumber says %q", digits, country, got, err, want)
			}
			if _, ok := p.national(digits); ok {
				fast++
			}
			n := Number(fmt.Sprintf("+%d%s", p.code, digits))
			if library := n.parsed(); library != nil && n.Valid() != phonenumbers.IsValidNumber(library) {
				t.Fatalf("%s: valid is %t, libphonenumber says %t", n, n.Valid(), phonenumbers.IsValidNumber(library))
			}
		}
	})
	if fast == 0 {
		t.Error("no number was read by a plan")
	}
	t.Logf("%d numbers were read by plans", fast)
}

// TestPlansOfAllItalianPrefixes walks every beginning of five digits.
func TestPlansOfAllItalianPrefixes(t *testing.T) {
	for begin := range 100_000 {
		if begin%7 != 0 { // a seventh of them, spread: the whole takes a minute
			continue
		}
		for _, length := range []int{9, 10} {
			digits := fmt.Sprintf("%05d%0*d", begin, length-5, 1234)
			if got, want := Number("+39"+digits).Valid(), phonenumbers.IsValidNumber(&phonenumbers.PhoneNumber{
				CountryCode: proto.Int32(39), NationalNumber: proto.Uint64(mustUint(t, digits)), ItalianLeadingZero: proto.Bool(digits[0] == '0'), NumberOfLeadingZeros: proto.Int32(zeros(digits)),
			}); got != want {
				t.Fatalf("+39%s: valid is %t, libphonenumber says %t", digits, got, want)
			}
		}
	}
}

func mustUint(t *testing.T, digits string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func zeros(digits string) int32 {
	n := int32(0)
	for int(n) < len(digits)-1 && digits[n] == '0' {
		n++
	}
	return n
}

func BenchmarkParseNumber(b *testing.B) {
	b.Run("libphonenumber", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if byLibrary("3471234567", "IT") == "" {
				b.Fatal("no number")
			}
		}
	})
	for _, c := range []struct{ name, text string }{{"national", "3471234567"}, {"e164", "+393471234567"}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseNumber(c.text, "IT"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
