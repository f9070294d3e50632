package trunk

import (
	"encoding/binary"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// wantReturns has the kernel keep what comes back of a socket's datagrams (ip(7),
// IP_RECVERR), which an unconnected socket is not told otherwise.
func wantReturns(c *net.UDPConn, six bool) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		if six {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
			return
		}
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	})
	return errors.Join(err, set)
}

// returned reads one datagram of the socket that came back as unreachable, as much
// of it as was quoted; false when none is waiting.
func returned(c *net.UDPConn, b []byte) (datagram []byte, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, false
	}
	var oob [512]byte
	for {
		var n, oobn int
		var read error
		err := raw.Control(func(fd uintptr) {
			n, oobn, _, _, read = unix.Recvmsg(int(fd), b, oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		})
		if errors.Is(read, unix.EINTR) {
			continue
		}
		if errors.Join(err, read) != nil {
			return nil, false
		}
		if isUnreachable(oob[:oobn]) {
			return b[:n], true
		}
	}
}

// isUnreachable reports that the control messages tell of an ICMP destination
// unreachable (RFC 792, RFC 4443 section 3.1), but for a datagram that was too large.
func isUnreachable(oob []byte) bool {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return false
	}
	for _, m := range messages {
		four := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		six := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !four && !six || len(m.Data) < 8 {
			continue
		}
		// struct sock_extended_err: errno, origin, type, code (linux/errqueue.h).
		errno, origin, kind, code := binary.NativeEndian.Uint32(m.Data), m.Data[4], m.Data[5], m.Data[6]
		switch origin {
		case unix.SO_EE_ORIGIN_ICMP:
			return kind == 3 && code != 4
		case unix.SO_EE_ORIGIN_ICMP6:
			return kind == 1
		case unix.SO_EE_ORIGIN_LOCAL: // the neighbour does not answer
			return unix.Errno(errno) == unix.EHOSTUNREACH
		}
	}
	return false
}
