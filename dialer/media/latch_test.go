package media

import (
	"net/netip"
	"testing"
	"time"

	"pronto/dialer"
)

func TestLatch(t *testing.T) {
	const (
		sdp     = "127.20.9.1:4000"
		natted  = "127.20.9.1:4444"
		allowed = "127.20.9.7:5000"
		strange = "127.99.0.1:4000"
	)
	ranges := []netip.Prefix{netip.MustParsePrefix("127.20.0.0/16")}
	type step struct {
		src  string
		ssrc uint32
		seq  uint16
		at   time.Duration
		ok   bool
	}
	for _, c := range []struct {
		name   string
		ranges []netip.Prefix
		steps  []step
		target string
	}{
		{"the SDP's address", nil, []step{{sdp, 1, 1, 0, true}, {sdp, 1, 2, 0, true}}, sdp},
		{"another port, two in a row", nil, []step{{natted, 1, 1, 0, false}, {natted, 1, 2, 0, true}, {natted, 1, 3, 0, true}}, natted},
		{"another port, not in a row", nil, []step{{natted, 1, 1, 0, false}, {natted, 1, 9, 0, false}}, sdp},
		{"another port, two sources", nil, []step{{natted, 1, 1, 0, false}, {natted, 2, 2, 0, false}}, sdp},
		{"another address without ranges", nil, []step{{allowed, 1, 1, 0, false}, {allowed, 1, 2, 0, false}, {allowed, 1, 3, 0, false}}, sdp},
		{"another address within the ranges", ranges, []step{{allowed, 1, 1, 0, false}, {allowed, 1, 2, 0, true}}, allowed},
		{"outside the ranges", ranges, []step{{strange, 1, 1, 0, false}, {strange, 1, 2, 0, false}, {sdp, 1, 1, 0, true}}, sdp},
		{"only once", ranges, []step{{allowed, 1, 1, 0, false}, {allowed, 1, 2, 0, true}, {natted, 1, 3, 0, false}, {natted, 1, 4, 0, false}, {allowed, 1, 3, 0, true}}, allowed},
		{"back when the SDP's address speaks", nil, []step{{natted, 1, 1, 0, false}, {natted, 1, 2, 0, true}, {sdp, 5, 70, 0, true}, {natted, 1, 3, 0, false}, {sdp, 5, 71, 0, true}}, sdp},
		{"not after the SDP's address has sent", ranges, []step{{sdp, 1, 1, 0, true}, {allowed, 9, 1, 0, false}, {allowed, 9, 2, 0, false}, {allowed, 9, 3, time.Minute, false}}, sdp},
		{"moves when quiet, with its own SSRC", nil, []step{{sdp, 1, 1, 0, true}, {natted, 1, 2, time.Second, true}, {natted, 1, 3, time.Second, true}}, natted},
		{"does not move while it talks", nil, []step{{sdp, 1, 1, 0, true}, {natted, 1, 2, 100 * time.Millisecond, false}, {sdp, 1, 2, 0, true}}, sdp},
		{"does not move to a stranger", nil, []step{{sdp, 1, 1, 0, true}, {strange, 1, 2, time.Second, false}}, sdp},
		{"a new SSRC from the same place, after a pause", nil, []step{{sdp, 1, 1, 0, true}, {sdp, 2, 7000, pause, true}, {sdp, 2, 7001, pause, true}}, sdp},
		{"two SSRCs by turns", nil, []step{{sdp, 1, 1, 0, true}, {sdp, 2, 1, 50, false}, {sdp, 2, 2, 51, false}, {sdp, 1, 2, 60, true}, {sdp, 2, 3, 70, false}}, sdp},
		{"a leap in sequence", nil, []step{{sdp, 1, 1, 0, true}, {sdp, 1, 9000, 0, false}, {sdp, 1, 2, 0, true}, {sdp, 1, 9002, 0, false}, {sdp, 1, 3, 0, true}}, sdp},
		{"a leap in sequence that goes on", nil, []step{{sdp, 1, 1, 0, true}, {sdp, 1, 9000, 0, false}, {sdp, 1, 9001, 0, true}, {sdp, 1, 2, 0, false}}, sdp},
		{"late by a little", nil, []step{{sdp, 1, 9, 0, true}, {sdp, 1, 7, 0, true}, {sdp, 1, 10, 0, true}}, sdp},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l latch
			if ok, _ := l.accept(netip.MustParseAddrPort(sdp), packet{ssrc: 1, seq: 1}, c.ranges, 0, false); ok || l.sending() {
				t.Fatal("believes or sends before it is connected")
			}
			l.connect(dialer.Remote{Addr: netip.MustParseAddrPort(sdp)}, -change)
			for i, s := range c.steps {
				if ok, _ := l.accept(netip.MustParseAddrPort(s.src), packet{ssrc: s.ssrc, seq: s.seq}, c.ranges, s.at, false); ok != s.ok {
					t.Fatalf("packet %d from %s accepted: %t, want %t", i+1, s.src, ok, s.ok)
				}
			}
			if l.target != netip.MustParseAddrPort(c.target) {
				t.Errorf("sends to %s, want %s", l.target, c.target)
			}
		})
	}
}

func TestConnectAgain(t *testing.T) {
	sdp, natted := netip.MustParseAddrPort("127.20.9.1:4000"), netip.MustParseAddrPort("127.20.9.1:4444")
	var l latch
	l.connect(dialer.Remote{Addr: sdp}, -change)
	l.accept(natted, packet{seq: 1}, nil, 0, false)
	l.accept(natted, packet{seq: 2}, nil, 0, false)
	l.connect(dialer.Remote{Addr: sdp, SendOnly: true}, 0)
	if l.target != natted || l.sending() {
		t.Errorf("held with the same address: target %s, sending %t", l.target, l.sending())
	}
	if ok, _ := l.accept(natted, packet{ssrc: 9, seq: 7000}, nil, 0, false); !ok {
		t.Error("a new source after a re-INVITE must wait")
	}
	if ok, _ := l.accept(natted, packet{ssrc: 8, seq: 1}, nil, pause/2, false); !ok {
		t.Error("the person after an announcement must wait")
	}
	l.accept(natted, packet{ssrc: 8, seq: 2}, nil, change-1, false)
	if ok, _ := l.accept(natted, packet{ssrc: 7, seq: 1}, nil, change, false); ok {
		t.Error("a new source is believed long after the re-INVITE")
	}
	moved := netip.MustParseAddrPort("127.20.9.2:4000")
	l.connect(dialer.Remote{Addr: moved}, 0)
	if l.target != moved || !l.sending() || l.settled {
		t.Errorf("moved by re-INVITE: target %s, sending %t", l.target, l.sending())
	}
	for _, nowhere := range []dialer.Remote{{}, {Addr: netip.MustParseAddrPort("0.0.0.0:4000")}, {Addr: netip.MustParseAddrPort("127.20.9.1:0")}} {
		l.connect(nowhere, 0)
		if l.sending() {
			t.Errorf("sends to %s", nowhere.Addr)
		}
	}
}
