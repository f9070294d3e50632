package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// recordingsCheck is what audit verify --recordings finds.
type recordingsCheck struct {
	Folders []string `json:"folders"` // that were looked into
	Checked int      `json:"checked"`
	Broken  []string `json:"broken,omitempty"` // changed, missing, or not known to the journal
}

// checkRecordings compares each recording with what the journals say of it. The files are listed first: what is
// there then, and not being written, the journals know.
func checkRecordings(in archives) (recordingsCheck, error) {
	c := recordingsCheck{Folders: in.dirs}
	files := map[string]string{} // folders, by file
	for k, err := range in.list() {
		switch {
		case err != nil && k.File == "":
			return c, err
		case err != nil:
			c.Broken = append(c.Broken, fmt.Sprintf("%s: %v", k.path(), err))
		}
		if !k.Open {
			files[k.File] = k.dir
		}
	}
	said, err := endedRecordings(in.journals)
	if err != nil {
		return c, err
	}
	for _, file := range sortedKeys(said) {
		if said[file].removed {
			continue
		}
		c.Checked++
		if wrong := in.check(file, said[file]); wrong != "" {
			c.Broken = append(c.Broken, file+": "+wrong)
		}
	}
	for _, file := range sortedKeys(files) {
		name := filepath.Join(files[file], file)
		if d, known := said[file]; !known {
			c.Broken = append(c.Broken, name+": the journal does not know it")
		} else if _, err := os.Stat(name); d.removed && err == nil {
			c.Broken = append(c.Broken, name+": the journal says that it was removed")
		}
	}
	return c, nil
}

// saidRecording is what a journal says of a recording.
type saidRecording struct {
	journal.RecordingDetail
	node    string
	removed bool
}

// endedRecordings is what the journals say of each file.
func endedRecordings(journals journal.Folders) (map[string]saidRecording, error) {
	said := map[string]saidRecording{}
	for r, err := range journals.Read(journal.ReadOptions{Kinds: []journal.Kind{journal.Recording}, Closed: true}) {
		if err != nil {
			return nil, err
		}
		var d journal.RecordingDetail
		if json.Unmarshal(r.Detail, &d) != nil || d.File == "" {
			continue
		}
		switch r.Outcome {
		case journal.RecordingEnded:
			said[d.File] = saidRecording{d, r.Node, false}
		case journal.RecordingDestroyed, journal.RecordingRemoved:
			said[d.File] = saidRecording{d, r.Node, true}
		}
	}
	return said, nil
}

// check says what is wrong with a file; empty: nothing.
func (a archives) check(file string, d saidRecording) string {
	name := filepath.Join(a.find(file), file)
	r, err := recording.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		if a.find(file+partExt) != "" || a.find(file) != "" {
			return "" // it gets its name at this moment, or at the next start
		}
		return fmt.Sprintf("of node %s, is missing", d.node)
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
	var oldest time.Time
	for k, err := range recording.List(h.recordingsDir()) {
		if err != nil {
			damaged++
			continue
		}
		room.count(k)
		if oldest.IsZero() || k.Header.Began.Before(oldest) {
			oldest = k.Header.Began
		}
	}
	if !records && room.Files+damaged == 0 {
		return nil
	}
	room.look(h)
	f := finding{"recordings", good, room.says(), ""}
	if !oldest.IsZero() {
		f.Says += ", the oldest of " + oldest.UTC().Format(time.DateOnly)
	}
	if agents > 0 && room.Known {
		f.Says += fmt.Sprintf(", %.0f hours with %s talking", room.LeftHours/float64(agents), plurals(agents, "agent"))
	}
	switch {
	case damaged > 0:
		f.Grade, f.Mend = wrong, fmt.Sprintf("%s cannot be read: pronto audit verify --recordings", plurals(damaged, "file"))
	case !records || !room.Known:
	case room.LeftBytes == 0:
		f.Grade, f.Mend = wrong, "make room, shorten recording.keep or lower recordings.reserve_mb: nothing is recorded, and campaigns with recording.required dial nobody"
	case room.LeftHours < 10*float64(max(agents, 1)):
		f.Grade, f.Mend = warns, "make room soon, or shorten recording.keep"
	}
	return []finding{f}
}
