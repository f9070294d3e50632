package judge

import (
	"fmt"
	"slices"
	"time"

	"pronto/dialer/sandbox/truth"
)

var (
	zero   = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	offset = 3 * time.Hour // the dialer's clock is ahead
)

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

// run is a clean run that cases spoil: eight calls to clear leads, of which
// five talked to an agent, one after its first agent vanished, one was abandoned and two were not
// answered; four leads were refused.
type run struct{ Evidence }

func number(i int) string { return fmt.Sprintf("3905500000%02d", i) }

func (r *run) carrier(l truth.Line) { r.Carrier = append(r.Carrier, l) }

func (r *run) note(second float64, kind, attempt, callID, number, agent, reason string) {
	r.Journal = append(r.Journal, Record{
		Seq: uint64(len(r.Journal) + 1), At: at(second).Add(offset), Kind: kind, Attempt: attempt, CallID: callID, Number: number, Agent: agent, Reason: reason,
	})
}

// rung is a call's INVITE with its evidence.
func (r *run) rung(i int, second float64) (id string) {
	id = fmt.Sprintf("call%d", i)
	r.note(second-0.02, "cleared", "a"+id, "", number(i), "", "")
	r.note(second-0.01, "invited", "a"+id, id, number(i), "", "")
	r.carrier(truth.Line{At: at(second), Kind: truth.Invite, CallID: id, Number: "+" + number(i)})
	return id
}

func (r *run) line(second float64, kind truth.Kind, id, by string) {
	r.carrier(truth.Line{At: at(second), Kind: kind, CallID: id, By: by})
}

// talk has the callee of a call and the agent hear each other.
func (r *run) talk(id, callee, agent string, since, until float64) {
	r.note(since-0.01, "connected", "a"+id, id, "", agent, "")
	r.heard(id, agent, since, until)
	r.hears(agent, callee, since, until)
}

func (r *run) heard(id, voice string, since, until float64) {
	r.carrier(truth.Line{At: at(since), Kind: truth.Hears, CallID: id, Voice: voice, Since: at(since)})
	r.carrier(truth.Line{At: at(until), Kind: truth.Heard, CallID: id, Voice: voice, Since: at(since), Until: at(until)})
}

func (r *run) hears(agent, voice string, since, until float64) {
	r.Agents = append(r.Agents, truth.Line{At: at(until), Kind: truth.Heard, Agent: agent, Voice: voice, Since: at(since), Until: at(until)})
}

func (r *run) answered(second float64, id, voice string) {
	r.carrier(truth.Line{At: at(second), Kind: truth.Answered, CallID: id, Voice: voice})
}

func clean() *run {
	r := &run{}
	r.Register, r.OptOuts = map[string]Entry{}, map[string]bool{number(10): true}
	for i := range 13 {
		r.Leads = append(r.Leads, number(i))
		r.Register[number(i)] = Entry{CheckedAt: at(-3600)}
	}
	r.Register[number(8)] = Entry{Registered: true, CheckedAt: at(-3600)}
	r.Register[number(9)] = Entry{CheckedAt: at(-16 * 86400)}
	delete(r.Register, number(11))
	for _, name := range []string{"agent01", "agent02"} {
		r.Agents = append(r.Agents, truth.Line{At: at(0), Kind: truth.CallUp, Agent: name})
	}
	for i, reason := range map[int]string{8: "registered", 9: "verdict_expired", 10: "opted_out", 11: "unscreened"} {
		r.note(0.5, "refused", fmt.Sprintf("r%d", i), "", number(i), "", reason)
	}
	for i, agent := range []string{"agent01", "agent02", "agent01", "agent02"} {
		start := float64(1 + 8*(i/2))
		id, voice := r.rung(i, start), fmt.Sprintf("callee%03d", i+1)
		r.answered(start+2, id, voice)
		r.talk(id, voice, agent, start+2.05, start+6)
		r.line(start+6, truth.Bye, id, truth.ByCallee)
	}
	// Call 4: agent02 vanishes during it, agent01 takes over.
	id := r.rung(4, 20)
	r.answered(21, id, "callee005")
	r.talk(id, "callee005", "agent02", 21.05, 23)
	r.Agents = append(r.Agents, truth.Line{At: at(23), Kind: truth.Vanish, Agent: "agent02"})
	r.talk(id, "callee005", "agent01", 26, 28)
	r.line(28, truth.Bye, id, truth.ByCallee)
	// Call 5: abandoned and hung up in time, with comfort noise.
	id = r.rung(5, 30)
	r.answered(31, id, "callee006")
	r.carrier(truth.Line{At: at(34), Kind: truth.Noise, CallID: id, Since: at(31.02), Until: at(34), Level: -55})
	r.line(34, truth.Bye, id, truth.ByDialer)
	// Call 6 is cancelled, call 7 busy.
	id = r.rung(6, 35)
	r.line(40, truth.Cancel, id, "")
	r.carrier(truth.Line{At: at(40), Kind: truth.Refused, CallID: id, Status: 487})
	id = r.rung(7, 41)
	r.carrier(truth.Line{At: at(41.2), Kind: truth.Refused, CallID: id, Status: 486})
	r.carrier(truth.Line{At: at(60), Kind: truth.Stop})
	return r
}

func rules() Rules {
	return Rules{
		Start: at(0), End: at(50), ClockOffset: offset, Deadline: 3 * time.Second, ValidFor: 15 * 24 * time.Hour, Cap: 0.03, NoSilence: true,
		WrapUp: time.Second, RetryDelay: time.Minute, Classes: AllClasses(), Verified: true, Provoked: Provoked{Vanish: 1},
	}
}

// counts are the judgements that a case may raise.
func counts(v Verdict) map[string]int {
	return map[string]int{
		"forbidden": v.ForbiddenRung, "twice": v.RungTwice, "untreated": v.UntreatedAnswers, "waits": v.SilentWaits, "silent": v.SilentBridges,
		"crossed": v.Crossed, "left": v.LeftOver, "evidence": v.MissingEvidence,
	}
}

func drop[T any](list *[]T, gone func(T) bool) { *list = slices.DeleteFunc(*list, gone) }

func edit[T any](list []T, of func(T) bool, change func(*T)) {
	for i := range list {
		if of(list[i]) {
			change(&list[i])
		}
	}
}

func lineOf(k truth.Kind, id string) func(truth.Line) bool {
	return func(l truth.Line) bool { return l.Kind == k && l.CallID == id }
}

func agentHeard(agent, voice string) func(truth.Line) bool {
	return func(l truth.Line) bool { return l.Kind == truth.Heard && l.Agent == agent && l.Voice == voice }
}

func recordOf(kind, attempt string) func(Record) bool {
	return func(r Record) bool { return r.Kind == kind && r.Attempt == attempt }
}
