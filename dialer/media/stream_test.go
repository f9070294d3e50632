package media

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// play is a model of one leg's outgoing stream: what leaves, and when.
type play struct {
	s    stream
	f    flow
	out  []packet
	size []int
	at   []time.Duration
}

func (m *play) bed(t *rapid.T, due time.Duration) {
	stamp, ok := m.s.bed(due)
	if !ok {
		return
	}
	if off := int32(stamp - m.s.at(due)); off < -8 || off > 8 {
		t.Fatalf("packet %d: a bed %d samples off the clock", len(m.out), off)
	}
	m.out = append(m.out, packet{marker: m.s.fresh, seq: m.s.seq, stamp: stamp})
	m.size, m.at = append(m.size, frameSamples), append(m.at, due)
	m.s.sent(stamp, frameSamples)
}

func (m *play) relay(p packet, now time.Duration) bool {
	out, ok := m.f.place(&m.s, p, now)
	if ok {
		m.out = append(m.out, out)
		m.size, m.at = append(m.size, p.to-p.from), append(m.at, now)
	}
	return ok
}

// Beds and bridges in any order: sequence without a gap, time stamps that never
// run back over audio, in step with the clock, markers on the joints alone.
func TestSourcesFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ns"))
		}).Draw(t, "start")
		m := &play{s: newStream(now)}
		joints := map[int]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "sources") {
			joints[len(m.out)] = true
			m.s.fresh = true
			if rapid.Bool().Draw(t, "bed") {
				now = now.Truncate(frame) + frame
				for range rapid.IntRange(3, 60).Draw(t, "frames") {
					m.bed(t, now)
					now += frame
				}
				continue
			}
			now = bridgeFor(t, m, now)
		}
		checkPlay(t, m, joints)
	})
}

// bridgeFor relays a far end of any packet time, with jitter below one packet,
// and returns when it ended.
func bridgeFor(t *rapid.T, m *play, now time.Duration) time.Duration {
	size := 80 * rapid.IntRange(1, 6).Draw(t, "ptime/10ms")
	ptime := time.Duration(size) * perSample
	p := packet{ssrc: rapid.Uint32().Draw(t, "ssrc"), seq: rapid.Uint16().Draw(t, "seq"), stamp: rapid.Uint32().Draw(t, "stamp"), from: headerLen, to: headerLen + size}
	m.f = flow{}
	now += time.Duration(rapid.Int64Range(0, int64(frame)).Draw(t, "phase"))
	for range rapid.IntRange(1, 40).Draw(t, "packets") {
		m.relay(p, now+time.Duration(rapid.Int64Range(0, int64(ptime/2)).Draw(t, "jitter")))
		p.seq++
		p.stamp += uint32(size)
		now += ptime
	}
	return now
}

func checkPlay(t *rapid.T, m *play, joints map[int]bool) {
	for i, p := range m.out {
		if i == 0 {
			if !p.marker {
				t.Fatal("no marker at the beginning")
			}
			continue
		}
		before, step := m.out[i-1], int(int32(p.stamp-m.out[i-1].stamp))
		switch {
		case p.seq != before.seq+1:
			t.Fatalf("packet %d: sequence %d after %d", i, p.seq, before.seq)
		case step < m.size[i-1]:
			t.Fatalf("packet %d: time stamp moves %d over %d samples", i, step, m.size[i-1])
		case p.marker != joints[i] && (!p.marker || step == m.size[i-1]):
			t.Fatalf("packet %d: marker %t, joint %t", i, p.marker, joints[i])
		}
		off := time.Duration(p.stamp-m.out[0].stamp)*perSample - (m.at[i] - m.at[0])
		if limit := 200 * time.Millisecond; off > limit || off < -limit {
			t.Fatalf("packet %d: time stamp is %s off the clock", i, off)
		}
	}
}

// What a far end loses, swaps or sends twice reaches the other side the same way,
// and no two packets ever share a number.
func TestLossAndOrderStayVisible(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []int // sequence numbers; negative: withheld
		want []int // relative to the first one out
	}{
		{"in order", []int{5, 6, 7}, []int{0, 1, 2}},
		{"lost", []int{5, 7, 8}, []int{0, 2, 3}},
		{"swapped", []int{5, 7, 6, 8}, []int{0, 2, 1, 3}},
		{"twice", []int{5, 6, 6, 7}, []int{0, 1, 2}},
		{"late from before the joint", []int{5, 4, 6}, []int{0, 1}},
		{"withheld", []int{5, -6, -7, 8, 9}, []int{0, 1, 2}},
		{"withheld after a loss", []int{5, -7, 8}, []int{0, 2}},
		{"late from before one withheld", []int{5, 7, -8, 6, 9}, []int{0, 2, 3}},
		{"number wraps", []int{65535, 65536, 65537}, []int{0, 1, 2}},
		{"restart of the source", []int{5, 6, 20000, 20001}, []int{0, 1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &play{s: newStream(0)}
			first := m.s.seq
			for i, n := range c.in {
				p := packet{ssrc: 1, seq: uint16(max(n, -n)), stamp: uint32(max(n, -n) * 160), from: headerLen, to: headerLen + 160}
				if n < 0 {
					m.f.swallow(p)
					continue
				}
				m.relay(p, time.Duration(i)*frame)
			}
			if len(m.out) != len(c.want) {
				t.Fatalf("%d packets sent, want %d", len(m.out), len(c.want))
			}
			for i, p := range m.out {
				if got := int(p.seq - first); got != c.want[i] {
					t.Errorf("packet %d has number %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}

func TestFreshJoints(t *testing.T) {
	base := packet{ssrc: 1, seq: 100, stamp: 16000, from: headerLen, to: headerLen + 160}
	for _, c := range []struct {
		name   string
		change func(*packet)
		later  time.Duration
		joint  bool
	}{
		{"next packet", func(*packet) {}, frame, false},
		{"new SSRC", func(p *packet) { p.ssrc = 2 }, frame, true},
		{"time stamp leaps ahead", func(p *packet) { p.stamp += 80000 }, frame, true},
		{"time stamp runs back", func(p *packet) { p.stamp -= 320 }, frame, true},
		{"silence suppressed for 30 s", func(p *packet) { p.stamp += 30 * rate }, 30 * time.Second, false},
		{"sequence leaps", func(p *packet) { p.seq += 10000 }, frame, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &play{s: newStream(0)}
			m.relay(base, 0)
			next := base
			next.seq++
			next.stamp += 160
			c.change(&next)
			if !m.relay(next, c.later) {
				t.Fatal("not sent")
			}
			p := m.out[1]
			if p.marker != c.joint || p.seq != m.out[0].seq+1 {
				t.Errorf("marker %t, sequence %d after %d; want marker %t", p.marker, p.seq, m.out[0].seq, c.joint)
			}
			if off := int32(p.stamp-m.out[0].stamp) - int32(c.later/perSample); off < -160 || off > 160 {
				t.Errorf("time stamp is %d samples off the clock", off)
			}
		})
	}
}

// A far end whose clock ran fast for an hour leaves the stream ahead of ours:
// the bed goes on from there at once and does not wait for the clock.
func TestSkewIsKept(t *testing.T) {
	s := newStream(0)
	s.end += 4 * rate / 5
	before := s.end
	stamp, ok := s.bed(0)
	if !ok || stamp != before {
		t.Fatalf("first frame: sent %t, %d samples on", ok, int32(stamp-before))
	}
	s.sent(stamp, frameSamples)
	if stamp, ok = s.bed(frame); !ok || stamp != before+frameSamples {
		t.Errorf("second frame: sent %t, %d samples on", ok, int32(stamp-before))
	}
}
