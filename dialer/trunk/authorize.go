package trunk

import (
	"bytes"
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// admission is what a REGISTER's credentials are worth.
type admission int

const (
	granted admission = iota
	asked             // there are none: the challenge
	stale             // their nonce is not one of ours for this source, too old, or was used; the password was not looked at
	wrong             // name or password
	mute              // so many wrong ones that the password was not looked at and nothing is answered
)

// nobody is the HA1 that unknown names are checked against, so that they take
// the same time as known ones.
const nobody = "00000000000000000000000000000000"

// authorized checks the digest credentials of a REGISTER (RFC 2617 section
// 3.2.2, MD5, qop auth). The nonce goes first: only who has received a challenge of ours at
// the address that the REGISTER comes from has the password looked at, so that forged
// addresses use up nobody's guesses.
func (r *registrar) authorized(req *sip.Request, name string, src netip.AddrPort, now time.Time) admission {
	h := req.GetHeader("Authorization")
	if h == nil {
		return asked
	}
	cred, err := digest.ParseCredentials(h.Value())
	if err != nil {
		return asked
	}
	if !r.nonces.fresh(cred.Nonce, src.Addr(), now) {
		return stale
	}
	guess, ok := r.guess(name, src, now)
	if !ok {
		return mute
	}
	if !r.right(cred, string(req.Method), name) {
		return wrong
	}
	guess.takeBack(now)
	if !r.nonces.use(cred.Nonce, uint32(cred.Nc), now) {
		return stale
	}
	return granted
}

// right compares the response with the one that the password gives.
func (r *registrar) right(cred *digest.Credentials, method, name string) bool {
	ha1, exists := nobody, false
	if r.ep.cfg.Accounts != nil {
		if a, ok := r.ep.cfg.Accounts.Account(name); ok && len(a.HA1) == len(nobody) {
			ha1, exists = a.HA1, true
		}
	}
	ha2 := md5Hex(method + ":" + cred.URI)
	want := md5Hex(strings.Join([]string{strings.ToLower(ha1), cred.Nonce, ncHex(cred.Nc), cred.Cnonce, cred.QOP, ha2}, ":"))
	same := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(cred.Response))) == 1
	return same && exists && cred.Username == name && cred.Realm == r.ep.cfg.Realm && cred.QOP == "auth"
}

// challenge is the same 401 for everybody.
func (r *registrar) challenge(req *sip.Request, src netip.AddrPort, now time.Time, isStale bool) *sip.Response {
	res := r.ep.reply(req, sip.StatusUnauthorized, "Unauthorized")
	chal := digest.Challenge{Realm: r.ep.cfg.Realm, Nonce: r.nonces.make(src.Addr(), now), Algorithm: "MD5", QOP: []string{"auth"}, Stale: isStale}
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

// guess takes one try at a name's password from the three allowances of wrong
// ones; false when there is none left. A right one gives it back.
//
//   - of the source for this name: few, then one now and then
//   - of the source for all names: more, because many phones may stand behind it
//   - of the name from all sources: a name that many sources guess at is slowed. Each
//     source's first try is not refused for it, so that the rightful phone, which is right at
//     once, gets in from anywhere.
//
// The phone that holds the registration, known by address and port, is past all three.
func (r *registrar) guess(name string, src netip.AddrPort, now time.Time) (spent, bool) {
	if b, ok := r.binding(name, now); ok && b.src == src {
		return nil, true
	}
	from := networkOf(src.Addr())
	pair := r.pairs.of(keyOf(from, name))
	first := pair.TokensAt(now) >= float64(r.ep.cfg.Limits.GuessBurst)
	var t spent
	for _, l := range []*rate.Limiter{pair, r.guesses.of(keyOf(from, ""))} {
		if !t.take(l, now) {
			t.takeBack(now)
			return nil, false
		}
	}
	if !t.take(r.names.of(keyOf(netip.Prefix{}, name)), now) && !first {
		t.takeBack(now)
		return nil, false
	}
	return t, true
}

// proves reports whether a REGISTER holds a nonce that its source was given: it
// comes from there, and is no stranger's with a forged address.
func (r *registrar) proves(data []byte, src netip.Addr, now time.Time) bool {
	for range 4 { // cnonce ends in the same word
		_, rest, ok := bytes.Cut(data, []byte(`nonce="`))
		if !ok {
			return false
		}
		nonce, _, _ := bytes.Cut(rest[:min(len(rest), nonceLen+1)], []byte(`"`))
		if r.nonces.fresh(string(nonce), src, now) {
			return true
		}
		data = rest
	}
	return false
}

// tell logs a registration that was refused, each name and source now and then:
// somebody's phone has a wrong password, or somebody tries passwords.
func (r *registrar) tell(name string, src netip.AddrPort, a admission, now time.Time) {
	why := "wrong name or password"
	switch a {
	case wrong:
	case mute:
		why = "too many wrong passwords: not looked at"
	default:
		return
	}
	var t spent
	if !t.take(r.told.of(keyOf(networkOf(src.Addr()), why+name)), now) || !t.take(r.toldAll, now) {
		return
	}
	r.ep.log.Warn("a phone may not register", zap.String("agent", printable(name)), zap.Stringer("from", src), zap.String("why", why))
}
