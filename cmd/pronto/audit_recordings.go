package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// recordingsCheck is what audit verify --recordings finds.
type recordingsCheck struct {
	Checked int      `json:"checked"`
	Broken  []string `json:"broken,omitempty"` // changed, missing, or not known to the journal
}

// checkRecordings compares each recording with what the journal says of it. The files are listed first: what is
// there then, and not being written, the journal knows.
func checkRecordings(journalDir, dir string) (recordingsCheck, error) {
	var c recordingsCheck
	files := map[string]bool{}
	for k, err := range recording.List(dir) {
		switch {
		case err != nil && k.File == "":
			return c, err
		case err != nil:
			c.Broken = append(c.Broken, fmt.Sprintf("%s: %v", k.File, err))
		}
		if !k.Open {
			files[k.File] = true
		}
	}
	said, err := endedRecordings(journalDir)
	if err != nil {
		return c, err
	}
	for _, file := range sortedKeys(said) {
		if said[file] == nil {
			continue
		}
		c.Checked++
		if wrong := checkRecording(filepath.Join(dir, file), *said[file]); wrong != "" {
			c.Broken = append(c.Broken, file+": "+wrong)
		}
	}
	for _, file := range sortedKeys(files) {
		if d, known := said[file]; !known {
			c.Broken = append(c.Broken, file+": the journal does not know it")
		} else if _, err := os.Stat(filepath.Join(dir, file)); d == nil && err == nil {
			c.Broken = append(c.Broken, file+": the journal says that it was removed")
		}
	}
	return c, nil
}

// endedRecordings is what the journal says of each file; nil: it was removed.
func endedRecordings(journalDir string) (map[string]*journal.RecordingDetail, error) {
	said := map[string]*journal.RecordingDetail{}
	for r, err := range journal.Read(journalDir, journal.ReadOptions{Kinds: []journal.Kind{journal.Recording}, Closed: true}) {
		if err != nil {
			return nil, err
		}
		var d journal.RecordingDetail
		if json.Unmarshal(r.Detail, &d) != nil || d.File == "" {
			continue
		}
		switch r.Outcome {
		case journal.RecordingEnded:
			said[d.File] = &d
		case journal.RecordingDestroyed, journal.RecordingRemoved:
			said[d.File] = nil
		}
	}
	return said, nil
}

// checkRecording says what is wrong with a file; empty: nothing.
func checkRecording(name string, d journal.RecordingDetail) string {
	r, err := recording.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, open := os.Stat(name + ".part"); open == nil {
			return "" // it gets its name at this moment, or at the next start
		}
		return "is missing"
	}
	if err != nil {
		return err.Error()
	}
	sum, err := r.Sum()
	if err = errors.Join(err, r.Close()); err != nil {
		return err.Error()
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err.Error()
	case info.Size() != d.Bytes || sum.Bytes != d.Bytes:
		return fmt.Sprintf("has %d bytes, the journal says %d", info.Size(), d.Bytes)
	case sum.SHA256 != d.SHA256:
		return "is not what was recorded: its SHA-256 differs from the journal's"
	}
	return ""
}

// examineRecordings says how much room recordings take, and how long it lasts.
func (h *house) examineRecordings(records bool, agents int) []finding {
	var room roomDoc
	damaged := 0
	for k, err := range recording.List(h.recordingsDir()) {
		if err != nil {
			damaged++
			continue
		}
		room.count(k)
	}
	if !records && room.Files+damaged == 0 {
		return nil
	}
	room.look(h)
	f := finding{"recordings", good, room.says(), ""}
	if agents > 0 && room.FreeBytes > 0 {
		f.Says += fmt.Sprintf(", %.0f hours with %s talking", room.LeftHours/float64(agents), plurals(agents, "agent"))
	}
	switch {
	case damaged > 0:
		f.Grade, f.Mend = wrong, fmt.Sprintf("%s cannot be read: pronto audit verify --recordings", plurals(damaged, "file"))
	case !records || room.FreeBytes == 0:
	case room.LeftBytes == 0:
		f.Grade, f.Mend = wrong, "make room, shorten recording.keep or lower recordings.reserve_mb: nothing is recorded, and campaigns with recording.required dial nobody"
	case room.LeftHours < 10*float64(max(agents, 1)):
		f.Grade, f.Mend = warns, "make room soon, or shorten recording.keep"
	}
	return []finding{f}
}
