//go:build !linux

package media

import (
	"errors"
	"net"
	"net/netip"

	"pronto/dialer/dscp"
)

// socket is one leg's UDP socket.
type socket struct{ conn *net.UDPConn }

// bind opens a socket on an address.
func bind(at netip.AddrPort) (socket, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	return socket{conn}, err
}

func (s socket) close() error { return s.conn.Close() }

// mark gives what is sent a code point.
func (s socket) mark(c dscp.Class) error {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	return c.Mark(raw)
}

// send writes one datagram.
func (s socket) send(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}

// reader takes the packets of many legs, each in a goroutine of its own.
type reader struct{ desk *Desk }

func newReader(d *Desk) (*reader, error) { return &reader{d}, nil }

// add begins to read a leg's socket, until it is closed.
func (r *reader) add(l *leg) error {
	r.desk.wg.Add(1)
	go func() {
		defer r.desk.wg.Done()
		buf := make([]byte, bufferLen)
		for {
			n, src, err := l.sock.conn.ReadFromUDPAddrPort(buf)
			switch {
			case err == nil:
				l.deaf = 0
				l.receive(buf[:n], netip.AddrPortFrom(src.Addr().Unmap(), src.Port()))
			case errors.Is(err, net.ErrClosed) || l.unread(err):
				return
			}
		}
	}()
	return nil
}

func (r *reader) forget(*leg) {}

func (r *reader) close() error { return nil }
