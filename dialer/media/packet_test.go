package media

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/rtp"

	"pronto/dialer"
)

func TestParse(t *testing.T) {
	header := func(change func(*rtp.Packet)) []byte {
		p := rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: 7, Timestamp: 9, SSRC: 11},
			Payload: []byte("audio"),
		}
		if change != nil {
			change(&p)
		}
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	extended := func(p *rtp.Packet) {
		if err := p.SetExtension(1, []byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		b       []byte
		payload string
		ok      bool
	}{
		{"plain", header(nil), "audio", true},
		{"marker", header(func(p *rtp.Packet) { p.Marker = true }), "audio", true},
		{"contributing sources", header(func(p *rtp.Packet) { p.CSRC = []uint32{1, 2, 3} }), "audio", true},
		{"header extension", header(extended), "audio", true},
		{"padding", header(func(p *rtp.Packet) { p.Padding, p.PaddingSize = true, 4 }), "audio", true},
		{"no payload", header(func(p *rtp.Packet) { p.Payload = nil }), "", true},
		{"empty", nil, "", false},
		{"short", header(nil)[:11], "", false},
		{"version 1", append([]byte{0x40}, header(nil)[1:]...), "", false},
		{"STUN", append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...), "", false},
		{"contributing sources cut short", append([]byte{0x8f}, header(nil)[1:]...), "", false},
		{"extension cut short", append([]byte{0x90}, header(nil)[1:14]...), "", false},
		{"extension longer than the packet", append([]byte{0x90}, append(header(nil)[1:12], 0, 0, 0xff, 0xff)...), "", false},
		{"padding longer than the packet", append([]byte{0xa0}, append(header(nil)[1:12], 200)...), "", false},
		{"padding of nothing", append([]byte{0xa0}, append(header(nil)[1:12], 0)...), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, ok := parse(c.b)
			if ok != c.ok {
				t.Fatalf("parsed: %t, want %t", ok, c.ok)
			}
			if ok && string(c.b[p.from:p.to]) != c.payload {
				t.Errorf("payload %q, want %q", c.b[p.from:p.to], c.payload)
			}
			if ok && (p.seq != 7 || p.stamp != 9 || p.ssrc != 11 || p.payloadType != 8 || p.marker != (c.name == "marker")) {
				t.Errorf("header read as %+v", p)
			}
		})
	}
}

// FuzzParse compares with pion/rtp, and checks that a packet with a new header
// is what was meant.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04payload"))
	f.Add([]byte("\xb1\x88\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\x05\x06\x07\x08\xbe\xde\x00\x01\x10\x01\x00\x00pay\x01"))
	f.Add([]byte("\xa0\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parse(b)
		var theirs rtp.Packet
		err := theirs.Unmarshal(b)
		if !ok {
			return
		}
		if p.from < headerLen || p.to > len(b) || p.from > p.to {
			t.Fatalf("payload %d to %d of %d bytes", p.from, p.to, len(b))
		}
		payload := bytes.Clone(b[p.from:p.to])
		if err == nil && !bytes.Equal(theirs.Payload, payload) {
			t.Errorf("payload %x, pion/rtp reads %x", payload, theirs.Payload)
		}
		whole := bytes.Clone(b[p.from-headerLen : p.to])
		putHeader(whole, p)
		if err := theirs.Unmarshal(whole); err != nil {
			t.Fatalf("pion/rtp cannot read it: %v", err)
		}
		h := theirs.Header
		if !bytes.Equal(theirs.Payload, payload) || h.SequenceNumber != p.seq || h.Timestamp != p.stamp ||
			h.SSRC != p.ssrc || h.PayloadType != p.payloadType || h.Marker != p.marker {
			t.Errorf("written as %v, want %+v", theirs, p)
		}
	})
}

// FuzzReceive sends a bridged leg anything, from its far end and from a
// stranger: a good packet that follows is still carried over.
func FuzzReceive(f *testing.F) {
	d := desk(f, "127.20.15.1", func(c *Config) { c.Tone.Off = true })
	agent := opposite(f, d, "127.20.15.2", dialer.PCMU, nil).audio.(*leg)
	var keys []byte
	customer := opposite(f, d, "127.20.15.3", dialer.PCMA, func(k byte) { keys = append(keys, k) })
	l, src := customer.audio.(*leg), customer.local()
	stranger := netip.MustParseAddrPort("127.20.15.4:4000")
	d.Bridge(l, agent, nil)
	ssrc := uint32(0)
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04payload"), false)
	f.Add([]byte("\x80\xe5\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\x05\x8a\x01\x90"), false)
	f.Add([]byte("\x80\x0d\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\x40"), true)
	f.Fuzz(func(t *testing.T, b []byte, strange bool) {
		from := src
		if strange {
			from = stranger
		}
		heard := l.heard.Load()
		keys = nil
		l.receive(bytes.Clone(b), from)
		if len(keys) > 0 && (strange || len(keys) > 1 || !bytes.Contains([]byte("0123456789*#"), keys)) {
			t.Fatalf("keys %q from %s", keys, from)
		}
		if strange && l.heard.Load() != heard {
			t.Fatal("a stranger was heard")
		}
		before := agent.out
		ssrc++
		l.Connect(dialer.Remote{Addr: src, Codec: dialer.PCMA, Digits: 101}) // or another source waits its time
		good := make([]byte, headerLen+frameSamples)
		putHeader(good, packet{payloadType: 8, ssrc: ssrc})
		l.receive(good, src)
		after := agent.out
		if after.seq != before.seq+1 || int32(after.end-before.end) < frameSamples || after.ssrc != before.ssrc {
			t.Fatalf("stream went from %+v to %+v", before, after)
		}
	})
}
