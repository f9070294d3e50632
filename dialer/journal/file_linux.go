package journal

import (
	"os"
	"syscall"
)

// datasync is fdatasync(2): data and the size, not the times.
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
