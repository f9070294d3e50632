package trunk

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pronto/dialer"
)

// T1 of the tests: timer B and the wait after a CANCEL are 64 times as long.
const testT1 = 25 * time.Millisecond

func TestMain(m *testing.M) {
	if os.Getenv("TRUNK_TRUE_TIMERS") == "" {
		SetTimers(testT1, 100*time.Millisecond, 100*time.Millisecond)
	}
	goleak.VerifyTestMain(m)
}

// fakeAudio has a port and remembers what it was connected to.
type fakeAudio struct {
	conn *net.UDPConn
	mu   sync.Mutex
	far  []dialer.Remote
	told chan struct{} // one for each Connect
}

func newFakeAudio(t testing.TB, host string) *fakeAudio {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &fakeAudio{conn: c, told: make(chan struct{}, 1000)}
}

func (a *fakeAudio) Local() netip.AddrPort {
	return a.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (a *fakeAudio) Connect(r dialer.Remote) {
	a.mu.Lock()
	a.far = append(a.far, r)
	a.mu.Unlock()
	a.told <- struct{}{}
}

func (a *fakeAudio) LastHeard() time.Time { return time.Time{} }

func (a *fakeAudio) Close() { a.conn.Close() }

func (a *fakeAudio) connected() []dialer.Remote {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]dialer.Remote(nil), a.far...)
}
