package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pronto/dialer/journal"
)

// takeJournal checks the archive's journal and puts the newer one into its place.
func (doc *restoredDoc) takeJournal(made, newer string) error {
	dir := filepath.Join(made, journalFolder)
	chains, err := verified(dir)
	if err != nil || newer == "" {
		doc.Records = chains.Records
		return err
	}
	for _, c := range chains.Nodes {
		switch has, err := journal.Has(newer, c.Node, c.Records, c.Hash); {
		case err != nil:
			return invalidFile(fmt.Errorf("--journal %s: %w", newer, err))
		case !has:
			return invalidFile(fmt.Errorf("--journal %s does not continue the backup's: its record %d of node %s is another, or missing", newer, c.Records, c.Node))
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := copyJournal(newer, dir); err != nil {
		return fmt.Errorf("--journal %s: %w", newer, err)
	}
	after, err := verified(dir)
	doc.Records, doc.Since = after.Records, int(after.Records-chains.Records)
	return err
}

// verified verifies a journal.
func verified(dir string) (journal.Verification, error) {
	v, err := journal.Verify(dir)
	if err == nil && !v.OK {
		err = v.Broken[0]
	}
	if err != nil {
		return v, invalidFile(fmt.Errorf("the journal does not hold: %w", err))
	}
	return v, nil
}

// copyJournal copies a journal's folder.
func copyJournal(from, to string) error {
	for p, err := range journal.Copy(from) {
		if err != nil {
			return err
		}
		path := filepath.Join(to, filepath.FromSlash(p.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, p.Content)
		if err := errors.Join(err, f.Sync(), f.Close(), syncParent(path)); err != nil {
			return err
		}
	}
	return nil
}
