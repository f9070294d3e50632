package trunk

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// freePort finds a UDP port that nobody uses on the host.
func freePort(t *testing.T, host string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// taken waits until somebody listens at the address. It only looks: a socket of
// ours on the port, however short, would be in the peer's way.
func taken(t *testing.T, network string, addr netip.AddrPort) {
	t.Helper()
	a := addr.Addr().As4()
	line := fmt.Sprintf(": %02X%02X%02X%02X:%04X ", a[3], a[2], a[1], a[0], addr.Port())
	until(t, "somebody listens at "+addr.String(), func() bool {
		b, err := os.ReadFile("/proc/net/" + network)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(b), line)
	})
}

// sipp starts a carrier that plays a scenario for n calls.
func sipp(t *testing.T, scenario string, n int) (*process, netip.AddrPort) {
	t.Helper()
	addr := freePort(t, "127.30.4.1")
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p := program(t, "sipp", "-sf", cwd+"/testdata/sipp/"+scenario, "-i", addr.Addr().String(), "-p", strconv.Itoa(int(addr.Port())),
		"-m", strconv.Itoa(n), "-nostdin", "-timeout", "20", "-timeout_error")
	taken(t, "udp", addr)
	return p, addr
}

// finished waits for sipp and fails when a call did not go by the scenario.
func finished(t *testing.T, p *process) {
	t.Helper()
	wait(t, "the end of "+p.name, p.done)
	if p.err != nil {
		t.Errorf("%s: %v", p.name, p.err)
	}
}

func toward(addr netip.AddrPort) func(*Config) {
	return func(c *Config) { c.Trunks[0].Address = addr.String() }
}

// many places n calls at once.
func (b *bench) many(n int, ring time.Duration) []originated {
	b.t.Helper()
	var outs []<-chan originated
	for range n {
		outs = append(outs, b.dial(context.Background(), ring, 0))
	}
	var all []originated
	for _, out := range outs {
		all = append(all, wait(b.t, "the outcome", out))
	}
	return all
}

func TestSippAnswers(t *testing.T) {
	p, addr := sipp(t, "answer.xml", 20)
	b := newBench(t, toward(addr))
	for _, o := range b.many(20, time.Minute) {
		if o.leg == nil {
			t.Fatalf("result %+v", o.res)
		}
		o.leg.Hangup()
		wait(t, "the end of the leg", o.leg.Done())
	}
	finished(t, p)
}

func TestSippIsBusy(t *testing.T) {
	p, addr := sipp(t, "busy.xml", 5)
	b := newBench(t, toward(addr))
	for _, o := range b.many(5, time.Minute) {
		want := dialer.Cause{Status: 486, Q850: 17, Text: "User busy"}
		if o.leg != nil || o.res.Outcome != campaigns.Busy || o.res.Cause != want {
			t.Errorf("result %+v", o.res)
		}
	}
	finished(t, p)
}

func TestSippRings(t *testing.T) {
	p, addr := sipp(t, "ring.xml", 5)
	b := newBench(t, toward(addr))
	for _, o := range b.many(5, 8*testT1) {
		if o.leg != nil || o.res.Outcome != campaigns.NoAnswer || o.res.Cause.Text != ringTimeout {
			t.Errorf("result %+v", o.res)
		}
	}
	finished(t, p)
}

func TestSippChallenges(t *testing.T) {
	p, addr := sipp(t, "challenge.xml", 3)
	b := newBench(t, toward(addr))
	for _, o := range b.many(3, time.Minute) {
		if o.leg == nil {
			t.Fatalf("result %+v", o.res)
		}
		o.leg.Hangup()
		wait(t, "the end of the leg", o.leg.Done())
	}
	finished(t, p)
}

func TestSippHoldsResumesAndHangsUp(t *testing.T) {
	p, addr := sipp(t, "hold.xml", 1)
	b := newBench(t, toward(addr))
	o := b.many(1, time.Minute)[0]
	if o.leg == nil {
		t.Fatalf("result %+v", o.res)
	}
	wait(t, "the far end's BYE", o.leg.Done())
	if !o.leg.Ended().ByFar {
		t.Errorf("ended %+v", o.leg.Ended())
	}
	got := b.audio.connected()
	if len(got) != 3 || got[0].SendOnly || !got[1].SendOnly || got[2].SendOnly {
		t.Errorf("connected to %+v, want talk, hold, talk", got)
	}
	finished(t, p)
}

// kamailio starts a proxy that stays in the path to a carrier.
func kamailio(t *testing.T, carrier netip.AddrPort) netip.AddrPort {
	t.Helper()
	text, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := freePort(t, "127.30.5.1"), t.TempDir()
	listen := "listen=udp:" + addr.String() + "\nlisten=tcp:" + addr.String() + "\n"
	write(t, dir+"/kamailio.cfg", strings.Replace(strings.Replace(string(text), "CARRIER", carrier.String(), 1), "loadmodule", listen+"loadmodule", 1))
	program(t, "kamailio", "-f", dir+"/kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", dir)
	taken(t, "udp", addr)
	taken(t, "tcp", addr)
	return addr
}

func TestThroughKamailio(t *testing.T) {
	for _, transport := range []Transport{UDP, TCP} {
		t.Run(string(transport), func(t *testing.T) {
			for scenario, run := range map[string]func(*testing.T, *bench){
				"answer.xml": func(t *testing.T, b *bench) {
					for _, o := range b.many(10, time.Minute) {
						if o.leg == nil {
							t.Fatalf("result %+v", o.res)
						}
						if len(o.res.Dialog.Route) == 0 {
							t.Error("the proxy is not in the route set")
						}
						o.leg.Hangup()
						wait(t, "the end of the leg", o.leg.Done())
						if e := o.leg.Ended(); e.Cause.Status != 200 {
							t.Errorf("ended %+v", e)
						}
					}
				},
				"ring.xml": func(t *testing.T, b *bench) {
					for _, o := range b.many(10, 8*testT1) {
						if o.res.Outcome != campaigns.NoAnswer {
							t.Errorf("result %+v", o.res)
						}
					}
				},
			} {
				t.Run(scenario, func(t *testing.T) {
					p, addr := sipp(t, scenario, 10)
					b := newBench(t, toward(kamailio(t, addr)), func(c *Config) { c.Trunks[0].Transport = transport })
					run(t, b)
					finished(t, p)
				})
			}
		})
	}
}
