package registers

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless is a file of any size that nobody should read.
type endless struct{ t *testing.T }

func (e endless) ReadAt([]byte, int64) (int, error) {
	e.t.Error("a file that is too large was read")
	return 0, os.ErrInvalid
}

func TestSourceRefused(t *testing.T) {
	if _, err := NewSource("big.txt", endless{t}, 10<<30); err == nil || !strings.Contains(err.Error(), "split it") {
		t.Errorf("10 GB: %v", err)
	}
	if _, err := NewSource("empty.txt", endless{t}, 0); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("empty: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was opened")
	}
}

// TestZIPThatLies says of its text that it is short.
func TestZIPThatLies(t *testing.T) {
	data := []byte(zipped(t, "lista.txt", strings.Repeat("3471234567,1\n", 50_000)))
	entry := bytes.Index(data, []byte("PK\x01\x02")) // central directory
	binary.LittleEndian.PutUint32(data[entry+24:], 26)
	_, err := ReadVerdicts(context.Background(), source(t, string(data)), rpo(t), options(t))
	if err == nil || !strings.Contains(err.Error(), "damaged or cut off") {
		t.Errorf("got %v", err)
	}
}

func TestEncryptedZIP(t *testing.T) {
	data := []byte(zipped(t, "lista.txt", "3471234567,1\n"))
	entry := bytes.Index(data, []byte("PK\x01\x02"))
	data[entry+8] |= 1
	_, err := ReadVerdicts(context.Background(), source(t, string(data)), rpo(t), options(t))
	if err == nil || !strings.Contains(err.Error(), "is encrypted") {
		t.Errorf("got %v", err)
	}
}
