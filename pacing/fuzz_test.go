package pacing

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// FuzzObserve feeds arbitrary events: none may panic, and one that is refused may change nothing.
func FuzzObserve(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0, 0, 1, 1, 0, 0}, 40))
	seed := []byte{}
	for i := range 12 {
		for _, kind := range []byte{0, 4, 5, 6, 7, 9, 2} {
			seed = append(seed, 1, kind, byte(i%3+1), byte(i), 8, 3)
		}
	}
	f.Add(seed)
	f.Add(bytes.Repeat([]byte{1, 12, 1, 1, 10, 200}, 3)) // no kind of event, no outcome
	f.Fuzz(func(t *testing.T, data []byte) {
		e := mustNew(t, Config{
			Grace: 2 * time.Second, MaxCallsPerSecond: 5,
			Windows: []Window{campaign(0.03), {Period: Rolling, Length: time.Minute, Cap: 0.05}, {Period: Month, Cap: 0.2}},
		})
		at := dayStart
		for events := 0; len(data) >= 6 && events < 300; events++ {
			at = at.Add(time.Duration(int8(data[0])) * 40 * time.Millisecond)
			ev := Event{
				At: at, Kind: Kind(data[1] % 13), Agent: AgentID(data[2] % 9), Call: CallID(data[3]), Outcome: Outcome(data[4] % 11),
				Propensity: float64(int8(data[5])) / 16, ConnectedElsewhere: float64(data[5]), AbandonedElsewhere: float64(data[4]) / 100,
			}
			data = data[6:]
			var before []byte
			if events%16 == 0 { // a snapshot costs a thousand events
				before, _ = e.MarshalBinary()
			}
			if err := e.Observe(ev); err != nil {
				after := before
				if before != nil {
					after, _ = e.MarshalBinary()
				}
				if !bytes.Equal(before, after) {
					t.Fatalf("%+v was refused (%v) and changed the engine", ev, err)
				}
				at = time.Unix(0, max(e.now, dayStart.UnixNano())).UTC()
			}
			if d := e.Decide(at, nil); d.Dial < 0 || d.Dial > 5 || math.IsNaN(d.Risk) {
				t.Fatalf("%+v", d)
			}
		}
		if e.waiting < 0 || e.kept < 0 || e.open != len(e.callAt) || e.waitingBy[0]+e.waitingBy[1] != e.waiting {
			t.Fatalf("miscounted: %d waiting, %d kept, %d open", e.waiting, e.kept, e.open)
		}
	})
}

// FuzzUnmarshal feeds arbitrary snapshots with a right checksum: what is taken must work.
func FuzzUnmarshal(f *testing.F) {
	e := mustNew(f, Config{Windows: []Window{campaign(0.03)}})
	data, _ := e.MarshalBinary()
	f.Add(data[:len(data)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		c := codec{buf: bytes.Clone(body)}
		e := mustNew(t, Config{Mode: Progressive})
		before, _ := e.MarshalBinary()
		if err := e.UnmarshalBinary(c.seal()); err != nil {
			after, _ := e.MarshalBinary()
			if !bytes.Equal(before, after) {
				t.Fatal("a refused snapshot changed the engine")
			}
			return
		}
		at := time.Unix(0, e.now)
		e.Decide(at, nil)
		_ = e.Observe(Event{At: at, Kind: AgentReady, Agent: 1 << 60})
		_ = e.Observe(Event{At: at, Kind: Dialed, Call: 1 << 60})
		e.Decide(at.Add(time.Second), nil)
	})
}

func TestUnmarshalRefuses(t *testing.T) {
	e := mustNew(t, Config{Mode: Progressive})
	data, _ := e.MarshalBinary()
	other := bytes.Clone(data[:len(data)-4])
	other[len(snapshotMagic)]++
	for name, bad := range map[string][]byte{
		"nothing":       nil,
		"a cut tail":    data[:len(data)-1],
		"a flipped bit": append(bytes.Clone(data[:40]), append([]byte{data[40] ^ 1}, data[41:]...)...),
		"another version": func() []byte {
			c := codec{buf: other}
			return c.seal()
		}(),
		"a wrong checksum": binary.LittleEndian.AppendUint32(bytes.Clone(data[:len(data)-4]), 1),
	} {
		if err := e.UnmarshalBinary(bad); err == nil {
			t.Errorf("took %s", name)
		}
	}
}
