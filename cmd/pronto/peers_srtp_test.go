package main

import (
	"slices"
	"testing"
	"time"
)

// An agent's phone that speaks nothing but SRTP, and customers who speak plain RTP, hear each other; on the way
// to the phone there is nothing to hear.
func TestPeersEncryptedPhone(t *testing.T) {
	c := startCapture(t, "127.64.51.0/24")
	s := setUp(t, stageOptions{
		net: "127.64.51", agents: 2, talk: 2 * time.Second, sip: ", srtp: require, srtp_without_tls: true",
		numbers: []string{"+390810005401", "+390810005402"},
	})
	p := s.startPhones(0)
	p.add(0, "PCMA;mediaenc=srtp-mand")
	p.add(1, "PCMA;mediaenc=srtp")
	s.do("campaign", "start", "peers")
	s.finish(30 * time.Second)
	w := c.end()
	s.checkAudio(w, 2, p)
	s.checkStreams(w, p)
	service := s.address(serviceHost, 0)
	carrier := s.address(carrierHost, 0).Addr()
	both := slices.Concat(customerTones, agentTones)
	for name, way := range map[string]func(packet) bool{
		"to the phones":   func(p packet) bool { return p.src.Addr() == service.Addr() && p.dst.Addr() != carrier },
		"from the phones": func(p packet) bool { return p.dst.Addr() == service.Addr() && p.src.Addr() != carrier },
	} {
		packets, clear := 0, 0
		for _, p := range w.packets {
			if p.ssrc == "" || !way(p) {
				continue
			}
			packets++
			if len(p.payload) > 0 || len(p.sealed) < frameSamples {
				t.Fatalf("%s: a packet with %d bytes of RTP, %d of SRTP", name, len(p.payload), len(p.sealed))
			}
			if found, share := tonesIn(decodeG711(t, p.payloadType, p.sealed[:frameSamples]), both); len(found) == 1 && share > 0.5 {
				clear++
			}
		}
		if packets < 200 || clear > 0 {
			t.Errorf("%s: %d of %d packets hold a tone in clear", name, clear, packets)
		}
	}
}
