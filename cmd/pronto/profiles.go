package main

import (
	"fmt"
	"os"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/dnc/registers"
)

// ownProfiles reads the register layouts of the configuration, by their names.
func (c config) ownProfiles() (map[string]registers.Profile, error) {
	names, err := yamlFiles("profiles", c.Profiles)
	if err != nil {
		return nil, invalidFile(err)
	}
	own := map[string]registers.Profile{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, invalidFile(fmt.Errorf("profiles: %w", err))
		}
		p, err := registers.ParseProfile(name, data)
		if err != nil {
			return nil, invalidFile(err)
		}
		_, ours := registers.ProfileOf(p.Name)
		if _, twice := own[p.Name]; ours || twice || p.Name == ownList || p.Name == consentsFile {
			return nil, invalidFile(fmt.Errorf("%s: name: %q is taken: give another, and register: with the register that its numbers are for", name, p.Name))
		}
		own[p.Name] = p
	}
	return own, nil
}

// profile finds a register's layout: a built-in one, or one of the configuration.
func (h *house) profile(name string) (registers.Profile, bool, error) {
	own, err := h.config.ownProfiles()
	if err != nil {
		return registers.Profile{}, false, err
	}
	if p, ok := own[name]; ok {
		return p, true, nil
	}
	p, ok := registers.ProfileOf(name)
	return p, ok, nil
}

// registerOf is the register that a layout is for; a name that no layout has is
// taken for a register's.
func (h *house) registerOf(name string) (string, error) {
	p, ok, err := h.profile(name)
	if err != nil || !ok {
		return name, err
	}
	return p.RegisterName(), nil
}

// formExt is the extension of the file that is submitted to a register; none for
// one that the service will not know either.
func formExt(g *globals, register string) (string, error) {
	conf, err := loadConfig(g.config)
	if err != nil {
		return "", err
	}
	p, _, err := (&house{config: conf}).profile(register)
	if err != nil || p.Submit == nil {
		return "", err
	}
	return p.Submit.Ext(), nil
}

// callerID is the proof of the right to show a number.
type callerID struct {
	Number   string `yaml:"number"`
	Seller   string `yaml:"seller"`
	Document string `yaml:"document"` // SHA-256 or reference: the carrier's assignment, the entry in the operators' register
	From     string `yaml:"from"`     // day or time
	Until    string `yaml:"until"`    // first day or time on which it holds no more; none: open end
	Callable bool   `yaml:"callable"` // the line takes calls back
}

// proofs are the proofs of the right to show caller IDs; nil where the
// configuration has none, so that they are not checked and verdicts say so.
func (c config) proofs() (dnc.Proofs, error) {
	if len(c.CallerIDs) == 0 {
		return nil, nil
	}
	var all []dnc.Proof
	for i, id := range c.CallerIDs {
		fail := func(field string, err error) error {
			return invalidFile(fmt.Errorf("caller_ids[%d].%s: %w", i, field, err))
		}
		n, err := campaigns.ParseCallerID(id.Number)
		if err != nil {
			return nil, fail("number", fmt.Errorf("%q: %w: write it in international form", id.Number, err))
		}
		p := dnc.Proof{Number: n, Seller: id.Seller, Document: id.Document, Callable: id.Callable}
		if p.From, err = parseInstant(id.From, time.UTC); err != nil {
			return nil, fail("from", err)
		}
		if id.Until != "" {
			if p.Until, err = parseInstant(id.Until, time.UTC); err != nil {
				return nil, fail("until", err)
			}
		}
		all = append(all, p)
	}
	list, err := dnc.NewProofs(all)
	if err != nil {
		return nil, invalidFile(fmt.Errorf("caller_ids: %w", err))
	}
	return list, nil
}
