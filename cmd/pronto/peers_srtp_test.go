package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
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
	s.checkSealed(w)
}

// The same where the keys go by TLS, as they should: the phone registers so and is called so.
func TestPeersEncryptedPhoneByTLS(t *testing.T) {
	c := startCapture(t, "127.64.54.0/24")
	certificate, key := selfSigned(t, "127.64.54.1")
	s := setUp(t, stageOptions{
		net: "127.64.54", agents: 1, talk: 2 * time.Second, numbers: []string{"+390810005702"},
		sip: fmt.Sprintf(", srtp: require, tls: {listen: %q, certificate: %q, key: %q}", "127.64.54.1:5061", certificate, key),
	})
	p := s.startPhones(0)
	p.addAt(0, "PCMA;mediaenc=srtp-mand", "5061;transport=tls")
	s.do("campaign", "start", "peers")
	s.finish(30 * time.Second)
	w := c.end()
	s.checkAudio(w, 1, p)
	s.checkStreams(w, p)
	s.checkSealed(w)
	for _, sip := range w.packets {
		if sip.ssrc == "" && sip.dst.Addr() != s.address(carrierHost, 0).Addr() && sip.src.Addr() != s.address(carrierHost, 0).Addr() {
			t.Errorf("%s %d between the phone and the service by UDP", sip.method, sip.status)
		}
	}
}

// selfSigned writes a certificate of an address and its key.
func selfSigned(t testing.TB, address string) (certificate, key string) {
	t.Helper()
	private, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err2 := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(private)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	return certificate, key
}

// checkSealed wants nothing to hear in what goes between service and phones. Where tshark
// has seen the SDP it calls the packets SRTP; else their tag is the end of their payload.
func (s *stage) checkSealed(w traffic) {
	s.t.Helper()
	service, carrier := s.address(serviceHost, 0).Addr(), s.address(carrierHost, 0).Addr()
	both := slices.Concat(customerTones, agentTones)
	for name, way := range map[string]func(packet) bool{
		"to the phones":   func(p packet) bool { return p.src.Addr() == service && p.dst.Addr() != carrier },
		"from the phones": func(p packet) bool { return p.dst.Addr() == service && p.src.Addr() != carrier },
	} {
		packets, clear := 0, 0
		for _, p := range w.packets {
			if p.ssrc == "" || !way(p) {
				continue
			}
			packets++
			sealed := p.sealed
			if len(sealed) == 0 && len(p.payload) == frameSamples+10 {
				sealed = p.payload
			}
			if len(sealed) < frameSamples {
				s.t.Fatalf("%s: a packet with %d bytes of RTP, %d of SRTP", name, len(p.payload), len(p.sealed))
			}
			if found, share := tonesIn(decodeG711(s.t, p.payloadType, sealed[:frameSamples]), both); len(found) == 1 && share > 0.5 {
				clear++
			}
		}
		if packets < 100 || clear > 0 {
			s.t.Errorf("%s: %d of %d packets hold a tone in clear", name, clear, packets)
		}
	}
}
