package report

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// mornings are calls of which one in ten is answered before noon, one in two
// later, and a third of those by a machine.
func mornings(calls int) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range calls {
			at := noon.Add(time.Duration(i)*time.Minute - 3*time.Hour)
			record := func(after time.Duration, k journal.Kind, o campaigns.Outcome) bool {
				return yield(journal.Record{
					At: at.Add(after), Kind: k, Campaign: "spring", Attempt: fmt.Sprint(i), Lead: int64(i / 2), Number: fmt.Sprintf("+39333%07d", i/2), Outcome: string(o),
				}, nil)
			}
			answered, outcome := r.Float64() < 0.1, campaigns.NoAnswer
			if at.Hour() >= 12 {
				answered = r.Float64() < 0.5
			}
			if !record(0, journal.Invited, "") || !record(time.Second, journal.Invited, "") {
				return
			}
			if answered {
				outcome = campaigns.Bridged
				if at.Hour() >= 12 && i%3 == 0 {
					outcome = campaigns.Machine
				}
				if !record(5*time.Second, journal.Answered, "") {
					return
				}
			}
			if !record(30*time.Second, journal.Ended, outcome) {
				return
			}
		}
	}
}

func TestPropensitiesAreCalibrated(t *testing.T) {
	const calls = 6000
	r, err := PropensitiesOf(mornings(calls), Options{})
	if err != nil || len(r.Campaigns) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	c := r.Campaigns[0]
	if c.Dialed != calls || c.Told < calls-400 || len(c.Bins) < 2 {
		t.Errorf("%d dialed, %d told, %d bins", c.Dialed, c.Told, len(c.Bins))
	}
	told, answered, expected := 0, 0.0, 0.0
	for i, b := range c.Bins {
		told += b.Calls
		answered += b.Answered * float64(b.Calls)
		expected += b.Expected * float64(b.Calls)
		if b.Low > b.Answered || b.High < b.Answered || i > 0 && b.From < c.Bins[i-1].To {
			t.Errorf("bin %+v", b)
		}
		if b.Calls > 1000 && math.Abs(b.Expected-b.Answered) > 0.05 {
			t.Errorf("of bin %+v fewer or more answer than expected", b)
		}
	}
	if told != c.Told || math.Abs(answered-expected) > 0.1*answered {
		t.Errorf("%d in bins, of %v expected %v answered", told, expected, answered)
	}
	first, last := c.Bins[0], c.Bins[len(c.Bins)-1]
	if last.Answered < 2*first.Answered {
		t.Errorf("the least likely answer %v, the most likely %v", first.Answered, last.Answered)
	}
	early := 0
	for _, e := range c.Effects {
		if e.Feature == "hour" && e.Level < "12" && e.Odds < 1 && e.High < 1 {
			early++
		}
	}
	if early < 6 {
		t.Errorf("effects %+v", c.Effects)
	}
}

func TestPropensitiesOfASpanAndOfThinHistory(t *testing.T) {
	thin, err := PropensitiesOf(mornings(100), Options{})
	if err != nil || thin.Campaigns[0].Told != 0 || len(thin.Campaigns[0].Bins) != 0 {
		t.Errorf("of 100 calls: %+v, %v", thin, err)
	}
	from := noon.Add(24 * time.Hour)
	span, err := PropensitiesOf(mornings(3000), Options{From: from, Campaign: "spring"})
	if err != nil || span.Campaigns[0].Told != span.Campaigns[0].Dialed || span.Campaigns[0].Dialed >= 2000 {
		t.Errorf("of a span that history comes before: %+v, %v", span, err)
	}
	other, err := PropensitiesOf(mornings(10), Options{Campaign: "autumn"})
	if err != nil || len(other.Campaigns) != 0 {
		t.Errorf("of another campaign: %+v, %v", other, err)
	}
	broken := errors.New("broken")
	if _, err := PropensitiesOf(func(yield func(journal.Record, error) bool) { yield(journal.Record{}, broken) }, Options{}); !errors.Is(err, broken) {
		t.Errorf("a journal that cannot be read: %v", err)
	}
	var text, table bytes.Buffer
	r, err := PropensitiesOf(mornings(3000), Options{})
	if err := errors.Join(err, r.WriteText(&text), r.WriteCSV(&table), thin.WriteText(&text)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"spring: 3000 dialed", "expected to answer", "what changes the odds", "history is too thin"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if rows := strings.Count(table.String(), "\n"); rows != 1+len(r.Campaigns[0].Bins) {
		t.Errorf("%d rows of %d bins", rows, len(r.Campaigns[0].Bins))
	}
	if err := r.WriteText(fails{}); err == nil {
		t.Error("a writer that fails: no error")
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct{ hits, n, low, high float64 }{
		{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {50, 100, 0.4038, 0.5962}, // Newcombe 1998, method 3
	} {
		if low, high := wilson(c.hits, c.n); math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%v of %v: %v to %v, want %v to %v", c.hits, c.n, low, high, c.low, c.high)
		}
	}
}
