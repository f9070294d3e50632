package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc/registers"
)

// submissionsFolder is the folder of what was sent to registers, in the data
// folder.
const submissionsFolder = "submissions"

// submissions opens the records of what was sent to registers.
func (h *house) submissions() (*registers.Submissions, error) {
	return registers.OpenSubmissions(filepath.Join(h.dir, submissionsFolder))
}

// answered finds the submission that a register's result answers, with its
// numbers: that of the id, else the only open one.
func (h *house) answered(args importArgs) (*registers.Submitted, *registers.Submission, error) {
	all, err := h.submissions()
	if err != nil {
		return nil, nil, err
	}
	found, err := all.Find(args.Register, args.Submission)
	if err != nil {
		return nil, nil, usageError(err)
	}
	if found.Register != args.Register {
		return nil, nil, usageError(fmt.Errorf("submission %s went to %s, not to %s", found.ID, found.Register, args.Register))
	}
	if args.Seller != "" && args.Seller != found.Seller {
		return nil, nil, usageError(fmt.Errorf("submission %s was made for %s: leave --seller out", found.ID, found.Seller))
	}
	sent, err := all.Load(found)
	return &found, sent, err
}

// waiting gives, for each number that an open submission to the register holds
// for the seller, when it was sent.
func (h *house) waiting(register, seller string) (map[uint64]time.Time, error) {
	all, err := h.submissions()
	if err != nil {
		return nil, err
	}
	list, err := all.List(register)
	if err != nil {
		return nil, err
	}
	sent := map[uint64]time.Time{}
	for _, s := range list {
		if !s.Open() || s.Seller != seller {
			continue
		}
		numbers, err := all.Load(s)
		if err != nil {
			return nil, err
		}
		for _, digits := range numbers.Digits {
			sent[digits] = s.At // the list is oldest first
		}
	}
	return sent, nil
}

// makeSubmissions writes the files of a submission, one record for each. When one
// of them fails the earlier ones are withdrawn.
func (h *house) makeSubmissions(args submitArgs, chosen registers.Selection, profile registers.Profile, of registers.Submitted) (made []registers.Submitted, err error) {
	all, err := h.submissions()
	if err != nil {
		return nil, err
	}
	files, parts := registers.Split(args.Out, chosen.Digits, args.MaxRows)
	for _, file := range files {
		if err := absent(file); err != nil {
			return nil, err
		}
	}
	for i, file := range files {
		of.ID = h.newID()
		var dates []time.Time
		if len(chosen.Given) > 0 {
			for _, digits := range parts[i] {
				dates = append(dates, chosen.Given[digits])
			}
		}
		one, err := all.Make(file, parts[i], dates, profile, of)
		if err != nil {
			for _, m := range made {
				err = errors.Join(err, all.Withdraw(m, "another file of the same submission could not be written"))
			}
			return nil, err
		}
		made = append(made, one)
	}
	return made, nil
}

// submissionDetail is the record of a submission with who made or withdrew it.
type submissionDetail struct {
	registers.Submitted
	Who string `json:"who,omitempty"`
}

// submittedRecord is the journal's record of a submission.
func submittedRecord(s registers.Submitted) journal.Record {
	return journal.Record{Kind: journal.Submitted, Campaign: s.Campaign}
}

// tariffOf is what the register charges, by the configuration; false when it does
// not say.
func (c config) tariffOf(register string) (registers.Tariff, bool) {
	t, ok := c.Tariffs[register]
	return t, ok && len(t.Packages) > 0
}

// costDoc is what consultations cost.
type costDoc struct {
	Currency string         `json:"currency,omitempty"`
	Price    float64        `json:"price"`
	Packages map[string]int `json:"packages"` // how many of each to buy
}

// cost is what n consultations of the register cost; nil without a tariff.
func (h *house) cost(register string, n int) *costDoc {
	tariff, ok := h.config.tariffOf(register)
	if !ok {
		return nil
	}
	price, packages := tariff.Cost(n)
	return &costDoc{Currency: tariff.Currency, Price: price, Packages: packages}
}

// String says the price and what to buy for it.
func (c *costDoc) String() string {
	if c == nil {
		return "cost unknown: no tariff in the configuration"
	}
	text := fmt.Sprintf("cost %.2f", c.Price)
	if c.Currency != "" {
		text += " " + c.Currency
	}
	var buy []string
	for name, n := range c.Packages {
		buy = append(buy, fmt.Sprintf("%d x %s", n, name))
	}
	slices.Sort(buy)
	for i, b := range buy {
		text += []string{": ", ", "}[min(i, 1)] + b
	}
	return text
}

// checkTariffs names what is wrong with the tariffs.
func (c config) checkTariffs() error {
	for register, t := range c.Tariffs {
		if _, ok := registers.ProfileOf(register); !ok {
			return fmt.Errorf("tariffs.%s: no such register", register)
		}
		for i, p := range t.Packages {
			if p.Numbers < 1 || p.Price < 0 || p.Name == "" {
				return fmt.Errorf("tariffs.%s.packages[%d]: give a name, numbers of at least 1 and a price", register, i)
			}
		}
	}
	return nil
}
