package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/sandbox"
	"pronto/dialer/sandbox/truth"
)

// demoCallback is a person who rings the caller ID back, and what came of it by
// the person's own word, the carrier's log and the journal.
type demoCallback struct {
	Answered    bool `json:"answered"`   // and heard something
	OptedOut    bool `json:"opted_out"`  // by the journal, with the source callback
	HungUp      bool `json:"hung_up"`    // by the dialer, once it was done
	RungAfter   int  `json:"rung_after"` // INVITEs to the number after the call
	number      campaigns.Number
	rang        sandbox.Rang
	cannotRing  error
	nobodyRings bool // nobody was called in vain
}

// demoCallerID is the caller ID of the sample campaign, as Italians dial it.
const demoCallerID = "0844000123"

// ringBack has somebody who was called in vain ring back and press 9; found is told
// who. A search that ends first finds nobody.
func (d *demo) ringBack(ctx, search context.Context, found chan<- campaigns.Number) demoCallback {
	var b demoCallback
	if b.number = d.calledInVain(search); b.number == "" {
		b.nobodyRings = true
		return b
	}
	found <- b.number
	service, err := netip.ParseAddrPort(d.service())
	if err != nil {
		b.cannotRing = err
		return b
	}
	person := sandbox.Ringer{
		From: netip.MustParseAddr(d.address(2)), To: service, Caller: string(b.number), Called: demoCallerID,
		Key: '9', Listen: 2 * time.Second, Patience: 30 * time.Second,
	}
	b.rang, b.cannotRing = person.Ring(ctx)
	return b
}

// calledInVain waits for the first number that was called and not reached.
func (d *demo) calledInVain(ctx context.Context) campaigns.Number {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for r, err := range journal.Read(filepath.Join(d.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.Ended}}) {
			if err == nil && (r.Outcome == string(campaigns.NoAnswer) || r.Outcome == string(campaigns.Busy)) && r.Number != "" {
				return campaigns.Number(r.Number)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ""
		}
	}
}

// judgeCallback holds the call against journal and carrier's log.
func (d *demo) judgeCallback(b *demoCallback) (failures []string, err error) {
	if b.nobodyRings {
		return nil, nil
	}
	if b.cannotRing != nil {
		return []string{"nobody could ring back: " + b.cannotRing.Error()}, nil
	}
	b.Answered, b.HungUp = !b.rang.Answered.IsZero() && b.rang.Packets > 0, b.rang.ByDialer
	for r, err := range journal.Read(filepath.Join(d.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.OptedOut}}) {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		b.OptedOut = b.OptedOut || r.Number == string(b.number) && r.Reason == "callback"
	}
	lines, err := truth.ReadFile(d.path("carrier.log"))
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.Kind == truth.Invite && truth.Digits(l.Number) == truth.Digits(string(b.number)) && l.At.After(b.rang.Over) {
			b.RungAfter++
		}
	}
	for _, p := range []struct {
		held bool
		what string
	}{
		{b.Answered, fmt.Sprintf("a person who rang back was not answered (SIP %d)", b.rang.Status)},
		{b.OptedOut && b.HungUp, "a person who rang back and pressed 9 was not opted out"},
		{b.RungAfter == 0, "a person who rang back and pressed 9 was called again"},
	} {
		if !p.held {
			failures = append(failures, p.what)
		}
	}
	return failures, nil
}

// text says it in the report.
func (b demoCallback) text() string {
	switch {
	case b.nobodyRings:
		return "nobody"
	case b.Answered && b.OptedOut:
		return fmt.Sprintf("1, answered and opted out by key; rung since: %d", b.RungAfter)
	}
	return "1, not served as promised"
}
