// Package judge judges a dialer by what really reached callees and agents: it
// reads the input files, the far ends' logs and the dialer's journal, evaluates
// register and opt-outs by itself, and takes the dialer's word for nothing but
// what evidence it wrote, and when.
package judge

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"pronto/dialer/sandbox/truth"
)

// Record is what the judge needs of a journal record. The kinds are the
// journal's own words.
type Record struct {
	Seq     uint64
	At      time.Time // by the dialer's clock
	Kind    string    // cleared, refused, invited, connected, opted_out; others are passed over
	Attempt string
	CallID  string
	Number  string
	Agent   string
	Reason  string
}

// Entry is the register's word on one number.
type Entry struct {
	Registered bool
	CheckedAt  time.Time // zero: the file did not say
}

// Evidence is everything that is judged, read into memory. Numbers are digits
// with the country code, as truth.Digits gives them.
type Evidence struct {
	Leads    []string
	Register map[string]Entry // by number
	OptOuts  map[string]bool  // by number; in force before the run
	Carrier  []truth.Line
	Agents   []truth.Line
	Journal  []Record
}

// Files names what Load reads.
type Files struct {
	Leads     string // CSV with a number column
	Registers []Result
	OptOuts   string // CSV with a number column, or one number a line; empty: none
	Carrier   string // truth file
	Agents    string // truth file
	Country   string // calling code put before numbers written without + or 00: 39
}

// Result is one file of a register's verdicts: number, status, date. Status is 1, yes or
// registered, or 0, no or clear.
type Result struct {
	Path      string
	CheckedAt time.Time // of lines without a date
}

// Load reads the evidence. Its errors name file and line.
func Load(f Files, journal iter.Seq2[Record, error]) (Evidence, error) {
	e := Evidence{Register: map[string]Entry{}, OptOuts: map[string]bool{}}
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	note(open(f.Leads, func(r io.Reader) error {
		return eachNumber(r, f.Country, func(n string, _ row) error {
			e.Leads = append(e.Leads, n)
			return nil
		})
	}))
	for _, res := range f.Registers {
		note(open(res.Path, func(r io.Reader) error { return readRegister(r, f.Country, res.CheckedAt, e.Register) }))
	}
	if f.OptOuts != "" {
		note(open(f.OptOuts, func(r io.Reader) error {
			return eachNumber(r, f.Country, func(n string, _ row) error {
				e.OptOuts[n] = true
				return nil
			})
		}))
	}
	var err error
	e.Carrier, err = truth.ReadFile(f.Carrier)
	note(err)
	e.Agents, err = truth.ReadFile(f.Agents)
	note(err)
	for r, err := range journal {
		if err != nil {
			note(fmt.Errorf("journal: %w", err))
			break
		}
		r.Number = truth.Digits(r.Number)
		e.Journal = append(e.Journal, r)
	}
	return e, errors.Join(errs...)
}

func open(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	if err := errors.Join(read(f), f.Close()); err != nil {
		return fmt.Errorf("judge: %s: %w", path, err)
	}
	return nil
}
