package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pronto/dialer/archive"
	"pronto/dialer/store"
)

// archived is an open file with its name in the archive.
type archived struct {
	name string
	file *os.File
}

func (a archived) give(yield func(archive.Source, error) bool) bool {
	info, err := a.file.Stat()
	if err != nil {
		return yield(archive.Source{}, err)
	}
	return yield(archive.Source{Name: a.name, Size: info.Size(), Content: a.file}, nil)
}

// oneFile gives one file.
func oneFile(path, name string, yield func(archive.Source, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return yield(archive.Source{}, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return archived{name, f}.give(yield)
}

// archivedFiles are files that stay what they are while they are open, whatever becomes
// of their names.
type archivedFiles []archived

func (a archivedFiles) close() {
	for _, f := range a {
		_ = f.file.Close() // it was only read
	}
}

// rest opens what the folder holds beside state and journal: keys, lists,
// submissions. A list that is switched meanwhile would be a mixture, so that all are
// opened, and opened again until none has changed.
func (h *house) rest() (archivedFiles, error) {
	before, err := h.list()
	for range tries {
		if err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
		all, opened := h.openAll(before)
		after, listed := h.list()
		if opened == nil && listed == nil && sameFiles(before, after) {
			return all, nil
		}
		all.close()
		if opened != nil && !errors.Is(opened, fs.ErrNotExist) {
			return nil, fmt.Errorf("backup: %w", opened)
		}
		before, err = after, listed
	}
	return nil, errors.New("backup: the registers' lists change all the time: wait until the import is done")
}

// listed is a file as a listing shows it.
type listed struct {
	name string // relative to the data folder, with slashes
	info fs.FileInfo
}

// list lists what the folder holds beside state and journal, files that are being
// written left out.
func (h *house) list() ([]listed, error) {
	var all []listed
	err := filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(h.dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if e.IsDir() {
			if name == journalFolder || name == configFolder || name == recordingsFolder || name == learnedFolder || strings.HasPrefix(name, scratchBegins) {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() || passing(name) {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		all = append(all, listed{name, info})
		return err
	})
	return all, err
}

// passing reports whether a file of the data folder is of this process alone, or
// not whole.
func passing(name string) bool {
	if name == store.LockName || strings.HasPrefix(name, store.FileName) {
		return true
	}
	for _, mark := range []string{".new", ".spool", ".tmp"} {
		if strings.Contains(filepath.Base(name), mark) {
			return true
		}
	}
	return false
}

func (h *house) openAll(files []listed) (archivedFiles, error) {
	var all archivedFiles
	for _, l := range files {
		f, err := os.Open(filepath.Join(h.dir, filepath.FromSlash(l.name)))
		if err != nil {
			return all, err
		}
		all = append(all, archived{l.name, f})
	}
	return all, nil
}

// sameFiles reports whether two listings show the same files, unchanged.
func sameFiles(a, b []listed) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.name != y.name || !os.SameFile(x.info, y.info) || x.info.Size() != y.info.Size() || !x.info.ModTime().Equal(y.info.ModTime()) {
			return false
		}
	}
	return true
}

// files are the configuration file and the rule files, profiles and prompts that it
// names, by absolute paths; keys of TLS and of signatures are left out.
func (c config) files() ([]string, error) {
	if c.path == "" {
		return nil, nil
	}
	all := []string{c.path}
	for _, from := range []paths{c.Rules, c.Profiles} {
		names, err := yamlFiles("backup", from)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	wavs, err := prompts(c.Prompts)
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(wavs) {
		all = append(all, wavs[name])
	}
	for i := range all {
		if all[i], err = filepath.Abs(all[i]); err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
