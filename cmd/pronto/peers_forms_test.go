package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Customers whose packets are of 10, 30 and 60 ms and whose keys have another payload type than the
// phones', after an announcement: heard whole and one at a time, and each agent's phone gets one clean stream for
// the shift.
func TestPeersFormsOfAudio(t *testing.T) {
	c := startCapture(t, "127.64.53.0/24")
	dir := t.TempDir()
	writeForms(t, dir)
	s := setUp(t, stageOptions{
		net: "127.64.53", agents: 2, carrier: fill(t, "forms.xml", "TALK", "2200", "FOLDER", dir),
		numbers: []string{"+390810005601", "+390810005602", "+390810005603", "+390810005611", "+390810005612", "+390810005613"},
	})
	p := s.startPhones(0)
	for i := range 2 {
		p.add(i, "PCMA")
	}
	s.do("campaign", "start", "peers")
	s.finish(40 * time.Second)
	w := c.end()
	s.checkAudio(w, 6, p)
	s.checkStreams(w, p)
	service, carrier := s.address(serviceHost, 0), s.address(carrierHost, 0)
	if laws := w.laws(carrier, service); !slices.Contains(laws, 96) || !slices.Contains(laws, 8) {
		t.Errorf("the carrier sent payload types %v", laws)
	}
	sizes := map[int]bool{}
	streams := w.from(service.Addr(), func(p packet) bool { return p.dst.Addr() != carrier.Addr() })
	markers := 0
	for port, all := range streams {
		markers += clean(t, fmt.Sprintf("stream to a phone from port %d", port), all)
		for _, p := range all {
			sizes[len(p.payload)] = true
			if p.payloadType != 8 {
				t.Errorf("payload type %d to a phone", p.payloadType)
			}
		}
	}
	if joints := 2 + 2*6; markers < joints { // the beginning of each stream, and both ends of each call
		t.Errorf("%d markers in the streams to the phones, want %d", markers, joints)
	}
	for _, n := range []int{80, 160, 240, 480} {
		if !sizes[n] {
			t.Errorf("no packet of %d samples came to a phone: %v", n, sizes)
		}
	}
}

// from are the RTP packets that leave a host's ports, in the order of their capture.
func (w traffic) from(src netip.Addr, which func(packet) bool) map[uint16][]packet {
	out := map[uint16][]packet{}
	for _, p := range w.packets {
		if p.ssrc != "" && p.src.Addr() == src && which(p) {
			out[p.src.Port()] = append(out[p.src.Port()], p)
		}
	}
	return out
}

// clean wants one source, numbers without a gap or a step back, time stamps that never run back over audio, and a marker
// wherever they leap; it returns how many markers there are.
func clean(t testing.TB, what string, all []packet) (markers int) {
	t.Helper()
	for i, p := range all {
		if p.marker {
			markers++
		}
		if i == 0 {
			if !p.marker {
				t.Errorf("%s: no marker at the beginning", what)
			}
			continue
		}
		before := all[i-1]
		step := int32(p.stamp - before.stamp)
		switch {
		case p.ssrc != before.ssrc:
			t.Fatalf("%s: SSRC %s after %s", what, p.ssrc, before.ssrc)
		case uint16(p.seq) != uint16(before.seq+1):
			t.Fatalf("%s: number %d after %d", what, p.seq, before.seq)
		case int(step) < len(before.payload):
			t.Fatalf("%s: packet %d: time stamp moves %d over %d samples", what, i, step, len(before.payload))
		case int(step) != len(before.payload) && !p.marker:
			t.Errorf("%s: packet %d: time stamp leaps %d over %d samples without a marker", what, i, step, len(before.payload))
		}
	}
	return markers
}

// writeForms writes what forms.xml plays, as captures that sipp replays.
func writeForms(t testing.TB, dir string) {
	t.Helper()
	for i, ptime := range []time.Duration{10, 30, 60} {
		ptime *= time.Millisecond
		writeFile(t, filepath.Join(dir, fmt.Sprintf("customer%d.pcap", i+1)), played(customerTones[i], 2*time.Second, ptime, true))
	}
	writeFile(t, filepath.Join(dir, "early.pcap"), played(customerTones[3], 200*time.Millisecond, frameTime, false))
}

// played is a capture of an RTP stream: a tone in A-law, packets of a length, in the midst of it, where
// wanted, the key 5 (RFC 4733).
func played(hz float64, lasts, ptime time.Duration, key bool) string {
	le := binary.LittleEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint32(le.AppendUint16(le.AppendUint16(file, 2), 4), 0)
	file = le.AppendUint32(le.AppendUint32(le.AppendUint32(file, 0), 65535), 1)
	audio := encodeALaw(sine(hz, lasts))
	samples := int(ptime * sampleRate / time.Second)
	seq := uint16(1)
	add := func(at time.Duration, pt byte, stamp int, payload []byte) {
		be := binary.BigEndian
		rtp := be.AppendUint16([]byte{0x80, pt}, seq)
		rtp = append(be.AppendUint32(be.AppendUint32(rtp, uint32(stamp)), 0x50524f4e), payload...)
		seq++
		udp := be.AppendUint16(be.AppendUint16(nil, 4000), 4000)
		udp = append(be.AppendUint16(be.AppendUint16(udp, uint16(8+len(rtp))), 0), rtp...)
		ip := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(udp)))
		ip = append(ip, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1)
		frame := append(append(append(make([]byte, 12, 14), 8, 0), ip...), udp...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(at/time.Second)), uint32(at%time.Second/time.Microsecond))
		file = append(le.AppendUint32(le.AppendUint32(file, uint32(len(frame))), uint32(len(frame))), frame...)
	}
	for from := 0; from+samples <= len(audio); from += samples {
		at := time.Duration(from) * time.Second / sampleRate
		add(at, 8, from, audio[from:from+samples])
		if key && from >= len(audio)/2 {
			key = false
			for i := range 3 {
				end := byte(i/2) << 7
				add(at, 96, from, []byte{5, end | 10, byte(400 * (i + 1) >> 8), byte(400 * (i + 1) & 0xff)})
			}
		}
	}
	return string(file)
}
