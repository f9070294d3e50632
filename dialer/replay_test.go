package dialer

import (
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// TestPacingReplaysFromTheJournal feeds the journal's Paced records to new
// engines, which must decide the same, to the bit: after a start, after changes of
// the campaign while calls are up, and after a second start.
func TestPacingReplaysFromTheJournal(t *testing.T) {
	records := pacedJournal(t)
	got, err := ReplayPacing(each(records))
	if err != nil || got.Difference != nil {
		t.Fatalf("replay: %v, %+v", err, got.Difference)
	}
	if got.Decisions < 20 || got.Engines != 1 || got.Skipped != 0 || got.Campaigns["spring"] != got.Decisions || got.Events < 50 {
		t.Errorf("replayed %+v", got)
	}
	configs := 0
	for _, r := range records {
		if r.Kind == journal.Paced && detail[PacedDetail](t, r).Config != nil {
			configs++
		}
	}
	if configs != 4 {
		t.Errorf("the journal holds %d configurations, want the first and three changes", configs)
	}
	twice, err := ReplayPacing(each(append(slices.Clone(records), records...)))
	if err != nil || twice.Difference != nil || twice.Engines != 2 || twice.Decisions != 2*got.Decisions {
		t.Errorf("a second start of the campaign: %v, %+v", err, twice)
	}
}

// pacedJournal is the journal of a campaign that was changed while it ran.
func pacedJournal(t *testing.T) []journal.Record {
	var records []journal.Record
	in(t, rigOptions{agents: 4, leads: 90, script: func(k int) script {
		if k%3 == 0 {
			return script{ring: 3 * time.Second, talk: 20 * time.Second}
		}
		return script{ignores: true}
	}, camp: func(c *campaigns.Campaign) { c.Pacing = campaigns.Pacing{Mode: "predictive"} }}, func(t *testing.T, r *rig) {
		change := func(f func(*campaigns.Pacing)) {
			r.store.mu.Lock()
			f(&r.store.record.Campaign.Pacing)
			r.store.record.UpdatedAt = time.Now()
			r.store.mu.Unlock()
			r.svc.do(func() { r.svc.reconcile(t.Context()) })
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		r.run()
		time.Sleep(2*time.Minute + 1234567*time.Nanosecond)
		change(func(p *campaigns.Pacing) { p.MaxLinesPerAgent = 2 })
		time.Sleep(time.Minute)
		change(func(p *campaigns.Pacing) { p.Target = 0.5 })
		change(func(p *campaigns.Pacing) { p.Cap = 0.01 })
		time.Sleep(2 * time.Minute)
		r.end()
		records = r.journal.all()
	})
	return records
}

// TestEveryConfigurationIsJournaled has an engine changed twice before it was asked
// anything, so that each change stands in the journal with its instant.
func TestEveryConfigurationIsJournaled(t *testing.T) {
	j := &fakeJournal{}
	s := newScribe(j, nil, zap.NewNop())
	cfg := pacing.Config{Mode: pacing.Progressive}
	p, err := newPace(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for i := range 2 {
		cfg.MaxLines = 3 - i
		if err := p.configure(s, "spring", at.Add(time.Duration(i)*time.Second), cfg); err != nil {
			t.Fatal(err)
		}
	}
	p.observe(pacing.Event{At: at.Add(2 * time.Second), Kind: pacing.AgentReady, Agent: 1})
	p.decide(at.Add(2*time.Second), nil)
	p.write(s, "spring", at.Add(3*time.Second))
	var most []int
	for _, r := range j.all() {
		d := detail[PacedDetail](t, r)
		most = append(most, d.Config.MaxLines)
		if d.New != d.ConfiguredAt.IsZero() {
			t.Errorf("record %d: new %v, configured at %v", r.Seq, d.New, d.ConfiguredAt)
		}
	}
	if !slices.Equal(most, []int{0, 3, 2}) {
		t.Errorf("bounds journaled: %v", most)
	}
	if got, err := ReplayPacing(each(j.all())); err != nil || got.Difference != nil || got.Decisions != 1 {
		t.Errorf("replay: %v, %+v", err, got)
	}
}

func each(records []journal.Record) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestReplayFindsWhatDiffers(t *testing.T) {
	records := pacedJournal(t)
	// The second record with a decision that dials is changed.
	place, seen := -1, 0
	for i, r := range records {
		if r.Kind == journal.Paced {
			d := detail[PacedDetail](t, r)
			if len(d.Decides) > 0 && len(d.Events) > 0 {
				if seen++; seen == 5 {
					place = i
				}
			}
		}
	}
	if place < 0 {
		t.Fatal("no record to change")
	}
	for name, c := range map[string]struct {
		change func(*PacedDetail)
		what   string
	}{
		"risk by one bit": {func(d *PacedDetail) {
			x := &d.Decides[0].Decision.Risk
			*x = math.Nextafter(*x, 1)
		}, "Risk"},
		"credit":          {func(d *PacedDetail) { d.Decides[0].Decision.Credit += 1 }, "Credit"},
		"rate":            {func(d *PacedDetail) { d.Decides[0].Decision.Rate += 0.5 }, "Rate"},
		"dial":            {func(d *PacedDetail) { d.Decides[0].Decision.Dial++ }, "Dial"},
		"reason":          {func(d *PacedDetail) { d.Decides[0].Decision.Reason = pacing.NoLeads }, "Reason"},
		"again":           {func(d *PacedDetail) { d.Decides[0].Decision.Again = d.Decides[0].Decision.Again.Add(1) }, "Again"},
		"event":           {func(d *PacedDetail) { d.Events[0].Kind = 99 }, "an event is refused"},
		"event of before": {func(d *PacedDetail) { d.Events[0].At = d.Events[0].At.Add(-time.Hour) }, "an event is refused"},
		"configuration":   {func(d *PacedDetail) { d.Config = &pacing.Config{Mode: 77} }, "the configuration is refused"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := slices.Clone(records)
			d := detail[PacedDetail](t, changed[place])
			c.change(&d)
			changed[place].Detail = encode(d)
			got, err := ReplayPacing(each(changed))
			if err != nil || got.Difference == nil {
				t.Fatalf("not found: %v, %+v", err, got)
			}
			if got.Difference.Seq != changed[place].Seq || got.Difference.Campaign != "spring" || !strings.HasPrefix(got.Difference.What, c.what) {
				t.Errorf("found %+v, want %s in record %d", got.Difference, c.what, changed[place].Seq)
			}
		})
	}
}

func TestReplayOfPartsAndOfNonsense(t *testing.T) {
	records := pacedJournal(t)
	begun := slices.IndexFunc(records, func(r journal.Record) bool { return r.Kind == journal.Paced })
	got, err := ReplayPacing(each(records[begun+1:]))
	if err != nil || got.Skipped == 0 || got.Decisions != 0 || got.Difference != nil {
		t.Errorf("a journal whose begin is missing: %v, %+v", err, got)
	}
	broken := errors.New("broken")
	if _, err := ReplayPacing(func(yield func(journal.Record, error) bool) { yield(journal.Record{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("a journal that cannot be read: %v", err)
	}
	first := records[begun]
	for name, detail := range map[string]string{
		"no JSON":           `{`,
		"decision too late": `{"new":true,"config":{"Mode":1},"decides":[{"after":1}]}`,
		"too many leads":    `{"new":true,"config":{"Mode":1},"decides":[{"leads":99999999999}]}`,
	} {
		r := first
		r.Detail = json.RawMessage(detail)
		if _, err := ReplayPacing(each([]journal.Record{r})); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r := journal.Record{Kind: journal.Started, Node: first.Node, Detail: encode(journal.StartedDetail{Version: "v1"})}
	first.Detail = json.RawMessage(`{"new":true,"config":{"Mode":1},"decides":[{"leads":3,"decision":{"Dial":3}}]}`)
	got, err = ReplayPacing(each([]journal.Record{r, first}))
	if err != nil || got.Difference == nil || got.Difference.Version != "v1" {
		t.Errorf("the version that wrote the record: %v, %+v", err, got.Difference)
	}
}
