package dialer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// TapeState is how the recording of a call stands.
type TapeState string

// The states. An empty one is a call that is not recorded.
const (
	TapeAnnouncing TapeState = "announcing" // the person is being told
	TapeOn         TapeState = "on"
	TapePaused     TapeState = "paused"
	TapeOver       TapeState = "over"
	TapeObjected   TapeState = "objected" // the person did not want it
)

// tape is what a call's books hold of its recordings.
type tape struct {
	state  TapeState
	takes  []Recording
	told   bool // the person knows
	wanted bool // chosen, or asked for: a second agent's part of the call is recorded too
	paused bool // when the agent's phone vanished
	turn   int  // of the announcement that is awaited
}

// now is the recording in progress.
func (t *tape) now() Recording { return t.takes[len(t.takes)-1] }

// chosen reports whether a call is among the share that is recorded. Its id decides, so that
// nobody can pick.
func chosen(attempt string, share float64) bool {
	sum := sha256.Sum256([]byte(attempt))
	return float64(binary.BigEndian.Uint32(sum[:])) < share*(1<<32)
}

// tapeCall begins to record a call that was put through, where the campaign wants it.
func (l *loop) tapeCall(c *call, a *agent, now time.Time) {
	t, p := &c.tape, c.camp.Recording
	if t.state == TapeObjected || !p.On() || !t.wanted && !chosen(c.attempt, p.Share()) {
		return
	}
	l.beginTape(c, a, now)
}

// beginTape tells the person, where they do not know yet, and then records.
func (l *loop) beginTape(c *call, a *agent, now time.Time) {
	t := &c.tape
	prompt := c.camp.Recording.Prompt()
	t.wanted = true
	if prompt == "" || t.told {
		l.take(c, a, now)
		return
	}
	t.state = TapeAnnouncing
	t.turn++
	turn := t.turn
	err := l.svc.Recorder.Whisper(c.audio, prompt, func(whole bool) {
		l.post(func(now time.Time) { l.announced(c, a, turn, whole, now) })
	})
	if err == nil {
		err = l.svc.Recorder.Whisper(a.line.audio, prompt, nil)
	}
	if err != nil {
		t.turn++
		l.tally.Unrecorded++
		l.notTaped(c, a, err.Error(), now)
	}
}

// announced goes on once the person has been told.
func (l *loop) announced(c *call, a *agent, turn int, whole bool, now time.Time) {
	t := &c.tape
	if turn != t.turn {
		return
	}
	if whole {
		t.told = true
		l.noteTape(c, a.name, journal.RecordingAnnounced, journal.RecordingDetail{Prompt: c.camp.Recording.Prompt()}, now)
	}
	switch {
	case t.state != TapeAnnouncing:
	case whole && c.agent == a && c.state == connected:
		l.take(c, a, now)
	default:
		l.notTaped(c, a, "the announcement was not heard to its end", now)
	}
}

// take begins a recording.
func (l *loop) take(c *call, a *agent, now time.Time) {
	t, p := &c.tape, c.camp.Recording
	h := recording.Header{
		ID: fmt.Sprintf("%s-%d", c.attempt, len(t.takes)+1), Campaign: c.lead.Campaign, Attempt: c.attempt, Agent: a.name, CallID: c.leg.CallID(),
		Began: now, Until: now.Add(p.Keep),
	}
	rec := c.tapeEntry(a.name, "", now)
	var r Recording
	r = l.svc.Recorder.Record(c.audio, a.line.audio, Take{
		Header: h, Required: p.Required, Seal: l.svc.sealFor(c),
		Tell: func(n TakeNews) error {
			if n.Err != nil && n.Step != TakeDestroyed {
				l.post(func(now time.Time) { l.tapeFailed(c, a, r, n, now) })
			}
			return l.svc.tapeNews(rec, n)
		},
	})
	t.takes, t.state = append(t.takes, r), TapeOn
	if t.paused {
		r.Pause()
		t.paused, t.state = false, TapePaused
		l.noteTape(c, a.name, journal.RecordingPaused, journal.RecordingDetail{}, now)
	}
}

// sealFor seals the key of a recording under the person's; a person whose number
// is withheld has a key for the call.
func (s *Service) sealFor(c *call) func(context.Context, *recording.Header, recording.Key) error {
	name := string(c.lead.Number)
	if name == "" {
		name = "call:" + c.attempt
	}
	return func(ctx context.Context, h *recording.Header, key recording.Key) error {
		sealed, err := s.Seal(ctx, name, key[:], h.Context())
		h.Node, h.Subject, h.Key = sealed.Node, sealed.Subject, sealed.Box
		return err
	}
}

// tapeWait is how long the record of a recording's end may take.
const tapeWait = 10 * time.Second

// tapeNews journals what became of a recording. The end is on disk when it returns.
func (s *Service) tapeNews(rec journal.Record, n TakeNews) error {
	d := journal.RecordingDetail{File: n.Header.Path(), GapMS: ms(n.Gap)}
	if n.Err != nil {
		d.Text = n.Err.Error()
	}
	rec.At = s.Now()
	switch n.Step {
	case TakeBegan:
		rec.Outcome, d.Law, d.Until = journal.RecordingBegan, string(n.Header.Law), n.Header.Until
	case TakeFailed:
		rec.Outcome, d.File = journal.RecordingFailed, ""
	case TakeGap:
		rec.Outcome = journal.RecordingGap
	case TakeDestroyed:
		rec.Outcome = journal.RecordingDestroyed
		if n.Err != nil {
			rec.Outcome = journal.RecordingFailed
		}
	case TakeEnded:
		rec.Outcome, d.Until = journal.RecordingEnded, n.Header.Until
		d.SHA256, d.Bytes, d.LengthMS = n.Sum.SHA256, n.Sum.Bytes, ms(n.Sum.Length)
		rec.Detail = encode(d)
		ctx, cancel := context.WithTimeout(context.Background(), tapeWait)
		defer cancel()
		_, err := s.Journal.Commit(ctx, rec)
		return err
	}
	rec.Detail = encode(d)
	_, err := s.Journal.Append(rec)
	return err
}

// tapeFailed takes note that a recording could not begin or go on. Where one is required, a
// call that is not recorded from its start is ended; one in progress is not cut.
func (l *loop) tapeFailed(c *call, a *agent, r Recording, n TakeNews, now time.Time) {
	l.log.Error("call not recorded", zap.String("attempt", c.attempt), zap.Error(n.Err))
	l.tally.Unrecorded++
	t := &c.tape
	if (t.state != TapeOn && t.state != TapePaused) || t.now() != r {
		return
	}
	t.state = TapeOver
	if n.Step == TakeFailed && c.camp.Recording.Required {
		l.hangUp(c, now)
		return
	}
	l.signal(c, a, ToneSorry)
}

// notTaped journals why a call is not recorded.
func (l *loop) notTaped(c *call, a *agent, why string, now time.Time) {
	c.tape.state = TapeOver
	l.noteTape(c, a.name, journal.RecordingFailed, journal.RecordingDetail{Text: why}, now)
	if c.camp.Recording.Required && c.state == connected {
		l.hangUp(c, now)
	}
}

// endTape ends the recording of a call that its agent leaves.
func (l *loop) endTape(c *call) {
	t := &c.tape
	switch t.state {
	case TapeOn, TapePaused:
		t.paused = t.state == TapePaused
		t.now().Stop()
	case TapeAnnouncing: // announced is still to come
		return
	case TapeOver, TapeObjected, "":
		return
	}
	t.state = TapeOver
}

// tapeEntry begins a journal record about a call's recording.
func (c *call) tapeEntry(agent, step string, now time.Time) journal.Record {
	rec := c.entry(journal.Recording, now, c.leg.CallID())
	if c.back != nil {
		rec = c.back.entry(step, now)
		rec.Kind = journal.Recording
	}
	rec.Agent, rec.Outcome = agent, step
	return rec
}

func (l *loop) noteTape(c *call, agent, step string, d journal.RecordingDetail, now time.Time) {
	l.svc.scribe.note(c.tapeEntry(agent, step, now), d)
}

// signal lets the agent alone hear a sound while they talk.
func (l *loop) signal(c *call, a *agent, sound string) {
	if c.agent != a || c.state != connected {
		return
	}
	if err := l.svc.Recorder.Whisper(a.line.audio, sound, nil); err != nil {
		l.log.Warn("sound not played", zap.String("sound", sound), zap.Error(err))
	}
}

// unrecordable reports that the campaign dials nobody because its calls must be recorded
// and cannot be.
func (l *loop) unrecordable(now time.Time) bool {
	why := ""
	if l.camp.Recording.Required {
		if err := l.svc.Recorder.Room(); err != nil {
			why = err.Error()
		}
	}
	if (why == "") != (l.unrecorded == "") {
		step := journal.RecordingResumed
		if why != "" {
			step = journal.RecordingFailed
		}
		l.log.Warn("calls that must be recorded", zap.String("step", step), zap.String("why", why))
		l.svc.scribe.note(journal.Record{At: now, Kind: journal.Recording, Campaign: l.camp.Name, Outcome: step, Reason: "required"}, journal.RecordingDetail{Text: why})
	}
	l.unrecorded = why
	return why != ""
}

// CheckRecording says what a campaign's recording lacks under the law of its policy, and
// among the prompts that are there.
func CheckRecording(r campaigns.Recording, p Policy, hasPrompt func(string) bool) error {
	var errs []error
	if !r.On() {
		return nil
	}
	if p.Notice != "" && r.Announce == campaigns.NotAnnounced {
		errs = append(errs, fmt.Errorf("recording.announce %q: the rule %s wants the person told before the recording begins: name a WAV, or agent with calls: on_demand", r.Announce, p.Notice))
	}
	if p.NotEvery != "" && r.Calls == campaigns.RecordAll {
		errs = append(errs, fmt.Errorf("recording.calls %q: the rule %s does not let every call be recorded: write on_demand or a share such as 10%%", r.Calls, p.NotEvery))
	}
	if name := r.Prompt(); name != "" && !hasPrompt(name) {
		errs = append(errs, fmt.Errorf("recording.announce %q: there is no such prompt: put the WAV into the prompts folder", name))
	}
	return errors.Join(errs...)
}
