package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pronto/dialer/archive"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// restoreState makes the state of the archive good for use, in the new folder or on Redis.
func (doc *restoredDoc) restoreState(ctx context.Context, o restoreOptions, m archive.Manifest, made string, conf config) error {
	if conf.Redis != "" {
		doc.Node = m.Node
	}
	switch {
	case o.stateless:
		return errors.Join(removed(filepath.Join(made, marksName)), stateRemoved(made))
	case m.Schema == 0:
		doc.lose(nil, "the state, which was on Redis when the backup was taken and is not in it", "it is in the backup of another node; this folder is the node's journal, keys and lists")
		return nil
	}
	marks, err := marksIn(made)
	if err != nil {
		return err
	}
	if err := doc.settle(ctx, o, m, made, conf); err != nil {
		return err
	}
	if conf.Redis == "" {
		for _, node := range sortedKeys(marks) {
			if node != m.Node && !o.unchanged {
				doc.lose(nil, "what node "+node+" did since the backup", "its journal tells: pronto audit show NUMBER there")
			}
		}
		return nil
	}
	return takeToRedis(ctx, m.Node, made, conf.Redis, marks)
}

// marksIn takes the file out of a new folder that says how far each node had come; nil: there is none.
func marksIn(made string) (map[string]redis.Mark, error) {
	text, err := os.ReadFile(filepath.Join(made, marksName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var marks map[string]redis.Mark
	if err == nil {
		err = json.Unmarshal(text, &marks)
	}
	return marks, errors.Join(err, removed(filepath.Join(made, marksName)))
}

// takeToRedis carries the state of a new folder into Redis.
func takeToRedis(ctx context.Context, node, made, url string, marks map[string]redis.Mark) error {
	from, err := store.Open(ctx, made)
	if err != nil {
		return err
	}
	err = redis.Take(ctx, redis.Options{URL: url, Node: node, Dir: made, Wait: patience}, from, marks)
	if err := errors.Join(err, from.Close()); err != nil {
		return err
	}
	return stateRemoved(made)
}

// stateRemoved takes the state out of a folder that has it elsewhere.
func stateRemoved(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), store.FileName) {
			err = errors.Join(err, removed(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
