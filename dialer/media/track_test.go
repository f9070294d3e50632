package media

import (
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/recording"
)

// sent is one packet as it reached us: its sequence number, its time stamp in packets of 20 ms, when it came.
type sent struct {
	seq   uint16
	stamp uint32 // samples
	at    time.Duration
	ssrc  uint32
	pt    dialer.Codec
}

// inOrder is n packets of 20 ms from instant 0 on.
func inOrder(n int, change func(i int, s *sent) bool) []sent {
	var all []sent
	for i := range n {
		s := sent{seq: 65530 + uint16(i), stamp: ^uint32(500) + uint32(i)*160, at: time.Duration(i) * frame, ssrc: 7, pt: dialer.PCMA}
		if change == nil || change(i, &s) {
			all = append(all, s)
		}
	}
	return all
}

// heardAs plays packets into a track; the sound of each is its number, from 1. The
// answer says which packet is heard at each 20 ms; 0: none.
func heardAs(packets []sent) []byte {
	rec := &Recorder{blanks: [2][]byte{recording.MuLaw.Silence(), recording.ALaw.Silence()}}
	t := &take{rec: rec, codec: dialer.PCMA}
	x := &track{take: t}
	var out []byte
	collect := func(until int64) {
		for ; t.first < until; t.first++ {
			b := t.chunks[t.first%window]
			t.chunks[t.first%window] = nil
			for i := range recording.ChunkSamples / frameSamples {
				v := byte(0)
				if b != nil && b[2*(i*frameSamples+frameSamples/2)] != silenceA {
					v = b[2*(i*frameSamples+frameSamples/2)]
				}
				out = append(out, v)
			}
		}
	}
	for i, p := range packets {
		collect(int64((p.at - settled) / recording.ChunkTime))
		payload := make([]byte, frameSamples)
		for j := range payload {
			payload[j] = byte(i + 1)
			if p.pt == dialer.PCMU {
				payload[j] = lawA.other[byte(i+1)]
			}
		}
		x.hear(payload, packet{payloadType: uint8(p.pt), seq: p.seq, stamp: p.stamp, ssrc: p.ssrc}, p.at)
	}
	collect(t.first + window)
	for len(out) > 0 && out[len(out)-1] == 0 {
		out = out[:len(out)-1]
	}
	return out
}

func TestTrackPlacesPackets(t *testing.T) {
	from := func(first, last int) (b []byte) {
		for i := first; i <= last; i++ {
			b = append(b, byte(i))
		}
		return b
	}
	gap := func(n int) []byte { return make([]byte, n) }
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	cases := []struct {
		name    string
		packets []sent
		want    []byte
	}{
		{"in order", inOrder(60, nil), from(1, 60)},
		{"lost ones are silence", inOrder(60, func(i int, _ *sent) bool { return i < 20 || i >= 25 }), join(from(1, 20), gap(5), from(21, 55))},
		{"jitter changes nothing", inOrder(60, func(i int, s *sent) bool { s.at += time.Duration(i*37%60) * time.Millisecond; return true }), from(1, 60)},
		{"a burst after 200 ms", inOrder(60, func(i int, s *sent) bool {
			if i >= 20 && i < 30 {
				s.at = 30 * frame
			}
			return true
		}), from(1, 60)},
		{"a pause of the sender, marked by time stamps", inOrder(60, func(i int, s *sent) bool {
			if i >= 30 {
				s.stamp, s.at = s.stamp+50*160, s.at+50*frame
			}
			return true
		}), join(from(1, 30), gap(50), from(31, 60))},
		{"another source begins where it came", inOrder(60, func(i int, s *sent) bool {
			if i >= 30 {
				s.ssrc, s.stamp, s.at = 8, s.stamp+9000, s.at+10*frame
			}
			return true
		}), join(from(1, 30), gap(10), from(31, 60))},
		{"time stamps that leap by an hour", inOrder(60, func(i int, s *sent) bool {
			if i >= 30 {
				s.stamp += 3600 * rate
			}
			return true
		}), from(1, 60)},
		{"time stamps that stand still", inOrder(40, func(_ int, s *sent) bool { s.stamp = 5; return true }), from(1, 40)},
		{"the other law", inOrder(40, func(_ int, s *sent) bool { s.pt = dialer.PCMU; return true }), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := heardAs(c.packets)
			if c.want == nil { // each code through both tables
				for i := range c.packets {
					c.want = append(c.want, lawU.other[lawA.other[byte(i+1)]])
				}
			}
			if string(got) != string(c.want) {
				t.Errorf("heard %v\nwant  %v", got, c.want)
			}
		})
	}
}

// TestTrackTakesOvertakenPackets swaps neighbours and repeats packets.
func TestTrackTakesOvertakenPackets(t *testing.T) {
	packets := inOrder(40, nil)
	packets[10], packets[11] = packets[11], packets[10]
	packets[10].at, packets[11].at = packets[11].at, packets[10].at
	got := heardAs(packets)
	if len(got) != 40 || got[10] != 12 || got[11] != 11 {
		t.Errorf("heard %v", got)
	}
	again := append(inOrder(20, nil), inOrder(20, nil)[19])
	if got := heardAs(again); len(got) != 20 {
		t.Errorf("a repeated packet: heard %v", got)
	}
}

// TestTrackFollowsItsClock lets a sender's clock run fast and slow by 1 %, and one whose first
// packet was late: what is heard stays where it came.
func TestTrackFollowsItsClock(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(i int) time.Duration
		want func(i int) time.Duration
	}{
		"slow":                  {func(i int) time.Duration { return time.Duration(i) * frame * 101 / 100 }, nil},
		"fast":                  {func(i int) time.Duration { return time.Duration(i) * frame * 99 / 100 }, nil},
		"first packet was late": {func(i int) time.Duration { return max(time.Duration(i)*frame, 190*time.Millisecond) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &Recorder{blanks: [2][]byte{recording.MuLaw.Silence(), recording.ALaw.Silence()}}
			x := &track{take: &take{rec: rec, codec: dialer.PCMA}}
			for i := range 3000 { // a minute
				now := int64(c.at(i) / perSample)
				off := now - x.place(packet{seq: uint16(i), stamp: uint32(i) * 160, ssrc: 1}, now)
				if i > 300 && (off > drift+measure/100+frameSamples || off < -drift-measure/100-frameSamples) {
					t.Fatalf("packet %d is placed %d samples from where it came", i, off)
				}
			}
		})
	}
}

// TestSlowDiskLosesTheOldest: nothing is written, and what does not fit gives way.
func TestSlowDiskLosesTheOldest(t *testing.T) {
	rec := &Recorder{blanks: [2][]byte{recording.MuLaw.Silence(), recording.ALaw.Silence()}}
	tk := &take{rec: rec, codec: dialer.PCMA}
	x := &track{take: tk}
	const seconds = 20
	for _, p := range inOrder(50*seconds, nil) {
		x.hear(make([]byte, frameSamples), packet{payloadType: uint8(p.pt), seq: p.seq, stamp: p.stamp, ssrc: p.ssrc}, p.at)
	}
	if want := int64(2*seconds - window); tk.lost != want || tk.first != want {
		t.Errorf("%d chunks lost, the first is %d, want %d", tk.lost, tk.first, want)
	}
}
