package trunk

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

var bothCodecs = []dialer.Codec{dialer.PCMA, dialer.PCMU}

func TestParseSDP(t *testing.T) {
	at := func(c, m string) string { return "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\n" + c + "t=0 0\r\n" + m }
	const c4 = "c=IN IP4 192.0.2.1\r\n"
	addr := netip.MustParseAddrPort("192.0.2.1:4000")
	for name, c := range map[string]struct {
		in   string
		want dialer.Remote
		err  string
	}{
		"static types without rtpmap": {in: at(c4, "m=audio 4000 RTP/AVP 0 8\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMU}},
		"the first of theirs counts":  {in: at(c4, "m=audio 4000 RTP/AVP 9 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA, Digits: 101}},
		"address of the media":        {in: at("c=IN IP4 9.9.9.9\r\n", "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 192.0.2.1\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA}},
		"ptime":                       {in: at(c4, "m=audio 4000 RTP/AVP 8\r\na=ptime:10\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA, Ptime: 10 * time.Millisecond}},
		"absurd ptime is ours":        {in: at(c4, "m=audio 4000 RTP/AVP 8\r\na=ptime:2000\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA}},
		"direction of the session":    {in: at(c4+"a=sendonly\r\n", "m=audio 4000 RTP/AVP 8\r\n"), err: "sdp"}, // an attribute before t= is no SDP
		"held":                        {in: at(c4, "a=sendonly\r\nm=audio 4000 RTP/AVP 8\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA, SendOnly: true}},
		"media overrules session":     {in: at(c4, "a=sendonly\r\nm=audio 4000 RTP/AVP 8\r\na=sendrecv\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA}},
		"IPv6":                        {in: at("c=IN IP6 2001:db8::1\r\n", "m=audio 4000 RTP/AVP 8\r\n"), want: dialer.Remote{Addr: netip.MustParseAddrPort("[2001:db8::1]:4000"), Codec: dialer.PCMA}},
		"video first":                 {in: at(c4, "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\n"), want: dialer.Remote{Addr: addr, Codec: dialer.PCMA}},
		"refused stream":              {in: at(c4, "m=audio 0 RTP/AVP 8\r\n"), err: errNoAudio.Error()},
		"SRTP is not offered":         {in: at(c4, "m=audio 4000 RTP/SAVP 8\r\n"), err: errNoAudio.Error()},
		"no codec":                    {in: at(c4, "m=audio 4000 RTP/AVP 18\r\n"), err: errNoCodec.Error()},
		"number 8 that is not PCMA":   {in: at(c4, "m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 L16/8000\r\n"), err: errNoCodec.Error()},
		"no address":                  {in: at("", "m=audio 4000 RTP/AVP 8\r\n"), err: "no connection address"},
		"a name":                      {in: at("c=IN IP4 host.example\r\n", "m=audio 4000 RTP/AVP 8\r\n"), err: "connection address"},
		"multicast":                   {in: at("c=IN IP4 224.0.0.1\r\n", "m=audio 4000 RTP/AVP 8\r\n"), err: "nowhere"},
		"port too high":               {in: at(c4, "m=audio 70000 RTP/AVP 8\r\n"), err: "sdp"},
		"nothing":                     {in: "", err: "sdp"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseSDP([]byte(c.in), bothCodecs, sdes{})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q; read %+v", err, c.err, got.Remote)
				}
				return
			}
			if err != nil || got.Remote != c.want {
				t.Errorf("got %+v, %v; want %+v", got.Remote, err, c.want)
			}
		})
	}
}

func TestOfferIsReadBack(t *testing.T) {
	for _, local := range []string{"192.0.2.1:4000", "[2001:db8::1]:4000"} {
		s := session{id: 7, version: 3, local: netip.MustParseAddrPort(local), codecs: bothCodecs, digits: 101, direction: sendRecv}
		got, err := parseSDP(s.marshal(), []dialer.Codec{dialer.PCMU, dialer.PCMA}, sdes{})
		if err != nil {
			t.Fatal(err)
		}
		want := dialer.Remote{Addr: s.local, Codec: dialer.PCMA, Digits: 101, Ptime: 20 * time.Millisecond}
		if got.Remote != want {
			t.Errorf("read %+v, want %+v", got.Remote, want)
		}
	}
}

func FuzzParseSDP(f *testing.F) {
	f.Add([]byte(sdpAt("192.0.2.1", 4000, "a=ptime:30", "a=sendonly")))
	f.Add([]byte("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 1/2 RTP/AVP 0 8 300\r\na=rtpmap:300 telephone-event/8000\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseSDP(body, bothCodecs, sdes{policy: SRTPOffer})
		if err != nil {
			return
		}
		if !d.Addr.IsValid() || d.Addr.Port() == 0 || d.Codec != dialer.PCMA && d.Codec != dialer.PCMU || d.Digits > 127 ||
			d.Ptime != 0 && (d.Ptime < 10*time.Millisecond || d.Ptime > 60*time.Millisecond) {
			t.Fatalf("read %+v", d)
		}
		answer := session{local: d.Addr, codecs: []dialer.Codec{d.Codec}, digits: d.Digits, direction: d.direction.answering(), answers: &d, sdes: sdes{policy: SRTPOffer}}
		if len(answer.marshal()) == 0 {
			t.Fatal("no answer to an offer that was read")
		}
	})
}
