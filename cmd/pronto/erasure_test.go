package main

import (
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/report"
	"pronto/dnc"
)

// TestErasureOfACalledNumber: the rules of the campaign that called keep its
// records until their time has come; then the rest goes, and the chain holds.
func TestErasureOfACalledNumber(t *testing.T) {
	h, g := served(t, t.TempDir())
	apply(t, g)
	ctx := t.Context()
	const n = campaigns.Number("+390655500001")
	called := h.now()
	for _, kind := range []journal.Kind{journal.Cleared, journal.Ended} {
		if err := h.record(ctx, journal.Record{Kind: kind, Campaign: "demo-it", Attempt: "A", Lead: 1, Number: string(n)}, dnc.Verdict{Allowed: true}); err != nil {
			t.Fatal(err)
		}
	}
	attempt := dialer.Attempt{ID: "A", Lead: 1, Campaign: "demo-it", Seller: "s", Number: n, At: called, Outcome: campaigns.NoAnswer}
	if err := h.store.Apply(ctx, []dialer.Change{{Seq: 1, Attempt: attempt}, {Seq: 2, Settled: true, Attempt: attempt}}); err != nil {
		t.Fatal(err)
	}
	doc, err := h.erase(ctx, n, "anna", false)
	if err != nil || doc.Attempts != 0 || doc.Keys != 0 || doc.Due == nil {
		t.Fatalf("erase = %+v, %v, want nothing of the call erased", doc, err)
	}
	if doc.Stays[0].Rule != "it.keep.calls" || doc.Due.Before(called.AddDate(2, 0, 0)) || doc.Due.After(called.AddDate(2, 0, 3)) {
		t.Errorf("stays %+v until %s, want two years after the call", doc.Stays, doc.Due)
	}
	story, err := report.ReadStory(journal.Folders{h.journalDir()}, string(n), report.Origins{})
	if err != nil || story.Erased || len(story.Entries) != 3 {
		t.Errorf("the story has %d entries, erased %v, %v, want all and the note", len(story.Entries), story.Erased, err)
	}
	h.now = func() time.Time { return doc.Due.Add(time.Second) }
	due, err := h.eraseDue(ctx, false)
	if err != nil || len(due.Erasures) != 1 || due.Erasures[0].Attempts != 1 || due.Erasures[0].Keys == 0 || due.Erasures[0].Due != nil {
		t.Errorf("eraseDue = %+v, %v, want the rest erased", due, err)
	}
	if v, err := journal.Verify(h.journalDir()); err != nil || !v.OK {
		t.Errorf("the chain does not hold: %+v, %v", v, err)
	}
	if left, err := h.store.Holdings(ctx, n); err != nil || left.Attempts != 0 {
		t.Errorf("%+v, %v is left", left, err)
	}
}

// TestDutiesThatAreOver keep nothing.
func TestDutiesThatAreOver(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var d duties
	d.keep(now, now, stayDoc{What: "over"}, &d.journal)
	if !d.due().IsZero() || len(d.stays) != 0 {
		t.Errorf("%+v keeps something", d)
	}
	d.keep(now, now.Add(2*time.Hour), stayDoc{What: "long"}, &d.journal, &d.attempts)
	d.keep(now, now.Add(time.Hour), stayDoc{What: "short"}, &d.attempts, &d.consents)
	if !d.due().Equal(now.Add(time.Hour)) || !d.attempts.Equal(now.Add(2*time.Hour)) || !d.consents.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v: want the longest duty for each part, and the first that ends", d)
	}
}
