package media

import (
	"bytes"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"pronto/dialer"
)

func TestSilenceFlows(t *testing.T) {
	d := desk(t, "127.20.3.1", nil)
	var all []*far
	for range 10 {
		all = append(all, opposite(t, d, "127.20.3.2", dialer.PCMU, nil))
	}
	all[0].more(100)
	for _, f := range all {
		p := f.await("two seconds of silence", func(p []got) bool { return len(p) >= 100 })
		continuous(t, p) // and so 50 a second, each of 20 ms
		wantJoints(t, d, p, 1)
		for _, b := range joined(p) {
			if b != silenceU {
				t.Fatalf("silence holds %#02x", b)
			}
		}
	}
}

func TestComfortNoiseIsHeard(t *testing.T) {
	d := desk(t, "127.20.3.1", nil)
	f := opposite(t, d, "127.20.3.3", dialer.PCMA, nil)
	f.more(2)
	d.Part(f.audio, dialer.Comfort)
	noisy := func(p got) bool { return !bytes.Equal(p.Payload, bytes.Repeat([]byte{silenceA}, frameSamples)) }
	all := f.await("noise", func(all []got) bool { return noisy(all[len(all)-1]) })
	d.Part(f.audio, dialer.Silence)
	all = f.await("silence again", func(p []got) bool { return len(p) > len(all) && !noisy(p[len(p)-1]) })
	continuous(t, all)
	wantJoints(t, d, all, 3) // silence, noise, silence
}

func TestNothingLeavesBeforeConnectNorOnHold(t *testing.T) {
	d := desk(t, "127.20.4.1", nil)
	clock := opposite(t, d, "127.20.4.2", dialer.PCMA, nil)
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFar(t, "127.20.4.3", a, dialer.PCMA)
	f.say(make([]byte, 160))
	clock.more(5)
	if n := len(f.packets()); n != 0 || !a.LastHeard().IsZero() {
		t.Fatalf("before connect: %d packets sent, last heard %s", n, a.LastHeard())
	}
	before := time.Now()
	a.Connect(dialer.Remote{Addr: f.local(), Codec: dialer.PCMA})
	f.more(5)
	f.say(make([]byte, 160))
	await(t, "a packet heard", func() bool { return !a.LastHeard().IsZero() })
	if at := a.LastHeard(); at.Before(before) || at.After(time.Now()) {
		t.Errorf("last heard %s", at)
	}
	a.Connect(dialer.Remote{Addr: f.local(), Codec: dialer.PCMA, SendOnly: true})
	clock.more(2) // what was on its way
	held := len(f.packets())
	clock.more(10)
	if n := len(f.packets()); n != held {
		t.Errorf("%d packets sent to a far end that holds us", n-held)
	}
	a.Connect(dialer.Remote{Addr: f.local(), Codec: dialer.PCMA})
	f.more(5)
	continuous(t, f.packets())
}

// await waits for a condition that has no packet of its own to wait for.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: did not happen", what)
		}
	}
}

func TestDigitsAreConsumed(t *testing.T) {
	d := desk(t, "127.20.6.1", func(c *Config) { c.Tone.Off = true })
	agentKeys, customerKeys := make(chan byte, 20), make(chan byte, 20)
	agent := opposite(t, d, "127.20.6.2", dialer.PCMA, func(k byte) { agentKeys <- k })
	customer := opposite(t, d, "127.20.6.3", dialer.PCMA, func(k byte) { customerKeys <- k })
	d.Bridge(customer.audio, agent.audio, nil)
	voice := pattern(0x33, 160)
	agent.say(voice(0))
	agent.key(1, 3, 3)
	agent.say(voice(1))
	agent.key(10, 2, 0) // its ends are lost
	agent.key(11, 2, 3)
	agent.say(voice(2))
	customer.key(9, 3, 3)
	pressed := func(who string, keys chan byte, want string) {
		for _, w := range []byte(want) {
			select {
			case got := <-keys:
				if got != w {
					t.Errorf("%s pressed %c, want %c", who, got, w)
				}
			case <-time.After(patience):
				t.Fatalf("%s %c did not come", who, w)
			}
		}
	}
	pressed("agent", agentKeys, "1*#")
	pressed("customer", customerKeys, "9")
	all := customer.await("the agent's voice", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, voice(2)) })
	for i, p := range all {
		if p.PayloadType != uint8(dialer.PCMA) || i > 0 && p.SequenceNumber != all[i-1].SequenceNumber+1 {
			t.Errorf("packet %d: payload type %d, sequence %d", i, p.PayloadType, p.SequenceNumber)
		}
	}
	for i, p := range agent.packets() {
		if p.PayloadType != uint8(dialer.PCMA) {
			t.Errorf("packet %d to the agent has payload type %d", i, p.PayloadType)
		}
	}
	if n := len(agentKeys) + len(customerKeys); n != 0 {
		t.Errorf("%d keys too many", n)
	}
}

func TestLawsAreConverted(t *testing.T) {
	d := desk(t, "127.20.7.1", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.7.2", dialer.PCMU, nil)
	customer := opposite(t, d, "127.20.7.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	said := bytes.Repeat(milliwattA, 30) // 30 ms
	customer.say(said)
	want := bytes.Clone(said)
	convert(want, lawA)
	heard := agent.await("the customer", func(all []got) bool { return len(all) > 0 && len(all[len(all)-1].Payload) == len(said) })
	if p := heard[len(heard)-1]; p.PayloadType != uint8(dialer.PCMU) || !bytes.Equal(p.Payload, want) {
		t.Errorf("payload type %d, %x", p.PayloadType, p.Payload)
	}
	said = bytes.Repeat(milliwattU, 10)
	agent.say(said)
	want = bytes.Clone(said)
	convert(want, lawU)
	heard = customer.await("the agent", func(all []got) bool { return len(all) > 0 && len(all[len(all)-1].Payload) == len(said) })
	if p := heard[len(heard)-1]; p.PayloadType != uint8(dialer.PCMA) || !bytes.Equal(p.Payload, want) {
		t.Errorf("payload type %d, %x", p.PayloadType, p.Payload)
	}
}

func TestHeaderExtensionIsStripped(t *testing.T) {
	d := desk(t, "127.20.7.1", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.7.4", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.7.5", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, nil)
	p := rtp.Packet{Header: rtp.Header{PayloadType: 8, Timestamp: 5, CSRC: []uint32{1, 2}, Padding: true, PaddingSize: 9}, Payload: pattern(1, 240)(0)}
	if err := p.SetExtension(1, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	agent.put(p)
	all := customer.await("the agent", func(all []got) bool { return len(all) > 0 && len(all[len(all)-1].Payload) == 240 })
	if last := all[len(all)-1]; last.Extension || len(last.CSRC) > 0 || last.PaddingSize > 0 || !bytes.Equal(last.Payload, p.Payload) {
		t.Errorf("sent on as %v", last)
	}
}

func TestForgedPacketsAreDropped(t *testing.T) {
	d := desk(t, "127.20.8.1", func(c *Config) {
		c.Tone.Off = true
		c.MediaRanges = []netip.Prefix{netip.MustParsePrefix("127.20.8.0/24")}
	})
	agent := opposite(t, d, "127.20.8.2", dialer.PCMA, nil)
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	phone := newFar(t, "127.20.8.3", a, dialer.PCMA) // sends from another address than SDP says
	a.Connect(dialer.Remote{Addr: netip.MustParseAddrPort("127.20.8.250:4000"), Codec: dialer.PCMA, Digits: 101})
	forger := newFar(t, "127.20.8.4", a, dialer.PCMA)
	outsider := newFar(t, "127.20.99.1", a, dialer.PCMA)
	outsider.talk(3, time.Millisecond, pattern(1, 160))
	phone.talk(2, time.Millisecond, pattern(2, 160))
	phone.more(3) // the leg's silence has found it
	d.Bridge(a, agent.audio, nil)
	phone.talk(5, time.Millisecond, pattern(3, 160))
	forger.talk(5, time.Millisecond, pattern(0x40, 160))
	for range 20 {
		forger.raw([]byte("INVITE sip:garbage SIP/2.0\r\n\r\n"))
		forger.raw(nil)
		phone.raw(bytes.Repeat([]byte{0xff}, 1400))
		phone.raw(make([]byte, 3000))
	}
	phone.talk(1, time.Millisecond, pattern(5, 160))
	last := pattern(5, 160)(0)
	all := agent.await("the phone", func(all []got) bool { return len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, last) })
	forged := pattern(0x40, 160)
	for i, p := range all {
		for n := range 5 {
			if bytes.Equal(p.Payload, forged(n)) {
				t.Errorf("packet %d to the agent was forged", i)
			}
		}
	}
	if len(forger.packets()) > 0 || len(outsider.packets()) > 0 {
		t.Error("the forger was sent audio")
	}
	if s := d.Stats(); s.Strangers < 8 || s.Garbage < 50 {
		t.Errorf("counted %+v", s)
	}
}

func TestClosingALegEndsTheBridge(t *testing.T) {
	d := desk(t, "127.20.10.1", nil)
	agent := opposite(t, d, "127.20.10.2", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.10.3", dialer.PCMA, nil)
	d.Bridge(customer.audio, agent.audio, func(time.Time) {})
	var talking sync.WaitGroup
	talking.Go(func() { customer.talk(200, time.Millisecond, pattern(1, 160)) })
	talking.Go(func() { agent.talk(200, time.Millisecond, pattern(2, 160)) })
	agent.more(30)
	customer.audio.Close()
	customer.audio.Close()
	talking.Wait()
	silence := bytes.Repeat([]byte{silenceA}, 160)
	agent.await("silence", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, silence) })
	d.Bridge(customer.audio, agent.audio, func(time.Time) { t.Error("a closed leg was heard") })
	d.Part(customer.audio, dialer.Comfort)
	agent.more(3)
	if s := d.Stats(); s.Legs != 1 || s.Unsent != 0 {
		t.Errorf("counted %+v", s)
	}
}

func TestToneIsPlayedToACustomerWhoIsQuiet(t *testing.T) {
	d := desk(t, "127.20.11.1", nil)
	agent := opposite(t, d, "127.20.11.2", dialer.PCMU, nil)
	customer := opposite(t, d, "127.20.11.3", dialer.PCMU, nil)
	agent.more(2)
	from := len(agent.packets())
	d.Bridge(customer.audio, agent.audio, nil)
	all := agent.await("the tone", func(all []got) bool { return len(all) >= from+8 })
	ear := joined(all[from:])
	if l := level(ear[:1200], lawU, 2300); l < -20 || l > -13 {
		t.Errorf("the tone is heard at %.1f dBm0, want -16", l)
	}
	customer.say(pattern(7, 160)(0))
	all = agent.await("the customer", func(all []got) bool { return bytes.Equal(all[len(all)-1].Payload, pattern(7, 160)(0)) })
	continuous(t, all)
}

func TestOtherLegsAreRefused(t *testing.T) {
	d, other := desk(t, "127.20.12.1", nil), desk(t, "127.20.12.2", nil)
	mine := opposite(t, d, "127.20.12.3", dialer.PCMA, nil)
	theirs := opposite(t, other, "127.20.12.3", dialer.PCMA, nil)
	heard := func(time.Time) { t.Error("heard") }
	d.Bridge(mine.audio, theirs.audio, heard)
	d.Bridge(mine.audio, mine.audio, heard)
	d.Bridge(nil, mine.audio, heard)
	d.Part(theirs.audio, dialer.Comfort)
	d.Part(nil, dialer.Comfort)
	mine.say(make([]byte, 160))
	theirs.say(make([]byte, 160))
	mine.more(3)
	theirs.more(3)
}
