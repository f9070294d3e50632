package main

import (
	"encoding/json"
	"strings"
	"testing"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// TestLostImportsAreNoted: an import that was journaled and not taken in is noted,
// once; those that were taken in, and those of other files, are not.
func TestLostImportsAreNoted(t *testing.T) {
	h, _ := served(t, t.TempDir())
	ctx := t.Context()
	for _, d := range []journal.ImportedDetail{
		{Register: "rpo", Seller: "acme", Import: "01TAKEN", File: "a.zip"},
		{Register: "rpo", Seller: "acme", Import: "02LOST", File: "b.zip"},
		{Register: consentsFile, Seller: "acme", Import: "03CONSENTS", File: "c.csv"},
		{Register: "tps", Import: "04LIST", File: "tps.txt"},
	} {
		if err := h.record(ctx, journal.Record{Kind: journal.Imported}, importedDetail{ImportedDetail: d}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.store.Commit(ctx, dnc.Import{ID: "01TAKEN", Register: "rpo", Seller: "acme"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.noteLostImports(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var notes []string
	for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{Kinds: []journal.Kind{journal.Note}}) {
		if err != nil {
			t.Fatal(err)
		}
		var d journal.NoteDetail
		if err := json.Unmarshal(r.Detail, &d); err != nil {
			t.Fatal(err)
		}
		notes = append(notes, d.Text)
	}
	if len(notes) != 1 || !strings.HasPrefix(notes[0], notTaken("02LOST")) || !strings.Contains(notes[0], "b.zip") {
		t.Errorf("notes %q, want one about the lost import", notes)
	}
}
