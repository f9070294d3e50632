package media

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"pronto/dialer"
)

// testKey is one of the keys of a test.
func testKey(n byte) (k [30]byte) {
	for i := range k {
		k[i] = n*31 + byte(i)*7
	}
	return k
}

// sealed is a far end that speaks SRTP.
type sealed struct {
	*far
	out *srtp.Context
	in  *srtp.Context
}

// secured opens a leg whose audio is encrypted and a far end that holds its keys.
func secured(t *testing.T, d *Desk, address string, suite dialer.Suite) *sealed {
	t.Helper()
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &sealed{far: newFar(t, address, a, dialer.PCMA)}
	s.connect(suite, testKey(1), testKey(2))
	return s
}

// connect gives leg and far end new keys: ours for the leg to send with, theirs for the far end.
func (s *sealed) connect(suite dialer.Suite, ours, theirs [30]byte) {
	s.t.Helper()
	s.audio.Connect(dialer.Remote{Addr: s.local(), Codec: dialer.PCMA, Digits: 101, Keys: &dialer.Keys{Suite: suite, Ours: ours, Theirs: theirs}})
	s.in, s.out = s.context(suite, ours), s.context(suite, theirs)
}

func (s *sealed) context(suite dialer.Suite, key [30]byte) *srtp.Context {
	profile := srtp.ProtectionProfileAes128CmHmacSha1_80
	if suite == dialer.AES32 {
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	}
	c, err := srtp.CreateContext(key[:16], key[16:], profile)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// sealedPacket is the next packet of audio, encrypted.
func (s *sealed) sealedPacket(payload []byte) []byte {
	s.t.Helper()
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SSRC: s.ssrc, SequenceNumber: s.seq, Timestamp: s.stamp}, Payload: payload}
	s.seq++
	s.stamp += uint32(len(payload))
	plain, err := p.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := s.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *sealed) say(payload []byte) { s.t.Helper(); s.raw(s.sealedPacket(payload)) }

// heard decrypts a packet from the leg.
func (s *sealed) heard(p got) ([]byte, bool) {
	s.t.Helper()
	b, err := p.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	plain, err := s.in.DecryptRTP(nil, b, nil)
	if err != nil {
		return nil, false
	}
	return plain[headerLen:], true
}

// A leg with SRTP and one without are bridged; both suites, with the prompts and beds between.
func TestEncryptedLegTalksToAPlainOne(t *testing.T) {
	for name, suite := range map[string]dialer.Suite{"80": dialer.AES80, "32": dialer.AES32} {
		t.Run(name, func(t *testing.T) {
			d := desk(t, "127.64.1.1", func(c *Config) { c.Tone.Off = true })
			customer, agent := secured(t, d, "127.64.1.2", suite), opposite(t, d, "127.64.1.3", dialer.PCMA, nil)
			bed := customer.more(5)
			for i, p := range bed {
				if b, ok := customer.heard(p); !ok || !bytes.Equal(b, bytes.Repeat([]byte{silenceA}, 160)) {
					t.Fatalf("packet %d of the bed: %x, whole %t", i, b, ok)
				}
			}
			d.Bridge(customer.audio, agent.audio, nil)
			said := pattern(7, 160)
			for i := range 10 {
				customer.say(said(i))
			}
			agent.await("the customer", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, said(9)) })
			checkRelayed(t, agent.packets(), said, 10)
			from := len(customer.packets())
			for i := range 10 {
				agent.say(pattern(0x55, 160)(i))
			}
			all := customer.await("the agent", func(all []got) bool { return len(all) >= from+10 })
			for i, p := range all[from : from+10] {
				if bytes.Contains(p.Payload, pattern(0x55, 160)(i)) {
					t.Fatal("the audio is plain on the wire")
				}
				if b, ok := customer.heard(p); !ok || !bytes.Equal(b, pattern(0x55, 160)(i)) {
					t.Errorf("packet %d to the customer: %x, whole %t", i, b, ok)
				}
			}
		})
	}
}

// What is not sealed with the far end's key, was changed, or was here before, is nobody's.
func TestEncryptedLegBelievesItsKeyAlone(t *testing.T) {
	d := desk(t, "127.64.2.1", func(c *Config) { c.Tone.Off = true })
	customer, agent := secured(t, d, "127.64.2.2", dialer.AES80), opposite(t, d, "127.64.2.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	first := customer.sealedPacket(pattern(1, 160)(0))
	customer.raw(first)
	agent.await("the customer", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, pattern(1, 160)(0)) })
	from, strangers := len(agent.packets()), d.Stats().Strangers

	customer.raw(first)                 // again
	customer.far.say(make([]byte, 160)) // plain
	changed := customer.sealedPacket(pattern(1, 160)(1))
	changed[40] ^= 1
	customer.raw(changed)
	customer.raw(changed[:11])
	customer.raw(changed[:20])
	wrong := &sealed{far: customer.far, out: customer.context(dialer.AES80, testKey(3))}
	for range 100 { // SSRCs that nobody vouches for leave no state
		wrong.ssrc++
		wrong.say(make([]byte, 160))
	}
	customer.ssrc -= 100
	customer.seq += 100
	customer.say(pattern(1, 160)(2))
	all := agent.await("the customer", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, pattern(1, 160)(2)) })
	if n := len(all) - from; n != 1 {
		t.Errorf("%d packets relayed, want the one that is whole", n)
	}
	if n := d.Stats().Strangers - strangers; n != 104 {
		t.Errorf("%d packets turned away, want 104", n)
	}
	l := customer.audio.(*leg)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secret.sources != 1 {
		t.Errorf("state of %d sources is kept", l.secret.sources)
	}
}

// A re-INVITE with the same keys changes nothing, one with new keys is obeyed, whether the far end counts its
// wraps on, as RFC 3711 wants, or anew.
func TestKeysChangeInTheCall(t *testing.T) {
	for name, wraps := range map[string]uint32{"wraps counted anew": 0, "wraps counted on": 1} {
		t.Run(name, func(t *testing.T) {
			d := desk(t, "127.64.3.1", func(c *Config) { c.Tone.Off = true })
			customer, agent := secured(t, d, "127.64.3.2", dialer.AES80), opposite(t, d, "127.64.3.3", dialer.PCMA, nil)
			d.Bridge(customer.audio, agent.audio, nil)
			say := func(i int) {
				t.Helper()
				customer.say(pattern(9, 160)(i))
				agent.await("the customer", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, pattern(9, 160)(i)) })
			}
			l := customer.audio.(*leg)
			l.mu.Lock()
			l.out.seq = 65533 // our own numbers wrap too
			l.mu.Unlock()
			customer.in = customer.context(dialer.AES80, testKey(1))
			answer := func() {
				t.Helper()
				from := len(customer.packets())
				agent.say(pattern(3, 160)(0))
				all := customer.await("the agent", func(all []got) bool { return len(all) > from })
				if _, ok := customer.heard(all[len(all)-1]); !ok {
					t.Fatal("the far end cannot decrypt what it is sent")
				}
			}
			early := customer.sealedPacket(pattern(9, 160)(0))
			customer.raw(early)
			for i := range 8 { // over the wrap of the sequence number
				say(i)
				answer()
			}
			in, out := customer.in, customer.out
			customer.connect(dialer.AES80, testKey(1), testKey(2))
			customer.in, customer.out = in, out // as before: the count of wraps must have survived
			strangers := d.Stats().Strangers
			customer.raw(early)
			say(8)
			if d.Stats().Strangers != strangers+1 {
				t.Error("a packet of before the re-INVITE was taken again")
			}
			answer()
			customer.connect(dialer.AES80, testKey(1), testKey(3))
			customer.in = in
			customer.out.SetROC(customer.ssrc, wraps)
			forged := customer.sealedPacket(make([]byte, 160))
			forged[30] ^= 1
			customer.raw(forged)
			say(9)
			say(10)
			answer()
		})
	}
}

// A far end that holds the key and uses one SSRC after another costs a bounded amount.
func TestSourcesAreBounded(t *testing.T) {
	d := desk(t, "127.64.4.1", func(c *Config) { c.Tone.Off = true })
	customer, agent := secured(t, d, "127.64.4.2", dialer.AES32), opposite(t, d, "127.64.4.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	for i := range 5 * manySources {
		customer.ssrc += 17
		customer.say(pattern(2, 160)(i))
		agent.await("the customer", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, pattern(2, 160)(i)) })
	}
	l := customer.audio.(*leg)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secret.sources > manySources {
		t.Errorf("state of %d sources is kept", l.secret.sources)
	}
}

// Keys that cannot be used leave the leg silent: nothing is sent plain.
func TestUnusableKeysSilenceTheLeg(t *testing.T) {
	d := desk(t, "127.64.5.1", nil)
	clock := opposite(t, d, "127.64.5.2", dialer.PCMA, nil)
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFar(t, "127.64.5.3", a, dialer.PCMA)
	a.Connect(dialer.Remote{Addr: f.local(), Codec: dialer.PCMA, Keys: &dialer.Keys{Suite: 9}})
	clock.more(10)
	if n := len(f.packets()); n != 0 {
		t.Errorf("%d packets sent", n)
	}
}

// BenchmarkRelayEncrypted is BenchmarkRelay between two encrypted legs.
func BenchmarkRelayEncrypted(b *testing.B) {
	d := desk(b, "127.64.6.1", func(c *Config) { c.Tone.Off = true })
	customer, src := drained(b, d, dialer.PCMA)
	agent, to := drained(b, d, dialer.PCMA)
	keys := &dialer.Keys{Suite: dialer.AES80, Ours: testKey(1), Theirs: testKey(2)}
	customer.Connect(dialer.Remote{Addr: src, Codec: dialer.PCMA, Keys: keys})
	agent.Connect(dialer.Remote{Addr: to, Codec: dialer.PCMA, Keys: keys})
	d.Bridge(customer, agent, nil)
	key := testKey(2)
	out, err := srtp.CreateContext(key[:16], key[16:], srtp.ProtectionProfileAes128CmHmacSha1_80)
	if err != nil {
		b.Fatal(err)
	}
	plain, buf := make([]byte, headerLen+frameSamples), make([]byte, bufferLen)
	p, began := packet{payloadType: 8, ssrc: 1}, time.Now()
	var sealing time.Duration
	b.ReportAllocs()
	for b.Loop() {
		p.seq++
		p.stamp += frameSamples
		putHeader(plain, p)
		at := time.Now()
		whole, err := out.EncryptRTP(buf, plain, nil)
		if err != nil {
			b.Fatal(err)
		}
		sealing += time.Since(at)
		customer.(*leg).receive(whole, netip.AddrPortFrom(src.Addr(), src.Port()))
	}
	b.ReportMetric(float64((time.Since(began)-sealing).Nanoseconds())/float64(b.N), "relay-ns/op")
	if n := d.Stats().Strangers; n > 0 {
		b.Fatalf("%d of %d packets were not believed", n, b.N)
	}
}

// FuzzReceiveEncrypted sends an encrypted leg anything from its far end's address: none of it is heard, and a
// good packet that follows is.
func FuzzReceiveEncrypted(f *testing.F) {
	d := desk(f, "127.64.7.1", nil)
	a, src := drained(f, d, dialer.PCMA)
	l := a.(*leg)
	remote := dialer.Remote{Addr: src, Codec: dialer.PCMA, Digits: 101, Keys: &dialer.Keys{Suite: dialer.AES32, Ours: testKey(1), Theirs: testKey(2)}}
	key := testKey(2)
	out, err := srtp.CreateContext(key[:16], key[16:], srtp.ProtectionProfileAes128CmHmacSha1_32)
	if err != nil {
		f.Fatal(err)
	}
	p := packet{payloadType: 8, ssrc: 7}
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04payload and a tag of ten"))
	f.Add([]byte("\xbf\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\xbe\xde\x00\x01payload and a tag of ten\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a.Connect(remote)
		heard := l.heard.Load()
		l.receive(append(make([]byte, 0, bufferLen), b...), src)
		if l.heard.Load() != heard {
			t.Fatal("it was heard")
		}
		p.seq++
		p.stamp += frameSamples
		plain := make([]byte, headerLen+frameSamples)
		putHeader(plain, p)
		good, err := out.EncryptRTP(nil, plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.receive(good, src)
		if l.heard.Load() == heard {
			t.Fatal("a good packet is not heard any more")
		}
	})
}
