package trunk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// nonces makes digest nonces that need no memory until one has been used well:
// their time, and random bytes to tell those of one millisecond apart, under a key of this process
// and for one source address (RFC 7616 section 5.4). What was used is remembered for as
// long as the nonce lives, so that nothing can be replayed.
type nonces struct {
	key  [32]byte
	life time.Duration

	mu    sync.Mutex // protects used and swept
	used  map[string]uint32
	swept time.Time
}

func newNonces(life time.Duration) *nonces {
	n := &nonces{life: life, used: map[string]uint32{}}
	rand.Read(n.key[:]) // never fails since Go 1.24
	return n
}

// nonceLen is the length of a nonce: 32 bytes in base64.
const nonceLen = 43

// make returns a nonce of the time for the source. Its salt keeps two phones that ask in the
// same millisecond from getting the same one, of which only one could be used.
func (n *nonces) make(src netip.Addr, now time.Time) string {
	var b [8 + 8 + 16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli()))
	rand.Read(b[8:16]) // never fails since Go 1.24
	copy(b[16:], n.mac(b[:16], src))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (n *nonces) mac(b []byte, src netip.Addr) []byte {
	h := hmac.New(sha256.New, n.key[:])
	h.Write(b)
	from := src.Unmap().As16()
	h.Write(from[:])
	return h.Sum(nil)[:16]
}

// fresh reports whether the nonce is ours, the source's and young enough.
func (n *nonces) fresh(nonce string, src netip.Addr, now time.Time) bool {
	b, ok := decoded(nonce)
	if !ok || !hmac.Equal(b[16:], n.mac(b[:16], src)) {
		return false
	}
	at := madeAt(b)
	return !now.Before(at.Add(-time.Second)) && now.Sub(at) <= n.life
}

func decoded(nonce string) ([]byte, bool) {
	if len(nonce) != nonceLen {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	return b, err == nil && len(b) == 32
}

func madeAt(b []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8])))
}

// use notes the count of a fresh nonce; false when it is not above the last one.
func (n *nonces) use(nonce string, count uint32, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.swept) > n.life {
		for old := range n.used {
			if b, ok := decoded(old); !ok || now.Sub(madeAt(b)) > n.life {
				delete(n.used, old)
			}
		}
		n.swept = now
	}
	if count <= n.used[nonce] {
		return false
	}
	n.used[nonce] = count
	return true
}
