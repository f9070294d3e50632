package report

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/dialer/journal"
)

// TestCampaignFigures counts by hour and by try: a second INVITE of an attempt is none, a
// machine is no live answer, a call that is still on at the end counts as what it is.
func TestCampaignFigures(t *testing.T) {
	at := func(hour int, kind journal.Kind, attempt string, lead int64, outcome string) journal.Record {
		return journal.Record{At: noon.Add(time.Duration(hour) * time.Hour), Kind: kind, Campaign: "spring", Attempt: attempt, Lead: lead, Outcome: outcome}
	}
	list := []journal.Record{
		at(-5, journal.Invited, "before", 1, ""), at(-5, journal.Connected, "before", 1, ""),
		at(0, journal.Invited, "a", 1, ""), at(0, journal.Invited, "a", 1, ""), at(0, journal.Ended, "a", 1, "no_answer"),
		at(1, journal.Invited, "b", 1, ""), at(1, journal.Connected, "b", 1, ""), at(2, journal.Ended, "b", 1, "bridged"),
		at(1, journal.Invited, "c", 2, ""), at(1, journal.Connected, "c", 2, ""), at(1, journal.Ended, "c", 2, "machine"),
		at(1, journal.Invited, "d", 3, ""), at(2, journal.Abandoned, "d", 3, ""),
		at(9, journal.Invited, "after", 4, ""),
	}
	r, err := Of(records(list...), Options{From: noon.Add(-time.Hour), To: noon.Add(3 * time.Hour)})
	if err != nil || len(r.Campaigns.Campaigns) != 1 {
		t.Fatalf("%+v, %v", r.Campaigns, err)
	}
	c := r.Campaigns.Campaigns[0]
	if c.Leads != 3 || c.Reached != 2 || c.Dialed != 4 || c.Live != 2 || c.AnswerRate != 0.5 {
		t.Errorf("figures %+v", c)
	}
	if len(c.Hours) != 2 || c.Hours[0] != (HourOfDay{Hour: 12, Dialed: 1}) || c.Hours[1].Dialed != 3 || c.Hours[1].Live != 2 {
		t.Errorf("hours %+v", c.Hours)
	}
	if len(c.Tries) != 2 || c.Tries[0].Dialed != 3 || c.Tries[0].Live != 1 || c.Tries[1] != (Try{Try: 2, Dialed: 1, Live: 1, AnswerRate: 1}) {
		t.Errorf("tries %+v", c.Tries)
	}
}

// TestCampaignFiguresAddUp: whatever the journal holds, hours and tries each add up to the
// whole, and no more was answered than dialed.
func TestCampaignFiguresAddUp(t *testing.T) {
	kinds := []journal.Kind{journal.Invited, journal.Invited, journal.Connected, journal.Abandoned, journal.Ended, journal.Interrupted, journal.Disposed}
	rapid.Check(t, func(r *rapid.T) {
		var list []journal.Record
		at := noon
		for range rapid.IntRange(0, 80).Draw(r, "records") {
			at = at.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "minutes")) * time.Minute)
			list = append(list, journal.Record{
				At: at, Kind: rapid.SampledFrom(kinds).Draw(r, "kind"), Campaign: rapid.SampledFrom([]string{"", "spring", "autumn"}).Draw(r, "campaign"),
				Attempt: rapid.StringMatching(`[a-h]`).Draw(r, "attempt"), Lead: rapid.Int64Range(0, 3).Draw(r, "lead"),
				Outcome: rapid.SampledFrom([]string{"", "machine", "bridged"}).Draw(r, "outcome"),
			})
		}
		opt := Options{From: noon.Add(time.Duration(rapid.IntRange(0, 9).Draw(r, "from")) * time.Hour)}
		all, err := Of(records(list...), opt)
		if err != nil {
			r.Fatal(err)
		}
		for _, c := range all.Campaigns.Campaigns {
			var dialed, live, tried, met int
			for _, h := range c.Hours {
				dialed, live = dialed+h.Dialed, live+h.Live
			}
			for _, x := range c.Tries {
				tried, met = tried+x.Dialed, met+x.Live
			}
			if dialed != c.Dialed || tried != c.Dialed || live != c.Live || met != c.Live || c.Live > c.Dialed || c.Reached > c.Live || c.Leads > c.Dialed {
				r.Fatalf("%+v", c)
			}
		}
	})
}
