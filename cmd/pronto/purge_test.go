package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/report"
	"pronto/dialer/store"
	"pronto/dnc"
)

// aged is a house with the sample campaign, stopped, three leads that it called, a
// verdict on each, and its clock moved on by three years and a month.
func aged(t *testing.T) (*house, *globals) {
	t.Helper()
	h, g := served(t, t.TempDir())
	apply(t, g)
	list := "phone\n+390655500003\n+390655500006\n+390655500009\n"
	if _, err := askLoad(t.Context(), g, loadArgs{Campaign: "demo-it", File: "list.csv"}, strings.NewReader(list), untold, io.Discard); err != nil {
		t.Fatal(err)
	}
	verdicts := "0655500003,0,2026-11-20\n0655500006,0,2026-11-20\n0655500009,0,2026-11-20\n"
	imported := importArgs{Register: "rpo", File: "rpo.csv", NoSubmission: true, Reason: "first list"}
	if _, err := askAny(t.Context(), g, "dnc import", imported, strings.NewReader(verdicts)); err != nil {
		t.Fatal(err)
	}
	for i, l := range sortedLeads(t, h) {
		if err := dialed(t.Context(), h, fmt.Sprintf("A%d", i), l); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask[setDoc](t.Context(), g, "campaign set", setArgs{Name: "demo-it", State: dialer.Running, What: "campaign started"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ask[setDoc](t.Context(), g, "campaign set", setArgs{Name: "demo-it", State: dialer.Stopped, What: "campaign stopped"}, nil); err != nil {
		t.Fatal(err)
	}
	then := h.now()
	h.now = func() time.Time { return then.AddDate(3, 1, 0) }
	return h, g
}

func sortedLeads(t *testing.T, h *house) []campaigns.Lead {
	t.Helper()
	all := leadsOf(t, h)
	var list []campaigns.Lead
	for _, n := range []campaigns.Number{"+390655500003", "+390655500006", "+390655500009"} {
		list = append(list, all[n])
	}
	return list
}

// rowsOf are the rows of a purge, by what and of whom.
func rowsOf(doc purgeDoc) map[string]int {
	all := map[string]int{}
	for _, r := range doc.Removed {
		all[r.What] += r.Count
	}
	return all
}

func TestPurge(t *testing.T) {
	h, g := aged(t)
	ctx := t.Context()
	held := store.Hold{Number: "+390655500009", Reason: "case 7", Who: "anna", At: h.now()}
	if _, err := ask[holdsDoc](ctx, g, "hold add", holdArgs{What: string(held.Number), Reason: held.Reason}, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"leads": 2, "attempts": 2, "screenings": 2, "consents": 0, "people in the journal": 2}
	for _, dry := range []bool{true, true, false} {
		doc, err := ask[purgeDoc](ctx, g, "purge", purgeArgs{DryRun: dry}, nil)
		if err != nil || fmt.Sprint(rowsOf(doc)) != fmt.Sprint(want) {
			t.Fatalf("purge (dry %v) = %v, %v, want %v", dry, rowsOf(doc), err, want)
		}
	}
	doc, err := ask[purgeDoc](ctx, g, "purge", purgeArgs{}, nil)
	if err != nil || rowsOf(doc)["leads"]+rowsOf(doc)["people in the journal"] != 0 {
		t.Errorf("a second purge finds %v, %v", rowsOf(doc), err)
	}
	for n, left := range map[campaigns.Number]bool{"+390655500003": false, held.Number: true} {
		have, err := h.store.Holdings(ctx, n)
		if err != nil || (have.Leads == 1 && have.Attempts == 1 && have.Verdicts == 1) != left || (have.Leads+have.Attempts+have.Verdicts == 0) == left {
			t.Errorf("%s: %+v, %v is left", n, have, err)
		}
		story, err := report.ReadStory(journal.Folders{h.journalDir()}, string(n), report.Origins{})
		if err != nil || story.Erased == left {
			t.Errorf("%s: erased in the journal %v, %v", n, story.Erased, err)
		}
	}
	if v, err := journal.Verify(h.journalDir()); err != nil || !v.OK {
		t.Errorf("the chain does not hold: %+v, %v", v, err)
	}
	purges := 0
	for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{Kinds: []journal.Kind{journal.Config}}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(r.Detail), `"purged"`) && strings.Contains(string(r.Detail), `"it.keep.calls"`) {
			purges++
		}
	}
	if purges != 1 {
		t.Errorf("%d purges with their rules in the journal, want 1", purges)
	}
	if _, err := ask[holdsDoc](ctx, g, "hold remove", holdArgs{What: string(held.Number), Reason: "settled"}, nil); err != nil {
		t.Fatal(err)
	}
	if doc, err = ask[purgeDoc](ctx, g, "purge", purgeArgs{}, nil); err != nil || rowsOf(doc)["leads"] != 1 || rowsOf(doc)["people in the journal"] != 1 {
		t.Errorf("after the hold: %v, %v", rowsOf(doc), err)
	}
	if _, err := ask[holdsDoc](ctx, g, "hold remove", holdArgs{What: string(held.Number), Reason: "settled"}, nil); err == nil {
		t.Error("a hold was taken off twice")
	}
}

// TestPurgeKeepsWhatIsYoung, and all of a campaign on hold.
func TestPurgeKeepsWhatIsYoung(t *testing.T) {
	h, g := aged(t)
	then := h.now()
	for name, at := range map[string]time.Time{"a year later": then.AddDate(-2, 0, 0), "the day before": then.AddDate(-1, -1, -1)} {
		h.now = func() time.Time { return at }
		if doc, err := ask[purgeDoc](t.Context(), g, "purge", purgeArgs{DryRun: true}, nil); err != nil || rowsOf(doc)["leads"]+rowsOf(doc)["attempts"]+rowsOf(doc)["people in the journal"] != 0 {
			t.Errorf("%s: %v, %v would go", name, rowsOf(doc), err)
		}
	}
	h.now = func() time.Time { return then }
	if _, err := ask[holdsDoc](t.Context(), g, "hold add", holdArgs{What: "demo-it", Reason: "case 8"}, nil); err != nil {
		t.Fatal(err)
	}
	doc, err := ask[purgeDoc](t.Context(), g, "purge", purgeArgs{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, n := range rowsOf(doc) {
		if n != 0 {
			t.Errorf("%d %s of a campaign on hold went", n, what)
		}
	}
	list, err := ask[holdsDoc](t.Context(), g, "hold list", struct{}{}, nil)
	if err != nil || len(list.Holds) != 1 || list.Holds[0].Campaign != "demo-it" || list.Holds[0].Reason != "case 8" || list.Holds[0].Who != whoami() {
		t.Errorf("legal-hold list = %+v, %v", list, err)
	}
}

// TestErasureUnderHold: a hold on the number, or on a campaign that has it, suspends an
// erasure; once it is off, the next round erases.
func TestErasureUnderHold(t *testing.T) {
	for _, on := range []string{"+390655500003", "demo-it"} {
		t.Run(on, func(t *testing.T) {
			h, g := aged(t)
			ctx := t.Context()
			const n = campaigns.Number("+390655500003")
			if _, err := ask[holdsDoc](ctx, g, "hold add", holdArgs{What: on, Reason: "case 9"}, nil); err != nil {
				t.Fatal(err)
			}
			for _, dry := range []bool{true, false, false} {
				doc, err := h.erase(ctx, n, "bruno", dry)
				if err != nil || doc.Leads+doc.Attempts+doc.Verdicts+doc.Keys != 0 || len(doc.Stays) != 1 || !doc.Stays[0].Held || !strings.Contains(doc.Stays[0].Why, "case 9") {
					t.Fatalf("erase (dry %v) under a hold = %+v, %v", dry, doc, err)
				}
			}
			if have, err := h.store.Holdings(ctx, n); err != nil || have.Leads != 1 || have.Attempts != 1 {
				t.Errorf("%+v, %v is left under a hold", have, err)
			}
			if due, err := h.eraseDue(ctx, false); err != nil || len(due.Erasures) != 1 || due.Erasures[0].Leads != 0 {
				t.Errorf("eraseDue under a hold = %+v, %v", due, err)
			}
			if _, err := ask[holdsDoc](ctx, g, "hold remove", holdArgs{What: on, Reason: "settled"}, nil); err != nil {
				t.Fatal(err)
			}
			due, err := h.eraseDue(ctx, false)
			if err != nil || len(due.Erasures) != 1 || due.Erasures[0].Leads != 1 || due.Erasures[0].Keys == 0 {
				t.Errorf("eraseDue after the hold = %+v, %v", due, err)
			}
			notes := 0
			for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{Kinds: []journal.Kind{journal.Note}}) {
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(r.Detail), "legal hold forbids") {
					notes++
				}
			}
			if notes != 1 {
				t.Errorf("the journal notes it %d times, want once", notes)
			}
		})
	}
}

// TestPurgedConsents: those that ended long ago go where a rule says so.
func TestPurgedConsents(t *testing.T) {
	h, _ := served(t, t.TempDir())
	s, err := h.embedded("test")
	if err != nil {
		t.Fatal(err)
	}
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	err = s.AddConsents(t.Context(), []dnc.Consent{
		{ID: "ended", Seller: "a", Number: "+491701234567", GivenAt: old, Ends: old.AddDate(1, 0, 0), Basis: "consent", Source: "form"},
		{ID: "in force", Seller: "a", Number: "+491701234568", GivenAt: old, Basis: "consent", Source: "form"},
		{ID: "held", Seller: "a", Number: "+491701234569", GivenAt: old, Ends: old.AddDate(1, 0, 0), Basis: "consent", Source: "form"},
		{ID: "another's", Seller: "b", Number: "+491701234567", GivenAt: old, Ends: old.AddDate(1, 0, 0), Basis: "consent", Source: "form"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := store.Purge{Kind: store.PurgeConsents, Seller: "a", Before: old.AddDate(3, 0, 0), Except: []campaigns.Number{"+491701234569"}}
	if n, err := s.Purge(t.Context(), p); n != 1 || err != nil {
		t.Errorf("%d consents went, %v, want the one that ended", n, err)
	}
}
