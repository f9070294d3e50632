package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dialer/store/storetest"
)

// victimPlace and victimRound tell a re-run of this test binary that it is to be
// killed.
const (
	victimPlace = "PRONTO_STORE_VICTIM"
	victimRound = "PRONTO_STORE_ROUND"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(store.MigrationVictim); what != "" {
		fmt.Fprintln(os.Stderr, store.DieMigrating(what))
		os.Exit(1)
	}
	if place := os.Getenv(victimPlace); place != "" {
		fmt.Fprintln(os.Stderr, storetest.Victim(maker(), place, os.Getenv(victimRound), os.Stdout))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// maker makes stores on files.
func maker() storetest.Maker {
	return storetest.Maker{
		Open: func(place string) (storetest.Backend, error) { return store.Open(context.Background(), place) },
		Load: func(ctx context.Context, b storetest.Backend, campaign, list string, at time.Time) (campaigns.LeadSink, error) {
			return b.(*store.Store).LoadLeads(ctx, campaign, list, at)
		},
	}
}

func TestConformance(t *testing.T) { storetest.Run(t, maker()) }

func TestCrash(t *testing.T) {
	storetest.Crash(t, maker(), 12, func(place, round string) *exec.Cmd {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), victimPlace+"="+place, victimRound+"="+round)
		return victim
	})
}
