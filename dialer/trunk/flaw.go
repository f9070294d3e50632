package trunk

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// unsupportedScheme is 416 (RFC 3261 section 21.4.14).
const unsupportedScheme = 416

// flawed answers a request that sipgo has parsed and that cannot be meant (RFC
// 3261 sections 8.2.2.1, 16.3 and 21.5.6); nil: it can.
func (ep *Endpoint) flawed(req *sip.Request) *sip.Response {
	switch {
	case !strings.EqualFold(req.SipVersion, response):
		return ep.reply(req, sip.StatusVersionNotSupported, "Version Not Supported")
	case req.CSeq().MethodName != req.Method:
		return ep.reply(req, sip.StatusBadRequest, "CSeq Of Another Method")
	case twice(req) != "":
		return ep.reply(req, sip.StatusBadRequest, "More Than One "+twice(req))
	}
	switch strings.ToLower(req.Recipient.Scheme) {
	case "sip", "sips", "tel":
		return nil
	}
	return ep.reply(req, unsupportedScheme, "Unsupported URI Scheme")
}

// twice names a header that a request has twice and may have once.
func twice(req *sip.Request) string {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"} {
		if len(req.GetHeaders(name)) > 1 {
			return name
		}
	}
	return ""
}
