package sandbox

import (
	"fmt"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/truth"
)

// register sends REGISTER, answers the challenge, and does so again in time.
func (a *agent) register() {
	a.sendRegister(a.room.cfg.Expires, nil, func(r *sip.Response) {
		if r == nil || r.StatusCode != 200 {
			line := truth.Line{Kind: truth.Unregistered, Text: "no answer"}
			if r != nil {
				line.Status, line.Text = r.StatusCode, r.Reason
			}
			a.log(line)
			a.tell(line.Status, line.Text)
			a.again = a.room.loop.After(a.room.cfg.Retry, a.register)
			return
		}
		granted := a.granted(r)
		a.log(truth.Line{Kind: truth.Registered, Count: int(granted / time.Second)})
		a.tell(200, "")
		a.again = a.room.loop.After(granted/2, a.register)
	})
}

// tell tells the one who runs the room how a registration went.
func (a *agent) tell(status int, text string) {
	if told := a.room.cfg.Told; told != nil {
		told(a.name, status, text)
	}
}

// granted is the registration's life by the registrar's word (RFC 3261 section 10.2.4).
func (a *agent) granted(r *sip.Response) time.Duration {
	seconds := int(a.room.cfg.Expires / time.Second)
	if h := r.GetHeader("Expires"); h != nil {
		if n, err := strconv.Atoi(h.Value()); err == nil && n > 0 {
			seconds = n
		}
	}
	if c := r.Contact(); c != nil {
		if v, ok := c.Params.Get("expires"); ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				seconds = n
			}
		}
	}
	return time.Duration(max(seconds, 1)) * time.Second
}

// sendRegister sends one REGISTER and once more with the answer to a challenge.
func (a *agent) sendRegister(expires time.Duration, challenge *sip.Response, done func(*sip.Response)) {
	domain := "sip:" + a.room.cfg.Domain
	aor := fmt.Sprintf("<sip:%s@%s>", a.name, a.room.cfg.Domain)
	headers := []sip.Header{a.contact(), sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second)))}
	if challenge != nil {
		name, answer := "WWW-Authenticate", "Authorization"
		if challenge.StatusCode == 407 {
			name, answer = "Proxy-Authenticate", "Proxy-Authorization"
		}
		h := challenge.GetHeader(name)
		if h == nil {
			done(challenge)
			return
		}
		value, err := sipua.Authorize(h.Value(), "REGISTER", domain, a.name, a.password())
		if err != nil {
			done(challenge)
			return
		}
		headers = append(headers, sip.NewHeader(answer, value))
	}
	a.regSeq++
	r, err := a.ua.NewRequest(sip.REGISTER, domain, aor+";tag="+sipua.Token(), aor, a.regID, a.regSeq, headers...)
	if err != nil {
		done(nil)
		return
	}
	a.ua.Request(r, a.room.registrar, func(res *sip.Response) {
		if res != nil && challenge == nil && (res.StatusCode == 401 || res.StatusCode == 407) {
			a.sendRegister(expires, res, done)
			return
		}
		done(res)
	})
}

func (a *agent) password() string {
	if p, ok := a.room.cfg.Passwords[a.name]; ok {
		return p
	}
	return a.room.cfg.Password
}
