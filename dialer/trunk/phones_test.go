package trunk

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"pronto/dialer"
)

func TestBaresipRegistersAndIsCalled(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			cert, key := newAuthority(t).sign("pronto", ourHost)
			ep := newPhones(t, oneAgent("ann"), func(c *Config) {
				c.TLS = TLSListen{Listen: netip.MustParseAddrPort(ourHost + ":0"), Certificate: cert, Key: key}
			})
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

// A phone that is not there is not waited for once its call is given up; one
// that rings is told by CANCEL.
func TestCallToAPhoneIsGivenUp(t *testing.T) {
	for name, there := range map[string]bool{"nobody there": false, "it rings": true} {
		t.Run(name, func(t *testing.T) {
			far := newFar(t, farHost)
			ep := newPhones(t, roster{"ann": {Name: "ann", Phone: "sip:ann@" + far.addrString()}})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := ep.Call(ctx, "ann", newFakeAudio(t, ourHost))
				done <- err
			}()
			inv := far.next("INVITE")
			if there {
				far.reply(inv, say{status: "180 Ringing", tag: "a"})
				far.none("CANCEL", 2*testT1)
			}
			began := time.Now()
			cancel()
			if there {
				far.reply(far.next("CANCEL"), say{status: "200 OK"})
				far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
			}
			if err := wait(t, "the end", done); err == nil {
				t.Error("a leg of a phone that did not answer")
			}
			if d := time.Since(began); d > giveUp()/2 {
				t.Errorf("given up %s after the wish", d)
			}
			if !there {
				far.none("CANCEL", 10*testT1)
				far.none("INVITE", 10*testT1)
			}
		})
	}
}

// A phone whose machine says that nobody listens is known to be gone at once; a
// carrier has the time of all repetitions, because it comes back.
func TestGoneByICMP(t *testing.T) {
	legs := map[string]func(t *testing.T) (*far, dialer.Leg){
		"phone": func(t *testing.T) (*far, dialer.Leg) {
			far := newFar(t, farHost)
			ep := newPhones(t, roster{"ann": {Name: "ann", Phone: "sip:ann@" + far.addrString()}})
			out := make(chan dialer.Leg, 1)
			go func() {
				leg, err := ep.Call(context.Background(), "ann", newFakeAudio(t, ourHost))
				if err != nil {
					t.Error(err)
				}
				out <- leg
			}()
			inv := far.next("INVITE")
			far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			return far, wait(t, "the leg", out)
		},
		"carrier": func(t *testing.T) (*far, dialer.Leg) {
			b := newBench(t)
			_, leg := b.answer("a")
			return b.far, leg
		},
	}
	for name, call := range legs {
		t.Run(name, func(t *testing.T) {
			far, leg := call(t)
			far.conn.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 20*testT1)
			defer cancel()
			began := time.Now()
			if leg.Alive(ctx) {
				t.Error("a far end that is not there is alive")
			}
			if d := time.Since(began); (d < 10*testT1) != (name == "phone") {
				t.Errorf("found out after %s", d)
			}
		})
	}
}
