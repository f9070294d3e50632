package trunk

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
	"pronto/dialer"
)

// byQ850 is what an ITU-T Q.850 cause says of the callee. It is nearer to the
// network than the SIP status beside it, so it goes first; causes that say
// nothing of their own (16 normal clearing, 31 normal, 127 interworking) are
// not here and leave the word to the status.
var byQ850 = map[int]campaigns.Outcome{
	1:   campaigns.Vacant,    // unallocated number
	2:   campaigns.Failed,    // no route to transit network
	3:   campaigns.Failed,    // no route to destination
	17:  campaigns.Busy,      // user busy
	18:  campaigns.NoAnswer,  // no user responding
	19:  campaigns.NoAnswer,  // user alerted, no answer
	20:  campaigns.NoAnswer,  // subscriber absent
	21:  campaigns.Rejected,  // call rejected
	22:  campaigns.Vacant,    // number changed
	27:  campaigns.NoAnswer,  // destination out of order
	28:  campaigns.Vacant,    // invalid number format
	34:  campaigns.Congested, // no circuit available
	38:  campaigns.Congested, // network out of order
	41:  campaigns.Congested, // temporary failure
	42:  campaigns.Congested, // switching equipment congestion
	44:  campaigns.Congested, // requested circuit not available
	47:  campaigns.Congested, // resource unavailable
	55:  campaigns.Rejected,  // incoming calls barred within the closed user group
	57:  campaigns.Failed,    // bearer capability not authorised
	58:  campaigns.Congested, // bearer capability not available now
	87:  campaigns.Rejected,  // user not member of the closed user group
	88:  campaigns.Failed,    // incompatible destination
	102: campaigns.Failed,    // recovery on timer expiry
	111: campaigns.Failed,    // protocol error
}

// byStatus is what a final SIP status says of the callee, where no Q.850 cause
// says more. A status that is not here is Failed, redirections (3xx) with them:
// a clearance is for one number.
var byStatus = map[int]campaigns.Outcome{
	403: campaigns.Rejected,
	404: campaigns.Vacant,
	408: campaigns.NoAnswer,
	410: campaigns.Vacant,
	480: campaigns.NoAnswer,
	484: campaigns.Vacant,
	486: campaigns.Busy,
	487: campaigns.NoAnswer,
	503: campaigns.Congested,
	504: campaigns.Congested,
	600: campaigns.Busy,
	603: campaigns.Rejected,
	604: campaigns.Vacant,
	607: campaigns.Unwanted, // RFC 8197: the callee says that the call is unwanted
	608: campaigns.Rejected, // RFC 8688: an analytics engine blocks our caller ID
}

// settled are the statuses that no Q.850 cause overrules.
var settled = map[int]bool{607: true, 608: true}

// classify turns a final response that is not a success into an outcome.
func classify(res *sip.Response) (campaigns.Outcome, dialer.Cause) {
	cause := causeOf(res.StatusCode, res.GetHeaders("Reason"))
	if cause.Text == "" {
		cause.Text = res.Reason
	}
	if res.StatusCode == 608 {
		cause.Text = "blocked by an analytics engine: " + cause.Text
	}
	return outcomeOf(cause), cause
}

// outcomeOf looks a cause up in the two tables.
func outcomeOf(c dialer.Cause) campaigns.Outcome {
	if !settled[c.Status] {
		if o, ok := byQ850[c.Q850]; ok {
			return o
		}
	}
	if o, ok := byStatus[c.Status]; ok {
		return o
	}
	return campaigns.Failed
}

// causeOf joins a status with what the Reason headers say.
func causeOf(status int, reasons []sip.Header) dialer.Cause {
	c := dialer.Cause{Status: status}
	for _, h := range reasons {
		for _, r := range parseReason(h.Value()) {
			if r.protocol == "q.850" && c.Q850 == 0 {
				c.Q850 = r.cause
				if r.text != "" {
					c.Text = r.text
				}
			}
			if r.protocol == "sip" && c.Status == 0 {
				c.Status = r.cause
			}
			if c.Text == "" {
				c.Text = r.text
			}
		}
	}
	return c
}

// reason is one value of a Reason header.
type reason struct {
	protocol string // lower case
	cause    int
	text     string
}

// longestText bounds what a far end can put into our journal.
const longestText = 200

// parseReason reads a Reason header (RFC 3326):
//
//	Q.850;cause=16;text="Terminated", SIP;cause=600
//
// Values that do not parse are left out.
func parseReason(s string) []reason {
	var out []reason
	for _, value := range splitQuoted(s, ',') {
		parts := splitQuoted(value, ';')
		r := reason{protocol: strings.ToLower(strings.TrimSpace(parts[0]))}
		if r.protocol == "" {
			continue
		}
		for _, p := range parts[1:] {
			k, v, _ := strings.Cut(p, "=")
			v = strings.TrimSpace(v)
			switch strings.ToLower(strings.TrimSpace(k)) {
			case "cause":
				if n, err := strconv.Atoi(v); err == nil && n > 0 && n < 1000 {
					r.cause = n
				}
			case "text":
				r.text = printable(unquote(v))
			}
		}
		out = append(out, r)
	}
	return out
}

// splitQuoted splits at sep outside quoted strings.
func splitQuoted(s string, sep byte) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == sep:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// printable keeps a far end's words to one short line.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > longestText {
		s = strings.ToValidUTF8(s[:longestText], "")
	}
	return s
}
