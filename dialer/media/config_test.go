package media

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

func TestConfigNamesEveryProblem(t *testing.T) {
	_, err := New(Config{
		PortMin: 20001, PortMax: 20001,
		Tone:        Tone{Hz: 9000},
		Noise:       -10,
		MediaRanges: []netip.Prefix{{}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"media: ", "address: missing", "ports: 20001-20001", "tone: 9000 Hz", "noise: -10 dBm0", "media ranges: entry 1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestConfigAddresses(t *testing.T) {
	for _, c := range []struct {
		name      string
		address   string
		advertise string
		local     string // offered; empty: refused
	}{
		{"one interface", "127.20.30.1", "", "127.20.30.1"},
		{"mapped IPv4", "::ffff:127.20.30.1", "", "127.20.30.1"},
		{"behind NAT", "127.20.30.1", "198.51.100.7", "198.51.100.7"},
		{"all interfaces", "0.0.0.0", "", ""},
		{"all interfaces behind NAT", "0.0.0.0", "198.51.100.7", "198.51.100.7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Config{Address: netip.MustParseAddr(c.address), PortMin: 21000, PortMax: 21099}
			if c.advertise != "" {
				cfg.Advertise = netip.MustParseAddr(c.advertise)
			}
			d, err := New(cfg)
			if c.local == "" {
				if err == nil {
					d.Close()
					t.Fatal("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			a, err := d.Open(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Local(); got.Addr().String() != c.local || got.Port()%2 != 0 || got.Port() < 21000 || got.Port() > 21099 {
				t.Errorf("offers %s, want an even port of 21000-21099 on %s", got, c.local)
			}
		})
	}
}

func TestBadPromptsAreAllNamed(t *testing.T) {
	_, err := New(Config{
		Address: netip.MustParseAddr("127.20.30.2"),
		Prompts: map[string]string{"one": "none-1.wav", "two": "none-2.wav", "good": "default.wav"},
	})
	if err == nil || !strings.Contains(err.Error(), `prompt "one": `) || !strings.Contains(err.Error(), `prompt "two": `) || strings.Contains(err.Error(), "good") {
		t.Errorf("error %v", err)
	}
}

func TestSoundLevels(t *testing.T) {
	for _, want := range []float64{-3, -16, -40} {
		tone := newClip(sine(2300, want, 400*time.Millisecond))
		for _, codec := range []dialer.Codec{dialer.PCMA, dialer.PCMU} {
			if got := level(tone.in(codec)[80:3120], lawOf(codec), 2300); math.Abs(got-want) > 0.5 {
				t.Errorf("codec %d: a tone of %g dBm0 measures %.2f", codec, want, got)
			}
		}
	}
	hiss := noise(-50, 128)
	for _, codec := range []dialer.Codec{dialer.PCMA, dialer.PCMU} {
		var power float64
		for _, b := range hiss.in(codec) {
			v := float64(lawOf(codec).linear[b])
			power += v * v
		}
		got := 10*math.Log10(2*power/float64(len(hiss.a))/math.MaxInt16/math.MaxInt16) + overload
		if math.Abs(got+50) > 1 {
			t.Errorf("codec %d: comfort noise of -50 dBm0 measures %.2f", codec, got)
		}
	}
	if len(hiss.a)%frameSamples != 0 {
		t.Error("comfort noise does not end with a frame")
	}
}

func TestBlendDoesNotWrap(t *testing.T) {
	audio := []byte{lawU.code[uint16(32000)], lawU.code[uint16(0x8300)]}
	low := int16(-32000)
	if left := blend(audio, lawU, []int16{32000, low, 5}); len(left) != 1 {
		t.Errorf("%d samples of tone left, want 1", len(left))
	}
	if hi, lo := lawU.linear[audio[0]], lawU.linear[audio[1]]; hi < 32000 || lo > -32000 {
		t.Errorf("loud and loud becomes %d and %d", hi, lo)
	}
}
