package media

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"pronto/dialer/dscp"
)

// socket is one leg's UDP socket. It does without Go's poller and its goroutine per
// socket: a reader watches many by epoll, and every call returns at once.
// Whoever uses it holds the leg's mu and has seen that the leg is not closed.
type socket struct{ fd int }

// bind opens a socket on an address.
func bind(at netip.AddrPort) (socket, error) {
	family, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(at.Port()), Addr: to4(at.Addr())})
	if at.Addr().Is6() {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return socket{}, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, sa); err != nil {
		return socket{}, errors.Join(fmt.Errorf("bind %s: %w", at, err), unix.Close(fd))
	}
	return socket{fd}, nil
}

func to4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		b = a.As4()
	}
	return b
}

func (s socket) close() error { return unix.Close(s.fd) }

// mark gives what is sent a code point.
func (s socket) mark(c dscp.Class) error { return c.MarkFD(s.fd) }

// receive takes the next datagram; unix.EAGAIN when there is none.
func (s socket) receive(buf []byte) (int, netip.AddrPort, error) {
	var from unix.RawSockaddrInet6 // the longer of the two forms
	size := uint32(unsafe.Sizeof(from))
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)),
		0, uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, netip.AddrPort{}, errno
	}
	if from.Family == unix.AF_INET6 {
		return int(n), netip.AddrPortFrom(netip.AddrFrom16(from.Addr).Unmap(), swapped(from.Port)), nil
	}
	four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&from))
	return int(n), netip.AddrPortFrom(netip.AddrFrom4(four.Addr), swapped(four.Port)), nil
}

// send writes one datagram.
func (s socket) send(b []byte, to netip.AddrPort) error {
	var form unix.RawSockaddrInet6
	size := unsafe.Sizeof(form)
	if to.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&form))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(to.Port()), Addr: to.Addr().As4()}
		size = unix.SizeofSockaddrInet4
	} else {
		form = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swapped(to.Port()), Addr: to.Addr().As16()}
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&form)), size)
	if errno != 0 {
		return errno
	}
	return nil
}

// swapped turns a port in this machine's byte order into the network's, or back.
func swapped(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// batch is how many sockets a reader learns of at once.
const batch = 128

// reader takes the packets of many legs in one goroutine. Its epoll instance is
// itself watched by Go's poller, so that a reader with nothing to do costs no thread.
type reader struct {
	desk  *Desk
	epoll *os.File
	fd    int

	mu   sync.Mutex
	legs map[int32]*leg // by file descriptor; guarded by mu
}

func newReader(d *Desk) (*reader, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.NewFile gives only such files to the poller
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(fd))
	}
	r := &reader{desk: d, epoll: os.NewFile(uintptr(fd), "epoll"), fd: fd, legs: map[int32]*leg{}}
	d.wg.Add(1)
	go r.run()
	return r, nil
}

// add begins to read a leg's socket.
func (r *reader) add(l *leg) error {
	fd := int32(l.sock.fd)
	r.mu.Lock()
	r.legs[fd] = l
	r.mu.Unlock()
	if err := unix.EpollCtl(r.fd, unix.EPOLL_CTL_ADD, l.sock.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: fd}); err != nil {
		r.forget(l)
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// forget is called before the leg's socket is closed, which takes it out of epoll.
func (r *reader) forget(l *leg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.legs, int32(l.sock.fd))
}

// close ends run.
func (r *reader) close() error { return r.epoll.Close() }

func (r *reader) run() {
	defer r.desk.wg.Done()
	poll, err := r.epoll.SyscallConn()
	if err != nil {
		return // closed before it began
	}
	var events [batch]unix.EpollEvent
	var legs [batch]*leg
	buf := make([]byte, bufferLen)
	n := 0
	ready := func(fd uintptr) bool {
		n = 0
		got, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&events[0])), batch, 0, 0, 0)
		if errno == 0 {
			n = int(got)
		}
		return n > 0 || errno == unix.EINTR
	}
	for poll.Read(ready) == nil {
		r.mu.Lock()
		for i, e := range events[:n] {
			legs[i] = r.legs[e.Fd]
		}
		r.mu.Unlock()
		for i, l := range legs[:n] {
			if l != nil {
				r.take(l, buf)
			}
			legs[i] = nil
		}
	}
}

// take reads one packet of a leg. An event may be older than the socket, when its number was
// given out again: then there is nothing to read.
func (r *reader) take(l *leg, buf []byte) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	n, src, err := l.sock.receive(buf)
	l.mu.Unlock()
	switch {
	case err == nil:
		l.deaf = 0
		l.receive(buf[:n], src)
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
	case l.unread(err):
		r.forget(l)
		r.quit(l)
	}
}

// quit stops watching a socket that only gives errors.
func (r *reader) quit(l *leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		_ = unix.EpollCtl(r.fd, unix.EPOLL_CTL_DEL, l.sock.fd, nil) // it is not read any more whether this works or not
	}
}
