package main

import (
	"net"
	"sync"
	"testing"
)

// link is a node's way to Redis, which a test can cut.
type link struct {
	to string
	l  net.Listener

	mu    sync.Mutex // protects fields below
	state linkState
	conns map[net.Conn]bool
}

type linkState int

const (
	linkUp   linkState = iota
	linkDark           // what is sent arrives nowhere
	linkCut            // connections are refused
)

// newLink forwards an address to another until the test ends.
func newLink(t *testing.T, at, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	k := &link{to: to, l: l, conns: map[net.Conn]bool{}}
	var work sync.WaitGroup
	work.Go(func() { k.serve(&work) })
	t.Cleanup(func() {
		_ = l.Close()
		k.set(linkCut)
		work.Wait()
	})
	return k
}

func (k *link) serve(work *sync.WaitGroup) {
	for {
		in, err := k.l.Accept()
		if err != nil {
			return
		}
		work.Go(func() { k.carry(in) })
	}
}

// carry forwards one connection.
func (k *link) carry(in net.Conn) {
	if !k.keep(in) {
		return
	}
	defer k.drop(in)
	out, err := net.Dial("tcp", k.to)
	if err != nil || !k.keep(out) {
		return
	}
	defer k.drop(out)
	back := make(chan struct{})
	go func() {
		defer close(back)
		k.pour(in, out)
	}()
	k.pour(out, in)
	<-back
}

// pour moves bytes as long as the link is up; of a dark one they are lost.
func (k *link) pour(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }() // the other direction ends too
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && k.is(linkUp) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (k *link) is(s linkState) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state == s
}

// keep takes a connection in; a cut link closes it.
func (k *link) keep(c net.Conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == linkCut {
		_ = c.Close()
		return false
	}
	k.conns[c] = true
	return true
}

func (k *link) drop(c net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = c.Close()
	delete(k.conns, c)
}

// set changes the link. Connections that lost bytes are closed when it is up again.
func (k *link) set(s linkState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.state
	k.state = s
	if s == linkCut || was != linkUp {
		for c := range k.conns {
			_ = c.Close()
		}
	}
}
