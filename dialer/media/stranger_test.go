package media

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
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

// Whoever can send with the far end's own address but does not know its stream changes nothing: other SSRCs, by
// themselves and by turns, leaps in sequence, RTCP that says goodbye. Nor does what is said
// at the RTP port of a leg by the thousand make it hold more.
func TestForgeriesFromTheFarEndsAddress(t *testing.T) {
	for range 20 {
		if forgeries(t) {
			return
		}
	}
	t.Fatal("the machine is too slow to tell")
}

// forgeries reports false when the far end's own packets had a pause that
// another source may use.
func forgeries(t *testing.T) (told bool) {
	d := desk(t, "127.64.20.1", func(c *Config) { c.Tone.Off = true })
	defer d.Close()
	agent := opposite(t, d, "127.64.20.2", dialer.PCMA, nil)
	keys := 0
	customer := opposite(t, d, "127.64.20.3", dialer.PCMA, func(byte) { keys++ })
	l := customer.audio.(*leg)
	l.mu.Lock()
	l.latch.lenient = 0 // as in the midst of a call
	l.mu.Unlock()
	d.Bridge(l, agent.audio, nil)
	put := func(ssrc uint32, seq uint16, pt uint8, payload []byte) {
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SSRC: ssrc, SequenceNumber: seq, Timestamp: uint32(seq) * 160}, Payload: payload}
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		l.receive(b, customer.local())
	}
	goodbye := []byte{0x81, 203, 0, 1, 0, 0, 0, 7}
	report := append([]byte{0x80, 200, 0, 6}, make([]byte, 24)...)
	const said, own, forger = 50, 7, 0xbad
	heard, forged := pattern(0x10, 160), bytes.Repeat([]byte{0x66}, 160)
	last := time.Now()
	for i := range said {
		put(own, uint16(i), 8, heard(i))
		if time.Since(last) > pause/2 {
			return false
		}
		last = time.Now()
		for n := range uint16(40) {
			put(uint32(i+1)<<8|uint32(n), n, 8, forged) // a flood of sources
			put(forger, uint16(i)*40+n, 8, forged)      // one that goes on
			put(own, uint16(i)+4000*(n%7+1), 8, forged) // leaps
		}
		put(forger, 1, 101, []byte{5, 10, 1, 0})
		l.receive(bytes.Clone(goodbye), customer.local())
		l.receive(bytes.Clone(report), customer.local())
	}
	if keys > 0 {
		t.Error("a forged key was taken")
	}
	all := agent.await("the last word", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, heard(said-1)) })
	all = all[max(0, len(all)-said):]
	for i, p := range all {
		if !bytes.Equal(p.Payload, heard(i)) || p.Marker != (i == 0) {
			t.Fatalf("packet %d is not the customer's next word, or begins anew", i+1)
		}
	}
	return true
}
