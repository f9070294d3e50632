package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

// loadAnswer is what a load answers: its document on one line, then the text of
// its rejects file.
type loadAnswer struct {
	doc     loadedDoc
	load    describer // nil: nothing was loaded, or the state keeps no notes
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
	return &loadAnswer{doc: loadedDoc{Campaign: args.Campaign, File: args.File, DryRun: args.DryRun}, rejects: &spooled{File: f}}, nil
}

// describe keeps a note on the load.
func (a *loadAnswer) describe(ctx context.Context, who string) error {
	if a.load == nil {
		return nil
	}
	return a.load.Describe(ctx, store.LoadNote{
		File: filepath.Base(label(a.doc.File)), SHA256: a.doc.SHA256, Who: who, Read: a.doc.Read, Duplicate: a.doc.Duplicate, Rejected: a.doc.Rejected,
	})
}

func (a *loadAnswer) close() error { return a.rejects.Close() }

// WriteTo implements io.WriterTo. It can be called once.
func (a *loadAnswer) WriteTo(w io.Writer) (int64, error) {
	defer func() { _ = a.close() }() // nobody reads it again
	out := &counter{Writer: w}
	if err := json.NewEncoder(out).Encode(a.doc); err != nil {
		return out.n, err
	}
	if a.doc.Rejected+a.doc.Duplicate == 0 {
		return out.n, nil
	}
	if _, err := a.rejects.Seek(0, io.SeekStart); err != nil {
		return out.n, err
	}
	_, err := io.Copy(out, a.rejects.File)
	return out.n, err
}

// askLoad loads a list, wherever the house is. What is left out is written to
// rejects.
func askLoad(ctx context.Context, g *globals, args loadArgs, body io.Reader, rejects io.Writer) (doc loadedDoc, err error) {
	read := func(text io.Reader) error {
		in := bufio.NewReader(text)
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			return err
		}
		_, err = io.Copy(rejects, in)
		return err
	}
	name := "leads load"
	if args.DryRun {
		name = "leads preview"
	}
	err = reach(ctx, g, name, args, body, func(result any) error {
		from, to := io.Pipe()
		go func() {
			_, err := result.(io.WriterTo).WriteTo(to)
			_ = to.CloseWithError(err) // it never fails
		}()
		err := read(from)
		_ = from.Close() // it never fails
		return err
	}, read)
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
