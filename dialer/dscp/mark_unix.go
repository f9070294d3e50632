//go:build unix

package dscp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// MarkFD is Mark for a file descriptor. The two lowest bits of the octet are not
// ours (RFC 3168). An IPv6 socket is marked for IPv4 as well where it speaks it.
func (c Class) MarkFD(fd int) error {
	if c == 0 {
		return nil
	}
	six := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(c)<<2)
	four := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, int(c)<<2)
	if six != nil && four != nil {
		return fmt.Errorf("dscp: mark %d: %w", c, four)
	}
	return nil
}
