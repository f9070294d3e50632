package main

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// archives are the recordings that a command reads: their folders, and the journals that know them and have their keys.
type archives struct {
	dirs     []string
	journals journal.Folders
}

// ownArchives are the recordings of this node alone.
func (h *house) ownArchives() archives {
	return archives{[]string{h.recordingsDir()}, journal.Folders{h.journalDir()}}
}

// archivesOf are the recordings of several nodes, by their journals: those in a folder named recordings in the journal's or
// beside it, and for the node's own journal where its configuration keeps them.
func archivesOf(journals journal.Folders, own archives) archives {
	a := archives{dirs: []string{}, journals: journals}
	add := func(dir string) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && !slices.Contains(a.dirs, dir) {
			a.dirs = append(a.dirs, dir)
		}
	}
	for _, j := range journals {
		if slices.ContainsFunc(own.journals, func(o string) bool { return sameFolder(o, j) }) {
			for _, dir := range own.dirs {
				add(dir)
			}
			continue
		}
		add(filepath.Join(j, recordingsFolder))
		add(filepath.Join(filepath.Dir(j), recordingsFolder))
	}
	return a
}

func sameFolder(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// archives are those that a request names, else the node's own.
func (h *house) archives(journals []string) archives {
	if len(journals) == 0 {
		return h.ownArchives()
	}
	return archivesOf(journals, h.ownArchives())
}

// stored is a recording and the folder that it was found in.
type stored struct {
	recording.Kept
	dir string
}

// path is where the file is.
func (s stored) path() string { return filepath.Join(s.dir, s.File) }

// list gives the recordings of all folders, as recording.List does.
func (a archives) list() iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		for _, dir := range a.dirs {
			for k, err := range recording.List(dir) {
				if !yield(stored{k, dir}, err) {
					return
				}
			}
		}
	}
}

// find is the folder that has a file, given from the recordings' folder; empty: none.
func (a archives) find(file string) string {
	for _, dir := range a.dirs {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir
		}
	}
	return ""
}

// journalOf is the journal that has the keys of a node.
func (a archives) journalOf(node string) (string, error) {
	if len(a.journals) == 1 {
		return a.journals[0], nil
	}
	for _, j := range a.journals {
		nodes, err := journal.Nodes(j)
		if err != nil {
			return "", err
		}
		if slices.Contains(nodes, node) {
			return j, nil
		}
	}
	return "", fmt.Errorf("the journal of node %s, which has the key, is not among those given", node)
}

// key opens the key of a recording.
func (a archives) key(x recording.Header) (key recording.Key, err error) {
	dir, err := a.journalOf(x.Node)
	if err != nil {
		return key, err
	}
	clear, err := journal.Unseal(dir, journal.Sealed{Node: x.Node, Subject: x.Subject, Box: x.Key}, x.Context())
	if err == nil && copy(key[:], clear) != len(clear) {
		err = recording.ErrFormat
	}
	return key, err
}

// subjects are the pseudonyms of a number: each journal has its own.
func (a archives) subjects(number string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, dir := range a.journals {
		subject, err := journal.SubjectOf(dir, number)
		if err != nil {
			return nil, err
		}
		all[subject] = true
	}
	return all, nil
}

// absolute makes paths absolute, for a service that stands in another folder.
func absolute(dirs journal.Folders) ([]string, error) {
	out := make([]string, 0, len(dirs))
	for _, dir := range dirs {
		full, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, full)
	}
	return out, nil
}
