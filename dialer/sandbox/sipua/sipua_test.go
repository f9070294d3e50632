package sipua

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"pronto/dialer/sandbox/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// RFC 2617 section 3.5 gives the response for a fixed cnonce; without qop the digest is of RFC 2069's
// form, whose example (errata 749) is used here.
func TestAuthorize(t *testing.T) {
	got, err := Authorize(`Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
		"GET", "/dir/index.html", "Mufasa", "CircleOfLife")
	if err != nil || !strings.Contains(got, `response="1949323746fe6a43ef61f9606e7febea"`) || !strings.Contains(got, `opaque="5ccc069c403ebaf9f0171e9517f40e41"`) {
		t.Errorf("%s, %v", got, err)
	}
	got, err = Authorize(`digest nonce=abc,realm="a, b" , qop="auth-int,auth",algorithm=SHA-256`, "REGISTER", "sip:x", "u", "p")
	if err != nil || !strings.Contains(got, `realm="a, b"`) || !strings.Contains(got, "qop=auth, nc=00000001") || !strings.Contains(got, "algorithm=SHA-256") {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{"", "Basic realm=x", `Digest realm="x", nonce="y", qop="auth-int"`, `Digest realm="x", nonce="y", algorithm=SHA-512-256`} {
		if got, err := Authorize(bad, "REGISTER", "sip:x", "u", "p"); err == nil {
			t.Errorf("%q is answered with %s", bad, got)
		}
	}
}

func FuzzAuthorize(f *testing.F) {
	f.Add(`Digest realm="a", nonce=b, qop="auth"`)
	f.Add(`Digest ="`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = Authorize(s, "REGISTER", "sip:x", "u", "p") })
}

const invite = "INVITE sip:1@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nRecord-Route: <sip:10.0.0.9:5070;lr>\r\nRecord-Route: <sip:10.0.0.8;lr>\r\n" +
	"From: \"A\" <sip:a@10.0.0.1>;tag=f\r\nTo: <sip:1@10.0.0.2>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nContact: <sip:a@10.0.0.1:5080>\r\nContent-Length: 0\r\n\r\n"

func parse(t *testing.T, s string) *sip.Request {
	t.Helper()
	m, err := sip.NewParser().ParseSIP([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return m.(*sip.Request)
}

func TestRespondTags(t *testing.T) {
	r := parse(t, invite)
	if s := Respond(r, 180, "Ringing", "mine", nil).String(); !strings.Contains(s, "To: <sip:1@10.0.0.2>;tag=mine\r\n") || !strings.Contains(s, "Record-Route: <sip:10.0.0.8;lr>") {
		t.Errorf("180:\n%s", s)
	}
	if s := Respond(r, 100, "Trying", "mine", nil).String(); strings.Contains(s, "tag=mine") {
		t.Errorf("100:\n%s", s)
	}
	if s := Respond(r, 200, "OK", "mine", []byte("x")).String(); !strings.Contains(s, "Content-Type: application/sdp\r\n") || !strings.Contains(s, "Content-Length: 1\r\n") {
		t.Errorf("200:\n%s", s)
	}
}

func TestDialog(t *testing.T) {
	r := parse(t, invite)
	d := NewDialog(r, "mine", netip.MustParseAddrPort("10.0.0.1:9"))
	if d.hop != netip.MustParseAddrPort("10.0.0.9:5070") || d.target != "sip:a@10.0.0.1:5080" || len(d.route) != 2 || d.local != "<sip:1@10.0.0.2>;tag=mine" {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		headers string
		holds   bool
	}{
		{"From: <sip:a@10.0.0.1>;tag=f\r\nTo: <sip:1@10.0.0.2>;tag=mine\r\nCall-ID: c\r\n", true},
		{"From: <sip:a@10.0.0.1>;tag=g\r\nTo: <sip:1@10.0.0.2>;tag=mine\r\nCall-ID: c\r\n", false},
		{"From: <sip:a@10.0.0.1>;tag=f\r\nTo: <sip:1@10.0.0.2>;tag=other\r\nCall-ID: c\r\n", false},
		{"From: <sip:a@10.0.0.1>;tag=f\r\nTo: <sip:1@10.0.0.2>;tag=mine\r\nCall-ID: d\r\n", false},
	} {
		bye := parse(t, "BYE sip:1@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy\r\n"+c.headers+"CSeq: 8 BYE\r\nContent-Length: 0\r\n\r\n")
		if got := d.Holds(bye); got != c.holds {
			t.Errorf("%q: %v", c.headers, got)
		}
	}
}

// pair is two user agents on one running loop.
func pair(t *testing.T, serve func(b *UA, r *sip.Request, from netip.AddrPort)) (l *loop.Loop, a, b *UA) {
	t.Helper()
	l = loop.New()
	a, err := Listen(l, netip.MustParseAddrPort("127.40.51.1:0"), func(*sip.Request, netip.AddrPort) {})
	if err != nil {
		t.Fatal(err)
	}
	b, err = Listen(l, netip.MustParseAddrPort("127.40.51.2:0"), func(r *sip.Request, from netip.AddrPort) { serve(b, r, from) })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { l.Run(); close(done) }()
	t.Cleanup(func() {
		l.Post(func() { a.Silence(); b.Silence(); l.Stop() })
		<-done
	})
	return l, a, b
}

// A request that is not answered is sent again; one that was answered is answered
// again by the same words without reaching the handler.
func TestRetransmission(t *testing.T) {
	seen := 0
	got := make(chan *sip.Response, 1)
	l, a, b := pair(t, func(b *UA, r *sip.Request, from netip.AddrPort) {
		if seen++; seen == 2 { // the first is lost
			b.Reply(r, from, 200, "OK")
		}
	})
	l.Post(func() {
		r, err := a.NewRequest(sip.OPTIONS, "sip:b@"+b.Local().String(), "<sip:a@x>;tag=1", "<sip:b@x>", "id", 1)
		if err != nil {
			t.Error(err)
			return
		}
		a.Request(r, b.Local(), func(res *sip.Response) {
			got <- res
			a.Send(r, b.Local())
		})
	})
	select {
	case res := <-got:
		if res == nil || res.StatusCode != 200 {
			t.Errorf("%v", res)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no answer")
	}
	settled := make(chan int)
	l.After(100*time.Millisecond, func() { settled <- seen })
	if n := <-settled; n != 2 {
		t.Errorf("the handler saw %d requests, want 2", n)
	}
}

// Garbage and incomplete messages reach nobody, and do not stop the user agent.
func TestGarbage(t *testing.T) {
	seen := make(chan string, 10)
	l, a, b := pair(t, func(_ *UA, r *sip.Request, _ netip.AddrPort) { seen <- r.CallID().Value() })
	for _, s := range []string{
		"\r\n\r\n", "garbage", "INVITE sip:x SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", strings.Replace(invite, ";branch=z9hG4bKx", "", 1),
		strings.Replace(invite, "Call-ID: c\r\n", "", 1), invite,
	} {
		l.Post(func() { a.write([]byte(s), b.Local()) })
	}
	select {
	case id := <-seen:
		if id != "c" {
			t.Errorf("Call-ID %q", id)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the complete INVITE did not arrive")
	}
	if len(seen) != 0 {
		t.Errorf("also arrived: %s", <-seen)
	}
}
