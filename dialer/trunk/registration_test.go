package trunk

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

// registering is a trunk that registers as acme, whose digest name is another.
func registering(addr netip.AddrPort, change ...func(*TrunkConfig)) func(*Config) {
	return func(c *Config) {
		t := &c.Trunks[0]
		t.Address, t.Domain, t.Register, t.Username, t.AuthName, t.Expires = addr.String(), "carrier.example", true, "acme", "line7", time.Second
		for _, f := range change {
			f(t)
		}
	}
}

// step is a REGISTER that sipp must receive, and what it says to it.
type step struct {
	checks []check
	status string
	extra  []string
	auth   bool // the credentials must be right
}

// registrarOf is the scenario of a registrar that plays the steps.
func registrarOf(steps []step) string {
	var b strings.Builder
	var used []string
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE scenario SYSTEM "sipp.dtd"><scenario name="registrar">`)
	n := 0
	for i, s := range steps {
		b.WriteString(`<recv request="REGISTER" crlf="true"><action>`)
		checks := append([]check{{"CSeq:", fmt.Sprintf("^ *%d REGISTER", i+1)}, {"From:", "<sip:acme@carrier.example>;tag="}}, s.checks...)
		for _, c := range checks {
			n++
			b.WriteString(c.xml(n))
			used = append(used, fmt.Sprint(n))
		}
		if s.auth {
			n++
			fmt.Fprintf(&b, `<verifyauth assign_to="%d" username="line7" password="secret"/>`, n)
		}
		b.WriteString(`</action></recv>`)
		if s.auth {
			fmt.Fprintf(&b, `<nop hide="true" test="%d" next="good%d"/><send><![CDATA[
SIP/2.0 403 Forbidden
[last_Via:]
[last_From:]
[last_To:];tag=r
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send><recv request="NEVER"/><label id="good%d"/>`, n, i, i)
		}
		fmt.Fprintf(&b, `<send><![CDATA[
SIP/2.0 %s
[last_Via:]
[last_From:]
[last_To:];tag=r
[last_Call-ID:]
[last_CSeq:]
%s
Content-Length: 0

]]></send>`, s.status, strings.Join(s.extra, "\n"))
	}
	fmt.Fprintf(&b, `<Reference variables="%s"/></scenario>`, strings.Join(used, ","))
	return b.String()
}

// A registrar sees: a challenge answered, two refreshes with the same nonce and a
// growing count, a new nonce taken up, a too brief interval mended, and the registration taken back at
// the end. One Call-ID: sipp takes it all for one call.
func TestRegisters(t *testing.T) {
	t.Parallel()
	challenge := func(nonce, algorithm, more string) []string {
		return []string{`WWW-Authenticate: Digest realm="carrier", nonce="` + nonce + `", algorithm=` + algorithm + `, qop="auth"` + more}
	}
	count := func(nonce, nc string) []check {
		return []check{{"Authorization:", `username="line7"`}, {"Authorization:", `nonce="` + nonce + `"`}, {"Authorization:", "nc=" + nc}}
	}
	asks := []check{{"msg", "^REGISTER sip:carrier.example SIP/2.0"}, {"Contact:", "^ *<sip:acme@" + formHost + ":[0-9]+>;expires=1"}, {"Expires:", "^ *1"}}
	ok := []string{"Contact: <sip:acme@[remote_ip]:[remote_port]>;expires=1"}
	steps := []step{
		{checks: append([]check{{"!Authorization:", "."}}, asks...), status: "401 Unauthorized", extra: challenge("first", "MD5", "")},
		{checks: append(count("first", "00000001"), asks...), auth: true, status: "200 OK", extra: ok},
		{checks: count("first", "00000002"), auth: true, status: "200 OK", extra: ok},
		{checks: count("first", "00000003"), auth: true, status: "401 Unauthorized", extra: challenge("second", "MD5", ", stale=true")},
		{checks: count("second", "00000001"), auth: true, status: "423 Interval Too Brief", extra: []string{"Min-Expires: 2"}},
		{checks: append(count("second", "00000002"), check{"Expires:", "^ *2"}), auth: true, status: "200 OK", extra: []string{"Expires: 1"}},
		{checks: append(count("second", "00000003"), check{"Contact:", "expires=2"}), auth: true, status: "200 OK", extra: ok},
		{checks: append(count("second", "00000004"), check{"Contact:", "expires=0"}, check{"Expires:", "^ *0"}), auth: true, status: "200 OK"},
	}
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", registrarOf(steps), "-trace_msg", "-message_file", "/dev/stderr")
	b := formBench(t, registering(addr))
	carrier := b.ep.trunk("")
	until(t, "the trunk is registered", func() bool { return carrier.down() == "" })
	until(t, "the last but one is answered", func() bool { return strings.Count(p.out.String(), "CSeq: 7 REGISTER") >= 2 })
	b.ep.Close()
	finished(t, p)
}

// kamailioRegistrar is a registrar with a password, through which only who is
// registered may call. It says on its output whom it has registered.
func kamailioRegistrar(t *testing.T, carrier netip.AddrPort, algorithm string) (*process, netip.AddrPort) {
	t.Helper()
	return kamailioSays(t, carrier, "udp", "", `loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("auth", "algorithm", "`+algorithm+`")
modparam("auth", "nonce_expire", 2)
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
modparam("registrar", "min_expires", 1)
modparam("registrar", "default_expires", 60)
route[ROUTED] {
	if (is_method("REGISTER")) {
		if (!pv_www_authenticate("carrier.example", "secret", "0")) {
			www_challenge("carrier.example", "1");
			exit;
		}
		if ($au != "line7") {
			sl_send_reply("403", "Not You");
			exit;
		}
		save("location");
		xlog("L_ALERT", "registered $ct");
		exit;
	}
	if (!registered("location", "$fu")) {
		sl_send_reply("403", "Register First");
		exit;
	}
	record_route();
}
`)
}

// kamailio as registrar, by MD5 and SHA-256, with nonces that live two seconds
// and may be used with growing counts alone. A call needs the registration; after the end there is none.
func TestRegistersWithKamailio(t *testing.T) {
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t, hostOf(t, "carrier"))
			p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{{"From:", "sip:acme@carrier.example"}}))
			k, registrar := kamailioRegistrar(t, addr, algorithm)
			acme := func(c *TrunkConfig) { c.FromUser, c.Expires = "acme", 2*time.Second }
			b := formBench(t, registering(registrar, acme))
			until(t, "the trunk is registered", func() bool { return b.ep.trunk("").down() == "" })
			for n := 2; n <= 3; n++ { // two refreshes
				until(t, "a refresh", func() bool { return strings.Count(k.out.String(), "registered <sip:acme@") >= n })
			}
			converse(t, b, p)
			b.ep.Close()
			if !strings.Contains(k.out.String(), ";expires=0") {
				t.Error("the registration was not taken back")
			}
			late := formBench(t, registering(registrar, acme, func(c *TrunkConfig) { c.Register = false }))
			if o := wait(t, "the outcome", late.dial(context.Background(), time.Minute, 0)); o.res.Cause.Status != 403 {
				t.Errorf("result %+v, want 403", o.res)
			}
		})
	}
}

// What a registrar may say that is no registration, and what the trunk says of it.
func TestRegistrationRefused(t *testing.T) {
	challenge := `WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"`
	for name, test := range map[string]struct {
		says []say
		want string
	}{
		"403":                 {[]say{{status: "403 Forbidden", tag: "a"}}, "not registered: 403 Forbidden"},
		"a wrong password":    {[]say{{status: "401 Unauthorized", tag: "a", extra: []string{challenge}}, {status: "401 Unauthorized", tag: "a", extra: []string{challenge}}}, "not registered: 401 Unauthorized"},
		"no challenge of use": {[]say{{status: "401 Unauthorized", tag: "a"}}, "not registered: 401 Unauthorized"},
		"423 with no word":    {[]say{{status: "423 Interval Too Brief", tag: "a"}}, "not registered: 423"},
		"no time at all":      {[]say{{status: "200 OK", tag: "a", bare: true, extra: []string{"Expires: 0"}}}, "for no time at all"},
		"silence":             {nil, "not registered: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := newFar(t, "127.62.0.6")
			b := formBench(t, registering(far.addr()))
			carrier := b.ep.trunk("")
			if got := carrier.down(); got != "not registered: no answer yet" {
				t.Errorf("before any answer: %q", got)
			}
			for _, s := range test.says {
				far.reply(far.next("REGISTER"), s)
			}
			until(t, "the trunk is down", func() bool {
				got := carrier.down()
				return got != "not registered: no answer yet" && strings.Contains(got, test.want)
			})
		})
	}
}

// The carrier's own route (RFC 3608) goes into each call.
func TestServiceRoute(t *testing.T) {
	t.Parallel()
	registrar, edge := newFar(t, "127.62.0.6"), newFar(t, "127.62.0.7")
	b := formBench(t, registering(registrar.addr()))
	route := "<sip:" + edge.addrString() + ";lr>"
	reg := registrar.next("REGISTER")
	registrar.reply(reg, say{status: "200 OK", tag: "a", bare: true, extra: []string{"Contact: " + reg.header("Contact"), "Service-Route: " + route + ", <sip:home.example;lr>"}})
	until(t, "the trunk is registered", func() bool { return b.ep.trunk("").down() == "" })
	out := b.dial(context.Background(), time.Minute, 0)
	inv := edge.next("INVITE")
	if r := strings.Join(inv.headers("Route"), ", "); r != route+", <sip:home.example;lr>" {
		t.Errorf("Route %q", r)
	}
	edge.reply(inv, say{status: "486 Busy Here", tag: "a"})
	wait(t, "the outcome", out)
}

// A refresh comes before the end, and a retry neither at once nor never.
func TestRegistrationTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life := time.Duration(rapid.IntRange(1, 100_000).Draw(t, "life")) * time.Second
		if in := refreshIn(life); in <= 0 || in >= life || in < life*4/5 || life-in > time.Minute {
			t.Fatalf("a life of %s is refreshed after %s", life, in)
		}
		n, random := rapid.IntRange(1, 10_000).Draw(t, "n"), rapid.Float64Range(0, 1).Draw(t, "random")
		if in := retryIn(n, random); in < time.Second || in > 5*time.Minute || n > 1 && in < retryIn(n-1, 0) {
			t.Fatalf("after %d failures again in %s", n, in)
		}
	})
}

// Whatever a registrar answers, reading it breaks nothing, and no registration
// lasts no time.
func FuzzRegistrarsAnswer(f *testing.F) {
	f.Add("Contact: <sip:acme@127.62.0.1:5060>;expires=60, <sip:b@c>\r\nService-Route: <sip:a;lr>,<sip:b;lr>\r\n")
	f.Add("Expires: 99999999999\r\nContact: *\r\nMin-Expires: -1\r\n")
	f.Add("WWW-Authenticate: Digest realm=\"a\", nonce=\"b\", qop=\"auth,auth-int\", algorithm=SHA-256, stale=TRUE\r\nRetry-After: 5 (soon)\r\n")
	t, err := newCarrier(TrunkConfig{Name: "a", Address: "127.62.0.2", Register: true, Username: "acme", Password: "secret"})
	if err != nil {
		f.Fatal(err)
	}
	ep := &Endpoint{listen: netip.MustParseAddrPort("127.62.0.1:5060"), host: "127.62.0.1"}
	f.Fuzz(func(ft *testing.T, headers string) {
		for _, line := range []string{"200 OK", "401 Unauthorized", "407 Proxy Authentication Required"} {
			msg, err := sip.ParseMessage([]byte("SIP/2.0 " + line + "\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n" +
				"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n" + headers + "Content-Length: 0\r\n\r\n"))
			if err != nil {
				return
			}
			res, ok := msg.(*sip.Response)
			if !ok {
				return
			}
			r := newRegistration(ep, t)
			if life, err := r.granted(res, time.Minute, UDP); err == nil && life <= 0 {
				ft.Errorf("a life of %s", life)
			}
			r.creds.begin()
			if r.creds.challenged(res) {
				req := sip.NewRequest(sip.REGISTER, r.target)
				if err := r.creds.apply(req); err == nil && req.GetHeader("Authorization") == nil && req.GetHeader("Proxy-Authorization") == nil {
					ft.Error("a challenge was taken and not answered")
				}
			}
		}
	})
}

// REGISTER goes through the outbound proxy to the registrar that is named.
func TestRegistersThroughProxy(t *testing.T) {
	t.Parallel()
	proxy := newFar(t, hostOf(t, "proxy"))
	b := formBench(t, registering(proxy.addr(), func(c *TrunkConfig) {
		c.Address, c.Proxy, c.Registrar = "carrier.example", proxy.addrString()+";lr", "registrar.example:5080"
	}))
	reg := proxy.next("REGISTER")
	if reg.line != "REGISTER sip:registrar.example:5080 SIP/2.0" || reg.header("Route") != "<sip:"+proxy.addrString()+";lr>" {
		t.Errorf("REGISTER:\n%s", reg.raw)
	}
	proxy.reply(reg, say{status: "200 OK", tag: "a", bare: true, extra: []string{"Contact: " + reg.header("Contact")}})
	until(t, "the trunk is registered", func() bool { return b.ep.trunk("").down() == "" })
}

// The first registrar of the domain refuses connections: the second registers us.
func TestRegistersAtTheNextAddress(t *testing.T) {
	t.Parallel()
	n, second := newNameserver(t), newFar(t, hostOf(t, "second"))
	second.alsoTCP()
	n.serve("_sip._tcp.carrier.test.", netip.MustParseAddrPort("127.62.0.8:5060"), second.addr())
	b := formBench(t, n.use, registering(second.addr(), func(c *TrunkConfig) { c.Address, c.Transport = "carrier.test", TCP }))
	reg := second.next("REGISTER")
	if !strings.Contains(reg.header("Contact"), ";transport=tcp>") {
		t.Errorf("Contact %q", reg.header("Contact"))
	}
	second.reply(reg, say{status: "200 OK", tag: "a", bare: true, extra: []string{"Expires: 60"}})
	until(t, "the trunk is registered", func() bool { return b.ep.trunk("").down() == "" })
}

// A registration that can no longer be renewed takes the trunk down when it ends, and not before.
func TestRegistrationRunsOut(t *testing.T) {
	t.Parallel()
	far := newFar(t, hostOf(t, "registrar"))
	b := formBench(t, registering(far.addr()))
	carrier := b.ep.trunk("")
	reg := far.next("REGISTER")
	far.reply(reg, say{status: "200 OK", tag: "a", bare: true, extra: []string{"Expires: 2"}})
	granted := time.Now()
	again := far.next("REGISTER")
	if carrier.down() != "" {
		t.Errorf("down before the end: %s", carrier.down())
	}
	if again.header("Call-ID") != reg.header("Call-ID") || again.cseq() != reg.cseq()+1 {
		t.Errorf("the refresh:\n%s", again.raw)
	}
	far.reply(again, say{status: "500 Server Internal Error", tag: "a"})
	far.reply(far.next("REGISTER"), say{status: "500 Server Internal Error", tag: "a"})
	until(t, "the trunk is down", func() bool { return carrier.down() != "" })
	if since := time.Since(granted); since < 1900*time.Millisecond {
		t.Errorf("down %s after a registration for 2s", since)
	}
	if !strings.Contains(carrier.down(), "500 Server Internal Error") {
		t.Errorf("down: %s", carrier.down())
	}
}

// After a failure the next try is no later than the end of the registration that
// still holds; once it is over, the trunk is down and tries seldom.
func TestRegistrationFailsWhileItHolds(t *testing.T) {
	n := newNameserver(t)
	b := formBench(t, n.use, func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Username = "nobody.test:5060", "acme" })
	carrier := b.ep.trunk("")
	r := newRegistration(b.ep, carrier)
	carrier.watch.register("")
	r.till = time.Now().Add(300 * time.Millisecond)
	if wait := r.turn(t.Context()); wait <= 0 || wait > 300*time.Millisecond || carrier.down() != "" {
		t.Errorf("again in %s, %q", wait, carrier.down())
	}
	r.till = time.Now().Add(-time.Millisecond)
	if wait := r.turn(t.Context()); wait < 2*time.Second || !strings.Contains(carrier.down(), "nobody.test") {
		t.Errorf("again in %s, %q", wait, carrier.down())
	}
}
