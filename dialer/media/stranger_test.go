package media

import (
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"pronto/dialer"
)

// Audio that the configuration does not allow is told of once, and only where
// the far end itself is not heard.
func TestUnheardFarEndIsLogged(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	d := desk(t, "127.20.70.1", func(c *Config) { c.Logger = zap.New(core) })
	heard := opposite(t, d, "127.20.70.2", dialer.PCMA, nil)
	heard.talk(2, time.Millisecond, pattern(1, 160))
	await(t, "the far end", func() bool { return !heard.audio.LastHeard().IsZero() })
	mute, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	sdp := netip.MustParseAddrPort("127.20.70.3:4000")
	mute.Connect(dialer.Remote{Addr: sdp, Codec: dialer.PCMA})
	for _, a := range []dialer.Audio{heard.audio, mute} {
		before := d.Stats().Strangers
		outsider := newFar(t, "127.20.71.1", a, dialer.PCMA)
		outsider.talk(3*unheard, time.Millisecond, pattern(2, 160))
		await(t, "the outsider", func() bool { return d.Stats().Strangers >= before+2*unheard })
	}
	all := logs.All()
	if len(all) != 1 {
		t.Fatalf("logged %v, want one line", all)
	}
	if fields := all[0].ContextMap(); fields["sdp"] != sdp.String() || fields["port"] != mute.Local().Port() {
		t.Errorf("logged %v", fields)
	}
}
