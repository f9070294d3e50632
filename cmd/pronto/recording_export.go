package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// exportRecordingArgs name a recording.
type exportRecordingArgs struct {
	ID  string `json:"id"`
	Why string `json:"why"`
	// Journals are those of the nodes among whose recordings it is; none: this node's alone.
	Journals []string `json:"journals,omitempty"`
}

// exportRecording notes who takes a recording and why, and gives it in clear.
func exportRecording(ctx context.Context, h *house, args exportRecordingArgs, r request) (io.WriterTo, error) {
	from := h.archives(args.Journals)
	path, err := from.findID(args.ID)
	if err != nil {
		return nil, err
	}
	in, err := recording.Open(path)
	if err != nil {
		return nil, err
	}
	out := exported{reader: in}
	x := in.Header
	out.key, err = from.key(x)
	if errors.Is(err, journal.ErrErased) {
		err = fmt.Errorf("%w: the person's data were erased, and the recording with them", err)
	}
	if err == nil {
		err = h.noteExport(ctx, from, x, journal.RecordingDetail{File: x.Path(), Who: r.who, Why: args.Why})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("recording %s: %w", args.ID, err), in.Close())
	}
	return out, nil
}

// noteExport journals that a recording is given out. Another node's is journaled here under the number, because
// the pseudonyms of its journal mean nobody in this one.
func (h *house) noteExport(ctx context.Context, from archives, x recording.Header, d journal.RecordingDetail) error {
	rec := recordingEntry(x, journal.RecordingExported)
	dir, err := from.journalOf(x.Node)
	if err != nil {
		return err
	}
	if !sameFolder(dir, h.journalDir()) {
		rec.Subject, d.Node = "", x.Node
		if rec.Number, err = numberOf(dir, x); err != nil {
			return err
		}
	}
	return h.record(ctx, rec, d)
}

// numberOf finds in a journal whom a recording is of; empty: whose number is withheld.
func numberOf(dir string, x recording.Header) (string, error) {
	options := journal.ReadOptions{From: x.Began.Add(-time.Hour), Campaign: x.Campaign, Kinds: []journal.Kind{journal.Recording}}
	for r, err := range journal.Read(dir, options) {
		if err != nil {
			return "", err
		}
		if r.Attempt == x.Attempt {
			return r.Number, nil
		}
	}
	return "", fmt.Errorf("the journal in %s does not know it", dir)
}

// findID is the file of a recording that has ended.
func (a archives) findID(id string) (string, error) {
	if strings.ContainsAny(id, `/\*?[`) || id == "" {
		return "", usageError(fmt.Errorf("%q is no recording: see pronto recording list", id))
	}
	for _, dir := range a.dirs {
		found, err := filepath.Glob(filepath.Join(globQuoted(dir), "*", id+".rec"))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("no recording %q that has ended: see pronto recording list; on several nodes each has those of its own calls, and --journal names the others'", id)
}

// globQuoted keeps a folder's name from being read as a pattern.
func globQuoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// exported is a recording on its way out.
type exported struct {
	reader *recording.Reader
	key    recording.Key
}

// WriteTo implements io.WriterTo.
func (e exported) WriteTo(w io.Writer) (int64, error) {
	out := &counter{Writer: w}
	err := e.reader.WriteWAV(out, e.key)
	return out.n, errors.Join(err, e.reader.Close())
}
