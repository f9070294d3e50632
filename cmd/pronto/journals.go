package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// journalOptions say which journals a command reads.
type journalOptions struct {
	dirs    []string
	without []string // nodes whose journals are known to be missing
}

const journalsLong = `

Where several nodes share a Redis each has a journal of its own. --journal, given once for each node or once for a folder that
holds them all (journals, data folders, or copies of them), adds them up; the node's own is then read only if it is among
them. Each chain is verified first, and a node known to the Redis whose journal is missing is an error unless --without
names it.`

// addFlags gives a command the flags.
func (o *journalOptions) addFlags(cmd *cobra.Command) {
	o.addDirs(cmd)
	cmd.Long += journalsLong
}

// addDirs gives a command the flags without their explanation.
func (o *journalOptions) addDirs(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.dirs, "journal", nil, "journal, data folder, or folder of several, to read instead of the node's own; may be given several times")
	cmd.Flags().StringArrayVar(&o.without, "without", nil, "node whose journal is missing from those given; may be given several times")
}

// ownJournal is the data folder's journal; an error says in words that there is none.
func ownJournal(g *globals) (journal.Folders, error) {
	dir := filepath.Join(g.data, journalFolder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no journal: nothing was recorded there yet, or --data names another folder", g.data)
	} else if err != nil {
		return nil, err
	}
	return journal.Folders{dir}, nil
}

// folders are the journals to read: those given, whole and of every node, else the
// node's own.
func (o journalOptions) folders(cmd *cobra.Command, g *globals) (journal.Folders, error) {
	if len(o.dirs) == 0 {
		if len(o.without) > 0 {
			return nil, usageError(errors.New("--without is for --journal: give that too"))
		}
		own, err := ownJournal(g)
		if err != nil {
			return nil, err
		}
		return own, o.noteOthers(cmd, g, "this is the journal")
	}
	found, nodes, err := findJournals(o.dirs)
	if err != nil {
		return nil, err
	}
	for _, dir := range found {
		v, err := journal.Verify(dir)
		if err != nil {
			return nil, fmt.Errorf("verify journal %s: %w", dir, err)
		}
		if !v.OK {
			return nil, fmt.Errorf("the journal in %s does not hold, so that nothing can be proved by it: %w", dir, v.Broken[0])
		}
	}
	known, err := others(cmd, g)
	if err != nil {
		return nil, fmt.Errorf("which nodes there are is not known: %w", err)
	}
	return found, o.complete(cmd, known, nodes)
}

// chains are the journals to read, unverified; without those given the node's own. Where
// the state cannot be read, as in an archive, nobody knows which nodes there are.
func (o journalOptions) chains(cmd *cobra.Command, g *globals) (journal.Folders, error) {
	if len(o.dirs) == 0 {
		return ownJournal(g)
	}
	found, nodes, err := findJournals(o.dirs)
	if err != nil {
		return nil, err
	}
	known, err := others(cmd, g)
	if err != nil {
		cmd.PrintErrf("which nodes there are is not known, so that a journal may be missing: %s\n", err)
		return found, nil
	}
	return found, o.complete(cmd, known, nodes)
}

// others are the nodes that share the state; none: the node is alone.
func others(cmd *cobra.Command, g *globals) ([]dialer.NodeState, error) {
	conf, err := g.settings()
	if err != nil || conf.Redis == "" {
		return nil, err
	}
	doc, err := ask[nodesDoc](cmd.Context(), g, "node list", struct{}{}, nil)
	return doc.Nodes, err
}

// noteOthers says whose calls are not in what the node itself has.
func (o journalOptions) noteOthers(cmd *cobra.Command, g *globals, what string) error {
	known, err := others(cmd, g)
	if err != nil {
		return err
	}
	conf, err := g.settings()
	if err != nil {
		return err
	}
	var names []string
	for _, n := range known {
		if n.Name != conf.Node {
			names = append(names, n.Name)
		}
	}
	if len(names) > 0 {
		cmd.PrintErrf("%s of node %s alone, without those of %s: --journal adds them\n", what, conf.Node, strings.Join(names, ", "))
	}
	return nil
}

// complete reports a node that shares the state and whose journal is not among
// those of the nodes given.
func (o journalOptions) complete(cmd *cobra.Command, known []dialer.NodeState, nodes []string) error {
	var missing []string
	for _, n := range known {
		if !slices.Contains(nodes, n.Name) && !slices.Contains(o.without, n.Name) {
			missing = append(missing, n.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no journal of node %s is among those given: add it with --journal, or say --without %s to go on without its calls", strings.Join(missing, ", "), strings.Join(missing, " --without "))
	}
	for _, n := range o.without {
		cmd.PrintErrf("without the journal of node %s: its calls are not in it\n", n)
	}
	return nil
}

// findJournals finds the journals in folders: each folder is one, or a data folder, or
// holds several of either. nodes are those whose chains are in them.
func findJournals(dirs []string) (found journal.Folders, nodes []string, err error) {
	at := map[string]string{}
	for _, dir := range dirs {
		in, err := journalsIn(dir)
		if err != nil {
			return nil, nil, err
		}
		if len(in) == 0 {
			return nil, nil, usageError(fmt.Errorf("--journal %s: there is no journal in it, nor in a folder directly below", dir))
		}
		for _, j := range in {
			names, err := journal.Nodes(j)
			if err != nil {
				return nil, nil, err
			}
			for _, n := range names {
				if before, twice := at[n]; twice {
					return nil, nil, usageError(fmt.Errorf("--journal: node %s has a journal in %s and in %s: give one of them", n, before, j))
				}
				at[n] = j
				nodes = append(nodes, n)
			}
			found = append(found, j)
		}
	}
	return found, nodes, nil
}

// journalsIn finds the journals of one folder.
func journalsIn(dir string) (journal.Folders, error) {
	if one, err := journalAt(dir); err != nil || one != "" {
		return journal.Folders{one}, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found journal.Folders
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		one, err := journalAt(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if one != "" {
			found = append(found, one)
		}
	}
	return found, nil
}

// journalAt is the journal that a folder is or, as a data folder, has; empty: none.
func journalAt(dir string) (string, error) {
	for _, d := range []string{dir, filepath.Join(dir, journalFolder)} {
		nodes, err := journal.Nodes(d)
		if err != nil && (d == dir || !errors.Is(err, fs.ErrNotExist)) {
			return "", err
		}
		if len(nodes) > 0 {
			return d, nil
		}
	}
	return "", nil
}
