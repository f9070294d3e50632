package registers

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Form says how a submission is laid out: one number a line, ascending, each once,
// CRLF, UTF-8.
type Form struct {
	Layout string `yaml:"layout"` // how sure it is, in words
	Inside string `yaml:"inside"` // name of the text in a ZIP; empty: the text is the file
	Header string `yaml:"header"` // first line; empty: none
	Prefix string `yaml:"prefix"` // before each national number: 0 in Australia
	Date   string `yaml:"date"`   // layout of a second column with the date of consent, as Go writes it; empty: one column
}

// Ext is the extension of the submission's file.
func (f *Form) Ext() string {
	switch {
	case f.Inside != "":
		return ".zip"
	case f.Date != "":
		return ".csv"
	}
	return ".txt"
}

// writeForm writes the file that the register takes, and gives its SHA-256.
func writeForm(path string, digits []uint64, dates []time.Time, p *Profile) (sum string, err error) {
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
	out, done := io.MultiWriter(f, hash), func() error { return nil }
	if p.Submit.Inside != "" {
		archive := zip.NewWriter(out)
		if out, err = archive.Create(p.Submit.Inside); err != nil {
			return "", err
		}
		done = archive.Close
	}
	text := bufio.NewWriter(out)
	if err := p.lines(text, digits, dates); err != nil {
		return "", err
	}
	if err := errors.Join(text.Flush(), done(), f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), os.Rename(f.Name(), path)
}

// lines writes the lines of a submission.
func (p *Profile) lines(text *bufio.Writer, digits []uint64, dates []time.Time) error {
	const end = "\r\n"
	if p.Submit.Header != "" {
		_, _ = text.WriteString(p.Submit.Header + end) // Flush gives the error
	}
	for i, v := range digits {
		national, ok := strings.CutPrefix(string(NumberOf(v)), "+"+p.Calling)
		if !ok {
			return fmt.Errorf("%s is no number of +%s", NumberOf(v).Masked(), p.Calling)
		}
		_, _ = text.WriteString(p.Submit.Prefix + national)
		if len(dates) > 0 {
			_, _ = text.WriteString("," + dates[i].Format(p.Submit.Date))
		}
		_, _ = text.WriteString(end)
	}
	return nil
}
