package sandbox

import (
	"net/netip"
	"testing"
	"time"

	"pronto/dialer/sandbox/truth"
)

func TestRinger(t *testing.T) {
	t.Parallel()
	w := Compressed(3, 0.3)
	w.Patience = 700 * time.Millisecond
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.65.40.1:0", World: w})
	person := Ringer{From: netip.MustParseAddr("127.65.40.2"), To: addr, Caller: "+393331234567", Key: '9', Listen: 100 * time.Millisecond, Patience: 10 * time.Second}

	person.Called = number(t, w, func(b Behaviour) bool { return b.Plan == Live && b.Manner == Plain && b.Ring < time.Second })
	rang, err := person.Ring(t.Context())
	if err != nil || rang.Status != 200 || rang.Answered.IsZero() || !rang.ByDialer || rang.Packets < 10 || rang.Over.Before(rang.Answered) {
		t.Errorf("answered: %+v, %v", rang, err)
	}

	busy := person
	busy.Called = number(t, w, func(b Behaviour) bool { return b.Plan == Busy })
	if rang, err := busy.Ring(t.Context()); err != nil || rang.Status != 486 || !rang.Answered.IsZero() {
		t.Errorf("busy: %+v, %v", rang, err)
	}

	hasty := person
	hasty.Patience = 300 * time.Millisecond
	hasty.Called = number(t, w, func(b Behaviour) bool { return b.Plan == NoAnswer })
	if rang, err := hasty.Ring(t.Context()); err != nil || rang.Status != 0 {
		t.Errorf("hung up before an answer: %+v, %v", rang, err)
	}
	lines := stop()
	if end := only(t, of(lines, person.Called), truth.Bye); end.By != truth.ByCallee {
		t.Errorf("the callee's own log: %+v", end)
	}
}

// of are a number's lines.
func of(lines []truth.Line, number string) (out []truth.Line) {
	for _, l := range lines {
		if l.Number == number {
			out = append(out, l)
		}
	}
	return out
}
