package registers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

func TestSellerIsRequired(t *testing.T) {
	o := options(t)
	o.Seller = ""
	if _, err := ReadVerdicts(context.Background(), source(t, "3471234567,1\n"), rpo(t), o); err == nil {
		t.Error("a verdict without a seller")
	}
}

// sink is a ScreeningSink in memory that keeps to its contract.
type sink struct {
	staged    map[string][]dnc.Screening
	verdicts  map[campaigns.Number]dnc.Screening
	imports   []dnc.Import
	failStage int // the so-many-th Stage fails
	failAt    string
}

func (s *sink) Stage(_ context.Context, id string, batch []dnc.Screening) error {
	if s.failStage--; s.failStage == 0 {
		return errors.New("disk full")
	}
	if s.staged == nil {
		s.staged = map[string][]dnc.Screening{}
	}
	s.staged[id] = append(s.staged[id], batch...)
	return nil
}

func (s *sink) Commit(_ context.Context, imp dnc.Import) error {
	if s.failAt == "commit" {
		return errors.New("disk full")
	}
	if s.verdicts == nil {
		s.verdicts = map[campaigns.Number]dnc.Screening{}
	}
	for _, v := range s.staged[imp.ID] {
		if old, ok := s.verdicts[v.Number]; !ok || v.CheckedAt.After(old.CheckedAt) || v.CheckedAt.Equal(old.CheckedAt) && v.Registered {
			s.verdicts[v.Number] = v
		}
	}
	delete(s.staged, imp.ID)
	s.imports = append(s.imports, imp)
	return nil
}

func (s *sink) Rollback(_ context.Context, id string) error {
	delete(s.staged, id)
	return nil
}

func (s *sink) Imports(context.Context, string) ([]dnc.Import, error) { return s.imports, nil }

func result(t *testing.T, rows int, o Options) *Result {
	t.Helper()
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, "347%07d,%d\n", i, i%2)
	}
	r, err := ReadVerdicts(context.Background(), source(t, b.String()), rpo(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApplyIsAllOrNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		sink sink
		want int
	}{
		{"all", sink{}, 12_000},
		{"the third batch fails", sink{failStage: 3}, 0},
		{"the switch fails", sink{failAt: "commit"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := result(t, 12_000, options(t)).Apply(context.Background(), &tt.sink)
			if (err == nil) != (tt.want > 0) || len(tt.sink.verdicts) != tt.want || len(tt.sink.staged) != 0 {
				t.Errorf("err %v, %d verdicts, %d staged", err, len(tt.sink.verdicts), len(tt.sink.staged))
			}
		})
	}
}

func TestVerdictsNeverMoveBackwards(t *testing.T) {
	var s sink
	newer, older := options(t), options(t)
	newer.ID, older.ID = "new", "old"
	older.CheckedAt = newer.CheckedAt.Add(-48 * time.Hour)
	for _, o := range []Options{newer, older} {
		if err := result(t, 10, o).Apply(context.Background(), &s); err != nil {
			t.Fatal(err)
		}
	}
	for n, v := range s.verdicts {
		if v.Import != "new" {
			t.Errorf("%s has the verdict of %s", n, v.Import)
		}
	}
}
