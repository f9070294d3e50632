package trunk

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// turnstile is a TCP listener that keeps strangers from holding more
// connections than we can bear, or those that others need.
type turnstile struct {
	net.Listener
	lim   Limits
	known *known

	mu        sync.Mutex // protects the fields below
	n         int
	strangers int
	from      map[netip.Addr]int
}

func newTurnstile(l net.Listener, lim Limits, k *known) *turnstile {
	return &turnstile{Listener: l, lim: lim, known: k, from: map[netip.Addr]int{}}
}

// shortage is how long no connection is taken when the process has no more files.
const shortage = 50 * time.Millisecond

// Accept returns the next connection within the limits and closes the others.
func (t *turnstile) Accept() (net.Conn, error) {
	for {
		c, err := t.Listener.Accept()
		switch {
		case passing(err):
			timer := time.NewTimer(shortage)
			<-timer.C
			continue
		case err != nil:
			return nil, err
		}
		if let := t.enter(c); let != nil {
			return let, nil
		}
		if err := c.Close(); err != nil {
			continue // gone already
		}
	}
}

// passing reports that the next Accept may do better.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// enter lets a connection in; nil: it does not.
func (t *turnstile) enter(c net.Conn) *counted {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	src := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	stranger := !t.known.has(src.Addr())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n >= t.lim.TCPConns || t.from[src.Addr()] >= t.lim.TCPConnsPerSource {
		return nil
	}
	if stranger && (t.strangers >= t.lim.TCPStrangers || t.from[src.Addr()] >= t.lim.TCPStrangersPerSource) {
		return nil
	}
	t.n++
	t.from[src.Addr()]++
	if stranger {
		t.strangers++
	}
	met := sync.OnceFunc(func() {
		t.mu.Lock()
		t.strangers--
		t.mu.Unlock()
	})
	if !stranger {
		met = func() {}
	}
	leave := sync.OnceFunc(func() {
		met()
		t.exit(src.Addr())
	})
	return &counted{Conn: c, src: src, stranger: stranger, met: met, leave: leave, wait: firstWord, idle: t.lim.RegisterMax + time.Minute}
}

func (t *turnstile) exit(src netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.from[src]--; t.from[src] <= 0 {
		delete(t.from, src)
	}
}

// counted is a connection that was let in.
type counted struct {
	net.Conn
	src        netip.AddrPort
	stranger   bool          // when it came
	met, leave func()        // it is no stranger's any more; it has gone
	wait, idle time.Duration // for the next bytes, for those after
}

// firstWord is how long a new connection may keep silent.
const firstWord = 10 * time.Second

// Read reads within the time that the connection has.
func (c *counted) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.wait)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.wait = c.idle
	}
	return n, err
}

// Close ends the connection and makes room for another.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
