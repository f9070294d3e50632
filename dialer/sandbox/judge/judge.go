package judge

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pronto/dialer/sandbox/truth"
)

// Rules is what the run is held to.
type Rules struct {
	Start, End  time.Time     // of dialing, by the wall clock
	ClockOffset time.Duration // the dialer's clock minus the wall clock
	Deadline    time.Duration // from the 200 to an agent or the treatment
	Message     bool          // the treatment is a message; otherwise hanging up
	NoSilence   bool          // a callee that waits must hear something
	ValidFor    time.Duration // a register verdict's life; 0: no register is asked
	Cap         float64       // abandoned divided by live answers
	OfConnected bool          // divided by connected instead
	WrapUp      time.Duration // counted as work after each customer
	Progressive float64       // utilisation that one line for each free agent reaches; 0: not compared
	RetryDelay  time.Duration // no number is rung twice within it; 0: not judged
	Reassign    time.Duration // after an agent's phone vanished, until its customer has another agent or the treatment; 0: 10 s
	Provoked    Provoked      // at least so much trouble must have been met
	Classes     []Class       // each must have been met
	Verified    bool          // the journal's chain verified
	// Small says that the run may be too small to meet everything that Provoked, Classes and
	// Progressive ask for: what it did not meet is then no failure, and Unmet tells it.
	Small bool
}

// Provoked counts trouble.
type Provoked struct {
	Glares int `json:"glares"`
	Bursts int `json:"bursts"`
	Vanish int `json:"vanished_agents"`
}

// Class is a kind of lead or call that a run must meet to prove anything.
type Class string

// The classes.
const (
	Registered Class = "registered" // the register says no
	Expired    Class = "expired"    // the register's verdict is too old
	Missing    Class = "missing"    // the register was not asked
	OptedOut   Class = "opted_out"
	Abandoned  Class = "abandoned" // a live answer without an agent
)

// AllClasses are the classes that the demo must meet.
func AllClasses() []Class { return []Class{Registered, Expired, Missing, OptedOut, Abandoned} }

// Verdict is the judgement with its figures, all by the far ends' truth except Refused and
// JournalVerified.
type Verdict struct {
	Leads       int            `json:"leads"`
	Refused     map[string]int `json:"refused"` // reason -> count, from the journal
	Dialed      int            `json:"dialed"`
	Answered    int            `json:"answered"`
	Connected   int            `json:"connected"`
	Abandoned   int            `json:"abandoned"`
	AbandonRate float64        `json:"abandon_rate"`
	Cap         float64        `json:"cap"`

	Utilisation   float64     `json:"utilisation"`
	Progressive   float64     `json:"progressive_utilisation,omitempty"`
	Wait          float64     `json:"wait_seconds_mean"`
	AnswerToAudio Percentiles `json:"answer_to_audio_ms"`

	ForbiddenRung    int           `json:"forbidden_rung"`
	RungTwice        int           `json:"rung_twice"`
	UntreatedAnswers int           `json:"untreated_answers"`
	SilentWaits      int           `json:"silent_waits"`
	SilentBridges    int           `json:"silent_bridges"`
	Crossed          int           `json:"crossed_bridges"`
	LeftOver         int           `json:"left_over_bridges"`
	MissingEvidence  int           `json:"missing_evidence"`
	JournalVerified  bool          `json:"journal_verified"`
	Classes          map[Class]int `json:"classes"`
	Provoked         Provoked      `json:"provoked"`
	Stalled          float64       `json:"stalled_seconds"` // the far ends' own processes did not run: not held against the dialer

	Failures []string `json:"failures"`        // plain sentences; empty: passed
	Unmet    []string `json:"unmet,omitempty"` // what a small run met too little of to prove anything
}

// Passed reports whether nothing was found wrong.
func (v Verdict) Passed() bool { return len(v.Failures) == 0 }

// Percentiles are of the time from the 200 to an agent's first audio at the callee.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Tolerances of the judgement: what a loaded machine may add, no more.
const (
	slack      = 300 * time.Millisecond // on the deadline
	bridgeLag  = 500 * time.Millisecond // between the two ends of a bridge
	leftLag    = 500 * time.Millisecond // a bridge may outlive the BYE by it
	shortest   = 300 * time.Millisecond // a bridge that is judged by both ends
	together   = 150 * time.Millisecond // two voices at once
	hole       = 1 * time.Second        // of silence within a bridge
	oneWay     = 0.7                    // least share of the other end's hearing
	silentWait = 500 * time.Millisecond // before something must be heard
	loud       = -40.0                  // dB: a message, not comfort noise
	lingering  = 5 * time.Second        // a callee's voice may still sound after BYE
	clearLag   = 5 * time.Millisecond   // between two processes' readings of one clock
	optOutLag  = time.Second            // between an opt-out and the last INVITE cleared before it
	stalledMax = 0.25                   // share of the run that the far ends may miss and still judge
)

// trial is one judgement under way.
type trial struct {
	Evidence
	rules   Rules
	verdict Verdict
	calls   []*call
	agents  map[string]*agent
	last    time.Time // of the carrier's log
	stalls  []span    // when a far end's process did not run, in order and apart
	plugged map[string][]Record
}

// Judge judges the evidence by the rules.
func Judge(e Evidence, r Rules) Verdict {
	if r.Reassign == 0 {
		r.Reassign = 10 * time.Second
	}
	t := &trial{Evidence: e, rules: r, plugged: map[string][]Record{}}
	t.verdict = Verdict{
		Leads: len(e.Leads), Cap: r.Cap, Progressive: r.Progressive, JournalVerified: r.Verified,
		Refused: map[string]int{}, Classes: map[Class]int{}, Failures: []string{},
	}
	t.calls, t.last = readCalls(e.Carrier)
	t.agents = readAgents(e.Agents)
	for _, rec := range e.Journal {
		if rec.Kind == "connected" {
			t.plugged[rec.CallID] = append(t.plugged[rec.CallID], rec)
		}
	}
	t.stalls = readStalls(e.Carrier, e.Agents)
	t.numbers()
	t.evidence()
	t.answers()
	t.bridges()
	t.refusals()
	t.provoked()
	t.figures()
	return t.verdict
}

// fail notes a failure in a plain sentence.
func (t *trial) fail(format string, args ...any) {
	t.verdict.Failures = append(t.verdict.Failures, fmt.Sprintf(format, args...))
}

// miss notes what the run had to meet and did not.
func (t *trial) miss(format string, args ...any) {
	if !t.rules.Small {
		t.fail(format, args...)
		return
	}
	t.verdict.Unmet = append(t.verdict.Unmet, fmt.Sprintf(format, args...))
}

// masked is a number that may stand in a report: its first four digits and its last two.
func masked(number string) string {
	if len(number) < 8 {
		return "+" + number
	}
	return "+" + number[:4] + "..." + number[len(number)-2:]
}

func (c *call) String() string { return fmt.Sprintf("call to %s (Call-ID %s)", masked(c.number), c.id) }

// refusals counts what the gate refused, and the classes that it met.
func (t *trial) refusals() {
	seen := map[Class]map[string]bool{}
	for _, r := range t.Journal {
		if r.Kind != "refused" {
			continue
		}
		t.verdict.Refused[r.Reason]++
		if class := t.class(r.Number, r.At); class != "" && r.Number != "" {
			if seen[class] == nil {
				seen[class] = map[string]bool{}
			}
			seen[class][r.Number] = true
		}
	}
	for class, numbers := range seen {
		t.verdict.Classes[class] = len(numbers)
	}
	t.verdict.Classes[Abandoned] = t.verdict.Abandoned
	for _, class := range t.rules.Classes {
		if t.verdict.Classes[class] == 0 {
			t.miss("no %s number or call was met, so the run proves nothing about them", class)
		}
	}
	if !t.rules.Verified {
		t.fail("the journal does not verify")
	}
}

// provoked counts the trouble that the far ends made, and their own.
func (t *trial) provoked() {
	p := &t.verdict.Provoked
	for _, l := range t.Carrier {
		if l.Kind == truth.Glare {
			p.Glares++
		}
		if l.Kind == truth.Burst {
			p.Bursts++
		}
	}
	for _, l := range t.Agents {
		if l.Kind == truth.Vanish {
			p.Vanish++
		}
	}
	stalled := t.stalled(t.rules.Start, t.rules.End)
	t.verdict.Stalled = stalled.Seconds()
	if stalled > time.Duration(stalledMax*float64(t.rules.End.Sub(t.rules.Start))) {
		t.fail("the far ends' processes stood still for %s of the run, the machine was too busy to prove anything", stalled.Round(time.Millisecond))
	}
	want := t.rules.Provoked
	for _, x := range []struct {
		what      string
		got, want int
	}{
		{"answers that cross a CANCEL", p.Glares, want.Glares},
		{"bursts of answers", p.Bursts, want.Bursts},
		{"agents who vanish", p.Vanish, want.Vanish},
	} {
		if x.got < x.want {
			t.miss("%d %s were provoked, want at least %d", x.got, x.what, x.want)
		}
	}
}

// names gives the agents in order.
func (t *trial) names() []string { return slices.Sorted(maps.Keys(t.agents)) }
