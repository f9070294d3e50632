package dialer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// awayStore is a store that cannot be written for a while.
type awayStore struct {
	*fakeStore
	until time.Time
}

func (s *awayStore) Apply(ctx context.Context, changes []Change) error {
	if time.Now().Before(s.until) {
		return errors.New("connection refused")
	}
	return s.fakeStore.Apply(ctx, changes)
}

// While the store is away that is told once, then each minute, and once when it is back.
func TestStoreAwayIsToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zapcore.InfoLevel)
		store := &awayStore{newFakeStore(campaigns.Campaign{Name: "spring"}, 1, 0), time.Now().Add(150 * time.Second)}
		s := newScribe(&fakeJournal{}, store, zap.New(core))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.run(ctx); close(done) }()
		s.settle(journal.Record{Kind: journal.Ended, Attempt: "A"}, nil, Attempt{ID: "A", Lead: 1})
		time.Sleep(5 * time.Minute)
		s.settle(journal.Record{Kind: journal.Ended, Attempt: "B"}, nil, Attempt{ID: "B", Lead: 1})
		time.Sleep(time.Minute)
		stop()
		<-done
		var got []string
		for _, e := range logged.All() {
			got = append(got, strings.TrimPrefix(e.Message, "store: attempts "))
		}
		if diff := cmp.Diff([]string{"not written", "not written", "not written", "are written again"}, got); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// A trouble whose end nobody tells is told when it begins and each minute, and as another one
// when it comes again later.
func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zapcore.InfoLevel)
		log := zap.New(core)
		complain := seldom(func(c *complaint, err error) { c.about(log, "away", time.Now(), zap.Error(err)) })
		for range 150 {
			complain(errors.New("connection refused"))
			time.Sleep(time.Second)
		}
		if n := logged.Len(); n != 3 {
			t.Errorf("told %d times in two and a half minutes, want 3", n)
		}
		time.Sleep(time.Hour)
		complain(errors.New("connection refused"))
		last := logged.All()[logged.Len()-1]
		if _, lasts := last.ContextMap()["for"]; logged.Len() != 4 || lasts {
			t.Errorf("after an hour told %d times, the last with %v", logged.Len(), last.ContextMap())
		}
	})
}
