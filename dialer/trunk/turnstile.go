package trunk

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// turnstile is a TCP listener that keeps strangers from holding more
// connections than we can bear.
type turnstile struct {
	net.Listener
	all, each int
	idle      time.Duration // a connection that says nothing for so long is closed

	mu   sync.Mutex // protects n and from
	n    int
	from map[netip.Addr]int
}

func newTurnstile(l net.Listener, lim Limits) *turnstile {
	return &turnstile{
		Listener: l, all: lim.TCPConns, each: lim.TCPConnsPerSource, idle: lim.RegisterMax + time.Minute, from: map[netip.Addr]int{},
	}
}

// Accept returns the next connection within the limits and closes the others.
func (t *turnstile) Accept() (net.Conn, error) {
	for {
		c, err := t.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var src netip.Addr
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			src = a.AddrPort().Addr().Unmap()
		}
		if src.IsValid() && t.enter(src) {
			return &counted{Conn: c, wait: firstWord, idle: t.idle, leave: sync.OnceFunc(func() { t.exit(src) })}, nil
		}
		if err := c.Close(); err != nil {
			continue // gone already
		}
	}
}

func (t *turnstile) enter(src netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n >= t.all || t.from[src] >= t.each {
		return false
	}
	t.n++
	t.from[src]++
	return true
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
	wait, idle time.Duration // for the next bytes, for those after
	leave      func()
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
