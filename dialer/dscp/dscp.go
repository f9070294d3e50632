// Package dscp marks what sockets send with a differentiated services code point
// (RFC 2474), so that networks can let voice go first.
package dscp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Class is a code point, 0 to 63. The zero Class is best effort, and marks nothing.
type Class uint8

// The usual marks of signalling and voice (RFC 4594 sections 4.1 and 4.2).
const (
	CS3 Class = 24 // signalling, as most carriers have it
	EF  Class = 46 // voice (RFC 3246)
)

// assured are the names of RFC 2597, by class and drop precedence.
var assured = []string{"af11", "af12", "af13", "af21", "af22", "af23", "af31", "af32", "af33", "af41", "af42", "af43"}

// Parse reads a class by name (ef, cs0 to cs7, af11 to af43) or as a number from 0 to 63.
func Parse(text string) (Class, error) {
	name := strings.ToLower(text)
	if name == "ef" {
		return EF, nil
	}
	if n, err := strconv.ParseUint(name, 10, 8); err == nil && n < 64 {
		return Class(n), nil
	}
	if len(name) == 3 && strings.HasPrefix(name, "cs") && name[2] >= '0' && name[2] <= '7' {
		return Class(name[2]-'0') * 8, nil
	}
	if i := slices.Index(assured, name); i >= 0 {
		return Class((i/3+1)*8 + (i%3+1)*2), nil
	}
	return 0, fmt.Errorf("%q: one of ef, cs0 to cs7, af11 to af43, or a number from 0 to 63", text)
}

// Control marks a socket before it is bound or connected; it fits net.Dialer and
// net.ListenConfig.
func (c Class) Control(_, _ string, raw syscall.RawConn) error { return c.Mark(raw) }

// Mark marks what a socket sends from now on; connections that a listener
// accepts later have its mark.
func (c Class) Mark(raw syscall.RawConn) error {
	if c == 0 {
		return nil
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = c.MarkFD(int(fd)) }); err != nil {
		return fmt.Errorf("dscp: %w", err)
	}
	return failed
}
