//go:build !unix

package dscp

import "errors"

// MarkFD says that this system lets programs mark nothing.
func (c Class) MarkFD(int) error {
	if c == 0 {
		return nil
	}
	return errors.New("dscp: this system marks packets by its own policy alone")
}
