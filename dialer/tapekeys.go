package dialer

import (
	"errors"
	"fmt"
	"time"

	"pronto/dialer/journal"
)

// TapeWish is what an agent asks of the recording of their call.
type TapeWish string

// The wishes.
const (
	TapeBegin  TapeWish = "begin"
	TapePause  TapeWish = "pause"
	TapeResume TapeWish = "resume"
	TapeObject TapeWish = "object" // the person objects: it ends, and what there is is destroyed
)

// TapeWishes are all of them.
func TapeWishes() []TapeWish { return []TapeWish{TapeBegin, TapePause, TapeResume, TapeObject} }

// TapeAsk is an agent's wish about the recording of the call that they are on or have just had.
type TapeAsk struct {
	Agent string
	Wish  TapeWish
	Via   string // dtmf, cli, desk
	Who   string // who entered it, where that is not the agent's own phone
}

// Tape does what an agent asks, or says why not and changes nothing.
func (s *Service) Tape(ask TapeAsk) (Screen, error) {
	return s.atDesk(ask.Agent, func(l *loop, a *agent, c *call, now time.Time) error {
		return l.tape(a, c, ask, now)
	})
}

// tapeKey obeys a key for the recording on an agent's phone; false: it is not one.
func (l *loop) tapeKey(a *agent, c *call, key byte, now time.Time) bool {
	p := c.camp.Recording
	ask := TapeAsk{Agent: a.name, Via: "dtmf"}
	switch {
	case !p.On():
		return false
	case string(key) == p.ObjectionKey:
		ask.Wish = TapeObject
	case string(key) != p.Key:
		return false
	case c.tape.state == TapeOn:
		ask.Wish = TapePause
	case c.tape.state == TapePaused:
		ask.Wish = TapeResume
	default:
		ask.Wish = TapeBegin
	}
	if l.tape(a, c, ask, now) != nil {
		l.signal(c, a, ToneSorry)
	}
	return true
}

// tape does what an agent asks.
func (l *loop) tape(a *agent, c *call, ask TapeAsk, now time.Time) error {
	if !c.camp.Recording.On() {
		return fmt.Errorf("campaign %s records no calls", c.camp.Name)
	}
	if ask.Wish == TapeObject {
		return l.object(a, c, ask, now)
	}
	t := &c.tape
	d := journal.RecordingDetail{Via: ask.Via, Who: ask.Who}
	switch {
	case t.state == TapeObjected:
		return errors.New("the person objected: the call is not recorded")
	case c.agent != a || c.state != connected:
		return errors.New("the call is over")
	case ask.Wish == TapeBegin && (t.state == "" || t.state == TapeOver):
		l.beginTape(c, a, now)
		l.signal(c, a, ToneDone)
	case ask.Wish == TapePause && t.state == TapeOn:
		t.now().Pause()
		t.state = TapePaused
		l.noteTape(c, a.name, journal.RecordingPaused, d, now)
		l.signal(c, a, ToneSorry)
	case ask.Wish == TapeResume && t.state == TapePaused:
		t.now().Resume()
		t.state = TapeOn
		l.noteTape(c, a.name, journal.RecordingResumed, d, now)
		l.signal(c, a, ToneDone)
	case t.state == "":
		return fmt.Errorf("%s: the call is not recorded", ask.Wish)
	default:
		return fmt.Errorf("%s: the recording is %s", ask.Wish, t.state)
	}
	return nil
}

// object ends and destroys what was recorded of a call.
func (l *loop) object(a *agent, c *call, ask TapeAsk, now time.Time) error {
	t := &c.tape
	if t.state == TapeObjected {
		return errors.New("the person objected already")
	}
	t.state = TapeObjected
	l.noteTape(c, a.name, journal.RecordingObjected, journal.RecordingDetail{Via: ask.Via, Who: ask.Who}, now)
	for _, r := range t.takes {
		r.Destroy()
	}
	l.signal(c, a, ToneDone)
	return nil
}
