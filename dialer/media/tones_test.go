package media

import (
	"net/netip"
	"testing"
	"time"

	"pronto/dialer"
)

// Each built-in sound is there, audible and different from the others.
func TestTones(t *testing.T) {
	d, err := New(Config{Address: netip.MustParseAddr("127.65.101.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	seen := map[string]string{}
	for _, name := range []string{dialer.ToneHello, dialer.ToneDone, dialer.ToneSorry} {
		if !d.HasPrompt(name) {
			t.Fatalf("no prompt %s", name)
		}
		c := d.prompts[name]
		if length := time.Duration(len(c.a)) * perSample; length < 300*time.Millisecond || length > 5*time.Second {
			t.Errorf("%s lasts %s", name, length)
		}
		loudest := int16(0)
		for _, b := range c.a {
			loudest = max(loudest, lawA.linear[b])
		}
		if loudest < 2000 || loudest > 8000 {
			t.Errorf("%s peaks at %d of 32767", name, loudest)
		}
		if other := seen[string(c.a)]; other != "" {
			t.Errorf("%s sounds like %s", name, other)
		}
		seen[string(c.a)] = name
	}
}
