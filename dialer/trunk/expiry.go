package trunk

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The headers and the option tags that say how long a session lives (RFC 4028).
const (
	sessionExpires = "Session-Expires"
	minSE          = "Min-SE"
	supported      = "Supported"

	optionTimer = "timer"
	option100   = "100rel" // RFC 3262

	statusIntervalTooSmall = 422
)

// longestSession bounds what a far end may ask for.
const longestSession = 24 * time.Hour

// expiry is what one message says of the session's life.
type expiry struct {
	every     time.Duration // Session-Expires; 0: it has none
	refresher string        // uac, uas or empty
	min       time.Duration // Min-SE; 0: it has none
	supported bool          // Supported: timer
}

// expiryOf reads the headers of RFC 4028. What does not parse counts as absent.
func expiryOf(msg sip.Message) expiry {
	e := expiry{supported: lists(msg, optionTimer, supported, "k")}
	if v := headerOf(msg, sessionExpires, "x"); v != "" {
		seconds, params, _ := strings.Cut(v, ";")
		e.every = secondsOf(seconds)
		for _, p := range strings.Split(params, ";") {
			name, value, _ := strings.Cut(p, "=")
			if strings.EqualFold(strings.TrimSpace(name), "refresher") {
				e.refresher = strings.ToLower(strings.TrimSpace(value))
			}
		}
	}
	seconds, _, _ := strings.Cut(headerOf(msg, minSE), ";")
	e.min = secondsOf(seconds)
	return e
}

// headerOf is the value of a message's first header that has one of the names.
func headerOf(msg sip.Message, names ...string) string {
	for _, name := range names {
		for _, h := range msg.GetHeaders(name) {
			return h.Value()
		}
	}
	return ""
}

// lists reports whether a header of one of the names lists a token.
func lists(msg sip.Message, token string, names ...string) bool {
	for _, name := range names {
		for _, h := range msg.GetHeaders(name) {
			for _, v := range strings.Split(h.Value(), ",") {
				if strings.EqualFold(strings.TrimSpace(v), token) {
					return true
				}
			}
		}
	}
	return false
}

// secondsOf reads delta-seconds, a day at most; 0 when there are none.
func secondsOf(s string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, longestSession)
}

// inSeconds writes a duration as delta-seconds, rounded up.
func inSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// life is what both ends have agreed on: how long the session lives without a
// refresh, and who refreshes it. The zero value lives for ever.
type life struct {
	every time.Duration
	ours  bool // we refresh
}

// lifeOf is the life that a 2xx to a request of ours gives (RFC 4028 section
// 7.2): none without Session-Expires, and no refresher means the one who asked.
// An interval below the one that we accept is taken for that one.
func lifeOf(res *sip.Response, least time.Duration) life {
	e := expiryOf(res)
	if e.every == 0 {
		return life{}
	}
	return life{every: max(e.every, least), ours: e.refresher != "uas"}
}

// grant is the life that answers a request of the far end's (RFC 4028 section
// 9); false: its interval is too small. now is the life that has been agreed before: a
// request that says nothing does not end it, and who does not know of it need not refresh.
func (e expiry) grant(now life, least time.Duration) (life, bool) {
	if e.every == 0 {
		return life{every: now.every, ours: now.ours || !e.supported}, true
	}
	if e.every < least && e.supported {
		return now, false
	}
	return life{every: max(e.every, least), ours: e.refresher == "uas" || !e.supported}, true
}

// announce writes the life into our answer to a request (RFC 4028 section 9).
func (f life) announce(res *sip.Response) {
	res.AppendHeader(sip.NewHeader(supported, optionTimer))
	switch {
	case f.every == 0:
	case f.ours:
		res.AppendHeader(sip.NewHeader(sessionExpires, inSeconds(f.every)+";refresher=uas"))
	default:
		res.AppendHeader(sip.NewHeader(sessionExpires, inSeconds(f.every)+";refresher=uac"))
		res.AppendHeader(sip.NewHeader("Require", optionTimer))
	}
}

// due is how long after a refresh there is something to do: to refresh in good
// time, or to end a session that the far end has not refreshed, a third of the interval or
// 32 s before it ends (RFC 4028 section 10).
func (f life) due() time.Duration {
	if f.ours {
		return f.every / 2
	}
	return f.limit()
}

// limit is how long after a refresh the session is given up without another.
func (f life) limit() time.Duration { return f.every - min(32*time.Second, f.every/3) }

// tooSmall is the answer to a request whose interval is below ours.
func (ep *Endpoint) tooSmall(req *sip.Request) *sip.Response {
	res := ep.reply(req, statusIntervalTooSmall, "Session Interval Too Small")
	res.AppendHeader(sip.NewHeader(minSE, inSeconds(ep.cfg.Limits.SessionMin)))
	return res
}
