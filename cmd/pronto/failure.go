package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"pronto/campaigns"
	"pronto/dnc/registers"
)

// The exit statuses. Every command's help names them.
const (
	statusFailed    = 1
	statusUsage     = 2
	statusInvalid   = 3
	statusForbidden = 4
)

// failure is an error with the exit status that it ends the program with.
type failure struct {
	status   int
	err      error
	silent   bool            // it has been shown already
	problems json.RawMessage // of a file, as the service told them
	total    int             // of them, those that are not listed included
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError is an error of the command line.
func usageError(err error) error { return &failure{status: statusUsage, err: err} }

// invalidFile is an error of an input file.
func invalidFile(err error) error { return &failure{status: statusInvalid, err: err} }

// forbidden is a refusal for compliance.
func forbidden(err error) error { return &failure{status: statusForbidden, err: err} }

// silently is an error that has been shown already: only its status remains.
func silently(err error) error { return &failure{status: statusOf(err), err: err, silent: true} }

// statusOf is the exit status of err.
func statusOf(err error) int {
	var f *failure
	var problems campaigns.Problems
	var rejected *registers.Rejected
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f):
		return f.status
	case errors.As(err, &problems), errors.As(err, &rejected):
		return statusInvalid
	}
	return statusFailed
}

// errorDoc is the JSON of a command that failed.
type errorDoc struct {
	Error errorText `json:"error"`
}

type errorText struct {
	Status   int             `json:"status"` // the exit status
	Message  string          `json:"message"`
	Problems json.RawMessage `json:"problems,omitempty"` // of a file, each with its place; of a register's file the first 100
	Total    int             `json:"problems_total,omitempty"`
}

// columnField stands in front of what a column was said to be for.
const columnField = "columns."

// problem is one thing that is wrong in a file.
type problem struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Field  string `json:"field,omitempty"`
	Value  string `json:"value,omitempty"`
	Wrong  string `json:"wrong"`
	Mend   string `json:"mend,omitempty"`
}

// describe puts an error into a document.
func describe(err error) errorDoc {
	doc := errorDoc{errorText{Status: statusOf(err), Message: err.Error()}}
	var f *failure
	if errors.As(err, &f) && f.problems != nil {
		doc.Error.Problems, doc.Error.Total = f.problems, f.total
		return doc
	}
	if list, total := problemsOf(err); total > 0 {
		text, err := json.Marshal(list)
		if err == nil {
			doc.Error.Problems, doc.Error.Total = text, total
		}
	}
	return doc
}

// problemsOf lists what is wrong in a file, if that is the error. total counts also
// what is not in the list.
func problemsOf(err error) (list []problem, total int) {
	var problems campaigns.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			list = append(list, problem{p.File, p.Line, p.Column, p.Key, p.Value, p.Wrong, p.Mend})
		}
		total += len(problems)
	}
	var column *campaigns.ColumnError
	if errors.As(err, &column) {
		list = append(list, problem{Field: columnField + column.Role, Value: column.Heading, Wrong: column.Wrong, Mend: column.Mend})
		total++
	}
	var rejected *registers.Rejected
	if errors.As(err, &rejected) {
		for _, p := range rejected.Problems {
			list = append(list, problem{File: rejected.File, Line: p.Line, Field: p.Field, Value: p.Value, Wrong: p.Text})
		}
		total += rejected.Total
	}
	return list, total
}

// linesShown is how much of a long error a person is shown.
const linesShown = 25

// shortened is an error's text without the rest of a long list. What it leaves out
// is counted: as problems where the error is of a file, else as lines.
func shortened(err error) string {
	text := strings.TrimSpace(err.Error())
	lines := strings.Split(text, "\n")
	if len(lines) <= linesShown {
		return text
	}
	doc := describe(err).Error
	var listed []json.RawMessage
	_ = json.Unmarshal(doc.Problems, &listed) // no list: nothing is counted as listed
	more := fmt.Sprintf("... and %s more; --json tells all", plurals(len(lines)-linesShown, "line"))
	if doc.Total > 0 {
		head := len(lines) - len(listed) // the lines that are no problem: the first, and the last where the list is not whole
		if doc.Total > len(listed) {
			head--
		}
		more = fmt.Sprintf("... and %s more; --json lists %s", plurals(doc.Total-linesShown+max(head, 0), "problem"), listing(len(listed), doc.Total))
	}
	return strings.Join(append(lines[:linesShown], more), "\n")
}

// listing says how much of a list there is.
func listing(listed, total int) string {
	if listed < total {
		return fmt.Sprintf("the first %d", listed)
	}
	return "all"
}

// conclude shows an error and gives the exit status: to people as text, with
// asJSON as the one document.
func conclude(err error, asJSON bool, out, errOut io.Writer) int {
	var f *failure
	switch {
	case err == nil:
	case errors.As(err, &f) && f.silent:
	case asJSON && writeJSON(out, describe(err)) == nil:
	default:
		_, _ = fmt.Fprintf(errOut, "pronto: %s\n", shortened(err)) // nowhere is left to say it
	}
	return statusOf(err)
}
