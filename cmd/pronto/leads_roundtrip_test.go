package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pronto/campaigns"
	"pronto/dialer"
)

// TestExportLoadsAgain: what is exported and loaded with its history into a fresh
// campaign exports the same.
func TestExportLoadsAgain(t *testing.T) {
	path, _ := testConfig(t)
	conf, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), t.TempDir(), houseOptions{what: "test", config: conf})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	trip := roundTrip{h: h}
	rapid.Check(t, func(r *rapid.T) {
		from, to := trip.campaign(r), trip.campaign(r)
		list := drawList(r)
		trip.load(r, from, list, false)
		trip.call(r, from)
		first := trip.export(r, from)
		trip.load(r, to, first, true)
		if diff := cmp.Diff(first, trip.export(r, to)); diff != "" {
			r.Fatalf("list\n%s\nexports of first and second campaign (-first +second):\n%s", list, diff)
		}
	})
}

// roundTrip is a house in which lists go round.
type roundTrip struct {
	h    *house
	made int
	seq  uint64
}

func (x *roundTrip) campaign(r *rapid.T) string {
	x.made++
	name := fmt.Sprintf("trip-%d", x.made)
	c := campaigns.Default()
	c.Name, c.Seller, c.Jurisdiction, c.CallerIDs = name, "acme", "it", []campaigns.Number{"+390612345678"}
	if _, err := x.h.store.PutCampaign(context.Background(), dialer.CampaignRecord{Campaign: c, State: dialer.Stopped}); err != nil {
		r.Fatal(err)
	}
	return name
}

func (x *roundTrip) load(r *rapid.T, campaign, list string, history bool) {
	answer, err := loadLeads(context.Background(), x.h, loadArgs{Campaign: campaign, File: "list.csv", History: history}, request{body: strings.NewReader(list)})
	if err != nil {
		r.Fatalf("%v in\n%s", err, list)
	}
	if err := answer.work(untold, func(loadedDoc) error { return nil }, io.Discard); err != nil {
		r.Fatalf("%v in\n%s", err, list)
	}
	if answer.doc.Rejected+answer.doc.Duplicate > 0 {
		r.Fatalf("%+v in\n%s", answer.doc.Rejects, list)
	}
}

func (x *roundTrip) export(r *rapid.T, campaign string) string {
	e, err := exportLeads(context.Background(), x.h, leadsArgs{Campaign: campaign, Format: "csv"}, request{})
	if err != nil {
		r.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := e.WriteTo(&out); err != nil {
		r.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil {
		r.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=@", rune(cell[0])) {
				r.Fatalf("a spreadsheet would run %q", cell)
			}
		}
	}
	return out.String()
}

// call settles attempts on some of the leads.
func (x *roundTrip) call(r *rapid.T, campaign string) {
	leads, err := x.h.store.Lease(context.Background(), campaign, "n1", campaigns.Draw{N: rapid.IntRange(0, 3).Draw(r, "called")}, time.Now())
	if err != nil {
		r.Fatal(err)
	}
	for _, l := range leads {
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_800_000_000).Draw(r, "at"), 0)
		a := dialer.Attempt{ID: fmt.Sprintf("A%d", x.seq), Lead: l.ID, Campaign: campaign, Number: l.Number, At: at, RetryAt: at}
		end := a
		end.Outcome = rapid.SampledFrom([]campaigns.Outcome{campaigns.Busy, campaigns.NoAnswer, campaigns.Bridged}).Draw(r, "outcome")
		end.Disposition = rapid.SampledFrom([]string{"", "sale", "=1+1"}).Draw(r, "disposition")
		end.RetryAt, end.Done = at.Add(time.Hour), rapid.Bool().Draw(r, "done")
		end.Callback, end.Agent = rapid.Bool().Draw(r, "callback"), rapid.SampledFrom([]string{"", "ada"}).Draw(r, "agent")
		end.Answers = rapid.SampledFrom([]map[string]string{nil, {"budget": "-5", "When?": "@noon"}}).Draw(r, "answers")
		if n := len(l.Numbers); n > 1 {
			end.NextNumber = rapid.IntRange(0, n).Draw(r, "next")
		}
		changes := []dialer.Change{{Attempt: a, Seq: x.seq + 1}, {Attempt: end, Settled: true, Seq: x.seq + 2}}
		x.seq += 2
		if err := x.h.store.Apply(context.Background(), changes); err != nil {
			r.Fatal(err)
		}
	}
}

// drawList writes a list of leads with awkward values.
func drawList(r *rapid.T) string {
	value := rapid.SampledFrom([]string{
		"", "Ada", "née Löw", `a "b"`, "a,b", "a;b", "=1+1", "+39", "-", "-3", "@x", "'=1", "''@", "'", "+1 2", "two\nlines", "sep=;", "null", "|", " x",
	})
	heads := []string{"id", "phone", "phone_type", "mobile", "landline", "name", "address", "region", "language", "priority", "best_hours"}
	more := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"city", "field:due", "field:field:x", "=sum", "answer:x", "a,b", "-1", "field:City", "attempts", "done", "field:phone", "field:name", "rejectx", "agent",
	}), 0, 6, rapid.ID[string]).Draw(r, "fields")
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write(append(heads, more...)) // a Builder takes everything
	for i := range rapid.IntRange(0, 6).Draw(r, "rows") {
		id := ""
		if rapid.Bool().Draw(r, "id") {
			id = fmt.Sprintf("=crm-%d", i)
		}
		row := []string{
			id, fmt.Sprintf("+3906123456%02d", i), rapid.SampledFrom([]string{"", "home", "casa", "=x", "ufficio"}).Draw(r, "type"),
			rapid.SampledFrom([]string{"", fmt.Sprintf("35610000%02d", i)}).Draw(r, "mobile"), rapid.SampledFrom([]string{"", "0212345678"}).Draw(r, "landline"),
			value.Draw(r, "name"), value.Draw(r, "address"), value.Draw(r, "region"), value.Draw(r, "language"),
			rapid.SampledFrom([]string{"", "-3", "7"}).Draw(r, "priority"), rapid.SampledFrom([]string{"", "mon-fri 9:00-12:00, 14:00-24:00; sun 10:00-11:00"}).Draw(r, "hours"),
		}
		for range more {
			row = append(row, value.Draw(r, "field"))
		}
		_ = w.Write(row) // as above
	}
	w.Flush()
	return out.String()
}
