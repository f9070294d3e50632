package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

// TestListsOf: each lead counts once in its list, by what the journal says of it.
func TestListsOf(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var all []journal.Record
	say := func(kind journal.Kind, lead int64, attempt string, change func(*journal.Record)) {
		r := journal.Record{At: at, Kind: kind, Campaign: "spring", Lead: lead, Attempt: attempt}
		if change != nil {
			change(&r)
		}
		all = append(all, r)
	}
	for _, attempt := range []string{"a", "b"} { // lead 1: two calls, the second reached and sold; an INVITE again after a challenge
		say(journal.Cleared, 1, attempt, nil)
		say(journal.Invited, 1, attempt, nil)
		say(journal.Invited, 1, attempt, nil)
		if attempt == "b" {
			say(journal.Connected, 1, attempt, nil)
			say(journal.Disposed, 1, attempt, func(r *journal.Record) { r.Outcome = "sale" })
		}
		say(journal.Ended, 1, attempt, nil)
	}
	say(journal.Refused, 2, "c", func(r *journal.Record) { r.Reason = "registered" }) // never allowed
	say(journal.Refused, 2, "d", func(r *journal.Record) { r.Reason = "opted_out" })
	say(journal.Refused, 3, "e", func(r *journal.Record) { r.Reason = "outside_hours" }) // allowed later, and abandoned
	say(journal.Cleared, 3, "f", nil)
	say(journal.Invited, 3, "f", nil)
	say(journal.Abandoned, 3, "f", nil)
	say(journal.Cleared, 11, "g", nil) // of the second list: reached, no sale
	say(journal.Invited, 11, "g", nil)
	say(journal.Connected, 11, "g", nil)
	say(journal.Ended, 11, "g", func(r *journal.Record) {
		r.Detail = journal.Detailed(journal.EndedDetail{Settled: journal.SettledDetail{Disposition: "not_interested"}})
	})
	say(journal.Cleared, 99, "h", nil)                                                   // of none
	say(journal.Cleared, 1, "i", func(r *journal.Record) { r.Campaign = "autumn" })      // another's
	say(journal.Connected, 2, "j", func(r *journal.Record) { r.At = at.Add(time.Hour) }) // behind the span
	lists := []List{
		{Campaign: "spring", Load: 7, File: "old.csv", Leads: 10, First: 1, Last: 10},
		{Campaign: "spring", Load: 9, File: "new.csv", Leads: 5, First: 11, Last: 15},
	}
	got, err := ListsOf(records(all...), ListsOptions{Options: Options{Campaign: "spring", To: at.Add(time.Minute)}, Lists: lists})
	if err != nil || len(got.Lists) != 3 {
		t.Fatalf("ListsOf = %+v, %v", got, err)
	}
	for i, want := range []string{
		"0 leads 1 asked 1 callable 1 refused map[] dialed 0 attempts 0 reached 0 abandoned 0 map[] conversion 0",
		"7 leads 10 asked 3 callable 2 refused map[opted_out:1] dialed 2 attempts 3 reached 1 abandoned 1 map[sale:1] conversion 1",
		"9 leads 5 asked 1 callable 1 refused map[] dialed 1 attempts 1 reached 1 abandoned 0 map[not_interested:1] conversion 0",
	} {
		l := got.Lists[i]
		text := fmt.Sprintf("%d leads %d asked %d callable %d refused %v dialed %d attempts %d reached %d abandoned %d %v conversion %v",
			l.Load, l.Leads, l.Asked, l.Callable, l.Refused, l.Dialed, l.Attempts, l.Reached, l.Abandoned, l.Dispositions, l.Conversion)
		if text != want {
			t.Errorf("list %d:\n%s\nwant\n%s", i, text, want)
		}
	}
	var text, table bytes.Buffer
	if err := errors.Join(got.WriteText(&text), got.WriteCSV(&table)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"7 old.csv", "50.00 %", "opted_out", "other leads"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if !strings.Contains(table.String(), "spring,,7,old.csv,refused,opted_out,1\n") {
		t.Errorf("CSV is\n%s", table.String())
	}
}

// TestListsOfNames: the loads of one list are one, or each for itself.
func TestListsOfNames(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var all []journal.Record
	for _, lead := range []int64{1, 12, 23, 31, 99} {
		all = append(all, journal.Record{At: at, Kind: journal.Cleared, Campaign: "spring", Lead: lead, Attempt: fmt.Sprint(lead)})
	}
	opt := ListsOptions{Lists: []List{ // the newest first
		{Campaign: "spring", Load: 4, File: "late.csv", At: at, Leads: 4, First: 31, Last: 34},
		{Campaign: "spring", Name: "autumn", Load: 3, File: "new.csv", At: at, Leads: 3, First: 21, Last: 23},
		{Campaign: "spring", Name: "winter", Load: 2, File: "cold.csv", At: at, Leads: 5, First: 11, Last: 15},
		{Campaign: "spring", Name: "autumn", Load: 1, File: "old.csv", At: at.Add(-time.Hour), Leads: 10, First: 1, Last: 10},
	}}
	for _, c := range []struct {
		perLoad bool
		want    string
	}{
		{false, "other leads 1/1; autumn new.csv 13/2; winter cold.csv 5/1; 4 late.csv late.csv 4/1; "},
		{true, "other leads 1/1; autumn, 1 old.csv old.csv 10/1; winter, 2 cold.csv cold.csv 5/1; autumn, 3 new.csv new.csv 3/1; 4 late.csv late.csv 4/1; "},
	} {
		opt.PerLoad = c.perLoad
		got, err := ListsOf(records(all...), opt)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, l := range got.Lists {
			text += strings.TrimSpace(l.name(got.perLoad)+" "+l.File) + fmt.Sprintf(" %d/%d; ", l.Leads, l.Callable)
		}
		if text != c.want {
			t.Errorf("per load %v:\n%s\nwant\n%s", c.perLoad, text, c.want)
		}
	}
}
