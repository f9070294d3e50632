package media

import (
	"testing"

	"pgregory.net/rapid"
)

// ev is one telephone-event packet.
type ev struct {
	marker   bool
	stamp    uint32
	event    byte
	end      bool
	duration uint16
	ssrc     uint32
}

func (e ev) payload() []byte {
	b := []byte{e.event, 10, byte(e.duration >> 8), byte(e.duration)}
	if e.end {
		b[1] |= 0x80
	}
	return b
}

// pressed is the keys that a row of packets means.
func pressed(all []ev) string {
	var d digits
	var out []byte
	for _, e := range all {
		if key, ok := d.take(packet{marker: e.marker, stamp: e.stamp, ssrc: e.ssrc}, e.payload()); ok {
			out = append(out, key)
		}
	}
	return string(out)
}

func TestDigits(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []ev
		want string
	}{
		{"one key, three ends", []ev{{true, 100, 5, false, 400, 1}, {false, 100, 5, false, 800, 1}, {false, 100, 5, true, 1200, 1}, {false, 100, 5, true, 1200, 1}, {false, 100, 5, true, 1200, 1}}, "5"},
		{"every key", []ev{{true, 1, 0, true, 400, 1}, {true, 2000, 9, true, 400, 1}, {true, 4000, 10, true, 400, 1}, {true, 6000, 11, true, 400, 1}}, "09*#"},
		{"the same key twice", []ev{{true, 100, 5, false, 400, 1}, {false, 100, 5, true, 800, 1}, {true, 2100, 5, false, 400, 1}, {false, 2100, 5, true, 800, 1}}, "55"},
		{"twice, all ends lost", []ev{{true, 100, 5, false, 400, 1}, {false, 100, 5, false, 800, 1}, {true, 2100, 5, false, 400, 1}}, "55"},
		{"twice, ends and second marker lost", []ev{{true, 100, 5, false, 400, 1}, {false, 100, 5, false, 800, 1}, {false, 2100, 5, false, 800, 1}}, "55"},
		{"another key, ends and marker lost", []ev{{true, 100, 5, false, 400, 1}, {false, 1700, 6, false, 800, 1}}, "56"},
		{"only an end arrives", []ev{{false, 100, 7, true, 1200, 1}, {false, 100, 7, true, 1200, 1}}, "7"},
		{"a late end of the key before", []ev{{true, 100, 5, false, 400, 1}, {true, 2100, 6, false, 400, 1}, {false, 100, 5, true, 1200, 1}, {false, 2100, 6, true, 800, 1}}, "56"},
		{"a long press in segments", []ev{{true, 100, 5, false, 0xfff0, 1}, {false, 100, 5, false, 0xffff, 1}, {false, 100 + 0xffff, 5, false, 400, 1}, {false, 100 + 0xffff, 5, true, 800, 1}}, "5"},
		{"time stamp moves with each packet", []ev{{true, 100, 5, false, 160, 1}, {false, 260, 5, false, 320, 1}, {false, 420, 5, false, 480, 1}, {false, 580, 5, true, 640, 1}}, "5"},
		{"time stamp wraps", []ev{{true, 0xffffff00, 1, true, 400, 1}, {true, 0x100, 2, true, 400, 1}}, "12"},
		{"a new source starts lower", []ev{{true, 90000, 1, true, 400, 1}, {true, 100, 2, true, 400, 2}}, "12"},
		{"letters and flash are no digits", []ev{{true, 100, 12, true, 400, 1}, {true, 2000, 16, true, 400, 1}, {true, 4000, 255, true, 400, 1}}, ""},
		{"A between two keys", []ev{{true, 100, 3, true, 400, 1}, {true, 2000, 12, true, 400, 1}, {true, 4000, 3, true, 400, 1}}, "33"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := pressed(c.in); got != c.want {
				t.Errorf("pressed %q, want %q", got, c.want)
			}
		})
	}
}

// Whatever is lost, each key of which one packet arrives counts once, as long as
// order is kept within a key.
func TestDigitsSurviveLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stamp := rapid.Uint32().Draw(t, "stamp")
		var sent []ev
		want := ""
		for range rapid.IntRange(1, 8).Draw(t, "keys") {
			key := rapid.ByteRange(0, 11).Draw(t, "key")
			updates := rapid.IntRange(1, 6).Draw(t, "updates")
			arrived := false
			for i := range updates + 3 {
				if rapid.Bool().Draw(t, "lost") {
					continue
				}
				arrived = true
				sent = append(sent, ev{i == 0, stamp, key, i >= updates, uint16(400 * min(i+1, updates+1)), 1})
			}
			if arrived {
				want += string(keys[key])
			}
			stamp += uint32(400*(updates+1)) + rate + rapid.Uint32Range(1, 4*rate).Draw(t, "pause")
		}
		if got := pressed(sent); got != want {
			t.Fatalf("pressed %q, want %q", got, want)
		}
	})
}

func FuzzDigits(f *testing.F) {
	f.Add([]byte{5, 0x8a, 1, 0x90}, uint32(160), true)
	f.Add([]byte{}, uint32(0), false)
	f.Fuzz(func(t *testing.T, payload []byte, stamp uint32, marker bool) {
		var d digits
		for i := range 3 {
			key, ok := d.take(packet{stamp: stamp * uint32(i), marker: marker}, payload)
			if ok && (payload[0] > 11 || keys[payload[0]] != key) {
				t.Fatalf("payload %x gives key %q", payload, key)
			}
			if _, again := d.take(packet{stamp: stamp * uint32(i), marker: marker}, payload); again {
				t.Fatalf("payload %x counts twice", payload)
			}
		}
	})
}
