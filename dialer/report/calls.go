package report

import (
	"encoding/json"
	"maps"
	"math"
	"slices"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// CallsReport tells what came of the attempts.
type CallsReport struct {
	Span
	Campaigns []Calls `json:"campaigns"`
}

// Calls are one campaign's attempts, counted by the records that lie in the
// span. The last entry of several is the sum, with the campaign name "all".
type Calls struct {
	Campaign  string         `json:"campaign"`
	Leads     int            `json:"leads"`   // different leads that the gate was asked about
	Cleared   int            `json:"cleared"` // attempts that the gate allowed
	Refused   map[string]int `json:"refused"` // decisions, by reason
	Dialed    int            `json:"dialed"`  // attempts with an INVITE
	Rang      int            `json:"rang"`
	Answered  int            `json:"answered"` // 200, by whomever
	Connected int            `json:"connected"`
	Abandoned int            `json:"abandoned"`
	Machines  int            `json:"machines"`
	Orphaned  int            `json:"orphaned"` // the agent's phone vanished in the talk
	Late      int            `json:"late"`     // the 200 crossed our CANCEL
	Outcomes  map[string]int `json:"outcomes"` // of the attempts that ended
	// Dispositions are the agents' last words for the calls, those of people who rang back included.
	Dispositions map[string]int `json:"dispositions,omitempty"`

	Ring      Mean       `json:"ring_seconds"`            // of those that rang
	Delay     Mean       `json:"post_dial_delay_seconds"` // from INVITE to the first 18x, of those that rang
	Talk      Mean       `json:"talk_seconds"`            // of those put through
	Wait      Mean       `json:"answer_to_agent_seconds"` // from the 200 to the bridge
	Callbacks *Callbacks `json:"callbacks,omitempty"`     // nil: nobody rang back

	ToAudio Tail `json:"answer_to_audio_ms"` // from the 200 to the agent's first packet towards the customer
}

// Mean is a sum over several.
type Mean struct {
	Count int     `json:"count"`
	Sum   float64 `json:"sum"`
	Mean  float64 `json:"mean"`
}

func (m *Mean) add(v float64) {
	m.Count++
	m.Sum += v
	m.Mean = m.Sum / float64(m.Count)
}

// addPositive leaves out what was not measured.
func (m *Mean) addPositive(v float64) {
	if v > 0 {
		m.add(v)
	}
}

// Tail is a distribution; P50 and P99 are values that were measured (nearest rank).
type Tail struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// tail sorts v.
func tail(v []float64) Tail {
	if len(v) == 0 {
		return Tail{}
	}
	slices.Sort(v)
	rank := func(p float64) float64 { return v[max(int(math.Ceil(p*float64(len(v)))), 1)-1] }
	return Tail{Count: len(v), P50: rank(0.50), P99: rank(0.99), Max: v[len(v)-1]}
}

// callsCount is one campaign while it is read.
type callsCount struct {
	Calls
	leads map[int64]struct{}
	audio []float64
}

type callsCounter struct {
	opt     Options
	counts  map[string]*callsCount
	invited map[string]struct{} // attempts with an INVITE that have not ended
	put     map[string]struct{} // calls of people who rang back that were put through
	said    map[string]string   // disposition by call
}

func newCalls(opt Options) *callsCounter {
	return &callsCounter{opt: opt, counts: map[string]*callsCount{}, invited: map[string]struct{}{}, put: map[string]struct{}{}, said: map[string]string{}}
}

func (c *callsCounter) take(r journal.Record) {
	if r.Campaign == "" || r.Attempt == "" {
		return
	}
	n := c.counts[r.Campaign]
	if n == nil {
		n = newCallsCount(r.Campaign)
		c.counts[r.Campaign] = n
	}
	switch r.Kind {
	case journal.Cleared:
		n.Cleared++
		n.leads[r.Lead] = struct{}{}
	case journal.Refused:
		n.Refused[r.Reason]++
		n.leads[r.Lead] = struct{}{}
	case journal.Invited: // again after a challenge or a failover
		if _, ok := c.invited[r.Attempt]; !ok {
			n.Dialed++
			c.invited[r.Attempt] = struct{}{}
		}
	case journal.Disposed:
		c.say(n, r.Attempt, r.Outcome)
	case journal.CalledBack:
		if r.Outcome == journal.CallerDisposed {
			c.say(n, r.Attempt, detail[journal.CalledBackDetail](r).Disposition)
		}
		c.callBack(n, r)
	case journal.Ended, journal.Interrupted:
		n.end(r)
		delete(c.invited, r.Attempt)
	default:
		n.step(r)
	}
}

// say counts an agent's word for a call, instead of an earlier one.
func (c *callsCounter) say(n *callsCount, call, word string) {
	if before := c.said[call]; before != "" {
		if n.Dispositions[before]--; n.Dispositions[before] == 0 {
			delete(n.Dispositions, before)
		}
	}
	c.said[call] = word
	n.Dispositions[word]++
}

// callBack counts a record of a call from somebody who rang back.
func (c *callsCounter) callBack(n *callsCount, r journal.Record) {
	if n.Callbacks == nil {
		n.Callbacks = &Callbacks{}
	}
	_, put := c.put[r.Attempt]
	n.Callbacks.take(r, put)
	switch r.Outcome {
	case journal.CallerConnected:
		c.put[r.Attempt] = struct{}{}
	case journal.CallerEnded:
		delete(c.put, r.Attempt)
	}
}

func newCallsCount(campaign string) *callsCount {
	return &callsCount{
		Calls: Calls{Campaign: campaign, Refused: map[string]int{}, Outcomes: map[string]int{}, Dispositions: map[string]int{}},
		leads: map[int64]struct{}{},
	}
}

// step counts a call's way; a Detail that cannot be read counts without its figures.
func (n *callsCount) step(r journal.Record) {
	switch r.Kind {
	case journal.Ringing:
		n.Rang++
	case journal.Answered:
		n.Answered++
	case journal.Connected:
		var d journal.ConnectedDetail
		_ = json.Unmarshal(r.Detail, &d)
		if !d.Again {
			n.Connected++
			n.Wait.add(d.WaitMS / 1000)
		}
	case journal.Heard:
		var d journal.HeardDetail
		if json.Unmarshal(r.Detail, &d) == nil {
			n.audio = append(n.audio, d.AnswerToAudioMS)
		}
	case journal.Abandoned:
		n.Abandoned++
	case journal.Orphaned:
		n.Orphaned++
	default: // the others are no step of a call
	}
}

func (n *callsCount) end(r journal.Record) {
	n.Outcomes[r.Outcome]++
	if r.Outcome == string(campaigns.Machine) {
		n.Machines++
	}
	var d journal.EndedDetail
	_ = json.Unmarshal(r.Detail, &d)
	n.Ring.addPositive(d.RingMS / 1000)
	n.Delay.addPositive(d.DelayMS / 1000)
	n.Talk.addPositive(d.TalkMS / 1000)
	if d.Late {
		n.Late++
	}
}

func (c *callsCounter) result() []Calls {
	found := []Calls{}
	all := newCallsCount("all")
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		n := c.counts[name]
		all.plus(n)
		found = append(found, n.finished())
	}
	if len(found) > 1 {
		found = append(found, all.finished())
	}
	return found
}

func (n *callsCount) finished() Calls {
	n.Leads = len(n.leads)
	n.ToAudio = tail(n.audio)
	return n.Calls
}

// plus adds another campaign's counts.
func (n *callsCount) plus(m *callsCount) {
	for lead := range m.leads {
		n.leads[lead] = struct{}{}
	}
	n.audio = append(n.audio, m.audio...)
	n.Cleared += m.Cleared
	n.Dialed += m.Dialed
	n.Rang += m.Rang
	n.Answered += m.Answered
	n.Connected += m.Connected
	n.Abandoned += m.Abandoned
	n.Machines += m.Machines
	n.Orphaned += m.Orphaned
	n.Late += m.Late
	for reason, count := range m.Refused {
		n.Refused[reason] += count
	}
	for outcome, count := range m.Outcomes {
		n.Outcomes[outcome] += count
	}
	for word, count := range m.Dispositions {
		n.Dispositions[word] += count
	}
	n.Ring.plus(m.Ring)
	n.Delay.plus(m.Delay)
	n.Talk.plus(m.Talk)
	n.Wait.plus(m.Wait)
	n.Callbacks = n.Callbacks.plus(m.Callbacks)
}

func (m *Mean) plus(o Mean) {
	m.Count += o.Count
	m.Sum += o.Sum
	if m.Count > 0 {
		m.Mean = m.Sum / float64(m.Count)
	}
}
