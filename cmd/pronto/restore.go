package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/archive"
	"pronto/dialer/journal"
)

func newRestoreCommand(g *globals) *cobra.Command {
	o := restoreOptions{}
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data folder of a backup, and see to it that nobody is called twice",
		Long: `Makes the data folder --data, which must be empty or not there, of an archive of pronto backup. Every file is held against
the archive's manifest and the journal's chain is checked; the folder is there whole or not at all.

Since the backup people may have been called, may have objected, lists may have been loaded. What becomes of that:

  --journal DIR   the journal of the lost folder, which goes on where the archive's ends: it takes its place. What it tells
                  of calls and opt-outs reaches the state at the next start; what must be done again is listed.
  --unchanged     nothing happened since: the service was stopped before the backup. Taken at your word, and journaled.
  neither         what happened is not known. Whoever was due and may have been called counts as perhaps dialed and waits
                  the campaign's retry delay.

With --redis (or redis in the configuration) the state goes into that Redis, which must be empty, wherever the backup was taken:
this is the way from one machine to several. The folder is then that of the backup's node, whose name must stay. Of the other
nodes restore the folders alone, with --without-state.

Unless --unchanged is given, campaigns that ran are paused: start them when you have seen to what is listed. End the old
service first: two copies of one folder would both dial.

EXIT STATUS
  0  restored
  1  failed; nothing was made
  2  the command line is wrong
  3  the archive is damaged or cut off, or the journal does not continue it`,
		Args: needs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runRestore(cmd, g, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "decrypt with the first line of this file")
	f.StringVar(&o.identityFile, "identity", "", "decrypt with this file of age-keygen")
	f.StringVar(&o.journal, "journal", "", "the lost folder's journal, which knows what happened since")
	f.BoolVar(&o.unchanged, "unchanged", false, "nothing happened since the backup")
	f.BoolVar(&o.stateless, "without-state", false, "make the folder alone: the state is on Redis already")
	cmd.MarkFlagsMutuallyExclusive("passphrase-file", "identity")
	cmd.MarkFlagsMutuallyExclusive("journal", "unchanged")
	return cmd
}

// restoreOptions are the argument and the flags of pronto restore.
type restoreOptions struct {
	file           string
	passphraseFile string
	identityFile   string
	journal        string
	unchanged      bool
	stateless      bool
}

// restoredDoc is the JSON of restore.
type restoredDoc struct {
	Data     string         `json:"data"`
	TakenAt  time.Time      `json:"taken_at"`
	Version  string         `json:"version"` // of the pronto that took the backup
	Files    int            `json:"files"`
	Records  uint64         `json:"records"`            // of the journal, whose chain holds
	Since    int            `json:"since"`              // of them, written after the backup
	Presumed map[string]int `json:"presumed,omitempty"` // leads that were perhaps dialed since, by campaign
	Paused   []string       `json:"paused,omitempty"`   // campaigns that ran
	Lost     []lostDoc      `json:"lost"`
	Config   string         `json:"config,omitempty"` // the configuration file of the backup
	Node     string         `json:"node,omitempty"`   // whose folder this is, where the state went to Redis
}

// lostDoc is something that the restored folder does not know.
type lostDoc struct {
	At   *time.Time `json:"at,omitempty"`
	What string     `json:"what"`
	Mend string     `json:"mend,omitempty"`
}

func runRestore(cmd *cobra.Command, g *globals, o restoreOptions) error {
	var keys archive.Keys
	var err error
	if o.passphraseFile != "" {
		if keys.Passphrase, err = archive.ReadPassphrase(o.passphraseFile); err != nil {
			return usageError(err)
		}
	}
	if o.identityFile != "" {
		if keys.Identity, err = archive.ReadIdentity(o.identityFile); err != nil {
			return usageError(err)
		}
	}
	conf, err := g.settings()
	if err != nil {
		return err
	}
	if o.stateless && conf.Redis == "" {
		return usageError(errors.New("restore: --without-state: name the Redis that has it, with --redis"))
	}
	doc, err := restore(cmd, g, o, keys, conf)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return show(cmd, g, doc, func() { doc.print(cmd) })
}

// restore makes the folder beside its place and moves it there when it is right.
func restore(cmd *cobra.Command, g *globals, o restoreOptions, keys archive.Keys, conf config) (doc restoredDoc, err error) {
	dir, err := filepath.Abs(g.data)
	if err != nil {
		return doc, err
	}
	if err := emptyFolder(dir); err != nil {
		return doc, usageError(err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return doc, err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".restoring-*")
	if err != nil {
		return doc, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(made))
		}
	}()
	m, err := openArchive(o.file, keys, func(tar io.Reader) (archive.Manifest, error) {
		shown, finish := withProgress(tar, -1, "restore", cmd.ErrOrStderr())
		defer finish()
		return archive.Extract(shown, made)
	})
	if err != nil {
		return doc, invalidFile(fmt.Errorf("%s: %w", o.file, err))
	}
	doc = restoredDoc{Data: g.data, TakenAt: m.TakenAt, Version: m.Version, Files: len(m.Files), Lost: []lostDoc{}}
	if m.Config != "" {
		doc.Config = filepath.Join(g.data, configFolder, m.Config)
	}
	if err := doc.takeJournal(made, o.journal); err != nil {
		return doc, err
	}
	if err := doc.restoreState(cmd.Context(), o, m, made, conf); err != nil {
		return doc, err
	}
	if err := removed(dir); err != nil { // an empty folder
		return doc, err
	}
	return doc, errors.Join(os.Rename(made, dir), syncParent(dir))
}

// emptyFolder says what keeps a folder from being made.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("--data %s is there and not empty: name a new folder", dir), err)
}

// settle opens the new folder, which brings its schema up to date, and does what
// the options ask for about the time since the backup.
func (doc *restoredDoc) settle(ctx context.Context, o restoreOptions, m archive.Manifest, made string, conf config) (err error) {
	shared := conf.Redis != ""
	conf.Node, conf.Redis = m.Node, "" // the chain that the backup ends, the state that is in it
	h, err := openHouse(ctx, made, houseOptions{what: "restore", config: conf, anyRules: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	switch {
	case o.unchanged:
	case o.journal != "":
		err = h.afterBackup(ctx, doc, m.TakenAt)
	default:
		err = h.presume(ctx, doc)
	}
	if err == nil && !o.unchanged {
		err = h.pauseAll(ctx, doc)
	}
	if err != nil {
		return err
	}
	err = h.record(ctx, journal.Record{Kind: journal.Config}, restoredDetail{
		ConfigDetail: journal.ConfigDetail{What: "data folder restored", Who: whoami()}, TakenAt: m.TakenAt, Unchanged: o.unchanged, Presumed: doc.Presumed,
	})
	if err != nil || !shared {
		return err
	}
	// What the journal has beyond the state names leads by ids that they will not have on Redis.
	return dialer.CatchUp(ctx, dialer.Config{Attempts: h.store, Campaigns: h.store, OptOuts: h.store, Consents: h.store, ReadFrom: h.journal.ReadFrom})
}

// restoredDetail is the journal's record of a restore.
type restoredDetail struct {
	journal.ConfigDetail
	TakenAt   time.Time      `json:"taken_at"`
	Unchanged bool           `json:"unchanged,omitempty"` // somebody answers for it
	Presumed  map[string]int `json:"presumed,omitempty"`
}

func (doc restoredDoc) print(cmd *cobra.Command) {
	cmd.Printf("%s: restored from the backup of %s, %s, %s of the journal verified\n", doc.Data, day(doc.TakenAt), plural(doc.Files, "file"), plural(int(doc.Records), "record"))
	if doc.Since > 0 {
		cmd.Printf("the journal tells of the time since in %s: pronto serve brings the state up to it before it dials\n", plural(doc.Since, "record"))
	}
	for _, name := range sortedKeys(doc.Presumed) {
		cmd.Printf("campaign %s: %s may have been called since and count as perhaps dialed\n", name, plural(doc.Presumed[name], "lead"))
	}
	for _, name := range doc.Paused {
		cmd.Printf("campaign %s is paused: pronto campaign start %s\n", name, name)
	}
	for _, l := range doc.Lost {
		at := ""
		if l.At != nil {
			at = day(*l.At) + ": "
		}
		cmd.Printf("  lost: %s%s\n", at, l.What)
		if l.Mend != "" {
			cmd.Printf("    -> %s\n", l.Mend)
		}
	}
	if doc.Node != "" {
		cmd.Printf("the state is on Redis; this folder is that of node %s: keep its name (node: %s in the configuration)\n", doc.Node, doc.Node)
	}
	if doc.Config != "" {
		cmd.Printf("the configuration of the backup is %s\n", doc.Config)
	}
}
