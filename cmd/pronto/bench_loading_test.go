package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// BenchmarkDialingWhileLoading is what a campaign that dials notices of a list that is
// loaded into another: its loop's step, the gate's clearance with its evidence on
// disk, the queue's refills. PRONTO_RATE are its attempts a second (200), PRONTO_ROWS
// the rows of the list (1,000,000). Run it once:
//
//	go test ./cmd/pronto -run '^$' -bench DialingWhileLoading -benchtime 1x -timeout 30m
func BenchmarkDialingWhileLoading(b *testing.B) {
	rate, rows := benchNumber(b, "PRONTO_RATE", 200), benchNumber(b, "PRONTO_ROWS", 1_000_000)
	for range b.N {
		d := newDialing(b, rate)
		d.during(b, "alone", func() { <-time.After(20 * time.Second) })
		d.during(b, "loading", func() {
			began := time.Now()
			answer, err := loadLeads(b.Context(), d.h, loadArgs{Campaign: "other", File: "list.csv"}, request{body: someList(rows)})
			if err == nil {
				err = answer.work(untold, func(loadedDoc) error { return nil }, io.Discard)
			}
			if err != nil || answer.doc.Loaded != rows {
				b.Fatalf("%d rows loaded, %v", answer.doc.Loaded, err)
			}
			b.ReportMetric(time.Since(began).Seconds(), "s/load")
		})
		d.stop()
		if err := d.h.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// dialing is a campaign's queue, gate and store at work, without its calls.
type dialing struct {
	b     *testing.B
	h     *house
	queue *campaigns.Queue
	now   time.Time
	rate  int
	stop  func()

	mu     sync.Mutex // protects spans
	spans  map[string][]time.Duration
	missed int
}

// dialingLeads is how many leads the campaign has.
const dialingLeads = 200_000

// newDialing lays out a folder with the two campaigns and starts the queue.
func newDialing(b *testing.B, rate int) *dialing {
	b.Helper()
	d := &dialing{b: b, rate: rate, now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), spans: map[string][]time.Duration{}}
	var err error
	d.h, err = openHouse(b.Context(), b.TempDir(), houseOptions{what: "bench", config: config{Node: "local", Rehearsal: rehearsalConfig{Clock: &instant{d.now}}}})
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"spring", "other"} {
		r := dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: name, Seller: "acme", Jurisdiction: "it"}, State: dialer.Running, CreatedAt: d.now.AddDate(0, 0, -1)}
		if _, err := d.h.store.PutCampaign(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	leads, verdicts := make([]campaigns.Lead, dialingLeads), make([]dnc.Screening, dialingLeads)
	for i := range leads {
		leads[i].Number = campaigns.Number(fmt.Sprintf("+39347%07d", 1_000_000+i))
		verdicts[i] = dnc.Screening{Register: "rpo", Seller: "acme", Number: leads[i].Number, CheckedAt: d.now.Add(-time.Hour), Import: "i"}
	}
	sink, err := d.h.store.LoadLeads(b.Context(), "spring", "", d.now)
	if err == nil {
		err = sink.Stage(b.Context(), leads)
	}
	if err == nil {
		_, _, _, err = sink.Commit(b.Context())
	}
	if err == nil {
		err = d.h.store.Stage(b.Context(), "i", verdicts)
	}
	if err == nil {
		err = d.h.store.Commit(b.Context(), dnc.Import{ID: "i", Register: "rpo", Seller: "acme", At: d.now, CheckedAt: d.now})
	}
	if err != nil {
		b.Fatal(err)
	}
	d.start()
	return d
}

// start runs the queue and its taker until stop.
func (d *dialing) start() {
	ctx, cancel := context.WithCancel(d.b.Context())
	d.queue = campaigns.NewQueue(campaigns.QueueConfig{
		Campaign: "spring", Node: "local", Store: timedLeads{d.h.store, d}, Now: func() time.Time { return d.now }, Log: func(err error) { d.b.Error(err) },
	})
	var work sync.WaitGroup
	work.Go(func() {
		if err := d.queue.Run(ctx); err != nil {
			d.b.Error(err)
		}
	})
	await(d.b, time.Minute, "the first leads", func() bool { return d.queue.Len() > 0 })
	work.Go(func() { d.take(ctx, &work) })
	d.stop = func() {
		cancel()
		work.Wait()
	}
}

// take takes leads at the rate and has each cleared and settled.
func (d *dialing) take(ctx context.Context, work *sync.WaitGroup) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	taken := 0
	for began := time.Now(); ctx.Err() == nil; <-tick.C {
		for due := int(time.Since(began).Seconds() * float64(d.rate)); taken < due; taken++ {
			at := time.Now()
			leads := d.queue.Take(1)
			d.took("step", at)
			if len(leads) == 0 {
				d.mu.Lock()
				d.missed++
				d.mu.Unlock()
				continue
			}
			work.Go(func() { d.attempt(context.WithoutCancel(ctx), leads[0]) })
		}
	}
}

// attempt clears a lead and writes what the scribe would write of its call.
func (d *dialing) attempt(ctx context.Context, l campaigns.Lead) {
	id := ulid.Make().String()
	req := dnc.Request{Attempt: id, Lead: l, Campaign: dnc.Terms{
		Name: "spring", Seller: "acme", Purpose: "marketing", Jurisdiction: "it", CreatedAt: d.now.AddDate(0, 0, -1), CallerIDs: []campaigns.Number{"+390844000123"},
	}}
	at := time.Now()
	clearance, v := d.h.gate.Clear(ctx, req, d.now)
	d.took("clearance", at)
	if !v.Allowed {
		d.b.Error(v.Reason, v.Detail)
	}
	c := dialer.Change{Seq: clearance.Evidence(), Attempt: dialer.Attempt{ID: id, Lead: l.ID, Campaign: "spring", Seller: "acme", Number: l.Number, At: d.now, RetryAt: d.now.Add(time.Hour)}}
	for _, settled := range []bool{false, true} {
		if c.Settled = settled; settled {
			c.Attempt.Outcome = campaigns.NoAnswer
		}
		if err := d.h.store.Apply(ctx, []dialer.Change{c}); err != nil {
			d.b.Error(err)
		}
	}
}

// took notes how long something took that began at an instant.
func (d *dialing) took(what string, at time.Time) {
	span := time.Since(at)
	d.mu.Lock()
	d.spans[what] = append(d.spans[what], span)
	d.mu.Unlock()
}

// during reports what was seen while something goes on.
func (d *dialing) during(b *testing.B, when string, work func()) {
	d.mu.Lock()
	d.spans, d.missed = map[string][]time.Duration{}, 0
	d.mu.Unlock()
	work()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, what := range []string{"step", "clearance", "refill"} {
		s := d.spans[what]
		if len(s) == 0 {
			b.Fatalf("no %s while %s", what, when)
		}
		slices.Sort(s)
		b.Logf("%s, %s: %d, p50 %v, p99 %v, max %v", when, what, len(s), s[len(s)/2], s[len(s)*99/100], s[len(s)-1])
		b.ReportMetric(float64(s[len(s)*99/100].Microseconds()), fmt.Sprintf("µs-p99-%s-%s", what, when))
	}
	b.ReportMetric(float64(d.missed), "empty-"+when)
}

// timedLeads measures the refills of a queue.
type timedLeads struct {
	state
	d *dialing
}

// Lease implements campaigns.LeadStore.
func (t timedLeads) Lease(ctx context.Context, campaign, node string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	defer t.d.took("refill", time.Now())
	return t.state.Lease(ctx, campaign, node, d, now)
}

// someList is a list of so many rows, its numbers in no order.
func someList(rows int) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, "id,name,phone,region,city,zone,priority\n") // whoever reads it may have gone
		var text strings.Builder
		for i := range rows {
			fmt.Fprintf(&text, "crm-%d,Ada Rossi,%s%07d,RM,Roma,Europe/Rome,%d\n", i, []string{"320", "328", "333", "338"}[i%4], i*6_180_339%10_000_000, i%3)
			if text.Len() > 1<<16 || i == rows-1 {
				if _, err := io.WriteString(w, text.String()); err != nil {
					return
				}
				text.Reset()
			}
		}
		_ = w.Close() // it never fails
	}()
	return r
}
