package trunk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// nonces makes digest nonces that need no memory until one has been used well:
// their time, and four random bytes to tell those of one millisecond apart, under a key of this process (RFC 7616 section 5.4). What was used is
// remembered for as long as the nonce lives, so that nothing can be replayed.
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

// make returns a nonce of the time. Its salt keeps two phones that ask in the
// same millisecond from getting the same one, of which only one could be used.
func (n *nonces) make(now time.Time) string {
	var b [8 + 8 + 16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli()))
	rand.Read(b[8:16]) // never fails since Go 1.24
	copy(b[16:], n.mac(b[:16]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (n *nonces) mac(b []byte) []byte {
	h := hmac.New(sha256.New, n.key[:])
	h.Write(b)
	return h.Sum(nil)[:16]
}

// fresh reports whether the nonce is ours and young enough.
func (n *nonces) fresh(nonce string, now time.Time) bool {
	at, ok := n.read(nonce)
	return ok && !now.Before(at.Add(-time.Second)) && now.Sub(at) <= n.life
}

func (n *nonces) read(nonce string) (time.Time, bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], n.mac(b[:16])) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]))), true
}

// use notes a nonce's count; false when it is not above the last one.
func (n *nonces) use(nonce string, count uint32, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.swept) > n.life {
		for old := range n.used {
			if at, ok := n.read(old); !ok || now.Sub(at) > n.life {
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
