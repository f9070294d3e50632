//go:build !linux

package main

import (
	"errors"
	"fmt"
)

// clockSynced cannot be told on this system.
func clockSynced() (synced, known bool) { return false, false }

// freeBytes cannot be told on this system.
func freeBytes(string) (uint64, error) {
	return 0, fmt.Errorf("free space: %w on this system", errors.ErrUnsupported)
}

// openFiles cannot be told on this system.
func openFiles() (uint64, bool) { return 0, false }
