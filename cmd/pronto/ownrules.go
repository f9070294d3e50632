package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

// paths are files and folders; in YAML one of them or a list.
type paths []string

// UnmarshalYAML reads one path or a list of them.
func (p *paths) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*p = paths{one}
		return nil
	}
	return unmarshal((*[]string)(p))
}

// ownRules is a rule file of the user's own, laid over the one that comes with
// the program.
type ownRules struct {
	Jurisdiction string   `json:"jurisdiction"`
	File         string   `json:"file"`
	SHA256       string   `json:"sha256"`           // of the file
	Rules        string   `json:"rules"`            // hash of what comes out, which covers both files
	Looser       []string `json:"looser,omitempty"` // what it allows and ours does not
	Text         string   `json:"text,omitempty"`
}

// readRules is the book that the configuration asks for, and the files of its
// own. A file that is wrong is an error of the configuration.
func readRules(from paths) (*rules.Book, []ownRules, error) {
	book, err := rules.Embedded()
	if err != nil {
		return nil, nil, err
	}
	names, err := yamlFiles("rules", from)
	if err != nil {
		return nil, nil, invalidFile(err)
	}
	var all []ownRules
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, invalidFile(fmt.Errorf("rules: %w", err))
		}
		file, err := rules.Parse(name, data)
		if err != nil {
			return nil, nil, invalidFile(err)
		}
		own := ownRules{Jurisdiction: file.Jurisdiction, File: name, SHA256: file.Hash, Text: string(data)}
		if i := slices.IndexFunc(all, func(o ownRules) bool { return o.Jurisdiction == own.Jurisdiction }); i >= 0 {
			return nil, nil, invalidFile(fmt.Errorf("rules: %s and %s are both for %s: put their rules into one file", all[i].File, name, own.Jurisdiction))
		}
		if book.File(own.Jurisdiction) == nil {
			own.Looser = append(own.Looser, "no rules for "+own.Jurisdiction+" come with the program: calls under it rest on this file alone")
		}
		with, looser, err := book.With(file)
		if err != nil {
			return nil, nil, invalidFile(fmt.Errorf("%s: %w", name, err))
		}
		for _, l := range looser {
			own.Looser = append(own.Looser, l.String())
		}
		book, own.Rules = with, with.File(own.Jurisdiction).Hash
		all = append(all, own)
	}
	return book, all, nil
}

// yamlFiles are the files that paths of a key of the configuration name: of a
// folder, all that end in .yaml.
func yamlFiles(key string, from paths) ([]string, error) {
	var names []string
	for _, path := range from {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", key, err)
		case !info.IsDir():
			names = append(names, path)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(path, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if len(inside) == 0 {
			return nil, fmt.Errorf("%s: %s: no .yaml file in it", key, path)
		}
		names = append(names, inside...)
	}
	return names, nil
}

// checkAdvice refuses rules of one's own that loosen ours and that nobody has
// taken responsibility for.
func (h *house) checkAdvice(ctx context.Context) error {
	var open []string
	for _, own := range h.own {
		if len(own.Looser) == 0 {
			continue
		}
		_, accepted, err := h.store.Advice(ctx, own.Rules)
		if err != nil {
			return err
		}
		if accepted {
			continue
		}
		for _, l := range own.Looser {
			open = append(open, "  "+own.File+": "+l)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return forbidden(fmt.Errorf("rules of your own allow what the rules that come with the program do not:\n%s\n"+
		"tighten them, or take responsibility: pronto dnc rules accept --i-have-legal-advice \"who advised what\"", strings.Join(open, "\n")))
}

// ownRulesDetail is journal.ConfigDetail with what rules of one's own change.
type ownRulesDetail struct {
	journal.ConfigDetail
	Jurisdiction string   `json:"jurisdiction"`
	Rules        string   `json:"rules"` // hash of what comes out
	Looser       []string `json:"looser,omitempty"`
	Reason       string   `json:"reason,omitempty"` // the legal advice
}

// recordRules puts a rule file of one's own into the journal, so that the hash in
// later decisions can be told.
func (h *house) recordRules(ctx context.Context, what, who, reason string, own ownRules) error {
	return h.record(ctx, journal.Record{Kind: journal.Config}, ownRulesDetail{
		ConfigDetail: journal.ConfigDetail{What: what, Who: who, SHA256: own.SHA256, Text: own.Text},
		Jurisdiction: own.Jurisdiction, Rules: own.Rules, Looser: own.Looser, Reason: reason,
	})
}

// recordOwnRules puts all rules of one's own into the journal.
func (h *house) recordOwnRules(ctx context.Context) error {
	var errs []error
	for _, own := range h.own {
		errs = append(errs, h.recordRules(ctx, "own rules in force", "", "", own))
	}
	return errors.Join(errs...)
}
