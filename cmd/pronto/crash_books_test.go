package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// TestStoreLosesItsEnd: a store that has lost the end of what was written to it, at any
// transaction, while the journal lost nothing that it had synced before, is brought up to what
// a store comes to that is given the journal from the beginning.
func TestStoreLosesItsEnd(t *testing.T) {
	site := newCrashSite(t)
	f := site.copied(t)
	stop := f.farEnds(crashWorld(), crashAgents)
	defer stop()
	p := &proof{t: t, offset: f.offset(), notes: map[string]int{}}
	p.life(f, orders{Batches: f.path("batches")})
	p.untroubled()
	stop()
	var batches []batch
	for line := range strings.Lines(readText(f.path("batches"))) {
		var b batch
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	seed := rand.Uint64()
	t.Logf("%d transactions, seed %d", len(batches), seed)
	random := rand.New(rand.NewPCG(seed, 0))
	if len(batches) < 10 {
		t.Fatal("too few transactions to prove anything")
	}
	optedOut := map[campaigns.Number]uint64{}
	for r, err := range journal.Read(filepath.Join(f.data, journalFolder), journal.ReadOptions{Kinds: []journal.Kind{journal.OptedOut}}) {
		if err != nil {
			t.Fatal(err)
		}
		optedOut[campaigns.Number(r.Number)] = r.Seq
	}
	last := f.records()
	for kept := range len(batches) + 1 {
		known := uint64(0) // what the journal had synced when the last of them was written
		for _, b := range batches[:kept] {
			for _, c := range b.Changes {
				known = max(known, c.Seq)
			}
			for _, o := range b.OptOuts {
				known = max(known, optedOut[o.Number])
			}
		}
		first := max(known, site.records())
		cut := first + random.Uint64N(last-first+1)
		t.Run(fmt.Sprintf("%d kept, journal to %d", kept, cut), func(t *testing.T) {
			whole := f.rebuilt(t, site, nil, cut)
			if diff := cmp.Diff(whole, f.rebuilt(t, site, batches[:kept], cut)); diff != "" {
				t.Errorf("(-from the journal alone +from what was kept):\n%s", diff)
			}
		})
	}
}

// sameBooks checks that the store holds what the journal alone comes to.
func (f *field) sameBooks(t *testing.T, site *field) {
	t.Helper()
	if diff := cmp.Diff(f.rebuilt(t, site, nil, 0), readBooks(t, f.data)); diff != "" {
		t.Errorf("the store is not what the journal comes to (-journal +store):\n%s", diff)
	}
}

// records is how many the journal holds.
func (f *field) records() uint64 {
	f.t.Helper()
	v, err := journal.Verify(filepath.Join(f.data, journalFolder))
	if err != nil || !v.OK {
		f.t.Fatalf("%+v, %v", v, err)
	}
	return v.Records
}

// rebuilt is what becomes of the site's store when the changes have been written to it
// and a service starts on it with the journal of f, up to a record; 0: all of it.
func (f *field) rebuilt(t *testing.T, site *field, batches []batch, upTo uint64) books {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	err := os.CopyFS(data, os.DirFS(site.data))
	if err == nil {
		err = os.RemoveAll(filepath.Join(data, journalFolder))
	}
	if err == nil {
		err = os.CopyFS(filepath.Join(data, journalFolder), os.DirFS(filepath.Join(f.data, journalFolder)))
	}
	if err != nil {
		t.Fatal(err)
	}
	if upTo > 0 {
		cutJournal(t, filepath.Join(data, journalFolder), upTo)
	}
	s, err := store.Open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		_, e := s.AddOptOuts(t.Context(), b.OptOuts)
		err = errors.Join(err, s.Apply(t.Context(), b.Changes), e)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	recovered(t, data, f)
	return readBooks(t, data)
}

// cutJournal takes the newest segment's records behind one away.
func cutJournal(t *testing.T, dir string, last uint64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no segment in %s: %v", dir, err)
	}
	slices.Sort(names)
	name := names[len(names)-1]
	var kept bytes.Buffer
	for line := range bytes.Lines([]byte(readText(name))) {
		var r journal.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Seq <= last {
			kept.Write(line)
		}
	}
	writeFile(t, name, kept.String())
}

// recovered starts a service on a data folder that nobody else has, with no
// network, and ends it when it has recovered. Its clock stands.
func recovered(t *testing.T, data string, f *field) {
	t.Helper()
	cfg, err := loadConfig(f.config)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), data, houseOptions{what: "test", config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	clock := f.began.Add(f.offset() + time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := dialer.New(dialer.Config{
		Node: cfg.Node, Now: func() time.Time { return clock }, Log: zap.NewNop(), Trunk: noTrunk{}, Phones: noPhones{},
		Attempts: h.store, OptOuts: h.store, Consents: h.store, Book: h.store, Journal: h.journal, ReadFrom: h.journal.ReadFrom,
		Campaigns: atRest{h.store}, Accounts: endOf{cancel}, Callers: noCallers{}, CallerBook: h.store,
	})
	if err := errors.Join(s.Run(ctx), h.Close()); err != nil {
		t.Fatal(err)
	}
}

// The parts of a service that only recovers.
type (
	noTrunk   struct{ dialer.Trunk }
	noPhones  struct{ dialer.Phones }
	noCallers struct{}
	atRest    struct{ of dialer.Campaigns }
	endOf     struct{ cancel context.CancelFunc }
)

func (noTrunk) Presume(dialer.Presumed) dialer.Dialog { return dialer.Dialog{} }

func (noTrunk) Recover(context.Context, []dialer.Dialog, func(dialer.Dialog, time.Time)) {}

func (noPhones) Restore([]dialer.Binding) {}

func (noPhones) Changes() <-chan string { return nil }

func (noCallers) Take([]campaigns.Number) {}

func (noCallers) Rings() <-chan dialer.Ring { return nil }

// Campaigns implements dialer.Campaigns: none runs.
func (a atRest) Campaigns(ctx context.Context) ([]dialer.CampaignRecord, error) {
	records, err := a.of.Campaigns(ctx)
	for i := range records {
		records[i].State = dialer.Stopped
	}
	return records, err
}

// SetState implements dialer.Campaigns.
func (a atRest) SetState(context.Context, string, dialer.CampaignState, time.Time) error { return nil }

// Hasten implements dialer.Campaigns.
func (a atRest) Hasten(context.Context, string) error { return nil }

// Accounts implements dialer.Accounts: the service asks for them when it has
// recovered.
func (e endOf) Accounts(context.Context) ([]dialer.Account, error) {
	e.cancel()
	return nil, nil
}

// books is what a store holds of attempts, leads and opt-outs, row by row.
type books struct{ Attempts, Leads, OptOuts []string }

// readBooks reads the books of a data folder that nobody has. Leases are not in the
// journal, nor when a lead is due that was leased and given back.
func readBooks(t *testing.T, data string) books {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, store.FileName)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	rows := func(query string) (all []string) {
		t.Helper()
		r, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for r.Next() {
			var text string
			if err := r.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		if err := errors.Join(r.Err(), r.Close()); err != nil {
			t.Fatal(err)
		}
		return all
	}
	b := books{
		Attempts: rows(`SELECT concat_ws(' ', id, lead, campaign, seller, number, at, retry_at, settled, outcome, done, disposition, refusal) FROM attempts ORDER BY id`),
		Leads: rows(`SELECT concat_ws(' ', id, attempts, tries, last_outcome, last_attempt, CASE WHEN state < 3 THEN 0 ELSE due END, disposition,
			CASE WHEN state < 3 THEN 'waits' ELSE state END, class) FROM leads ORDER BY id`),
		OptOuts: rows(`SELECT concat_ws(' ', subject, seller, campaign, at, source) FROM optouts ORDER BY 1`),
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}
