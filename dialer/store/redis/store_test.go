package redis_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pronto/campaigns"
	"pronto/dialer/store/redis"
	"pronto/dialer/store/storetest"
)

// What tells a re-run of this test binary that it is to be killed.
const (
	victimURL   = "PRONTO_REDIS_VICTIM_URL"
	victimPlace = "PRONTO_REDIS_VICTIM"
	victimRound = "PRONTO_REDIS_ROUND"
)

func TestMain(m *testing.M) {
	if place := os.Getenv(victimPlace); place != "" {
		fmt.Fprintln(os.Stderr, storetest.Victim(maker(os.Getenv(victimURL)), place, os.Getenv(victimRound), os.Stdout))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// maker makes stores on the server at url, each place with keys of its own.
func maker(url string) storetest.Maker {
	return storetest.Maker{
		Open: func(place string) (storetest.Backend, error) {
			s, err := redis.Open(context.Background(), options(url, place))
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Load: func(ctx context.Context, b storetest.Backend, campaign, list string, at time.Time) (campaigns.LeadSink, error) {
			return b.(*redis.Store).LoadLeads(ctx, campaign, list, at)
		},
	}
}

// options are those of node1 in the folder place. The machine may be busy: waits are long.
func options(url, place string) redis.Options {
	h := fnv.New64a()
	h.Write([]byte(place))
	return redis.Options{URL: fmt.Sprintf("%s?fsync=any&prefix=%x:", url, h.Sum64()), Node: "node1", Dir: place, Wait: 20 * time.Second}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, maker(startServer(t).url("")))
}

func TestCrash(t *testing.T) {
	t.Parallel()
	url := startServer(t).url("")
	storetest.Crash(t, maker(url), 20, func(place, round string) *exec.Cmd {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), victimURL+"="+url, victimPlace+"="+place, victimRound+"="+round)
		return victim
	})
}
