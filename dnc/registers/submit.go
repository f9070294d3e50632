package registers

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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
	Dated    bool      `json:"dated,omitempty"`  // each number went with the date of its consent
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

// Make writes the submission's file to path in the form of the register's profile,
// and then its record. dates are the dates of consent, in the numbers' order, where
// the form has a column for them, else nil. File and record are on disk when it returns.
func (s *Submissions) Make(path string, digits []uint64, dates []time.Time, p Profile, sub Submitted) (Submitted, error) {
	fail := func(err error) (Submitted, error) {
		return Submitted{}, fmt.Errorf("submission %s: %w", filepath.Base(path), err)
	}
	switch {
	case p.Submit == nil:
		return fail(fmt.Errorf("register %q takes no submissions", sub.Register))
	case len(digits) == 0:
		return fail(errors.New("there is no number to submit"))
	case filepath.Base(sub.ID) != sub.ID || sub.ID == "" || sub.Seller == "" || sub.At.IsZero():
		return fail(errors.New("id, seller and time are required"))
	case (p.Submit.Date != "") != (len(dates) > 0), len(dates) > 0 && len(dates) != len(digits):
		return fail(fmt.Errorf("%d dates for %d numbers", len(dates), len(digits)))
	}
	sum, err := writeForm(path, digits, dates, &p)
	if err != nil {
		return fail(err)
	}
	sub.File, sub.SHA256, sub.Count, sub.Dated = filepath.Base(path), sum, len(digits), len(dates) > 0
	if err := numberset.Build(s.file(sub, ".set"), slices.Values(digits)); err != nil {
		return fail(err)
	}
	if sub.Dated {
		if err := replace(s.file(sub, ".dates"), encodeDates(dates)); err != nil {
			return fail(err)
		}
	}
	if err := s.write(sub); err != nil {
		return fail(err)
	}
	return sub, nil
}

// file is a file of the submission.
func (s *Submissions) file(sub Submitted, ext string) string {
	return filepath.Join(s.dir, filepath.Base(sub.ID)+ext)
}

// encodeDates writes instants as 8 bytes each: seconds since 1970, little-endian.
func encodeDates(dates []time.Time) []byte {
	data := make([]byte, 0, 8*len(dates))
	for _, d := range dates {
		data = binary.LittleEndian.AppendUint64(data, uint64(d.Unix()))
	}
	return data
}

func decodeDates(data []byte) []time.Time {
	dates := make([]time.Time, 0, len(data)/8)
	for ; len(data) >= 8; data = data[8:] {
		dates = append(dates, time.Unix(int64(binary.LittleEndian.Uint64(data)), 0).UTC())
	}
	return dates
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
	set, err := numberset.Open(s.file(sub, ".set"))
	if err != nil {
		return nil, fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	asked := &Submission{ID: sub.ID, At: sub.At, Digits: collect(set.All(), set.Len())}
	if err := set.Close(); err != nil {
		return nil, fmt.Errorf("submission %s: %w", sub.ID, err)
	}
	if sub.Dated {
		data, err := os.ReadFile(s.file(sub, ".dates"))
		if err == nil && len(data) != 8*len(asked.Digits) {
			err = fmt.Errorf("the dates of its numbers are cut: %d bytes for %d numbers", len(data), len(asked.Digits))
		}
		if err != nil {
			return nil, fmt.Errorf("submission %s: %w", sub.ID, err)
		}
		asked.Dates = decodeDates(data)
	}
	return asked, nil
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
	if err := replace(s.file(sub, ".json"), append(data, '\n')); err != nil {
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
