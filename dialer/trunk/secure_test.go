package trunk

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// authority signs certificates of tests.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.pem("ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) pem(name, kind string, der []byte) string {
	a.t.Helper()
	write(a.t, a.dir+"/"+name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	return a.dir + "/" + name
}

// sign makes a certificate for names and addresses, and returns it and its key as files.
func (a *authority) sign(name string, hosts ...string) (cert, key string) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	k := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.pem(name+".pem", "CERTIFICATE", der), a.pem(name+".key", "EC PRIVATE KEY", private)
}

// border is kamailio that carriers' TLS ends at: it asks for a certificate of the
// same authority and passes on by UDP.
func border(t *testing.T, a *authority, carrier netip.AddrPort, hosts ...string) netip.AddrPort {
	t.Helper()
	cert, key := a.sign("border", hosts...)
	return kamailioWith(t, carrier, "tls", `enable_tls=yes
tcp_accept_aliases=yes
`, `loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "`+cert+`")
modparam("tls", "private_key", "`+key+`")
modparam("tls", "ca_list", "`+a.file+`")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
`)
}

// kamailioWith starts the proxy with further settings; it listens by UDP and TCP
// on one port, and by TLS where that is wanted on the port that it returns.
func kamailioWith(t *testing.T, carrier netip.AddrPort, transport, settings, modules string) netip.AddrPort {
	t.Helper()
	_, addr := kamailioSays(t, carrier, transport, settings, modules)
	return addr
}

// kamailioSays is kamailioWith, for who wants to read its output.
func kamailioSays(t *testing.T, carrier netip.AddrPort, transport, settings, modules string) (*process, netip.AddrPort) {
	t.Helper()
	text, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	plain, addr, dir := freePort(t, hostOf(t, "proxy")), freePort(t, hostOf(t, "proxy by TLS")), t.TempDir()
	listen := "listen=udp:" + plain.String() + "\nlisten=tcp:" + plain.String() + "\n"
	if transport == "tls" {
		listen += "listen=tls:" + addr.String() + "\n"
	} else {
		addr = plain
	}
	config := strings.Replace(string(text), "CARRIER", carrier.String(), 1)
	config = strings.Replace(config, "loadmodule", listen+settings+"loadmodule", 1)
	if strings.Contains(modules, "route[ROUTED]") {
		config = strings.Replace(config, "	record_route();", "	route(ROUTED);", 1)
	}
	config = strings.Replace(config, "request_route", modules+"request_route", 1)
	write(t, dir+"/kamailio.cfg", config)
	p := program(t, "kamailio", "-f", dir+"/kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", dir)
	taken(t, "tcp", addr)
	taken(t, "udp", plain)
	return p, addr
}

// byTLS is a trunk by TLS to an address, verified by the authority.
func byTLS(a *authority, addr netip.AddrPort, name string) func(*Config) {
	return func(c *Config) {
		cert, key := a.sign("pronto", formHost)
		c.Trunks[0].Address, c.Trunks[0].Transport = addr.String(), TLS
		c.Trunks[0].TLS = TLSConfig{CA: a.file, Certificate: cert, Key: key, ServerName: name}
	}
}

// A call by TLS, hold, resume and the far end's BYE: everything comes over the
// one connection that we opened, because we have no TLS port.
func TestCallByTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr := freePort(t, hostOf(t, "carrier"))
	text, err := os.ReadFile("testdata/sipp/hold.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := sippAs(t, addr, "u1", string(text))
	b := formBench(t, byTLS(a, border(t, a, addr, "carrier.test"), "carrier.test"))
	o := b.many(1, time.Minute)[0]
	if o.leg == nil {
		t.Fatalf("result %+v", o.res)
	}
	wait(t, "the far end's BYE", o.leg.Done())
	if !o.leg.Ended().ByFar || len(b.audio.connected()) != 3 {
		t.Errorf("ended %+v, connected %d times, want the far end's and 3", o.leg.Ended(), len(b.audio.connected()))
	}
	finished(t, p)
}

func TestTLSHeaders(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{
		{"Contact:", "sip:pronto@" + formHost + ":[0-9]+;transport=tls>"}, {"msg", "Via: SIP/2.0/TLS " + formHost + ":.*;alias"},
	}))
	cert, key := a.sign("port", formHost)
	b := formBench(t, byTLS(a, border(t, a, addr, "carrier.test"), "carrier.test"), func(c *Config) {
		c.TLS = TLSListen{Listen: netip.MustParseAddrPort(formHost + ":0"), Certificate: cert, Key: key}
	})
	res := converse(t, b, p)
	if len(res.Dialog.Route) == 0 || !strings.Contains(res.Dialog.Route[0], "transport=tls") {
		t.Errorf("route %v", res.Dialog.Route)
	}
}

// The connection is lost in every call: BYE goes by a new one, and so does the
// next call.
func TestTLSConnectsAgain(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr := freePort(t, hostOf(t, "carrier"))
	text, err := os.ReadFile("testdata/sipp/answer.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := sippAs(t, addr, "u1", string(text), "-m", "3")
	to := border(t, a, addr, "carrier.test")
	b := formBench(t, byTLS(a, to, "carrier.test"))
	for range 3 {
		o := b.many(1, time.Minute)[0]
		if o.leg == nil {
			t.Fatalf("result %+v", o.res)
		}
		lost := b.ep.tp.Pool("tls").Get(to.String())
		if err := lost.Close(); err != nil {
			t.Fatal(err)
		}
		until(t, "the loss is seen", func() bool { return b.ep.tp.Pool("tls").Size() == 0 })
		o.leg.Hangup()
		wait(t, "the end of the leg", o.leg.Done())
		if e := o.leg.Ended(); e.Err != nil || e.Cause.Status != 200 {
			t.Errorf("ended %+v", e)
		}
	}
	finished(t, p)
}

// After a crash the call that rings is ended, over a new connection and by the
// same proxy.
func TestRecoverByTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr := freePort(t, hostOf(t, "carrier"))
	text, err := os.ReadFile("testdata/sipp/ring.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := sippAs(t, addr, "u1", string(text))
	b := formBench(t, byTLS(a, border(t, a, addr, "carrier.test"), "carrier.test"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.dial(ctx, time.Minute, 0)
	wait(t, "ringing", b.rang)
	left, cfg := b.dialed()[0], b.ep.cfg
	cfg.Listen = b.ep.Addr()
	b.ep.Close()
	if b.ep, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.ep.Close)
	wait(t, "the end of what was left", b.recover(left))
	finished(t, p)
}

// A CANCEL goes where its INVITE went, after a restart too.
func TestRecoverThroughProxy(t *testing.T) {
	t.Parallel()
	far := newFar(t, hostOf(t, "proxy"))
	b := formBench(t, func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Proxy = "carrier.example", far.addrString()+";lr" })
	id := newAttempt()
	left := b.ep.Presume(dialer.Presumed{Attempt: id, Trunk: "carrier", Number: callee, CallerID: caller, At: time.Now()})
	done := b.recover(left)
	c := far.next("CANCEL")
	if c.header("Route") != "<sip:"+far.addrString()+";lr>" || !strings.HasPrefix(c.line, "CANCEL sip:+390212345678@carrier.example ") {
		t.Errorf("CANCEL:\n%s", c.raw)
	}
	far.reply(c, say{status: "481 Call/Transaction Does Not Exist", tag: "a"})
	wait(t, "the end of what was left", done)
}

// Who is not verified gets no call, and the reason is said.
func TestTLSRefusesWhoIsNotTheCarrier(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	l, err := net.Listen("tcp", carrierHost+":0")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := a.sign("carrier", "carrier.test")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	secured := tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := secured.Accept()
			if err != nil {
				return
			}
			c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	to := l.Addr().(*net.TCPAddr).AddrPort()
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"another name":      {byTLS(a, to, "other.test"), "not other.test"},
		"another authority": {byTLS(other, to, "carrier.test"), "unknown authority"},
		"the address":       {byTLS(a, to, ""), "cannot validate certificate for " + carrierHost},
	} {
		b := formBench(t, test.change)
		o := wait(t, "the outcome", b.dial(context.Background(), time.Minute, 0))
		if o.leg != nil || !o.res.Invited.IsZero() || !strings.Contains(o.res.Cause.Text, test.want) {
			t.Errorf("%s: result %+v, want %q", name, o.res, test.want)
		}
	}
}

func TestTLSFilesThatCannotBeRead(t *testing.T) {
	a := newAuthority(t)
	cert, _ := a.sign("x", "x")
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no authority":      {func(c *Config) { c.Trunks[0].TLS.CA = "/nowhere.pem" }, "trunks[0].tls.ca: open /nowhere.pem"},
		"an empty one":      {func(c *Config) { c.Trunks[0].TLS.CA = os.DevNull }, "no certificate in it: give a PEM file"},
		"no key":            {func(c *Config) { c.Trunks[0].TLS.Certificate = cert }, "trunks[0].tls: " + cert + ": give certificate and key"},
		"a key that is not": {func(c *Config) { c.Trunks[0].TLS.Certificate, c.Trunks[0].TLS.Key = cert, cert }, "trunks[0].tls.certificate"},
		"no port's key":     {func(c *Config) { c.TLS.Listen = c.Listen }, "sip.tls: 127.62.0.1:5060: give certificate and key"},
		"the same port": {func(c *Config) {
			c.TLS = TLSListen{Listen: c.Listen, Certificate: cert, Key: cert}
		}, "sip.tls.listen: 127.62.0.1:5060: give another port"},
		"a port's bad key": {func(c *Config) {
			c.TLS = TLSListen{Listen: netip.MustParseAddrPort("127.62.0.1:5061"), Certificate: cert, Key: cert}
		}, "sip.tls.certificate"},
	} {
		cfg := Config{Listen: netip.MustParseAddrPort("127.62.0.1:5060"), Trunks: []TrunkConfig{{Name: "a", Address: "127.62.0.2:5061", Transport: TLS}}}
		test.change(&cfg)
		ep, err := New(cfg)
		if err == nil {
			ep.Close()
			t.Fatalf("%s: taken", name)
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}
