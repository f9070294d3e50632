package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pronto/dialer/store"
)

// loadAnswer is a load to be done and what it answers: its document, then the text
// of its rejects file. It is worked out once, by work or by WriteTo.
type loadAnswer struct {
	do      func(tell func(merged, of int)) error
	doc     loadedDoc
	load    describer // nil: nothing was loaded
	rejects *spooled
	at      time.Time // of the load
}

// spooled is a file without a name that remembers whether it could be written.
type spooled struct {
	*os.File
	failed bool
}

// Write implements io.Writer.
func (s *spooled) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	s.failed = s.failed || err != nil
	return n, err
}

func (h *house) newLoadAnswer(args loadArgs) (*loadAnswer, error) {
	f, _, err := h.spoolFile(bytes.NewReader(nil))
	if err != nil {
		return nil, err
	}
	return &loadAnswer{doc: loadedDoc{Campaign: args.Campaign, File: args.File, List: args.List, DryRun: args.DryRun}, rejects: &spooled{File: f}}, nil
}

// work loads the list, gives the document to doc and writes the rows that are left
// out to rejects.
func (a *loadAnswer) work(tell func(merged, of int), doc func(loadedDoc) error, rejects io.Writer) error {
	defer func() { _ = a.rejects.Close() }() // nobody reads it again
	if err := a.do(tell); err != nil {
		return err
	}
	if err := doc(a.doc); err != nil || a.doc.Rejected+a.doc.Duplicate == 0 {
		return err
	}
	if _, err := a.rejects.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(rejects, a.rejects.File)
	return err
}

// describe keeps a note on the load.
func (a *loadAnswer) describe(ctx context.Context, who, settings string) error {
	if a.load == nil {
		return nil
	}
	return a.load.Describe(ctx, store.LoadNote{
		File: filepath.Base(label(a.doc.File)), SHA256: a.doc.SHA256, Who: who, Read: a.doc.Read, Duplicate: a.doc.Duplicate, Rejected: a.doc.Rejected, Settings: settings,
	})
}

// WriteTo implements io.WriterTo: the lines of a working answer, then the rejects.
func (a *loadAnswer) WriteTo(w io.Writer) (int64, error) {
	lines := newWorkLines(w)
	answered := false
	err := a.work(lines.tell, func(doc loadedDoc) error {
		answered = true
		_, err := lines.end(doc, nil)
		return err
	}, lines.out)
	if err != nil && !answered {
		return lines.end(nil, err)
	}
	return lines.out.n, err
}

// askLoad loads a list, wherever the house is. What is left out is written to
// rejects.
func askLoad(ctx context.Context, g *globals, args loadArgs, body io.Reader, tell func(merged, of int), rejects io.Writer) (doc loadedDoc, err error) {
	name := "leads load"
	if args.DryRun {
		name = "leads preview"
	}
	err = reach(ctx, g, name, args, body, func(result any) error {
		return result.(*loadAnswer).work(tell, func(d loadedDoc) error {
			doc = d
			return nil
		}, rejects)
	}, func(text io.Reader) error {
		lines := bufio.NewReader(text)
		if err := readWork(lines, tell, &doc); err != nil {
			return err
		}
		_, err := io.Copy(rejects, lines)
		return err
	})
	return doc, err
}

// rejectsBeside is where the rows left out of a list go when nothing else is
// said.
func rejectsBeside(list string) string {
	if list == "-" {
		return ""
	}
	for _, end := range []string{".gz", ".csv", ".txt", ".tsv", ".xlsx"} {
		if len(list) > len(end) && strings.EqualFold(list[len(list)-len(end):], end) {
			list = list[:len(list)-len(end)]
		}
	}
	return list + ".rejects.csv"
}

// rejectsFile takes the rows that are left out; it comes to be when there are any.
type rejectsFile struct {
	name string // empty: none is wanted
	f    *os.File
	some bool
	err  error
}

// newRejectsFile makes sure that the file can be written. Where nobody asked for
// it, it does without.
func newRejectsFile(name string, asked bool) (*rejectsFile, error) {
	r := &rejectsFile{name: name}
	if name == "" {
		return r, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".rejects-*.tmp") // 0600: it holds people's numbers
	switch {
	case err == nil:
		r.f = f
	case asked:
		return nil, usageError(fmt.Errorf("--rejects: %w", err))
	default:
		r.name = ""
	}
	return r, nil
}

// Write implements io.Writer. It never fails: keep tells.
func (r *rejectsFile) Write(b []byte) (int, error) {
	if r.f == nil || r.err != nil {
		return len(b), nil
	}
	r.some = true
	_, r.err = r.f.Write(b)
	return len(b), nil
}

// keep gives the file its name, which it returns; empty when there is nothing to
// keep.
func (r *rejectsFile) keep() (string, error) {
	if r.f == nil || !r.some {
		return "", nil
	}
	err := errors.Join(r.err, r.f.Close())
	if err == nil {
		err = os.Rename(r.f.Name(), r.name)
	}
	if err != nil {
		return "", err
	}
	r.f = nil
	return r.name, nil
}

// drop takes away what was not kept.
func (r *rejectsFile) drop() {
	if r.f == nil {
		return
	}
	_ = r.f.Close() // keep may have closed it
	if err := os.Remove(r.f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_, _ = fmt.Fprintf(os.Stderr, "%s: %v\n", r.f.Name(), err) // nothing else is left to do
	}
}
