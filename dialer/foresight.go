package dialer

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/odds"
	"pronto/pacing/propensity"
)

// foresight tells pacing how likely a campaign's leads answer, as learned from
// the calls in its journal and from each call since. The loop owns it.
type foresight struct {
	zone    *time.Location
	model   *propensity.Model // nil: the past is not read yet
	early   []odds.Lesson     // of calls that ended before it was
	lessons int               // since the queue's leads were assessed
	at      time.Time         // when they were
}

const (
	pastDays    = 30    // of the journal, from which a campaign that starts learns
	pastLessons = 20000 // the newest of them; older ones have faded from the model anyway
	assessAfter = time.Minute
	assessEach  = 50          // lessons,
	assessLeast = time.Second // but not sooner: hundreds of leads are looked at
)

// propensity is a lead's odds of answering against the campaign's mean; 0 while
// too little is known. It is rounded, so that the journal keeps it in few digits.
func (f *foresight) propensity(levels []int) float64 {
	if f.model == nil {
		return 0
	}
	return math.Round(100*f.model.Propensity(levels)) / 100
}

// levels are what is known of a lead that is dialed at now.
func (f *foresight) levels(lead campaigns.Lead, now time.Time) []int {
	return lead.Levels(now.In(f.zone))
}

// learn takes the end of a call.
func (f *foresight) learn(lesson odds.Lesson) {
	f.lessons++
	if f.model == nil {
		f.early = append(f.early, lesson)
		return
	}
	f.model.Learn(lesson.Levels, lesson.Live)
}

// begin takes the model of the past over.
func (f *foresight) begin(m *propensity.Model) {
	f.model = m
	for _, lesson := range f.early {
		m.Learn(lesson.Levels, lesson.Live)
	}
	f.early, f.lessons = nil, assessEach
}

// stale reports that the queue's leads are to be assessed again, and notes that they are.
func (f *foresight) stale(now time.Time) bool {
	if d := now.Sub(f.at); d < assessLeast || f.lessons < assessEach && d < assessAfter {
		return false
	}
	f.lessons, f.at = 0, now
	return true
}

// foresee learns from the campaign's past, off the loop's goroutine, and hands the model over.
func (s *Service) foresee(ctx context.Context, l *loop) {
	m, err := s.pastOf(ctx, l.camp.Name, l.sight.zone)
	if err != nil {
		l.log.Error("the journal's calls are not learned from: leads count as alike until new calls tell", zap.Error(err))
		if m, err = odds.NewModel(); err != nil {
			return
		}
	}
	l.post(func(time.Time) { l.sight.begin(m) })
}

// pastOf is a model that has learned from the calls before now.
func (s *Service) pastOf(ctx context.Context, campaign string, zone *time.Location) (*propensity.Model, error) {
	m, err := odds.NewModel()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	history := odds.NewHistory(zone)
	newest := make([]odds.Lesson, 0, 256)
	next := 0
	for r, err := range s.Read(journal.ReadOptions{From: now.AddDate(0, 0, -pastDays), To: now, Kinds: odds.Kinds(), Campaign: campaign}) {
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return m, nil
		}
		if r.Campaign != campaign || r.Attempt == "" {
			continue
		}
		lesson, ok := history.Take(r)
		switch {
		case !ok:
		case len(newest) < pastLessons:
			newest = append(newest, lesson)
		default:
			newest[next] = lesson
			next = (next + 1) % pastLessons
		}
	}
	for i := range newest {
		lesson := newest[(next+i)%len(newest)]
		m.Learn(lesson.Levels, lesson.Live)
	}
	return m, nil
}
