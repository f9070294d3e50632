package trunk

import (
	"context"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

func TestChallenges(t *testing.T) {
	const www = `WWW-Authenticate: Digest realm="far", nonce="n1", algorithm=MD5, qop="auth"`
	const proxy = `Proxy-Authenticate: Digest realm="far", nonce="p1"`
	const stale = `WWW-Authenticate: Digest realm="far", nonce="n2", stale=true, algorithm=SHA-256, qop="auth,auth-int"`
	cases := map[string]struct {
		challenges []say
		answered   bool
		header     string // of the last INVITE
	}{
		"401":              {[]say{{status: "401 Unauthorized", extra: []string{www}}}, true, "Authorization"},
		"407":              {[]say{{status: "407 Proxy Authentication Required", extra: []string{proxy}}}, true, "Proxy-Authorization"},
		"407 then 401":     {[]say{{status: "407 P", extra: []string{proxy}}, {status: "401 U", extra: []string{www}}}, true, "Authorization"},
		"stale nonce":      {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{stale}}}, true, "Authorization"},
		"wrong password":   {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{www}}}, false, ""},
		"endless stale":    {[]say{{status: "401 U", extra: []string{www}}, {status: "401 U", extra: []string{stale}}, {status: "401 U", extra: []string{stale}}}, false, ""},
		"no challenge":     {[]say{{status: "401 U"}}, false, ""},
		"unknown, then ok": {[]say{{status: "401 U", extra: []string{`WWW-Authenticate: Digest realm="far", nonce="x", algorithm=AKAv1-MD5`, www}}}, true, "Authorization"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			for i, s := range c.challenges {
				s.tag, s.bare = "x", true
				b.far.reply(inv, s)
				if ack := b.far.next("ACK"); ack.branch() != inv.branch() {
					t.Error("the ACK of a challenge must have the INVITE's branch")
				}
				if i == len(c.challenges)-1 && !c.answered {
					break
				}
				again := b.far.next("INVITE")
				if again.branch() == inv.branch() || again.cseq() != inv.cseq()+1 || again.header("Call-ID") != inv.header("Call-ID") || again.header("From") != inv.header("From") {
					t.Fatalf("the INVITE after the challenge:\n%s", again.raw)
				}
				inv = again
			}
			if !c.answered {
				o := wait(t, "the end", out)
				if o.leg != nil || o.res.Outcome != campaigns.Failed || o.res.Cause.Status != 401 {
					t.Fatalf("result %+v", o.res)
				}
				return
			}
			if !strings.HasPrefix(inv.header(c.header), `Digest `) {
				t.Errorf("the last INVITE lacks %s:\n%s", c.header, inv.raw)
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			if ack := b.far.next("ACK"); ack.header(c.header) != inv.header(c.header) {
				t.Error("the ACK has other credentials than its INVITE (RFC 3261 section 22.1)")
			}
			o := wait(t, "the answer", out)
			if n := len(b.dialed()); n != len(c.challenges)+1 {
				t.Errorf("Dialing was called %d times for %d INVITEs", n, len(c.challenges)+1)
			}
			for i, d := range b.dialed() {
				if d.CSeq != uint32(i+1) || d.Branch != identOf(strings.ToUpper(d.CallID), 1).branch(i+1) {
					t.Errorf("dialog %d: %+v", i, d)
				}
			}
			b.hangup(o.leg)
		})
	}
}
