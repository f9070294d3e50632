package dialer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
)

// Route is a way that a call may take.
type Route struct {
	Trunk   string
	Country string // ISO 3166-1 alpha-2 of the carrier; empty: not known
}

// Wish is what a call asks of the choice of its trunk.
type Wish struct {
	Attempt   string   // ULID; the same attempt gets the same share of the weights
	Trunks    []string // names that it may take; none: all
	Countries []string // trunks in one of them, or in none that is known, go first; none: all are equal
}

// Routing chooses among the trunks. Implemented by dialer/trunk. All methods
// answer from memory and may be called from any goroutine.
type Routing interface {
	// Routes gives the trunk that the call is to take, then those that may take it instead, in their order. It
	// is empty when there is no trunk of the names.
	Routes(w Wish) []Route
	// Carries reports whether a trunk of the names (none: of all), beside the one that is left out, takes calls now.
	Carries(names []string, beside string) bool
	// Trunks tells how each trunk stands, in the order of the configuration.
	Trunks() []TrunkLive
}

// TrunkState is whether a trunk takes calls.
type TrunkState string

// The states of a trunk.
const (
	TrunkUp      TrunkState = "up"
	TrunkFull    TrunkState = "full"    // all channels in use, or the calls per second used up
	TrunkResting TrunkState = "resting" // its calls got nowhere; it is tried again now and then
	TrunkDown    TrunkState = "down"    // not registered, or its OPTIONS are not answered
)

// TrunkLive is a trunk as it is now.
type TrunkLive struct {
	Name           string     `json:"name"`
	Address        string     `json:"address"`
	Transport      string     `json:"transport"`
	Country        string     `json:"country,omitempty"`
	Priority       int        `json:"priority"`
	Weight         int        `json:"weight"`
	State          TrunkState `json:"state,omitempty"` // empty: no service runs
	Why            string     `json:"why,omitempty"`
	InUse          int        `json:"channels_in_use"`
	Channels       int        `json:"channels,omitempty"` // 0: no bound
	CallsPerSecond float64    `json:"calls_per_second"`   // now, over the last ten seconds
	MaxPerSecond   float64    `json:"max_calls_per_second,omitempty"`
	Hour           TrunkHour  `json:"last_hour"`
	Total          TrunkTotal `json:"-"` // since the process began
}

// TrunkHour is what a trunk did in the last hour.
type TrunkHour struct {
	Calls        int     `json:"calls"` // INVITEs that left, challenges aside
	Answered     int     `json:"answered"`
	AnswerRatio  float64 `json:"answer_ratio"`
	Failures     int     `json:"failures"`      // got nowhere by the trunk's own fault
	FalseAnswers int     `json:"false_answers"` // see docs/operations.md
	PostDialP50  float64 `json:"post_dial_p50_ms,omitempty"`
}

// TrunkTotal counts what a trunk did since the process began.
type TrunkTotal struct {
	Calls        map[campaigns.Outcome]uint64 // calls that were not answered, by outcome
	Answered     uint64
	Failures     uint64
	FalseAnswers uint64
	PostDial     []uint64      // by the upper bounds of PostDialBounds, not cumulated; the last is for those above all
	PostDialSum  time.Duration // of all of them
}

// PostDialBounds are the upper bounds by which TrunkTotal counts post-dial delays.
func PostDialBounds() []time.Duration {
	return []time.Duration{
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
		3 * time.Second, 5 * time.Second, 8 * time.Second, 12 * time.Second, 20 * time.Second,
	}
}

// others are the trunks of the routes behind the first.
func others(routes []Route) []string {
	var names []string
	for _, r := range routes[min(1, len(routes)):] {
		names = append(names, r.Trunk)
	}
	return names
}

// checkTrunks says which of a campaign's trunks there is not.
func (s *Service) checkTrunks(names []string) error {
	var known []string
	for _, t := range s.Routing.Trunks() {
		known = append(known, t.Name)
	}
	return CheckTrunks(names, known)
}

// CheckTrunks says which of a campaign's trunks is not among the known ones, and
// which there are; nil: all are known.
func CheckTrunks(names, known []string) error {
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("trunk %q: the configuration has no trunk of this name; it has %s", n, orNone(known))
		}
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
