package trunk

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/sdp/v3"

	"pronto/campaigns"
	"pronto/dialer"
)

// key40 is 30 bytes as base64; it stands in RFC 4568 section 4.1.
const key40 = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

func TestParseCrypto(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		tag   int
		suite dialer.Suite // 0: refused
	}{
		"plain":                    {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40, 1, dialer.AES80},
		"short tag of the tag":     {"2 AES_CM_128_HMAC_SHA1_32 inline:" + key40, 2, dialer.AES32},
		"life time":                {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20", 1, dialer.AES80},
		"padded key":               {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "==", 1, dialer.AES80},
		"window size":              {"7 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " WSH=64", 7, dialer.AES80},
		"optional parameter":       {"7 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " -x", 7, dialer.AES80},
		"RTCP in the clear":        {"7 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " UNENCRYPTED_SRTCP", 7, dialer.AES80},
		"key identifier":           {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20|1:4", 0, 0},
		"two keys":                 {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20;inline:" + key40, 0, 0},
		"not encrypted":            {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " UNENCRYPTED_SRTP", 0, 0},
		"not authenticated":        {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " UNAUTHENTICATED_SRTP", 0, 0},
		"key derivation rate":      {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + " KDR=1", 0, 0},
		"suite that is none of us": {"1 AEAD_AES_256_GCM inline:" + key40, 0, 0},
		"short key":                {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key40[:36], 0, 0},
		"no base64":                {"1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("!", 40), 0, 0},
		"no key":                   {"1 AES_CM_128_HMAC_SHA1_80", 0, 0},
		"no inline":                {"1 AES_CM_128_HMAC_SHA1_80 uri:" + key40, 0, 0},
		"no tag":                   {"x AES_CM_128_HMAC_SHA1_80 inline:" + key40, 0, 0},
		"negative tag":             {"-1 AES_CM_128_HMAC_SHA1_80 inline:" + key40, 0, 0},
		"huge tag":                 {"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + key40, 0, 0},
		"nothing":                  {"", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseCrypto(c.in)
			if ok != (c.suite != 0) {
				t.Fatalf("taken %t, want %t: %+v", ok, c.suite != 0, got)
			}
			if ok && (got.tag != c.tag || suites[got.index].suite != c.suite || string(got.key[:4]) != "YS__") {
				t.Errorf("read %+v", got)
			}
		})
	}
}

// What comes of an offer for each policy of ours, and that the one who offered reads the same keys in the
// answer, crosswise.
func TestKeysAreAgreed(t *testing.T) {
	const (
		plain    = "m=audio 4000 RTP/AVP 8\r\n"
		other    = "m=audio 4002 RTP/SAVP 8\r\na=crypto:1 AEAD_AES_256_GCM inline:" + key40 + "\r\n"
		savp     = "m=audio 4004 RTP/SAVP 8\r\na=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:" + key40 + "\r\na=crypto:9 AES_CM_128_HMAC_SHA1_32 inline:" + key40 + "\r\n"
		optional = "m=audio 4006 RTP/AVP 8\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "\r\n"
		feedback = "m=audio 4008 RTP/SAVPF 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "\r\n"
	)
	for _, c := range []struct {
		name             string
		policy           SRTP
		offer            string
		port             uint16 // of the stream that is taken; 0: none
		profile, keyLine string
		err              error
	}{
		{"off, plain", SRTPOff, plain, 4000, "RTP/AVP", "", nil},
		{"off, keys beside it", SRTPOff, optional, 4006, "RTP/AVP", "", nil},
		{"off, encrypted", SRTPOff, savp, 0, "", "", errNoAudio},
		{"off, encrypted and plain", SRTPOff, savp + plain, 4000, "RTP/AVP", "", nil},
		{"offer, plain", SRTPOffer, plain, 4000, "RTP/AVP", "", nil},
		{"offer, keys beside it", SRTPOffer, optional, 4006, "RTP/AVP", "crypto:4 AES_CM_128_HMAC_SHA1_80 inline:", nil},
		{"offer, encrypted", SRTPOffer, savp, 4004, "RTP/SAVP", "crypto:9 AES_CM_128_HMAC_SHA1_32 inline:", nil},
		{"offer, plain before encrypted", SRTPOffer, plain + savp, 4004, "RTP/SAVP", "crypto:9 AES_CM_128_HMAC_SHA1_32 inline:", nil},
		{"offer, suites of others", SRTPOffer, other, 0, "", "", errNoAudio},
		{"require, plain", SRTPRequire, plain, 0, "", "", errNotEncrypted},
		{"require, keys beside it", SRTPRequire, optional, 4006, "RTP/AVP", "crypto:4 AES_CM_128_HMAC_SHA1_80 inline:", nil},
		{"require, encrypted", SRTPRequire, other + savp, 4004, "RTP/SAVP", "crypto:9 AES_CM_128_HMAC_SHA1_32 inline:", nil},
		{"require, with feedback", SRTPRequire, feedback, 0, "", "", errNotEncrypted},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := newSDES(c.policy, false)
			far, err := parseSDP([]byte("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"+c.offer), bothCodecs, keys)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			s := session{local: netip.MustParseAddrPort("192.0.2.9:5000"), sdes: keys}
			s.say(&far, bothCodecs)
			answer := string(s.marshal())
			if far.Addr.Port() != c.port || !strings.Contains(answer, fmt.Sprintf("m=audio 5000 %s 8", c.profile)) {
				t.Errorf("stream at %d taken, answered\n%s", far.Addr.Port(), answer)
			}
			if c.keyLine == "" {
				if far.Keys != nil || strings.Contains(answer, "crypto") {
					t.Errorf("keys %v, answered\n%s", far.Keys, answer)
				}
				return
			}
			if strings.Count(answer, "a=crypto") != 1 || !strings.Contains(answer, c.keyLine) {
				t.Errorf("answered\n%s", answer)
			}
			_, rest, _ := strings.Cut(answer, "crypto:")
			line, _, _ := strings.Cut(rest, "\r\n")
			again, ok := parseCrypto(line)
			if far.Keys == nil || string(far.Keys.Theirs[:4]) != "YS__" || !ok || again.key != far.Keys.Ours {
				t.Errorf("keys %+v, answered\n%s", far.Keys, answer)
			}
		})
	}
}

// Our offer, read by an end of our kind, gives both the same keys, crosswise, and they stay when it is made again.
func TestOfferedKeysAreReadBack(t *testing.T) {
	for _, policy := range []SRTP{SRTPOffer, SRTPRequire} {
		ours, theirs := newSDES(policy, false), newSDES(SRTPOffer, false)
		offer := session{local: netip.MustParseAddrPort("192.0.2.1:4000"), sdes: ours}
		offer.say(nil, bothCodecs)
		if again := offer; string(again.marshal()) != string(offer.marshal()) {
			t.Error("the keys change when the offer is repeated")
		}
		heard, err := parseSDP(offer.marshal(), bothCodecs, theirs)
		if err != nil {
			t.Fatal(err)
		}
		answer := session{local: netip.MustParseAddrPort("192.0.2.2:4000"), sdes: theirs}
		answer.say(&heard, bothCodecs)
		far, err := parseSDP(answer.marshal(), bothCodecs, ours)
		if err != nil {
			t.Fatal(err)
		}
		if heard.Keys == nil || far.Keys == nil || heard.Keys.Ours != far.Keys.Theirs || heard.Keys.Theirs != far.Keys.Ours || heard.Keys.Suite != dialer.AES80 {
			t.Errorf("%s: %+v and %+v", policy, heard.Keys, far.Keys)
		}
		if newSDES(policy, false).keys == ours.keys || ours.keys[0] == ours.keys[1] {
			t.Error("two keys are the same")
		}
	}
}

func TestKeysGoByTLSAlone(t *testing.T) {
	for _, c := range []struct {
		policy SRTP
		plain  bool
		by     Transport
		want   SRTP
		err    error
	}{
		{SRTPRequire, false, TLS, SRTPRequire, nil},
		{SRTPRequire, true, UDP, SRTPRequire, nil},
		{SRTPRequire, false, TCP, SRTPRequire, errPlain},
		{SRTPOffer, false, UDP, SRTPOff, nil},
		{SRTPOffer, false, TLS, SRTPOffer, nil},
		{"", false, UDP, SRTPOff, nil},
	} {
		got, err := newSDES(c.policy, c.plain).by(c.by)
		if got.policy != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s over %s, allowed %t: %s, %v; want %s, %v", c.policy, c.by, c.plain, got.policy, err, c.want, c.err)
		}
	}
	for _, c := range []struct {
		trunk TrunkConfig
		mend  string
	}{
		{TrunkConfig{SRTP: SRTPRequire}, "trunks[0].srtp: require: the keys would travel readable"},
		{TrunkConfig{SRTP: "always"}, "trunks[0].srtp: always: one of off, offer, require"},
		{TrunkConfig{SRTP: SRTPOffer, SRTPWithoutTLS: true}, ""},
		{TrunkConfig{SRTP: SRTPOffer, Transport: TLS}, ""},
	} {
		c.trunk.Name, c.trunk.Address = "a", "192.0.2.1:5060"
		err := Config{Listen: netip.MustParseAddrPort("127.0.0.1:5060"), Trunks: []TrunkConfig{c.trunk}}.Validate()
		if c.mend == "" && err != nil && strings.Contains(err.Error(), "srtp") || c.mend != "" && (err == nil || !strings.Contains(err.Error(), c.mend)) {
			t.Errorf("%+v: %v, want %q", c.trunk, err, c.mend)
		}
	}
}

func FuzzParseCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key40 + "|2^20|1:4 WSH=64")
	f.Fuzz(func(t *testing.T, value string) {
		c, ok := parseCrypto(value)
		if !ok {
			return
		}
		d := described{lines: make([]sdp.MediaName, 1), crypto: c}
		d.Keys = newSDES(SRTPOffer, false).agreed(c)
		if len(session{sdes: newSDES(SRTPOffer, false), answers: &d}.marshal()) == 0 {
			t.Fatal("no answer")
		}
	})
}

// encrypting is a trunk that must, over UDP.
func encrypting(c *Config) {
	c.Trunks[0].SRTP, c.Trunks[0].SRTPWithoutTLS = SRTPRequire, true
}

// sealedAt is sdpAt with SRTP.
func sealedAt(port int, tag int, key string) string {
	return strings.Replace(sdpAt(farHost, port, fmt.Sprintf("a=crypto:%d AES_CM_128_HMAC_SHA1_80 inline:%s", tag, key)), "RTP/AVP", "RTP/SAVP", 1)
}

func TestAnswerWithoutKeysEndsTheCall(t *testing.T) {
	b := newBench(t, encrypting)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	if !strings.Contains(inv.body(), " RTP/SAVP ") || strings.Count(inv.body(), "a=crypto:") != len(suites) {
		t.Errorf("offered\n%s", inv.body())
	}
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
	if o := wait(t, "the end", out); o.leg != nil || o.res.Outcome != campaigns.Failed || !strings.Contains(o.res.Cause.Text, "SRTP is required") {
		t.Errorf("gave %+v", o.res)
	}
	if n := len(b.audio.connected()); n != 0 {
		t.Errorf("audio connected %d times", n)
	}
}

// New keys of the far end come to the audio, ours stay; plain audio is refused and changes nothing.
func TestReinviteWithKeys(t *testing.T) {
	b := newBench(t, encrypting)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	other := strings.Replace(key40, "WVNf", "AAAA", 1)
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sealedAt(4000, 1, key40)})
	b.far.next("ACK")
	o := wait(t, "the answer", out)
	if o.leg == nil {
		t.Fatalf("gave %+v", o.res)
	}
	expect(t, b.far.answerOf(b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000))), "488")
	b.far.ask(inv, "a", "ACK", 10, "")
	res := b.far.answerOf(b.far.ask(inv, "a", "INVITE", 11, sealedAt(4000, 5, other)))
	expect(t, res, "200")
	b.far.ask(inv, "a", "ACK", 11, "")
	got := b.audio.connected()
	if len(got) != 2 || got[0].Keys == nil || got[1].Keys == nil {
		t.Fatalf("connected to %+v", got)
	}
	if first, second := *got[0].Keys, *got[1].Keys; first.Ours != second.Ours || first.Theirs == second.Theirs || second.Theirs[0] != 0 {
		t.Error("the keys after the re-INVITE are not ours of before with the far end's new one")
	}
	if !strings.Contains(res.body(), "a=crypto:5 ") || !strings.Contains(res.body(), "RTP/SAVP") {
		t.Errorf("answered\n%s", res.body())
	}
	b.hangup(o.leg)
}

// No INVITE with keys leaves by UDP when only TLS is allowed, whatever else went wrong.
func TestKeysDoNotLeaveWithoutTLS(t *testing.T) {
	b := newBench(t)
	b.ep.cfg.Accounts, b.ep.cfg.SRTP = fixedAccount{b.far.addrString()}, SRTPRequire
	_, err := b.ep.Call(t.Context(), "ann", b.audio)
	if err == nil || !strings.Contains(err.Error(), errPlain.Error()) {
		t.Errorf("error %v", err)
	}
	b.far.none("INVITE", 4*testT1)
}

// fixedAccount is one phone at a static address.
type fixedAccount struct{ at string }

func (a fixedAccount) Account(name string) (dialer.Account, bool) {
	return dialer.Account{Name: name, Phone: "sip:" + name + "@" + a.at}, true
}
