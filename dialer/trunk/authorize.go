package trunk

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"golang.org/x/time/rate"
)

// admission is what a REGISTER's credentials are worth.
type admission int

const (
	granted  admission = iota
	denied             // none, or wrong ones
	replayed           // right, but the nonce is old or was used
	mute               // so many wrong ones that nothing is answered
)

// nobody is the HA1 that unknown names are checked against, so that they take
// the same time as known ones.
const nobody = "00000000000000000000000000000000"

// authorized checks the digest credentials of a REGISTER (RFC 2617 section 3.2.2, MD5, qop auth).
func (r *registrar) authorized(req *sip.Request, name string, src netip.AddrPort, now time.Time) admission {
	h := req.GetHeader("Authorization")
	if h == nil {
		return denied
	}
	cred, err := digest.ParseCredentials(h.Value())
	if err != nil {
		return r.wrong(name, src, now)
	}
	ha1, exists := nobody, false
	if r.ep.cfg.Accounts != nil {
		if a, ok := r.ep.cfg.Accounts.Account(name); ok && len(a.HA1) == len(nobody) {
			ha1, exists = strings.ToLower(a.HA1), true
		}
	}
	ha2 := md5Hex(string(req.Method) + ":" + cred.URI)
	want := md5Hex(strings.Join([]string{ha1, cred.Nonce, ncHex(cred.Nc), cred.Cnonce, cred.QOP, ha2}, ":"))
	right := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(cred.Response))) == 1
	if !right || !exists || cred.Username != name || cred.Realm != r.ep.cfg.Realm || cred.QOP != "auth" {
		return r.wrong(name, src, now)
	}
	if !r.nonces.fresh(cred.Nonce, now) || !r.nonces.use(cred.Nonce, uint32(cred.Nc), now) {
		return replayed
	}
	return granted
}

// wrong counts a wrong guess. A source that has used up its guesses, or one
// that goes on after a name has, gets no more answers.
func (r *registrar) wrong(name string, src netip.AddrPort, now time.Time) admission {
	if !r.guesses.allow(src.Addr().String(), now) || !r.names.allow(name+" "+src.Addr().String(), now) {
		return mute
	}
	return denied
}

// challenge is the same 401 for everybody.
func (r *registrar) challenge(req *sip.Request, now time.Time, isStale bool) *sip.Response {
	res := r.ep.reply(req, sip.StatusUnauthorized, "Unauthorized")
	chal := digest.Challenge{Realm: r.ep.cfg.Realm, Nonce: r.nonces.make(now), Algorithm: "MD5", QOP: []string{"auth"}, Stale: isStale}
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", chal.String()))
	return res
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func ncHex(n int) string {
	b := []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	return hex.EncodeToString(b)
}

// sources limits how often something may happen for each of many keys, with
// bounded memory.
type sources struct {
	rate  rate.Limit
	burst int

	mu sync.Mutex // protects m
	m  map[string]*rate.Limiter
}

// mostSources bounds the memory of a sources; when it is full all start anew.
const mostSources = 10000

func newSources(perSecond float64, burst int) *sources {
	return &sources{rate: rate.Limit(perSecond), burst: burst, m: map[string]*rate.Limiter{}}
}

func (s *sources) allow(key string, now time.Time) bool {
	s.mu.Lock()
	l, ok := s.m[key]
	if !ok {
		if len(s.m) >= mostSources {
			clear(s.m)
		}
		l = rate.NewLimiter(s.rate, s.burst)
		s.m[key] = l
	}
	s.mu.Unlock()
	return l.AllowN(now, 1)
}
