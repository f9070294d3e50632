package registers

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pronto/dnc/numberset"
)

// Submitted is the record of one file that was sent to a register.
type Submitted struct {
	ID       string    `json:"id"`
	Register string    `json:"register"`
	Seller   string    `json:"seller"`
	Campaign string    `json:"campaign,omitempty"`
	At       time.Time `json:"at"` // when it was made: the verdicts' clock
	File     string    `json:"file"`
	SHA256   string    `json:"sha256"`
	Count    int       `json:"count"`
	Answer   string    `json:"answer,omitempty"` // id of the import that answered it
	Closed   string    `json:"closed,omitempty"` // why it waits for no answer
}

// Open reports whether the submission waits for its answer.
func (s Submitted) Open() bool { return s.Answer == "" && s.Closed == "" }

// Submissions keeps what was sent to registers in a folder: for each one its
// record and its numbers. One process writes.
type Submissions struct{ dir string }

// OpenSubmissions opens the folder, which is made if need be.
func OpenSubmissions(dir string) (*Submissions, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open submissions: %w", err)
	}
	return &Submissions{dir}, nil
}

// Make writes the submission's file to path, and then its record. The file is a
// ZIP with one text: national numbers, one a line, ascending, CRLF, UTF-8. The
// file and the record are on disk when it returns.
func (s *Submissions) Make(path string, digits []uint64, sub Submitted) (Submitted, error) {
	fail := func(err error) (Submitted, error) {
		return Submitted{}, fmt.Errorf("submission %s: %w", filepath.Base(path), err)
	}
	p, ok := ProfileOf(sub.Register)
	if !ok || p.Semantics != Verdicts {
		return fail(fmt.Errorf("register %q takes no submissions", sub.Register))
	}
	if len(digits) == 0 {
		return fail(errors.New("there is no number to submit"))
	}
	if filepath.Base(sub.ID) != sub.ID || sub.ID == "" || sub.Seller == "" || sub.At.IsZero() {
		return fail(errors.New("id, seller and time are required"))
	}
	sum, err := writeZIP(path, digits, p.Calling)
	if err != nil {
		return fail(err)
	}
	sub.File, sub.SHA256, sub.Count = filepath.Base(path), sum, len(digits)
	if err := numberset.Build(filepath.Join(s.dir, sub.ID+".set"), slices.Values(digits)); err != nil {
		return fail(err)
	}
	if err := s.write(sub); err != nil {
		return fail(err)
	}
	return sub, nil
}

// Split cuts numbers into files of at most rows numbers each; 0 is no bound. The
// second and later files have their number before the extension.
func Split(path string, digits []uint64, rows int) (paths []string, parts [][]uint64) {
	if rows <= 0 || len(digits) <= rows {
		return []string{path}, [][]uint64{digits}
	}
	ext := filepath.Ext(path)
	for part := range slices.Chunk(digits, rows) {
		name := path
		if len(parts) > 0 {
			name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), len(parts)+1, ext)
		}
		paths, parts = append(paths, name), append(parts, part)
	}
	return paths, parts
}

// writeZIP writes the file that the Italian register takes, and gives its SHA-256.
func writeZIP(path string, digits []uint64, calling string) (sum string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	hash := sha256.New()
	archive := zip.NewWriter(io.MultiWriter(f, hash))
	entry, err := archive.Create("lista.txt")
	if err != nil {
		return "", err
	}
	text := bufio.NewWriter(entry)
	for _, v := range digits {
		national, ok := strings.CutPrefix(string(NumberOf(v)), "+"+calling)
		if !ok {
			return "", fmt.Errorf("%s is no number of +%s", NumberOf(v).Masked(), calling)
		}
		if _, err := text.WriteString(national + "\r\n"); err != nil {
			return "", err
		}
	}
	if err := errors.Join(text.Flush(), archive.Close(), f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), os.Rename(f.Name(), path)
}

// List gives the submissions of a register, oldest first; an empty register
// means all.
func (s *Submissions) List(register string) ([]Submitted, error) {
	names, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list submissions: %w", err)
	}
	var all []Submitted
	for _, name := range names {
		sub, err := read(name)
		if err != nil {
			return nil, err
		}
		if register == "" || sub.Register == register {
			all = append(all, sub)
		}
	}
	slices.SortFunc(all, func(a, b Submitted) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// Find gives the submission of that id; with an empty id the only open one of
// the register. An error says in words what the choice is.
func (s *Submissions) Find(register, id string) (Submitted, error) {
	all, err := s.List(register)
	if err != nil {
		return Submitted{}, err
	}
	var open []string
	var found []Submitted
	for _, sub := range all {
		if sub.ID == id {
			return sub, nil
		}
		if sub.Open() {
			open, found = append(open, sub.ID), append(found, sub)
		}
	}
	switch {
	case id != "":
		what := "there is no submission " + id
		if register != "" {
			what += " to " + register
		}
		if len(open) == 0 {
			return Submitted{}, errors.New(what + ", and none is open")
		}
		return Submitted{}, fmt.Errorf("%s; open are: %s", what, strings.Join(open, ", "))
	case len(found) == 0:
		return Submitted{}, fmt.Errorf("no submission to %s is open: submit one, or take the file with --no-submission and a reason", register)
	case len(found) > 1:
		return Submitted{}, fmt.Errorf("%d submissions to %s are open: say which with --submission: %s", len(found), register, strings.Join(open, ", "))
	}
	return found[0], nil
}

// Load gives a submission with its numbers, to be reconciled with the answer.
func (s *Submissions) Load(sub Submitted) (*Submission, error) {
	set, err := numberset.Open(filepath.Join(s.dir, filepath.Base(sub.ID)+".set"))
	if err != nil {
		return nil, fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	digits := collect(set.All(), set.Len())
	if err := set.Close(); err != nil {
		return nil, fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	return &Submission{ID: sub.ID, At: sub.At, Digits: digits}, nil
}

// Answered notes the import that answered a submission.
func (s *Submissions) Answered(sub Submitted, importID string) error {
	sub.Answer = importID
	return s.write(sub)
}

// Withdraw notes that no answer will come, and why.
func (s *Submissions) Withdraw(sub Submitted, reason string) error {
	if reason == "" {
		return fmt.Errorf("submission %s: a reason is required", sub.ID)
	}
	sub.Closed = reason
	return s.write(sub)
}

func (s *Submissions) write(sub Submitted) error {
	data, err := json.MarshalIndent(sub, "", "  ")
	if err != nil {
		return fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	if err := replace(filepath.Join(s.dir, filepath.Base(sub.ID)+".json"), append(data, '\n')); err != nil {
		return fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	return nil
}

func read(name string) (Submitted, error) {
	var sub Submitted
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &sub)
	}
	if err == nil && sub.ID+".json" != filepath.Base(name) {
		err = errors.New("the record names another submission")
	}
	if err != nil {
		return sub, fmt.Errorf("read submission %s: %w", filepath.Base(name), err)
	}
	return sub, nil
}
