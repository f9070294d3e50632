package main

import (
	"bytes"

	"pronto/dialer/journal"
)

// untroubled fails the test for what went wrong while the service ran.
func (p *proof) untroubled() {
	p.t.Helper()
	for _, trouble := range p.trouble {
		p.t.Error(trouble)
	}
}

// turns checks what the carrier saw against the journal and the books.
func (p *proof) turns(f *field) {
	f.t.Helper()
	p.calls = readRung(f.heard())
	p.allowed = map[string]bool{}
	for i := range crashPlans {
		p.allowed[crashNumber(i)] = true
	}
	p.readJournal(f)
	p.redials()
	p.evidence()
	p.bridges()
	p.answers()
	p.answeredOnce()
	doc, err := ask[leadsDoc](f.t.Context(), &globals{data: f.data, config: f.config}, "leads list", leadsArgs{Campaign: demoCampaign}, bytes.NewReader(nil))
	if err != nil {
		f.t.Fatal(err)
	}
	p.leads(doc)
	f.verify()
}

// answeredOnce checks that who answered is not rung again: they spoke to an
// agent, or were abandoned and are left in peace for days.
func (p *proof) answeredOnce() {
	answered := map[string]*rung{}
	for _, r := range p.calls {
		if before := answered[r.number]; before != nil {
			p.failf("rung again after an answer", "%s after %s, answered %s", r, before, clock(before.answered))
		}
		if !r.answered.IsZero() {
			answered[r.number] = r
		}
	}
	for _, r := range answered {
		if p.find(r, journal.Connected, journal.Abandoned) == nil {
			p.failf("answer not counted", "%s, answered %s", r, clock(r.answered))
		}
	}
}
