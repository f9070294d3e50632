package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer/archive"
)

// partExt ends the name of an archive that is being written.
const partExt = ".part"

func newBackupCommand(g *globals) *cobra.Command {
	o := backupOptions{}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole data folder into one file, while the service runs",
		Long: `Writes one archive of the data folder: the state of one instant, the journal up to a little later, the registers' lists,
the submissions, all keys, and the configuration with the rule files, profiles and prompts that it names. Calls go on
meanwhile. The archive is read back before it gets its name, so that FILE is whole or not there.

The archive holds people's numbers and the keys to them. It can be read by its owner alone; encrypt it before it leaves the
machine. The encryption is that of age (age-encryption.org), whose own program reads it too:

  pronto backup --recipient age1... FILE           nothing on this machine can read it again
  pronto backup --passphrase-file SECRET FILE

Recordings of calls are not in it: they are large, encrypted and never changed, so that any copying program keeps
them; the keys to them are in the archive. TLS and signing keys that the configuration names are not in it. It needs as much room in the data folder, for a while,
as pronto.db takes there.

A state on Redis is in it too, read while the nodes go on: each record as it was at some instant of the backup, nothing left
out that was acknowledged before. Take the other nodes' backups after it with --without-state.

EXIT STATUS
  0  written and read back
  1  failed, or FILE is there already
  2  the command line is wrong`,
		Args: needs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runBackup(cmd, g, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "encrypt under the first line of this file")
	f.StringVar(&o.recipient, "recipient", "", "encrypt for this age recipient (age1...)")
	f.BoolVar(&o.stateless, "without-state", false, "leave out the state on Redis, which another node's backup has")
	cmd.MarkFlagsMutuallyExclusive("passphrase-file", "recipient")
	return cmd
}

// backupOptions are the flags of pronto backup.
type backupOptions struct {
	passphraseFile string
	recipient      string
	stateless      bool
}

// backupDoc is the JSON of backup.
type backupDoc struct {
	File      string    `json:"file"`
	Bytes     int64     `json:"bytes"`
	Files     int       `json:"files"` // in it
	Content   int64     `json:"content_bytes"`
	TakenAt   time.Time `json:"taken_at"`
	Encrypted bool      `json:"encrypted"`
	LeftOut   roomDoc   `json:"recordings_left_out"` // files and bytes
}

func runBackup(cmd *cobra.Command, g *globals, file string, o backupOptions) error {
	keys := archive.Keys{Recipient: o.recipient}
	var err error
	if o.passphraseFile != "" {
		if keys.Passphrase, err = archive.ReadPassphrase(o.passphraseFile); err != nil {
			return usageError(err)
		}
	}
	if err := keys.Check(); err != nil {
		return usageError(fmt.Errorf("--recipient: %w", err))
	}
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("backup: %s is there already: give another name", file), err)
	}
	doc := backupDoc{File: file, Encrypted: keys != archive.Keys{}}
	m, err := writeBackup(cmd, g, file+partExt, keys, backupArgs{Stateless: o.stateless})
	if err == nil {
		err = os.Rename(file+partExt, file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), removed(file+partExt))
	}
	if err := syncParent(file); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if doc.LeftOut, err = leftOut(g); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	doc.Bytes, doc.Files, doc.TakenAt = info.Size(), len(m.Files), m.TakenAt
	for _, f := range m.Files {
		doc.Content += f.Size
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("%s: %s of %s, %s MB, read back\n", file, plural(doc.Files, "file"), day(doc.TakenAt), megabytes(doc.Bytes))
		if m.Schema == 0 {
			cmd.PrintErrln("the state on Redis is not in it: see to it that another node's backup has it")
		}
		if doc.LeftOut.Files > 0 {
			cmd.PrintErrf("%s (%s MB) are not in it: copy their folder, whose files are encrypted; their keys are in the archive (docs/operations.md)\n", plurals(doc.LeftOut.Files, "recording"), megabytes(doc.LeftOut.Bytes))
		}
		if !doc.Encrypted {
			cmd.PrintErrln("warning: it holds people's numbers and the keys to them, and is not encrypted: keep it where only you can read it, or see --recipient and --passphrase-file")
		}
	})
}

// writeBackup writes the archive, on disk on return, and reads it back.
func writeBackup(cmd *cobra.Command, g *globals, part string, keys archive.Keys, args backupArgs) (archive.Manifest, error) {
	if err := removed(part); err != nil { // of a backup that was killed
		return archive.Manifest{}, err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return archive.Manifest{}, err
	}
	// What is written is checked on its way: an archive for a recipient cannot be read back here.
	tar, checked := io.Pipe()
	shown, finish := withProgress(tar, -1, "backup", cmd.ErrOrStderr())
	defer finish()
	type result struct {
		m   archive.Manifest
		err error
	}
	done := make(chan result, 1)
	go func() {
		m, err := archive.Check(shown)
		_ = tar.CloseWithError(err) // a pipe's close has no error of its own
		done <- result{m, err}
	}()
	err = sealInto(f, keys, func(w io.Writer) error {
		return askStream(cmd.Context(), g, "backup", args, io.MultiWriter(w, checked))
	})
	_ = checked.CloseWithError(err) // as above
	r := <-done
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = r.err
	}
	if err == nil && keys.Recipient == "" {
		r.m, err = checkArchive(part, keys)
	}
	return r.m, err
}

// sealInto writes through compression and encryption into f.
func sealInto(f io.Writer, keys archive.Keys, write func(io.Writer) error) error {
	sealed, err := archive.Sealer(f, keys)
	if err != nil {
		return err
	}
	return errors.Join(write(sealed), sealed.Close())
}

// checkArchive reads an archive from its first byte to its last.
func checkArchive(file string, keys archive.Keys) (archive.Manifest, error) {
	return openArchive(file, keys, archive.Check)
}

// openArchive reads an archive with read.
func openArchive(file string, keys archive.Keys, read func(io.Reader) (archive.Manifest, error)) (archive.Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return archive.Manifest{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	tar, done, err := archive.Opener(f, keys)
	if err != nil {
		return archive.Manifest{}, err
	}
	defer done()
	return read(tar)
}

// removed takes a file away, if it is there.
func removed(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// syncParent makes a file's name survive a loss of power.
func syncParent(name string) error {
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// megabytes writes a size.
func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
