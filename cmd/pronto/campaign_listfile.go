package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// appliedList is what became of a list that a campaign file names with its file, or would.
type appliedList struct {
	Result string    `json:"result"`      // loaded, unchanged: the file is as it was loaded
	At     time.Time `json:"at,omitzero"` // of the load of an unchanged one
	// Absent is how many leads of the list are in no good row of the file, agreed calls left out. They stay.
	Absent int `json:"absent,omitempty"`
	loadedDoc
}

// text says it on one line.
func (l appliedList) text() string {
	if l.Result == "unchanged" {
		left := ""
		if n := l.Rejected + l.Duplicate; n > 0 {
			left = fmt.Sprintf(", %s left out", plural(n, "row"))
		}
		return fmt.Sprintf("list %s: %s is as it was loaded on %s%s", l.List, l.File, day(l.At), left)
	}
	stay := ""
	if l.Absent > 0 {
		stay = fmt.Sprintf("; %s of the list in no good row of it, which stay", plurals(l.Absent, "lead"))
	}
	return fmt.Sprintf("list %s: %s: %s%s", l.List, l.File, l.sentence(), stay)
}

// fileList is one of them.
type fileList struct {
	key  string // in the campaign file: lists[0]
	file string // as it is written there
	args loadArgs
	in   *os.File
	size int64
	sum  string
	done appliedList
}

// loadArgsOf are the choices of leads load that a campaign file makes for a list.
func loadArgsOf(c *campaigns.Campaign, l campaigns.List, path string) loadArgs {
	a := loadArgs{
		Campaign: c.Name, File: path, List: l.Name, Country: l.Country, Latin1: l.Latin1, Sheet: l.Sheet, Consents: l.Consents,
		Repeated: string(l.Repeated), Known: string(l.Known), Elsewhere: string(l.Elsewhere), Whole: l.Whole, History: l.History,
	}
	if a.Country == "" {
		a.Country = countryOf(c.Jurisdiction)
	}
	for role, headings := range l.Columns {
		for _, heading := range headings {
			a.Columns = append(a.Columns, role+"="+heading)
		}
	}
	slices.SortStableFunc(a.Columns, func(x, y string) int { // the order of one role's headings counts
		roleX, _, _ := strings.Cut(x, "=")
		roleY, _, _ := strings.Cut(y, "=")
		return strings.Compare(roleX, roleY)
	})
	return a
}

func (l *fileList) open() (err error) {
	info, err := os.Stat(l.args.File)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular(): // it is read twice
		return errors.New("it is no plain file")
	}
	if l.in, err = os.Open(l.args.File); err != nil {
		return err
	}
	digest := sha256.New()
	if l.size, err = io.Copy(digest, l.in); err != nil {
		return err
	}
	l.sum = hex.EncodeToString(digest.Sum(nil))
	return nil
}

// is reports whether the load was of this file, read in the same way.
func (l *fileList) is(k store.Load) bool {
	return !k.Undone && k.SHA256 == l.sum && k.Settings == l.args.settings()
}

// load reads the file from its beginning.
func (l *fileList) load(f *fileLists, args loadArgs, rejects io.Writer) (loadedDoc, error) {
	if _, err := l.in.Seek(0, io.SeekStart); err != nil {
		return loadedDoc{}, err
	}
	return loadShown(f.cmd, f.g, args, l.in, l.size, rejects)
}

func (l *fileList) take(f *fileLists) error {
	beside := rejectsBeside(l.args.File)
	rejects, err := newRejectsFile(beside, false)
	if err != nil {
		return err
	}
	defer rejects.drop()
	doc, err := l.load(f, l.args, rejects)
	if err == nil && doc.Refused != "" {
		err = invalidFile(errors.New(doc.refusal()))
	}
	if err != nil {
		return err
	}
	if doc.RejectsFile, err = rejects.keep(); err != nil {
		f.cmd.PrintErrf("%s: %v; the list was taken as told below\n", beside, err)
	}
	l.done.loadedDoc = doc
	return nil
}

// print tells what became of the list and of rows that it has in vain.
func (l appliedList) print(cmd *cobra.Command) {
	cmd.Println("  " + l.text())
	l.printRejects(cmd)
	if l.RejectsFile != "" {
		cmd.PrintErrf("the rows that are left out are in %s with the reason beside each: mend them in %s and apply again\n", l.RejectsFile, l.File)
	}
}

// refusal is why a list is refused, as far as it concerns that list alone.
func (d loadedDoc) refusal() string { return strings.TrimSuffix(d.Refused, ": nothing was loaded") }
