package trunk

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ident names one call in SIP. Everything in it follows from the attempt, so
// that a restart knows it from the journal alone.
type ident struct {
	callID  string
	fromTag string
}

// identOf derives Call-ID and From tag from an attempt's ULID, whose 80 random
// bits keep them from being guessed. try counts the trunks that had the call, from 1.
func identOf(attempt string, try int) ident {
	callID := strings.ToLower(attempt)
	if try > 1 {
		callID += "-" + strconv.Itoa(try)
	}
	return ident{callID: callID, fromTag: tagOf(callID)}
}

// tagOf is the From tag that goes with one of our Call-IDs.
func tagOf(callID string) string {
	return digestOf("tag", callID)[:20]
}

// branch is the Via branch of the try-th INVITE of the call, from 1 (RFC 3261 section 8.1.1.7).
func (id ident) branch(try int) string {
	return sip.RFC3261BranchMagicCookie + digestOf("invite", id.callID, strconv.Itoa(try))[:24]
}

func digestOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
