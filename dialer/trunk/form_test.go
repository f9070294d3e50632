package trunk

import (
	"context"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// The hosts of the tests of one trunk's forms.
const (
	formHost    = "127.62.0.1"
	carrierHost = "127.62.0.2"
)

// hostOf is an address of a test's own for one of its peers, so that two of them
// that run at once never want the same port.
func hostOf(t *testing.T, role string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", t.Name(), role, os.Getpid()))
	return fmt.Sprintf("127.62.%d.%d", 16+sum[0]%224, 1+sum[1]%254)
}

// check is what sipp must find in the INVITE, or must not when it begins with an
// exclamation mark: a header's name with its colon, or "line", "body" or "msg", and a POSIX extended
// regular expression.
type check struct{ where, regexp string }

// xml is the check as an action of a scenario, with the result in a variable.
func (c check) xml(variable int) string {
	c.regexp = strings.ReplaceAll(c.regexp, `+39`, `\+39`)
	where, inverse := strings.CutPrefix(c.where, "!")
	search, regexp := `search_in="hdr" header="`+where+`"`, c.regexp
	switch where {
	case "line":
		search, regexp = `search_in="msg"`, "^INVITE "+c.regexp+" SIP/2.0"
	case "body", "msg": // the whole, not a header
		search = `search_in="` + where + `"`
	}
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(regexp)); err != nil {
		return ""
	}
	asked := "check_it"
	if inverse {
		asked = "check_it_inverse"
	}
	quoted := strings.ReplaceAll(b.String(), "&#34;", "&quot;") // sipp knows no numbered entities
	return fmt.Sprintf(`<ereg regexp="%s" %s %s="true" assign_to="%d"/>`, quoted, search, asked, variable)
}

// checking is the scenario of a carrier that answers and is called in the right form.
func checking(t *testing.T, scenario string, checks []check) string {
	t.Helper()
	text, err := os.ReadFile("testdata/sipp/" + scenario)
	if err != nil {
		t.Fatal(err)
	}
	const first = `<recv request="INVITE" crlf="true" rrs="true"/>`
	var actions, variables []string
	for i, c := range checks {
		actions = append(actions, c.xml(i+1))
		variables = append(variables, strconv.Itoa(i+1))
	}
	asked := strings.TrimSuffix(first, "/>") + "><action>" + strings.Join(actions, "") + "</action></recv>" +
		`<Reference variables="` + strings.Join(variables, ",") + `"/>`
	if strings.Count(string(text), first) != 1 {
		t.Fatalf("%s has not one first INVITE", scenario)
	}
	return strings.Replace(string(text), first, asked, 1)
}

// sippAs starts sipp with a scenario's text at an address, by one transport of
// sipp's: u1 is UDP, t1 TCP.
func sippAs(t *testing.T, addr netip.AddrPort, transport, scenario string, args ...string) *process {
	t.Helper()
	file := t.TempDir() + "/scenario.xml"
	write(t, file, scenario)
	p := program(t, "sipp", append([]string{
		"-sf", file, "-i", addr.Addr().String(), "-p", strconv.Itoa(int(addr.Port())), "-t", transport,
		"-m", "1", "-nostdin", "-timeout", "20", "-timeout_error", "-trace_err", "-error_file", "/dev/stderr",
	}, args...)...)
	network := "udp"
	if transport[0] == 't' {
		network = "tcp"
	}
	taken(t, network, addr)
	return p
}

// formBench is a bench of a trunk in some form.
func formBench(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	listen := func(c *Config) { c.Listen = netip.MustParseAddrPort(formHost + ":0") }
	return newBench(t, append([]func(*Config){listen}, change...)...)
}

// converse places a call, ends it when it is answered, and waits for the carrier,
// which has judged it.
func converse(t *testing.T, b *bench, p *process) dialer.Result {
	t.Helper()
	out := b.dial(context.Background(), time.Minute, 0)
	var o originated
	select {
	case o = <-out:
	case <-p.done:
		t.Fatalf("%s ended before the call: %v", p.name, p.err)
	case <-time.After(2 * patience):
		t.Fatal("no outcome")
	}
	if o.leg == nil {
		t.Fatalf("result %+v", o.res)
	}
	o.leg.Hangup()
	wait(t, "the end of the leg", o.leg.Done())
	finished(t, p)
	return o.res
}

// One trunk in the forms that carriers ask for: what sipp receives.
func TestForms(t *testing.T) {
	set := func(f func(*TrunkConfig)) func(*Config) {
		return func(c *Config) { f(&c.Trunks[0]) }
	}
	national := func(c *TrunkConfig) { c.Format, c.Country = National, "IT" }
	for name, test := range map[string]struct {
		change func(*Config)
		checks []check
	}{
		"e164": {set(func(c *TrunkConfig) { c.Domain = "carrier.example" }), []check{
			{"line", "sip:+390212345678@carrier.example"},
			{"To:", "^ *<sip:+390212345678@carrier.example>"},
			{"From:", "^ *<sip:+390298765432@carrier.example>;tag="},
			{"P-Asserted-Identity:", "^ *<sip:+390298765432@carrier.example>"},
			{"!Privacy:", "."},
			{"!P-Preferred-Identity:", "."},
			{"!Remote-Party-ID:", "."},
			{"!msg", "[^-]Identity:"},
		}},
		"00": {set(func(c *TrunkConfig) { c.Format = ZeroZero }), []check{
			{"line", "sip:00390212345678@127[.0-9]+:[0-9]+"},
			{"To:", "sip:00390212345678@"},
			{"From:", "sip:00390298765432@"},
			{"P-Asserted-Identity:", "sip:00390298765432@"},
		}},
		"digits": {set(func(c *TrunkConfig) { c.Format = Digits }), []check{
			{"line", "sip:390212345678@.*"}, {"To:", "sip:390212345678@"}, {"From:", "sip:390298765432@"}, {"P-Asserted-Identity:", "sip:390298765432@"},
		}},
		"national": {set(national), []check{
			{"line", "sip:0212345678@.*"}, {"To:", "sip:0212345678@"}, {"From:", "sip:0298765432@"}, {"P-Asserted-Identity:", "sip:0298765432@"},
		}},
		"national abroad": {set(func(c *TrunkConfig) { c.Format, c.Country = National, "FR" }), []check{
			{"line", "sip:00390212345678@.*"}, {"From:", "sip:00390298765432@"},
		}},
		"national after a prefix": {set(func(c *TrunkConfig) { national(c); c.NationalPrefix = new("9") }), []check{
			{"line", "sip:90212345678@.*"}, {"From:", "sip:90298765432@"},
		}},
		"each its own": {set(func(c *TrunkConfig) {
			c.Format, c.ToFormat, c.FromFormat, c.AssertedFormat, c.Country = ZeroZero, Digits, National, E164, "IT"
		}), []check{
			{"line", "sip:00390212345678@.*"}, {"To:", "sip:390212345678@"}, {"From:", "sip:0298765432@"}, {"P-Asserted-Identity:", "sip:+390298765432@"},
		}},
		"From user": {set(func(c *TrunkConfig) { c.FromUser, c.Domain = "acme", "carrier.example" }), []check{
			{"From:", "^ *<sip:acme@carrier.example>;tag="}, {"P-Asserted-Identity:", "<sip:+390298765432@carrier.example>"},
		}},
		"preferred identity": {set(func(c *TrunkConfig) { c.Asserted = PreferredIdentity }), []check{
			{"P-Preferred-Identity:", "<sip:+390298765432@"}, {"!P-Asserted-Identity:", "."},
		}},
		"remote party": {set(func(c *TrunkConfig) { c.Asserted = RemoteParty }), []check{
			{"Remote-Party-ID:", "<sip:+390298765432@.*>;party=calling;screen=yes;privacy=off"}, {"!P-Asserted-Identity:", "."},
		}},
		"no identity": {set(func(c *TrunkConfig) { c.Asserted = NoIdentity }), []check{
			{"From:", "sip:+390298765432@"}, {"!P-Asserted-Identity:", "."}, {"!P-Preferred-Identity:", "."}, {"!Remote-Party-ID:", "."},
		}},
		"µ-law first": {set(func(c *TrunkConfig) { c.Codecs = []dialer.Codec{dialer.PCMU, dialer.PCMA} }), []check{
			{"body", "m=audio [0-9]+ RTP/AVP 0 8 101"},
		}},
		"A-law alone": {set(func(c *TrunkConfig) { c.Codecs = []dialer.Codec{dialer.PCMA} }), []check{
			{"body", "m=audio [0-9]+ RTP/AVP 8 101"},
		}},
		"public address": {func(c *Config) { c.Public = "127.62.9.9" }, []check{
			{"Via:", "SIP/2.0/UDP 127.62.9.9:[0-9]+;.*rport"}, {"Contact:", "@127.62.9.9:"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t, hostOf(t, "carrier"))
			p := sippAs(t, addr, "u1", checking(t, "answer.xml", test.checks))
			converse(t, formBench(t, toward(addr), test.change), p)
		})
	}
}

// A check that cannot fail would prove nothing.
func TestSippRefusesTheWrongForm(t *testing.T) {
	for _, c := range []check{{"From:", "sip:nobody@"}, {"!From:", "sip:"}, {"line", "sip:nobody@.*"}, {"body", "m=video"}} {
		t.Run(c.where, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t, hostOf(t, "carrier"))
			p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{c}))
			b := formBench(t, toward(addr))
			o := wait(t, "the outcome", b.dial(context.Background(), time.Minute, 0))
			if o.leg != nil {
				o.leg.Hangup()
				wait(t, "the end of the leg", o.leg.Done())
			}
			wait(t, "sipp's verdict", p.done)
			if p.err == nil {
				t.Error("sipp is content")
			}
		})
	}
}

// sipp listens by UDP and TCP on one port: what is small comes by the trunk's
// transport, an INVITE over 1300 bytes by TCP, and the other one hears nothing.
func TestTransportsBySipp(t *testing.T) {
	long := func(c *Config) { c.UserAgent = strings.Repeat("p", 900) }
	for name, test := range map[string]struct {
		change   func(*Config)
		tcp      bool
		protocol string
	}{
		"UDP":             {func(*Config) {}, false, "UDP"},
		"TCP":             {func(c *Config) { c.Trunks[0].Transport = TCP }, true, "TCP"},
		"over 1300 bytes": {long, true, "TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t, hostOf(t, "carrier"))
			scenario := checking(t, "answer.xml", []check{{"msg", "Via: SIP/2.0/" + test.protocol + " " + formHost + ":[0-9]+;branch=z9hG4bK[^;]*;rport"}})
			byUDP, byTCP := sippAs(t, addr, "u1", scenario), sippAs(t, addr, "t1", scenario)
			used, idle := byUDP, byTCP
			if test.tcp {
				used, idle = byTCP, byUDP
			}
			converse(t, formBench(t, toward(addr), test.change), used)
			select {
			case <-idle.done:
				t.Errorf("the other transport was used: %v", idle.err)
			default:
			}
		})
	}
}

// The digest's user name is another than the trunk's.
func TestAuthNameBySipp(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sipp/challenge.xml")
	if err != nil {
		t.Fatal(err)
	}
	scenario := strings.Replace(string(text), `username="pronto"`, `username="line7"`, 1)
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", scenario)
	converse(t, formBench(t, toward(addr), func(c *Config) { c.Trunks[0].AuthName = "line7" }), p)
}

// A carrier that says in each response where the request came from (RFC 3581),
// as it does to one behind a NAT, changes nothing for the call.
func TestRportBySipp(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sipp/answer.xml")
	if err != nil {
		t.Fatal(err)
	}
	scenario := strings.ReplaceAll(string(text), "[last_Via:]", "[last_Via:];received=198.51.100.7;rport=40000")
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", scenario)
	converse(t, formBench(t, toward(addr), func(c *Config) { c.Public = "203.0.113.9" }), p)
}

// seen is audio behind a NAT: SDP shows the public address.
type seen struct{ *fakeAudio }

func (s seen) Local() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), s.fakeAudio.Local().Port())
}

func TestPublicAddressBySipp(t *testing.T) {
	t.Parallel()
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{
		{"body", "c=IN IP4 203.0.113.9"},
		{"body", "o=- [0-9]+ [0-9]+ IN IP4 203.0.113.9"},
		{"!body", "127.62"},
		{"Contact:", "@203.0.113.9:[0-9]+>"},
		{"Via:", "UDP 203.0.113.9:[0-9]+;"},
	}))
	b := formBench(t, toward(addr), func(c *Config) { c.Public = "203.0.113.9" })
	p0 := dialer.Placing{Audio: seen{b.audio}, RingTimeout: time.Minute}
	leg, res := b.ep.originate(t.Context(), cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always}, p0)
	if leg == nil {
		t.Fatalf("result %+v", res)
	}
	leg.Hangup()
	wait(t, "the end of the leg", leg.Done())
	finished(t, p)
}
