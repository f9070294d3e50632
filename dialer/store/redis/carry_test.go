package redis_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
	"pronto/dnc"
)

// carried is what both stores are asked about.
type carried interface {
	campaigns.LeadStore
	campaigns.LeadIndex
	dialer.Attempts
	dialer.Campaigns
	dialer.Accounts
	dnc.OptOuts
	dnc.Consents
	dnc.History
	dnc.LeadHistory
	dnc.Showings
	dnc.Screenings
	EachLead(ctx context.Context, campaign string, visit func(campaigns.Lead) error) error
	LeadCounts(ctx context.Context, campaign string, now time.Time) (store.LeadCounts, error)
	CountOptOuts(ctx context.Context) (int, error)
	EachOptOut(ctx context.Context, visit func(dnc.OptOut) error) error
	Imports(ctx context.Context, register string) ([]dnc.Import, error)
	Holds(ctx context.Context) ([]store.Hold, error)
	Erasures(ctx context.Context, due time.Time) ([]store.Erasure, error)
	Advice(ctx context.Context, hash string) (store.Advice, bool, error)
	Loads(ctx context.Context, campaign string) ([]store.Load, error)
	Close() error
}

// told is all that a store says of what filled put into it. Ids of leads are numbers in order.
type told struct {
	Leads     []campaigns.Lead
	Counts    store.LeadCounts
	Touches   []dnc.Touch
	Called    [][]time.Time
	OptOuts   []string
	Listed    int
	Nameless  int
	Consents  int
	Verdicts  []dnc.Screening
	Shown     int
	Open      []dialer.Attempt
	Campaigns []dialer.CampaignRecord
	Accounts  []dialer.Account
	Imports   []dnc.Import
	Holds     []store.Hold
	Erasures  []store.Erasure
	Advice    store.Advice
	Loads     []store.Load
	Applied   uint64
}

// people are the numbers that filled knows something of.
const people = 12

// tell asks a store.
func tell(t *testing.T, s carried) told {
	t.Helper()
	ctx := t.Context()
	var o told
	order := map[campaigns.LeadID]campaigns.LeadID{0: 0}
	check(t, s.EachLead(ctx, "spring", func(l campaigns.Lead) error {
		at, err := s.LeadAttempts(ctx, l.ID, time.Time{})
		o.Called = append(o.Called, at)
		order[l.ID] = campaigns.LeadID(len(order))
		l.ID = order[l.ID]
		o.Leads = append(o.Leads, l)
		return err
	}))
	var err error
	o.Counts, err = s.LeadCounts(ctx, "spring", monday.Add(time.Hour))
	check(t, err)
	for i := range people {
		touch, err := s.Touches(ctx, "acme", number(i), time.Time{})
		check(t, err)
		o.Touches = append(o.Touches, touch)
		out, is, err := s.OptedOut(ctx, number(i), "acme", "spring")
		check(t, err)
		o.OptOuts = append(o.OptOuts, fmt.Sprint(is, out.At, out.Source, out.Seller))
		all, err := s.Consents(ctx, "acme", number(i))
		check(t, err)
		o.Consents += len(all)
		v, _, err := s.Screening(ctx, "rpo", "acme", number(i))
		check(t, err)
		o.Verdicts = append(o.Verdicts, v)
	}
	check(t, s.EachOptOut(ctx, func(e dnc.OptOut) error {
		if e.Number == "" {
			o.Nameless++
		}
		return nil
	}))
	o.Listed, err = s.CountOptOuts(ctx)
	check(t, err)
	o.Shown, err = s.Shown(ctx, "+390612345678", monday)
	check(t, err)
	o.Open, err = s.Unsettled(ctx)
	check(t, err)
	for i := range o.Open {
		o.Open[i].Lead = order[o.Open[i].Lead]
	}
	o.Campaigns, err = s.Campaigns(ctx)
	check(t, err)
	o.Accounts, err = s.Accounts(ctx)
	check(t, err)
	o.Imports, err = s.Imports(ctx, "")
	check(t, err)
	o.Holds, err = s.Holds(ctx)
	check(t, err)
	o.Erasures, err = s.Erasures(ctx, monday.Add(24*time.Hour))
	check(t, err)
	o.Advice, _, err = s.Advice(ctx, "hash")
	check(t, err)
	o.Loads, err = s.Loads(ctx, "spring")
	check(t, err)
	o.Applied, err = s.Applied(ctx)
	check(t, err)
	return o
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filler is a store that can be filled.
type filler interface {
	carried
	dnc.OptOutSink
	dnc.ConsentSink
	dnc.ScreeningSink
	LoadLeads(ctx context.Context, campaign, list string, at time.Time) (campaigns.LeadSink, error)
	PutCampaign(ctx context.Context, r dialer.CampaignRecord) (created bool, err error)
	PutAccount(ctx context.Context, a dialer.Account) (created bool, err error)
	PutHold(ctx context.Context, h store.Hold) error
	PutErasure(ctx context.Context, e store.Erasure) error
	PutAdvice(ctx context.Context, a store.Advice) error
	EraseNumber(ctx context.Context, n campaigns.Number, parts store.EraseParts) error
}

// fill puts something of every kind into a store.
func fill(t *testing.T, s filler) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{"gone", "spring"} {
		_, err := s.PutCampaign(ctx, dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: name, Seller: "acme"}, Source: "x", State: dialer.Running, CreatedAt: monday, UpdatedAt: monday})
		check(t, err)
	}
	_, err := s.PutAccount(ctx, dialer.Account{Name: "ada", HA1: "00", Codec: "pcma"})
	check(t, err)
	fillLeads(t, s)
	fillAttempts(t, s)
	added, err := s.AddOptOuts(ctx, []dnc.OptOut{
		{Number: number(3), At: monday, Source: "cli"}, {Number: number(4), Seller: "acme", At: monday, Source: "file"}, {Number: number(900), At: monday, Source: "erased"},
	})
	if check(t, err); added != 3 {
		t.Fatalf("added %d opt-outs", added)
	}
	check(t, s.EraseNumber(ctx, number(900), store.EraseParts{Leads: true, Consents: true, Attempts: true, Listed: true}))
	check(t, s.AddConsents(ctx, []dnc.Consent{{ID: "c1", Number: number(1), Seller: "acme", Basis: dnc.ByConsent, GivenAt: monday, Source: "web"}}))
	for i, id := range []string{"imp1", "imp2"} {
		at := monday.Add(time.Duration(i) * time.Hour)
		check(t, s.Stage(ctx, id, []dnc.Screening{
			{Register: "rpo", Seller: "acme", Number: number(i), Registered: true, CheckedAt: at, Since: monday.Add(-time.Hour)}, {Register: "rpo", Seller: "acme", Number: number(7), Registered: i == 0, CheckedAt: at},
		}))
		check(t, s.Commit(ctx, dnc.Import{ID: id, Register: "rpo", Seller: "acme", Rows: 2, At: at}))
	}
	check(t, s.Stage(ctx, "imp3", []dnc.Screening{{Register: "rpo", Seller: "acme", Number: number(2), Registered: true, CheckedAt: monday}}))
	check(t, s.PutHold(ctx, store.Hold{Number: number(5), Reason: "case", Who: "ada", At: monday}))
	check(t, s.PutErasure(ctx, store.Erasure{Number: number(6), Asked: monday, Who: "ada", Due: monday.Add(time.Hour)}))
	check(t, s.PutAdvice(ctx, store.Advice{Rules: "hash", File: "own.yaml", Who: "ada", At: monday}))
}

func fillLeads(t *testing.T, s filler) {
	t.Helper()
	for _, campaign := range []string{"gone", "spring", "spring"} {
		l, err := s.LoadLeads(t.Context(), campaign, "early", monday)
		check(t, err)
		leads := make([]campaigns.Lead, 300)
		for i := range leads {
			leads[i] = campaigns.Lead{Number: number(i), Name: "Ada", Priority: i % 3, Fields: map[string]string{"city": "Roma"}, Zone: "Europe/Rome"}
			if i%2 == 0 {
				leads[i].External = fmt.Sprint("crm-", i)
			}
		}
		leads[9].Numbers = []campaigns.LeadNumber{{Number: number(9), Type: "home"}, {Number: number(10)}}
		check(t, l.Stage(t.Context(), leads))
		_, _, _, err = l.Commit(t.Context())
		check(t, err)
	}
}

func fillAttempts(t *testing.T, s filler) {
	t.Helper()
	var leads []campaigns.Lead
	check(t, s.EachLead(t.Context(), "spring", func(l campaigns.Lead) error {
		leads = append(leads, l)
		return nil
	}))
	var seq uint64
	for i, end := range []dialer.Attempt{
		{Outcome: campaigns.Busy},
		{Outcome: campaigns.Abandoned},
		{Outcome: campaigns.Bridged, Disposition: "sale", Done: true, Answers: map[string]string{"q": "a"}},
		{Outcome: campaigns.Bridged, Callback: true, Agent: "ada", Disposition: "callback"},
		{Outcome: campaigns.Bridged, Refusal: true, Done: true},
		{},
	} {
		begun := dialer.Attempt{
			ID: fmt.Sprintf("01J%023d", i), Lead: leads[i].ID, Campaign: "spring", Seller: "acme", Number: leads[i].Number, CallerID: "+390612345678", At: monday.Add(time.Duration(i) * time.Minute), RetryAt: monday.Add(4 * time.Hour),
		}
		seq++
		check(t, s.Apply(t.Context(), []dialer.Change{{Attempt: begun, Seq: seq}}))
		if end.Outcome == "" {
			continue // it has no end yet
		}
		end.ID, end.Lead, end.Campaign, end.Seller, end.Number, end.CallerID, end.At = begun.ID, begun.Lead, begun.Campaign, begun.Seller, begun.Number, begun.CallerID, begun.At
		end.RetryAt = monday.Add(time.Duration(10+i) * time.Hour)
		seq++
		check(t, s.Apply(t.Context(), []dialer.Change{{Attempt: end, Settled: true, Seq: seq}}))
	}
}

// emptyFolder opens a store in a folder with the key of another one.
func emptyFolder(t *testing.T, keyOf string) *store.Store {
	t.Helper()
	dir := t.TempDir()
	key, err := os.ReadFile(filepath.Join(keyOf, store.KeyName))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, store.KeyName), key, 0o600))
	s, err := store.Open(t.Context(), dir)
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// sameState compares what two stores say. Only the first knows of loads what undoes them.
var sameState = cmp.Options{
	cmpopts.EquateEmpty(), cmpopts.IgnoreFields(store.Load{}, "ID", "First", "Last", "Lasting"), cmpopts.IgnoreFields(dialer.Attempt{}, "CallerID"),
}

// TestTake: the state of a data folder goes to Redis, and from there into a folder and to another
// Redis: nothing is lost on the way.
func TestTake(t *testing.T) {
	t.Parallel()
	thereAndBack(t, startServer(t).url("?fsync=any&prefix="))
}

func thereAndBack(t *testing.T, url string) {
	t.Helper()
	dir := t.TempDir()
	from, err := store.Open(t.Context(), dir)
	check(t, err)
	t.Cleanup(func() { _ = from.Close() })
	fill(t, from)
	want := tell(t, from)
	if len(want.Leads) != 300 || len(want.Open) != 1 || want.Nameless != 1 || want.Listed != 3 || want.Shown != 6 {
		t.Fatalf("the store was filled with %d leads, %d open attempts, %d entries, %d calls of a caller ID", len(want.Leads), len(want.Open), want.Listed, want.Shown)
	}
	at := func(prefix string) redis.Options {
		return redis.Options{URL: url + prefix, Node: "node1", Dir: dir, Wait: 20 * time.Second}
	}
	check(t, redis.Take(t.Context(), at("a:"), from, nil))
	first := open(t, at("a:"))
	if diff := cmp.Diff(want, tell(t, first), sameState); diff != "" {
		t.Errorf("on Redis (-want +got):\n%s", diff)
	}
	back := emptyFolder(t, dir)
	marks, err := first.Give(t.Context(), back)
	check(t, err)
	if m := marks["node1"]; m.Applied != 11 || len(m.Open) != 1 {
		t.Errorf("the marks are %+v", marks)
	}
	if diff := cmp.Diff(want, tell(t, back), sameState); diff != "" {
		t.Errorf("back in a folder (-want +got):\n%s", diff)
	}
	marks["node2"] = redis.Mark{Applied: 77}
	check(t, redis.Take(t.Context(), at("b:"), back, marks))
	second := open(t, at("b:"))
	if diff := cmp.Diff(want, tell(t, second), sameState); diff != "" {
		t.Errorf("on another Redis (-want +got):\n%s", diff)
	}
	sameLeases(t, from, first, second)
}

// open opens a store until the test ends.
func open(t *testing.T, o redis.Options) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// sameLeases: leads come in the same order, those on the two Redis with the same ids, and a lead
// that is leased is found by its list again.
func sameLeases(t *testing.T, from *store.Store, first, second *redis.Store) {
	t.Helper()
	later := monday.Add(11 * time.Hour)
	var all [][]campaigns.Lead
	for _, s := range []carried{from, first, second} {
		leads, err := s.Lease(t.Context(), "spring", "node1", campaigns.Draw{N: 500}, later)
		check(t, err)
		all = append(all, leads)
		known, err := s.MatchLeads(t.Context(), "spring", []campaigns.Lead{{External: "crm-8", Number: number(77)}, {Number: number(11)}}, "acme")
		check(t, err)
		if !known[0].Known || !known[1].Known || known[1].Elsewhere != "gone" {
			t.Errorf("%T does not know the list's leads: %+v", s, known)
		}
	}
	ignore := cmp.Options{sameState, cmpopts.IgnoreFields(campaigns.Lead{}, "ID")}
	if diff := cmp.Diff(all[0], all[1], ignore); diff != "" || len(all[0]) != 296 {
		t.Errorf("%d leads leased (-folder +Redis):\n%s", len(all[0]), diff)
	}
	if diff := cmp.Diff(all[1], all[2], sameState); diff != "" {
		t.Errorf("leased (-first Redis +second):\n%s", diff)
	}
}

// TestTakeInto: a Redis that holds a state is left alone, and one that a Take left by half lets
// nobody in until it was done again.
func TestTakeInto(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, err := store.Open(t.Context(), dir)
	check(t, err)
	t.Cleanup(func() { _ = from.Close() })
	fill(t, from)
	srv := startServer(t)
	o := redis.Options{URL: srv.url("?fsync=any"), Node: "node1", Dir: dir, Wait: 20 * time.Second}
	ended, end := context.WithCancel(t.Context())
	db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
	defer db.Close()
	go func() {
		for db.Exists(t.Context(), "pronto:{c2}n").Val() == 0 && t.Context().Err() == nil {
		}
		end()
	}()
	if err := redis.Take(ended, o, from, nil); err == nil {
		t.Fatal("a Take that was ended gave no error")
	}
	if _, err := redis.Open(t.Context(), o); !errors.Is(err, redis.ErrHalfTaken) {
		t.Errorf("Open of a state that is there by half = %v", err)
	}
	check(t, redis.Take(t.Context(), o, from, nil))
	s := open(t, o)
	if diff := cmp.Diff(tell(t, from), tell(t, s), sameState); diff != "" {
		t.Errorf("taken again (-want +got):\n%s", diff)
	}
	if err := redis.Take(t.Context(), o, from, nil); !errors.Is(err, redis.ErrNotEmpty) {
		t.Errorf("Take into a Redis in use = %v", err)
	}
}
