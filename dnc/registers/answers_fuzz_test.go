package registers

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// FuzzAnswers reads any file as the answer of each built-in layout to a submission:
// it says something of exactly the numbers that were asked about, or is refused.
func FuzzAnswers(f *testing.F) {
	asked := map[string][]uint64{
		"39": {390612345678, 393471234567}, "1": {12025550123, 12025550124}, "44": {442079460001, 447400123456},
		"852": {85221234567, 85291234567}, "65": {6531234567, 6591234567}, "61": {61212345678, 61412345678},
	}
	all := Profiles()
	for i, text := range []string{
		"3471234567,1\n0612345678,0\n", "2025550123\n", "2025550123,2025550124,2026-11-20,A\n", "2025550124\n", "<ac val='202'><ph val='5550123' /></ac>",
		"02079460001\n", "07400123456\n", "21234567\n", "31234567,0\n91234567,1\n", "2025550123,yes\n2025550124,no data\n", "0412345678\n",
	} {
		f.Add([]byte(text), byte(i))
		f.Add([]byte(zipped(f, "x.txt", text)), byte(i))
	}
	o := options(f)
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		src, err := NewSource("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		p, o := all[int(which)%len(all)], o
		o.Submission = &Submission{ID: "s1", At: o.Now.Add(-time.Hour), Digits: asked[p.Calling]}
		if p.Submit != nil && p.Submit.Date != "" {
			o.Submission.Dates = []time.Time{time.Unix(1, 0), time.Unix(2, 0)}
		}
		r, err := ReadVerdicts(t.Context(), src, p, o)
		if (r == nil) == (err == nil) {
			t.Fatalf("result %v and error %v", r, err)
		}
		if r == nil {
			return
		}
		var told []uint64
		for i, s := range r.Screenings {
			digits, _ := DigitsOf(s.Number)
			told = append(told, digits)
			if !s.CheckedAt.Equal(o.Submission.At) || o.Submission.Dates != nil && !s.Since.Equal(o.Submission.Dates[i]) {
				t.Fatalf("screening %+v", s)
			}
		}
		if !slices.Equal(told, o.Submission.Digits) {
			t.Fatalf("asked about %v, told of %v", o.Submission.Digits, told)
		}
	})
}
