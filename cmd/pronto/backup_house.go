package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"pronto/dialer/archive"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// configFolder is where an archive keeps the configuration's files.
const configFolder = "config"

// scratchBegins is how the folders begin that a backup uses for a while.
const scratchBegins = "backup-"

// marksName is the file of an archive that says how far each node had come whose state was on Redis.
const marksName = "nodes.json"

// backupArgs are the arguments of pronto backup.
type backupArgs struct {
	Stateless bool `json:"without_state,omitempty"` // of a node that has its state on Redis
}

// backup is the archive of a house, on its way out.
type backup struct {
	ctx       context.Context // of the request: the answer is written after the operation has returned
	h         *house
	stateless bool
}

// backUp notes who takes a copy of what is known of people, and gives the copy.
func backUp(ctx context.Context, h *house, args backupArgs, r request) (io.WriterTo, error) {
	if _, embedded := h.store.(*store.Store); embedded && args.Stateless {
		return nil, usageError(errors.New("--without-state: the state is in this data folder and nowhere else"))
	}
	if h.journal.Err() == nil { // a copy is wanted most when something is broken
		if err := h.record(ctx, journal.Record{Kind: journal.Config}, journal.ConfigDetail{What: "backup taken", Who: r.who}); err != nil {
			return nil, err
		}
	}
	return &backup{ctx, h, args.Stateless}, nil
}

// WriteTo implements io.WriterTo. The state is taken first and the journal after
// it, so that a restart finds in the journal what the state lacks.
func (b *backup) WriteTo(w io.Writer) (n int64, err error) {
	h := b.h
	m := archive.Manifest{Version: versionInfo().Version, Node: h.config.Node, TakenAt: h.now().UTC(), Config: h.config.path}
	scratch, err := h.scratch()
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := b.state(scratch); err != nil {
		return 0, err
	}
	if !b.stateless {
		if m.Schema, err = store.Schema(scratch); err != nil {
			return 0, err
		}
	}
	out := &counter{Writer: w}
	_, err = archive.Write(out, m, b.sources(scratch))
	return out.n, err
}

// state writes the state into the folder scratch, in the form of a data folder's.
func (b *backup) state(scratch string) error {
	switch state := b.h.store.(type) {
	case *store.Store:
		return state.Snapshot(b.ctx, filepath.Join(scratch, store.FileName))
	case *redis.Store:
		if b.stateless {
			return nil
		}
		return b.stateOnRedis(state, scratch)
	}
	return fmt.Errorf("backup: no way to copy a %T", b.h.store)
}

// stateOnRedis copies the state on Redis and notes how far each node had come.
func (b *backup) stateOnRedis(state *redis.Store, scratch string) (err error) {
	key, err := os.ReadFile(filepath.Join(b.h.dir, store.KeyName))
	if err == nil {
		err = os.WriteFile(filepath.Join(scratch, store.KeyName), key, 0o600)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	copied, err := store.Open(b.ctx, scratch)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	marks, err := state.Give(b.ctx, copied)
	if err := errors.Join(err, copied.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	text, err := json.Marshal(marks)
	if err == nil {
		err = os.WriteFile(filepath.Join(scratch, marksName), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// scratch makes a folder for a while and removes those of backups that were killed.
func (h *house) scratch() (string, error) {
	old, err := filepath.Glob(filepath.Join(h.dir, scratchBegins+"*.tmp"))
	if err != nil {
		return "", err
	}
	for _, name := range old {
		if err := os.RemoveAll(name); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(h.dir, scratchBegins+"*.tmp")
}

// sources are the archive's files: state, journal, whatever else the folder holds,
// and the configuration.
func (b *backup) sources(scratch string) iter.Seq2[archive.Source, error] {
	return func(yield func(archive.Source, error) bool) {
		give := func(s archive.Source, err error) bool { return yield(s, errors.Join(err, b.ctx.Err())) }
		for _, name := range []string{store.FileName, marksName} {
			path := filepath.Join(scratch, name)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !oneFile(path, name, give) {
				return
			}
		}
		for p, err := range journal.Copy(b.h.journalDir()) {
			if !give(archive.Source{Name: journalFolder + "/" + p.Name, Size: p.Size, Content: p.Content}, err) || err != nil {
				return
			}
		}
		rest, err := b.h.rest()
		defer rest.close()
		if err != nil {
			give(archive.Source{}, err)
			return
		}
		for _, f := range rest {
			if !f.give(give) {
				return
			}
		}
		names, err := b.h.config.files()
		if err != nil {
			give(archive.Source{}, err)
			return
		}
		for _, name := range names {
			if !oneFile(name, configFolder+filepath.ToSlash(name), give) {
				return
			}
		}
	}
}

// tries is how often the folder is listed until nothing changes meanwhile.
const tries = 20
