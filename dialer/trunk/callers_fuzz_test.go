package trunk

import (
	"testing"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
)

// Whatever stands in the headers of a call to us, the caller is a valid number or
// withheld, and the number called is one of ours or unknown.
func FuzzWhoRings(f *testing.F) {
	for _, s := range [][4]string{
		{"+390844000123", "+393331234567", `"A" <sip:+390612345678@x>, <tel:+390612345678>`, "none"},
		{"0844000123;npdi", "anonymous", "tel:0612345678;phone-context=+39", "id;critical"},
		{"%2b39%zz", "", "<<>,,>", ";;"},
		{"sip:+", "00393331234567", "sips:00390612345678@[::1]:5060", "header, user"},
	} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	f.Fuzz(func(t *testing.T, to, from, asserted, privacy string) {
		req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: to, Host: "x"})
		req.AppendHeader(&sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: from, Host: "x"}})
		req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: to, Host: "x"}})
		req.AppendHeader(sip.NewHeader("P-Asserted-Identity", asserted))
		req.AppendHeader(sip.NewHeader("Privacy", privacy))
		n, known := calledOf(req, []campaigns.Number{shown})
		if known != (n == shown) {
			t.Errorf("called %q: %q, %t", to, n, known)
		}
		for _, coded := range []bool{false, true} {
			if c := callerOf(req, shown, coded); c != "" && !c.Valid() {
				t.Errorf("the caller of %q, %q is %q, which is no valid number", from, asserted, c)
			}
		}
	})
}
