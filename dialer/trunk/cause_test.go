package trunk

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pronto/campaigns"
	"pronto/dialer"
)

func TestOutcomeOfEveryStatusAndCause(t *testing.T) {
	known := map[campaigns.Outcome]bool{
		campaigns.NoAnswer: true, campaigns.Busy: true, campaigns.Vacant: true, campaigns.Congested: true,
		campaigns.Rejected: true, campaigns.Unwanted: true, campaigns.Failed: true,
	}
	for status := 300; status < 700; status++ {
		for q850 := range 128 {
			o := outcomeOf(dialer.Cause{Status: status, Q850: q850})
			if !known[o] {
				t.Fatalf("status %d, Q.850 %d gives %q", status, q850, o)
			}
			if (status == 607) != (o == campaigns.Unwanted) {
				t.Fatalf("status %d, Q.850 %d gives %q: 607 alone opts out", status, q850, o)
			}
			if status == 608 && o != campaigns.Rejected {
				t.Fatalf("608 gives %q", o)
			}
		}
	}
}

func TestParseReason(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []reason
	}{
		"q.850":         {`Q.850;cause=16;text="Terminated"`, []reason{{"q.850", 16, "Terminated"}}},
		"two values":    {`SIP ;cause=600 ;text="Busy, everywhere; sorry", Q.850;cause=17`, []reason{{"sip", 600, "Busy, everywhere; sorry"}, {"q.850", 17, ""}}},
		"escaped quote": {`Q.850;text="a \"b\"";cause=1`, []reason{{"q.850", 1, `a "b"`}}},
		"bare text":     {`Q.850;text=gone`, []reason{{"q.850", 0, "gone"}}},
		"bad cause":     {`Q.850;cause=x`, []reason{{"q.850", 0, ""}}},
		"huge cause":    {`Q.850;cause=99999999999999999999`, []reason{{"q.850", 0, ""}}},
		"empty":         {``, nil},
		"control bytes": {"Q.850;text=\"a\r\n\x00b\"", []reason{{"q.850", 0, "a   b"}}},
		"open quote":    {`Q.850;text="abc, SIP;cause=1`, []reason{{"q.850", 0, `"abc, SIP;cause=1`}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseReason(c.in); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func FuzzParseReason(f *testing.F) {
	f.Add(`Q.850;cause=16;text="Terminated", SIP;cause=600`)
	f.Add(`;;,"\`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range parseReason(s) {
			if r.protocol == "" || r.cause < 0 || r.cause > 999 || len(r.text) > longestText ||
				!utf8.ValidString(r.text) || strings.ContainsAny(r.text, "\r\n\x00") {
				t.Fatalf("%q gives %+v", s, r)
			}
		}
	})
}
