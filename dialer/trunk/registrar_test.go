package trunk

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// phone is a hand-written SIP phone.
type phone struct {
	*far
	ep   *Endpoint
	name string
	n    int
}

func newPhone(t *testing.T, ep *Endpoint, host, name string) *phone {
	return &phone{far: newFar(t, host), ep: ep, name: name}
}

// register sends one REGISTER; auth is the whole Authorization header or empty.
func (p *phone) register(auth, contact string, extra ...string) string {
	p.n++
	var b strings.Builder
	fmt.Fprintf(&b, "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKreg%d;rport\r\nMax-Forwards: 70\r\n", p.ep.Addr(), p.addrString(), p.n)
	fmt.Fprintf(&b, "From: <sip:%s@pronto>;tag=f\r\nTo: <sip:%s@pronto>\r\nCall-ID: phone-%s\r\nCSeq: %d REGISTER\r\n", p.name, p.name, p.addrString(), p.n)
	if contact != "" {
		fmt.Fprintf(&b, "Contact: %s\r\n", contact)
	}
	if auth != "" {
		fmt.Fprintf(&b, "Authorization: %s\r\n", auth)
	}
	for _, e := range extra {
		b.WriteString(e + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	p.send(p.ep.Addr(), b.String())
	return b.String()
}

func (p *phone) contact() string { return "<sip:" + p.name + "@10.9.9.9:5060>" }

var nonceIn = regexp.MustCompile(`nonce="([^"]*)"`)

// credentials computes RFC 2617 by hand.
func (p *phone) credentials(nonce, password string, nc int) string {
	uri := "sip:" + p.ep.Addr().String()
	count := fmt.Sprintf("%08x", nc)
	response := md5Hex(ha1(p.name, "pronto", password) + ":" + nonce + ":" + count + ":cn:auth:" + md5Hex("REGISTER:"+uri))
	return fmt.Sprintf(`Digest username="%s", realm="pronto", nonce="%s", uri="%s", response="%s", algorithm=MD5, cnonce="cn", nc=%s, qop=auth`,
		p.name, nonce, uri, response, count)
}

// challenge asks without credentials and returns the nonce.
func (p *phone) challenge() string {
	p.t.Helper()
	p.register("", p.contact())
	res := p.next("SIP/2.0")
	if !strings.HasPrefix(res.line, "SIP/2.0 401") {
		p.t.Fatalf("got %q, want 401", res.line)
	}
	return nonceIn.FindStringSubmatch(res.header("WWW-Authenticate"))[1]
}

// signIn registers with the right password.
func (p *phone) signIn(extra ...string) *heard {
	p.t.Helper()
	p.register(p.credentials(p.challenge(), "secret", 1), p.contact(), extra...)
	return p.next("SIP/2.0")
}

func TestRegistration(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	res := p.signIn("Expires: 120")
	expect(t, res, "200")
	if c := res.header("Contact"); c != p.contact()+";expires=60" {
		t.Errorf("Contact %q, want the phone's with the 60 s of one behind NAT", c)
	}
	if name := wait(t, "the change", ep.Changes()); name != "ann" || !ep.Registered("ann") {
		t.Fatalf("%q changed, ann registered: %v", name, ep.Registered("ann"))
	}
	if n := ep.tp.Pool("udp").Size(); n != 1 {
		t.Errorf("sipgo keeps %d addresses after a REGISTER, want its socket alone", n)
	}

	audio := newFakeAudio(t, ourHost)
	got := make(chan originated, 1)
	go func() {
		leg, err := ep.Call(context.Background(), "ann", audio)
		got <- originated{leg: leg, res: dialer.Result{Cause: dialer.Cause{Text: fmt.Sprint(err)}}}
	}()
	inv := p.next("INVITE") // at the source of the REGISTER, though the Contact names 10.9.9.9
	if inv.line != "INVITE sip:ann@10.9.9.9:5060 SIP/2.0" {
		t.Errorf("request line %q", inv.line)
	}
	p.reply(inv, say{status: "200 OK", tag: "p", sdp: sdpAt("127.30.2.1", 4000), extra: nil})
	p.next("ACK")
	o := wait(t, "the answer", got)
	if o.leg == nil {
		t.Fatal(o.res.Cause.Text)
	}
	o.leg.Hangup()
	p.reply(p.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", o.leg.Done())

	p.register(p.credentials(p.challenge(), "secret", 1), "*", "Expires: 0")
	expect(t, p.next("SIP/2.0"), "200")
	wait(t, "the change", ep.Changes())
	if ep.Registered("ann") {
		t.Error("ann is registered after she signed off")
	}
	if _, err := ep.Call(context.Background(), "ann", audio); err == nil || err.Error() != "call ann: the phone is not registered" {
		t.Errorf("a call to nobody: %v", err)
	}
}

func TestRegistrationExpires(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"), func(c *Config) { c.Limits.RegisterMin = time.Second })
	p := newPhone(t, ep, "127.30.2.1", "ann")
	expect(t, p.signIn("Expires: 1"), "200")
	wait(t, "the registration", ep.Changes())
	wait(t, "its end", ep.Changes())
	if ep.Registered("ann") {
		t.Error("ann is registered after her time")
	}
	if ep.known.has(p.addr().Addr()) {
		t.Error("the phone's address still passes the screen")
	}
}

func TestRegistrationIntervalTooBrief(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	res := p.signIn("Expires: 10")
	expect(t, res, "423")
	if res.header("Min-Expires") != "60" || ep.Registered("ann") {
		t.Errorf("Min-Expires %q, registered %v", res.header("Min-Expires"), ep.Registered("ann"))
	}
	p.register(p.credentials(p.challenge(), "secret", 1), "<sip:ann@"+p.addrString()+">;expires=100000", "Expires: 120")
	res = p.next("SIP/2.0")
	expect(t, res, "200")
	if !strings.HasSuffix(res.header("Contact"), "expires=3600") {
		t.Errorf("Contact %q, want it shortened to 3600", res.header("Contact"))
	}
}

// TestNamesAreNotTold: whoever tries names sees the same for those that exist
// and those that do not, with and without a password.
func TestNamesAreNotTold(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	varying := regexp.MustCompile(`(?m)^(Via|Call-ID|To|From|CSeq):.*$|nonce="[^"]*"`)
	seen := map[string]string{}
	for _, name := range []string{"ann", "bob"} {
		p := newPhone(t, ep, "127.30.2.1", name)
		p.register("", p.contact())
		first := p.next("SIP/2.0")
		nonce := nonceIn.FindStringSubmatch(first.header("WWW-Authenticate"))[1]
		p.register(p.credentials(nonce, "guess", 1), p.contact())
		second := p.next("SIP/2.0")
		p.register(p.credentials("forged", "guess", 1), p.contact())
		third := p.next("SIP/2.0")
		seen[name] = varying.ReplaceAllString(first.raw+second.raw+third.raw, "")
	}
	if seen["ann"] != seen["bob"] {
		t.Errorf("known and unknown names can be told apart:\n%s\n%s", seen["ann"], seen["bob"])
	}
	if ep.Registered("ann") || ep.Registered("bob") {
		t.Error("a guess was taken for a password")
	}
}

func TestReplayedCredentials(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	ann, thief := newPhone(t, ep, "127.30.2.1", "ann"), newPhone(t, ep, "127.30.2.66", "ann")
	nonce := ann.challenge()
	good := ann.credentials(nonce, "secret", 1)
	sent := ann.register(good, ann.contact())
	expect(t, ann.next("SIP/2.0"), "200")
	ann.send(ep.Addr(), sent)
	expect(t, ann.next("SIP/2.0"), "200") // a retransmission is no replay

	thief.register(good, thief.contact())
	res := thief.next("SIP/2.0")
	expect(t, res, "401")
	if !strings.Contains(res.header("WWW-Authenticate"), "stale=true") {
		t.Errorf("WWW-Authenticate %q: the credentials are right, so stale", res.header("WWW-Authenticate"))
	}
	if b, _ := ep.reg.binding("ann", time.Now()); b.src != ann.addr() {
		t.Errorf("ann is reached at %s now", b.src)
	}
	ann.register(ann.credentials(nonce, "secret", 2), ann.contact())
	expect(t, ann.next("SIP/2.0"), "200") // the next count of the same nonce
}

func TestOldNonceIsStale(t *testing.T) {
	now := time.Now()
	n := newNonces(time.Minute)
	src, other := netip.MustParseAddr("127.30.2.1"), netip.MustParseAddr("127.30.2.2")
	nonce := n.make(src, now)
	for name, c := range map[string]struct {
		nonce string
		from  netip.Addr
		at    time.Time
		want  bool
	}{
		"at once":              {nonce, src, now, true},
		"within life":          {nonce, src, now.Add(59 * time.Second), true},
		"after it":             {nonce, src, now.Add(61 * time.Second), false},
		"from the future":      {nonce, src, now.Add(-time.Hour), false},
		"from another address": {nonce, other, now, false},
		"the same as IPv6":     {nonce, netip.MustParseAddr("::ffff:127.30.2.1"), now, true},
		"another process's":    {newNonces(time.Minute).make(src, now), src, now, false},
		"changed":              {nonce[:20] + nonce[21:] + nonce[20:21], src, now, false},
		"longer":               {nonce + "A", src, now, false},
		"empty":                {"", src, now, false},
	} {
		if got := n.fresh(c.nonce, c.from, c.at); got != c.want {
			t.Errorf("%s: fresh is %v, want %v", name, got, c.want)
		}
	}
	if !n.use(nonce, 1, now) || n.use(nonce, 1, now) || !n.use(nonce, 2, now) {
		t.Error("a count may be used once")
	}
	n.use(n.make(src, now), 1, now.Add(3*time.Minute))
	if len(n.used) != 1 {
		t.Errorf("%d nonces are kept after their life", len(n.used))
	}
}

func TestRegisterFloodIsCut(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"), func(c *Config) { c.Limits.RegisterRate, c.Limits.RegisterBurst = 0.001, 5 })
	p, other := newPhone(t, ep, "127.30.2.1", "ann"), newPhone(t, ep, "127.30.2.2", "ann")
	for range 5 {
		p.challenge()
	}
	for range 20 {
		p.register("", p.contact())
	}
	p.none("SIP/2.0", 6*testT1)
	other.challenge()
}

func TestChangesAreCoalesced(t *testing.T) {
	ep := newPhones(t, oneAgent("ann"))
	p := newPhone(t, ep, "127.30.2.1", "ann")
	for range 5 {
		expect(t, p.signIn(), "200")
		p.register(p.credentials(p.challenge(), "secret", 1), "*", "Expires: 0")
		expect(t, p.next("SIP/2.0"), "200")
	}
	expect(t, p.signIn(), "200")
	n := 0
	for quiet := false; !quiet; {
		select {
		case <-ep.Changes():
			n++
		case <-time.After(6 * testT1):
			quiet = true
		}
	}
	if n < 1 || n > 2 {
		t.Errorf("eleven changes gave %d notices, want one or two", n)
	}
	if !ep.Registered("ann") {
		t.Error("ann is not registered at the end")
	}
}

func TestStaticPhone(t *testing.T) {
	p := newFar(t, "127.30.2.3")
	ep := newPhones(t, roster{"eve": {Name: "eve", Phone: "eve@" + p.addrString(), Codec: "pcmu"}})
	if !ep.Registered("eve") {
		t.Error("a phone with a static address is always reachable")
	}
	errs := make(chan error, 1)
	go func() {
		_, err := ep.Call(context.Background(), "eve", newFakeAudio(t, ourHost))
		errs <- err
	}()
	inv := p.next("INVITE")
	if !strings.Contains(inv.body(), " 0 8 101\r\n") {
		t.Errorf("the account's codec is not first:\n%s", inv.body())
	}
	p.reply(inv, say{status: "486 Busy Here", tag: "x"})
	if err := wait(t, "the end", errs); err == nil || err.Error() != "call eve: the phone is busy (486)" {
		t.Errorf("error %v", err)
	}
	if _, err := ep.Call(context.Background(), "zoe", newFakeAudio(t, ourHost)); err == nil || err.Error() != "call zoe: no such agent" {
		t.Errorf("error %v", err)
	}
}
