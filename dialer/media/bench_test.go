package media

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/recording"
)

// BenchmarkRelay is one packet through a bridge, from the buffer it was read
// into to the socket it leaves by.
func BenchmarkRelay(b *testing.B) {
	for _, c := range []struct {
		name     string
		from, to dialer.Codec
		recorded bool
	}{
		{"untouched", dialer.PCMA, dialer.PCMA, false},
		{"converted", dialer.PCMA, dialer.PCMU, false},
		{"recorded", dialer.PCMA, dialer.PCMA, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := desk(b, "127.20.100.1", func(c *Config) { c.Tone.Off = true })
			customer, src := drained(b, d, c.from)
			agent, _ := drained(b, d, c.to)
			d.Bridge(customer, agent, nil)
			if c.recorded {
				r, _ := recorder(b, d, nil)
				r.Record(customer, agent, dialer.Take{
					Header: recording.Header{ID: "01KAB-1", Began: time.Now()},
					Seal:   func(context.Context, *recording.Header, recording.Key) error { return nil },
					Tell:   func(dialer.TakeNews) error { return nil },
				})
			}
			l := customer.(*leg)
			buf := make([]byte, headerLen+frameSamples)
			p := packet{payloadType: uint8(c.from), ssrc: 1}
			b.ReportAllocs()
			for b.Loop() {
				p.seq++
				p.stamp += frameSamples
				putHeader(buf, p)
				l.receive(buf, src)
			}
		})
	}
}

// drained is a leg whose far end reads everything and keeps nothing.
func drained(b testing.TB, d *Desk, codec dialer.Codec) (dialer.Audio, netip.AddrPort) {
	b.Helper()
	conn := newFarAt(b, "127.20.100.2:0")
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, maxPacket)
		for {
			if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
		}
	})
	b.Cleanup(func() { conn.Close(); reading.Wait() })
	a, err := d.Open(nil)
	if err != nil {
		b.Fatal(err)
	}
	src := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	a.Connect(dialer.Remote{Addr: src, Codec: codec})
	return a, src
}

// BenchmarkBed is one frame of bed on one leg.
func BenchmarkBed(b *testing.B) {
	d := desk(b, "127.20.100.4", nil)
	a, _ := drained(b, d, dialer.PCMA)
	d.Part(a, dialer.Comfort)
	l := a.(*leg)
	due := time.Hour // beyond anything the clock sends
	b.ReportAllocs()
	for b.Loop() {
		due += frame
		l.tick(due)
	}
}
