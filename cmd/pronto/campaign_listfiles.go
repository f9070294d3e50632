package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// fileLists are the lists of a campaign file that name their files, on their way in. The files are
// read by the command: the service may run elsewhere in the tree, and as another user.
type fileLists struct {
	cmd      *cobra.Command
	g        *globals
	name     string // of the campaign file
	data     []byte
	campaign *campaigns.Campaign
	lists    []*fileList
	wrong    campaigns.Problems
}

// findFileLists looks for lists with files in a campaign file; nil when there are none, or the campaign
// file is wrong, which applying it tells.
func findFileLists(cmd *cobra.Command, g *globals, file string, data []byte) *fileLists {
	c, err := campaigns.Parse(label(file), data)
	if err != nil {
		return nil
	}
	f := &fileLists{cmd: cmd, g: g, name: label(file), data: data, campaign: c}
	folder := "."
	if file != "-" {
		folder = filepath.Dir(file)
	}
	for i, l := range c.Lists {
		if l.File == "" {
			continue
		}
		path := filepath.FromSlash(l.File)
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		f.lists = append(f.lists, &fileList{key: fmt.Sprintf("lists[%d]", i), file: l.File, args: loadArgsOf(c, l, path)})
	}
	if f.lists == nil {
		return nil
	}
	return f
}

// close closes the files.
func (f *fileLists) close() {
	for _, l := range f.lists {
		if l.in != nil {
			_ = l.in.Close() // it was only read
		}
	}
}

// blame notes what is wrong with a list, at its place in the campaign file.
func (f *fileLists) blame(l *fileList, p campaigns.Problem) {
	p.Key = l.key + "." + p.Key
	f.wrong = append(f.wrong, campaigns.Locate(f.name, f.data, p))
}

// open opens the files and finds out what they hold.
func (f *fileLists) open() error {
	for _, l := range f.lists {
		if err := l.open(); err != nil {
			var pathError *fs.PathError
			if errors.As(err, &pathError) {
				err = pathError.Err
			}
			f.blame(l, campaigns.Problem{Key: "file", Value: l.file, Wrong: "cannot be read: " + err.Error(), Mend: "the path counts from the campaign file's folder, and comes to " + l.args.File})
		}
	}
	return f.err()
}

// err is what is wrong with the lists; nil: nothing.
func (f *fileLists) err() error {
	if len(f.wrong) == 0 {
		return nil
	}
	return f.wrong
}

// preview finds out what loading the lists would do. known are the campaign's loads, the newest first, and
// counts its lists.
func (f *fileLists) preview(known []store.Load, counts []store.ListCounts) error {
	for _, l := range f.lists {
		if last := slices.IndexFunc(known, func(k store.Load) bool { return k.List == l.args.List }); last >= 0 && l.is(known[last]) {
			k := known[last]
			l.done = appliedList{Result: "unchanged", At: k.At, loadedDoc: loadedDoc{
				Campaign: l.args.Campaign, File: l.args.File, List: l.args.List, Load: k.ID,
				LoadReport: campaigns.LoadReport{Read: k.Read, Unchanged: k.Read - k.Duplicate - k.Rejected, Duplicate: k.Duplicate, Rejected: k.Rejected, SHA256: k.SHA256},
			}}
			continue
		}
		args := l.args
		args.DryRun, args.Planned = true, &plannedCampaign{Seller: f.campaign.Seller, Jurisdiction: f.campaign.Jurisdiction}
		doc, err := l.load(f, args, io.Discard)
		switch {
		case err == nil && doc.Refused != "":
			f.blameRows(l, doc, "is refused: "+doc.refusal())
		case err == nil && doc.Read > 0 && doc.Rejected == doc.Read:
			f.blameRows(l, doc, "has no good row")
		case err == nil:
			l.done = appliedList{Result: "loaded", loadedDoc: doc}
			for _, c := range counts {
				if c.List == l.args.List {
					l.done.Absent = max(0, c.Total-doc.InList)
				}
			}
		case statusOf(err) == statusInvalid:
			f.blameFile(l, err)
		default:
			return err
		}
	}
	return f.err()
}

// blameFile notes why a list cannot be read: at the column that was said to be there, else at its file.
func (f *fileLists) blameFile(l *fileList, err error) {
	var told []problem
	_ = json.Unmarshal(describe(err).Error.Problems, &told) // none: the text tells
	for _, p := range told {
		if strings.HasPrefix(p.Field, columnField) {
			f.blame(l, campaigns.Problem{Key: p.Field, Value: p.Value, Wrong: p.Wrong, Mend: p.Mend})
			return
		}
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), l.args.File+": "), "load list: ")
	f.blame(l, campaigns.Problem{Key: "file", Value: l.file, Wrong: "cannot be loaded: " + text})
}

// blameRows notes that a list's rows refuse it, and the first of them.
func (f *fileLists) blameRows(l *fileList, doc loadedDoc, wrong string) {
	f.blame(l, campaigns.Problem{Key: "file", Value: l.file, Wrong: wrong, Mend: "mend the rows named below, or let them be left out"})
	for _, row := range doc.Rejects[:min(len(doc.Rejects), rejectsShown)] {
		f.wrong = append(f.wrong, campaigns.Problem{File: l.args.File, Line: row.Line, Column: row.Column, Key: row.Field, Value: row.Value, Wrong: row.Reason})
	}
}

// take loads the lists that are new or have changed.
func (f *fileLists) take() error {
	for i, l := range f.lists {
		if l.done.Result == "unchanged" {
			continue
		}
		if err := l.take(f); err != nil {
			before := "the campaign is applied"
			if i > 0 {
				before += ", the lists above " + l.args.List + " are loaded"
			}
			return fmt.Errorf("list %s: %w (%s; apply it again for the rest)", l.args.List, err, before)
		}
	}
	return nil
}

// results are what became of the lists.
func (f *fileLists) results() []appliedList {
	all := make([]appliedList, len(f.lists))
	for i, l := range f.lists {
		all[i] = l.done
	}
	return all
}

// apply applies a campaign file whose lists name their files: first it finds out what all of
// it would do, and only when nothing is wrong anywhere does it.
func (f *fileLists) apply(ctx context.Context, args applyArgs) (appliedDoc, error) {
	trial := args
	trial.DryRun = true
	doc, err := ask[appliedDoc](ctx, f.g, "campaign apply", trial, bytes.NewReader(f.data))
	if err != nil {
		return doc, err
	}
	defer f.close()
	if err := f.open(); err != nil {
		return doc, err
	}
	var known loadsDoc
	var there campaignDoc
	if doc.Result != "created" {
		if there, err = ask[campaignDoc](ctx, f.g, "campaign show", nameArgs{Name: doc.Name}, nil); err != nil {
			return doc, err
		}
		if known, err = ask[loadsDoc](ctx, f.g, "leads loads", leadsArgs{Campaign: doc.Name}, nil); err != nil {
			return doc, err
		}
	}
	if err := f.preview(known.Loads, there.Lists); err != nil {
		return doc, err
	}
	if !args.DryRun {
		if doc, err = ask[appliedDoc](ctx, f.g, "campaign apply", args, bytes.NewReader(f.data)); err != nil {
			return doc, err
		}
		if err := f.take(); err != nil {
			return doc, err
		}
	}
	doc.Lists = f.results()
	return doc, nil
}
