package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Memory keeps what pacing learned in a folder, a file for each campaign. A
// file may be deleted at any time: pacing then begins with nothing learned at the next start.
type Memory struct {
	folder string
}

// NewMemory makes a Memory in a folder, which is made when first needed.
func NewMemory(folder string) *Memory { return &Memory{folder} }

// learnedMost is more than any Learned takes, in bytes.
const learnedMost = 1 << 20

// path is a campaign's file. Names of campaigns are of a-z, 0-9 and hyphens alone (campaigns.Validate), which suits any file system.
func (m *Memory) path(campaign string) string { return filepath.Join(m.folder, campaign+".learned") }

// Recall implements dialer.Memory.
func (m *Memory) Recall(campaign string) ([]byte, error) {
	path := m.path(campaign)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > learnedMost {
		return nil, fmt.Errorf("%s: %d bytes, %s, is not what was kept; delete it", path, info.Size(), info.Mode())
	}
	return os.ReadFile(path)
}

// Keep implements dialer.Memory: it returns when the file is on disk.
func (m *Memory) Keep(campaign string, learned []byte) error {
	if err := os.MkdirAll(m.folder, 0o700); err != nil {
		return err
	}
	part := m.path(campaign) + ".part"
	if err := write(part, learned); err != nil {
		return err
	}
	return os.Rename(part, m.path(campaign))
}

// write makes a file with that content, on disk on return.
func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
