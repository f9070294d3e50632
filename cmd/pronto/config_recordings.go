package main

import (
	"fmt"
	"path/filepath"

	"pronto/dialer/media"
)

// recordingsFolder is the folder of recordings in the data folder.
const recordingsFolder = "recordings"

// defaultReserve is what recordings leave free of their disk, in MB.
const defaultReserve = 1000

// recordingsConfig says where recordings are kept.
type recordingsConfig struct {
	Folder    string `yaml:"folder"`     // default: recordings in the data folder
	ReserveMB *int   `yaml:"reserve_mb"` // what they leave free of the disk; default 1000
}

func (c recordingsConfig) check() error {
	if c.ReserveMB != nil && *c.ReserveMB < 0 {
		return fmt.Errorf("recordings.reserve_mb: %d: give 0 or more megabytes", *c.ReserveMB)
	}
	return nil
}

// reserve is what recordings leave free of their disk, in bytes.
func (c recordingsConfig) reserve() uint64 {
	mb := defaultReserve
	if c.ReserveMB != nil {
		mb = *c.ReserveMB
	}
	return uint64(mb) * 1e6
}

// recordings is the folder of recordings for a data folder.
func (c config) recordings(dataFolder string) string {
	if c.Recordings.Folder != "" {
		return c.Recordings.Folder
	}
	return filepath.Join(dataFolder, recordingsFolder)
}

// recorder makes what records the calls of a desk.
func (c config) recorder(d *media.Desk, dataFolder string) (*media.Recorder, error) {
	return media.NewRecorder(d, media.RecorderConfig{Dir: c.recordings(dataFolder), Reserve: c.Recordings.reserve(), Free: freeBytes})
}
