package trunk

import (
	"context"
	"testing"
	"time"

	"pronto/dialer"
)

func TestBaresipRegistersAndIsCalled(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			ep := newPhones(t, oneAgent("ann"))
			baresip(t, ep, "127.30.1.1", "ann", transport)
			if name := wait(t, "the registration", ep.Changes()); name != "ann" {
				t.Fatalf("%q registered, want ann", name)
			}
			if !ep.Registered("ann") || ep.Registered("bob") {
				t.Error("ann is to be registered, bob is not")
			}
			audio := newFakeAudio(t, ourHost)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			leg, err := ep.Call(ctx, "ann", audio)
			if err != nil {
				t.Fatal(err)
			}
			far := audio.connected()
			if len(far) != 1 || far[0].Codec != dialer.PCMA || far[0].Digits == 0 {
				t.Fatalf("audio connected to %+v; our order of codecs has PCMA first", far)
			}
			audio.conn.SetReadDeadline(time.Now().Add(patience))
			if n, _, err := audio.conn.ReadFrom(make([]byte, 2000)); err != nil || n != 172 {
				t.Errorf("RTP from the phone: %d bytes, %v; want 172", n, err)
			}
			if !leg.Alive(ctx) {
				t.Error("the phone does not answer OPTIONS")
			}
			leg.Hangup()
			wait(t, "the end", leg.Done())
			if e := leg.Ended(); e.Err != nil || e.Cause.Status != 200 {
				t.Errorf("ended %+v", e)
			}
		})
	}
}
