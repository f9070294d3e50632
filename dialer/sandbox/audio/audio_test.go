package audio

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"pronto/dialer/sandbox/tones"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	payload := []byte{1, 2, 3}
	plain := Packet{Marker: true, Type: 8, Sequence: 65535, Time: 7, SSRC: 9, Payload: payload}.Append(nil)
	with := func(first byte, insert ...byte) []byte {
		b := append([]byte(nil), plain[:12]...)
		b[0] = first
		return append(append(b, insert...), payload...)
	}
	cases := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"plain", plain, true},
		{"two contributing sources", with(0x82, 0, 0, 0, 1, 0, 0, 0, 2), true},
		{"header extension", with(0x90, 0xbe, 0xde, 0, 1, 1, 2, 3, 4), true},
		{"padding", append(with(0xa0), 0, 0, 3), true},
		{"all padding and more", append(with(0xa0), 9), false},
		{"padding of no length", append(with(0xa0), 0), false},
		{"short", plain[:11], false},
		{"RTP version 1", with(0x40), false},
		{"extension cut off", plain[:12:12], true},
		{"sources cut off", append([]byte{0x8f}, plain[1:]...), false},
		{"extension length beyond the end", with(0x90, 0xbe, 0xde, 9, 9), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(c.in)
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if err == nil && len(c.in) > 12 && (!bytes.Equal(p.Payload, payload) || p.Type != 8 || !p.Marker || p.Sequence != 65535 || p.Time != 7 || p.SSRC != 9) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0xbf, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(p.Append(nil))
		if err != nil || !bytes.Equal(again.Payload, p.Payload) || again.SSRC != p.SSRC {
			t.Fatalf("%+v becomes %+v, %v", p, again, err)
		}
	})
}

const offer = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"

func TestParseSDP(t *testing.T) {
	cases := []struct {
		name, sdp string
		want      Session
		err       string
	}{
		{"PCMA first", offer + "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", Session{Remote: netip.MustParseAddrPort("10.0.0.1:4000"), Codec: tones.PCMA, Digits: 101}, ""},
		{"PCMU first, other codecs before", offer + "m=audio 4000 RTP/AVP 18 0 8\r\n", Session{Remote: netip.MustParseAddrPort("10.0.0.1:4000"), Codec: tones.PCMU}, ""},
		{"address of the stream", offer + "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.2/127\r\n", Session{Remote: netip.MustParseAddrPort("10.0.0.2:4000")}, ""},
		{"held", offer + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", Session{Remote: netip.MustParseAddrPort("10.0.0.1:4000"), Held: true}, ""},
		{"video after", offer + "m=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 96\r\nc=IN IP4 10.0.0.9\r\na=sendonly\r\n", Session{Remote: netip.MustParseAddrPort("10.0.0.1:4000")}, ""},
		{"line feeds alone", strings.ReplaceAll(offer+"m=audio 4000 RTP/AVP 0\r\n", "\r\n", "\n"), Session{Remote: netip.MustParseAddrPort("10.0.0.1:4000")}, ""},
		{"no audio", offer + "m=video 4000 RTP/AVP 96\r\n", Session{}, "no audio"},
		{"no codec of ours", offer + "m=audio 4000 RTP/AVP 18\r\n", Session{}, "no audio"},
		{"port out of range", offer + "m=audio 70000 RTP/AVP 0\r\n", Session{}, "port"},
		{"address is a name", strings.Replace(offer, "c=IN IP4 10.0.0.1", "c=IN IP4 example", 1) + "m=audio 4000 RTP/AVP 0\r\n", Session{}, "address"},
		{"empty", "", Session{}, "no audio"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseSDP([]byte(c.sdp))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || s != c.want {
				t.Fatalf("%+v, %v; want %+v", s, err, c.want)
			}
			back, err := ParseSDP(s.SDP(netip.MustParseAddrPort("10.1.1.1:6000")))
			want := Session{Remote: netip.MustParseAddrPort("10.1.1.1:6000"), Codec: s.Codec, Digits: s.Digits}
			if err != nil || back != want {
				t.Errorf("the answer reads %+v, %v", back, err)
			}
		})
	}
}

func FuzzParseSDP(f *testing.F) {
	f.Add([]byte(offer + "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseSDP(b); err == nil && !s.Remote.Addr().IsValid() {
			t.Fatalf("%+v", s)
		}
	})
}

// Intervals end after a gap over 300 ms, and two frames make none.
func TestIntervals(t *testing.T) {
	start := time.Unix(0, 0)
	a, b := tones.Voice{Side: tones.Callee, Index: 1}, tones.Voice{Side: tones.Callee, Index: 2}
	var got []Interval
	v := intervals{report: func(i Interval) { got = append(got, i) }}
	hear := func(ms int, h tones.Hearing) { v.hear(start.Add(time.Duration(ms)*time.Millisecond), h) }
	for ms := 0; ms < 100; ms += 20 {
		hear(ms, tones.Hearing{Voices: []tones.Voice{a}, Level: -14})
	}
	hear(100, tones.Hearing{Voices: []tones.Voice{b}}) // a joint: two frames
	hear(120, tones.Hearing{Voices: []tones.Voice{b}})
	for ms := 380; ms < 460; ms += 20 { // 300 ms after the last of a: one interval
		hear(ms, tones.Hearing{Voices: []tones.Voice{a}, Level: -12})
	}
	for ms := 800; ms < 860; ms += 20 { // 360 ms later: another
		hear(ms, tones.Hearing{Voices: []tones.Voice{a}, Level: -14})
	}
	for ms := 860; ms < 960; ms += 20 {
		hear(ms, tones.Hearing{Level: -50})
	}
	hear(960, tones.Hearing{Silent: true})
	v.close()
	ms := func(x int) time.Time { return start.Add(time.Duration(x) * time.Millisecond) }
	want := []Interval{
		{AVoice, a, ms(0), time.Time{}, -14},
		{AVoice, a, ms(0), ms(460), -12},
		{AVoice, a, ms(800), time.Time{}, -14},
		{ANoise, tones.Voice{}, ms(860), time.Time{}, -50},
		{AVoice, a, ms(800), ms(860), -14},
		{ANoise, tones.Voice{}, ms(860), ms(960), -50},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// party is an endpoint with what it heard.
type party struct {
	*Endpoint
	mu    sync.Mutex // guards heard
	heard []Interval
	first chan Interval
}

func newParty(t *testing.T, v tones.Voice, s Session, pump *Pump) *party {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.40.50.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	p := &party{first: make(chan Interval, 1)}
	p.Endpoint = Open(conn, v, s, pump, func(i Interval) {
		p.mu.Lock()
		p.heard = append(p.heard, i)
		p.mu.Unlock()
		select {
		case p.first <- i:
		default:
		}
	})
	return p
}

// Two endpoints hear each other; the second learns the first's address from its
// packets (symmetric RTP).
func TestTwoPartiesHearEachOther(t *testing.T) {
	pump := &Pump{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { pump.Run(ctx) })
	a := newParty(t, tones.Voice{Side: tones.Agent, Index: 5}, Session{Remote: netip.MustParseAddrPort("127.40.50.1:1"), Codec: tones.PCMU, Digits: 101}, pump)
	b := newParty(t, tones.Voice{Side: tones.Callee, Index: 50}, Session{Remote: a.Local(), Codec: tones.PCMA}, pump)
	for p, want := range map[*party]int{a: 50, b: 5} {
		select {
		case i := <-p.first:
			if i.What != AVoice || i.Voice.Index != want {
				t.Errorf("heard %+v, want voice %d", i, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("heard nothing")
		}
	}
	a.Close()
	b.Close()
	cancel()
	wg.Wait()
	s := b.Heard()
	if s.Sources != 1 || s.Packets < 3 || s.Lost != 0 || s.Sound < 60*time.Millisecond {
		t.Errorf("%+v", s)
	}
	if last := b.heard[len(b.heard)-1]; last.Until.IsZero() {
		t.Errorf("closing leaves an interval open: %+v", b.heard)
	}
}

// A digit goes out as RFC 4733 says: one time stamp, growing duration, three
// packets with the end bit, the marker on the first only, the sequence without gap.
func TestPress(t *testing.T) {
	e := &Endpoint{voice: tones.Voice{Side: tones.Agent}, out: Packet{Sequence: 65533, Time: 1000, SSRC: 4}}
	e.Use(Session{Codec: tones.PCMA})
	if e.Press('5') {
		t.Error("pressed without telephone-event in the session")
	}
	e.Use(Session{Codec: tones.PCMA, Digits: 101})
	for _, bad := range []byte{'A', 'x', ' '} {
		if e.Press(bad) {
			t.Errorf("pressed %q", bad)
		}
	}
	if !e.Press('#') || !e.Press('3') {
		t.Fatal("not pressed")
	}
	seq, events := uint16(65533), 0
	for i := range 18 {
		p := e.next()
		if p.Sequence != seq {
			t.Errorf("packet %d: sequence %d, want %d", i, p.Sequence, seq)
		}
		seq++
		if p.Type != 101 {
			if want := uint32(1000 + 160*i); p.Type != 8 || p.Time != want || len(p.Payload) != 160 {
				t.Errorf("packet %d: %+v, want audio at %d", i, p, want)
			}
			continue
		}
		n := events % 8
		want := []byte{[]byte{11, 3}[events/8], 10, 0, byte(160)}
		duration := 160 * min(n+1, 5)
		want[2], want[3] = byte(duration>>8), byte(duration)
		if n >= 5 {
			want[1] |= 0x80
		}
		if !bytes.Equal(p.Payload, want) || p.Marker != (n == 0) || p.Time != uint32(1000+160*(i-n)) {
			t.Errorf("event packet %d: %+v, want %v", events, p, want)
		}
		events++
	}
	if events != 16 {
		t.Errorf("%d event packets, want 16", events)
	}
}

// The pump keeps an absolute schedule: 50 packets a second whatever the ticks.
func TestPumpSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pump := &Pump{}
		e := &Endpoint{voice: tones.Voice{}, ear: tones.NewEar()}
		e.Use(Session{})
		pump.add(e)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { pump.Run(ctx); close(done) }()
		time.Sleep(10*time.Second + time.Millisecond)
		cancel()
		<-done
		if e.out.Sequence != 500 {
			t.Errorf("%d packets in 10 s, want 500", e.out.Sequence)
		}
	})
}

// A pump that could not run says so, and makes up for ten ticks at most.
func TestPumpTellsOfStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var since, until time.Duration
		stalls := 0
		pump := &Pump{Late: func(a, b time.Time) { since, until = a.Sub(start), b.Sub(start); stalls++ }}
		e := &Endpoint{voice: tones.Voice{}, ear: tones.NewEar()}
		e.heard.report = func(Interval) { time.Sleep(time.Second) } // the pump hangs when the interval ends
		e.heard.open = []stretch{{frames: confirm, last: start.Add(701 * time.Millisecond)}}
		e.Use(Session{})
		pump.add(e)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { pump.Run(ctx); close(done) }()
		time.Sleep(3*time.Second + time.Millisecond)
		cancel()
		<-done
		// The tick at 1.02 s ends the interval and takes until 2.02 s; one tick waits in the channel.
		if stalls != 1 || since != 1040*time.Millisecond || until != 2020*time.Millisecond {
			t.Errorf("%d stalls, the last from %s to %s", stalls, since, until)
		}
		if want := uint16(51 + 10 + 49); e.out.Sequence != want {
			t.Errorf("%d packets, want %d", e.out.Sequence, want)
		}
	})
}
