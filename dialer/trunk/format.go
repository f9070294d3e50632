package trunk

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
)

// format writes a number as the carrier wants it in one of the addresses.
func (t *carrier) format(n campaigns.Number, f NumberFormat) string {
	digits := strings.TrimPrefix(string(n), "+")
	switch or(f, t.cfg.Format) {
	case ZeroZero:
		return "00" + digits
	case Digits:
		return digits
	case National:
		domestic, ok := n.Domestic(t.cfg.Country)
		switch {
		case !ok:
			return "00" + digits
		case t.cfg.NationalPrefix != nil:
			return *t.cfg.NationalPrefix + n.National()
		}
		return domestic
	default: // E164
		return "+" + digits
	}
}

// identity is the header that asserts the caller ID; nil: none.
func (t *carrier) identity(callerID campaigns.Number) sip.Header {
	u := t.uri(t.format(callerID, t.cfg.AssertedFormat))
	switch t.cfg.Asserted {
	case PreferredIdentity:
		return sip.NewHeader("P-Preferred-Identity", "<"+u.String()+">")
	case RemoteParty:
		return sip.NewHeader("Remote-Party-ID", "<"+u.String()+">;party=calling;screen=yes;privacy=off")
	case NoIdentity:
		return nil
	default: // AssertedIdentity
		return sip.NewHeader("P-Asserted-Identity", "<"+u.String()+">")
	}
}

// dialable reports that a number is E.164 and nothing else, because it goes
// into a header.
func dialable(n campaigns.Number) bool {
	s := string(n)
	if len(s) < 3 || len(s) > 16 || s[0] != '+' {
		return false
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
