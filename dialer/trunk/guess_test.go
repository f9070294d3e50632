package trunk

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// guesser asks a registrar without a network.
type guesser struct {
	t     testing.TB
	ep    *Endpoint
	clock atomic.Int64 // seconds that have passed
	n     int
}

func newGuesser(t testing.TB, a Accounts, change ...func(*Config)) *guesser {
	g := &guesser{t: t}
	began := time.Now()
	cfg := Config{Accounts: a, Now: func() time.Time { return began.Add(time.Duration(g.clock.Load()) * time.Second) }}
	for _, c := range change {
		c(&cfg)
	}
	g.ep = &Endpoint{cfg: cfg.withDefaults()}
	g.ep.log = g.ep.cfg.Logger
	g.ep.reg = newRegistrar(g.ep)
	return g
}

// request is a REGISTER; an empty nonce: without credentials.
func (g *guesser) request(name, password, nonce string) *sip.Request {
	g.t.Helper()
	g.n++
	auth := ""
	if nonce != "" {
		response := md5Hex(ha1(name, "pronto", password) + ":" + nonce + ":00000001:cn:auth:" + md5Hex("REGISTER:sip:pronto"))
		auth = fmt.Sprintf(`Authorization: Digest username="%s", realm="pronto", nonce="%s", uri="sip:pronto", response="%s", algorithm=MD5, cnonce="cn", nc=00000001, qop=auth`+"\r\n", name, nonce, response)
	}
	msg, err := sip.ParseMessage(fmt.Appendf(nil, "REGISTER sip:pronto SIP/2.0\r\nVia: SIP/2.0/UDP 127.67.1.1;branch=z9hG4bK%d;rport\r\nFrom: <sip:%s@pronto>;tag=f\r\n"+
		"To: <sip:%[2]s@pronto>\r\nCall-ID: guess\r\nCSeq: %[1]d REGISTER\r\nContact: <sip:%[2]s@127.67.1.1>\r\n%sContent-Length: 0\r\n\r\n", g.n, name, auth))
	if err != nil {
		g.t.Fatal(err)
	}
	return msg.(*sip.Request)
}

// nonce asks for a challenge.
func (g *guesser) nonce(name, from string) string {
	g.t.Helper()
	res := g.ep.reg.answer(g.request(name, "", ""), netip.MustParseAddrPort(from), UDP)
	return nonceIn.FindStringSubmatch(res.GetHeader("WWW-Authenticate").Value())[1]
}

// try registers as a phone does and gives the status of the second answer; 0: none.
func (g *guesser) try(name, password, from string) int {
	g.t.Helper()
	res := g.ep.reg.answer(g.request(name, password, g.nonce(name, from)), netip.MustParseAddrPort(from), UDP)
	if res == nil {
		return 0
	}
	return res.StatusCode
}

func TestGuessingIsSlowed(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	const thief, office = "127.67.1.1:5060", "127.67.1.2:5060"
	for range 5 {
		if s := g.try("ann", "guess", thief); s != 401 {
			t.Fatalf("a guess is answered %d", s)
		}
	}
	if s := g.try("ann", "guess", thief); s != 0 {
		t.Errorf("the sixth guess is answered %d", s)
	}
	if s := g.try("ann", "secret", thief); s != 0 {
		t.Errorf("the right password among too many guesses is answered %d: guessing is not slowed", s)
	}
	if s := g.try("ann", "secret", office); s != 200 {
		t.Errorf("the rightful phone elsewhere is answered %d", s)
	}
	for i := range 20 {
		if s := g.try("ann", "secret", fmt.Sprint("127.67.1.2:", 1024+i)); s != 200 {
			t.Fatalf("right password %d of one source is answered %d", i, s)
		}
	}
	g.clock.Add(20)
	if s := g.try("ann", "guess", thief); s != 401 {
		t.Errorf("20 s later a guess is answered %d", s)
	}
	if s := g.try("ann", "guess", thief); s != 0 {
		t.Errorf("20 s later a second guess is answered %d", s)
	}
}

// TestDictionaryTakesHours: 1,000 words for one name, as fast as one source may.
func TestDictionaryTakesHours(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	looked := 0
	for g.clock.Load() < 3600 && looked < 1000 {
		if g.try("ann", fmt.Sprint("word", looked), "127.67.1.1:5060") != 0 {
			looked++
			continue
		}
		g.clock.Add(1)
	}
	t.Logf("%d of 1000 words looked at in an hour", looked)
	if looked > 200 {
		t.Errorf("%d words were looked at in an hour, want at most 200", looked)
	}
}

// TestNameGuessedFromEverywhere: many sources guess at one name; the phone that
// has it, and the one that comes anew with the right password, are not shut out.
func TestNameGuessedFromEverywhere(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	const phone = "127.67.0.9:5060"
	if s := g.try("ann", "secret", phone); s != 200 {
		t.Fatalf("the phone registers: %d", s)
	}
	looked, muted := 0, 0
	for source := range 200 {
		for range 5 {
			if g.try("ann", "guess", fmt.Sprintf("127.67.2.%d:5060", source)) == 401 {
				looked++
			} else {
				muted++
			}
		}
	}
	if looked > 200+50 || muted < 700 {
		t.Errorf("of 1000 guesses from 200 sources %d were looked at", looked)
	}
	for range 10 { // from the phone's own address, as from behind the same NAT
		g.try("ann", "guess", "127.67.0.9:1024")
	}
	if s := g.try("ann", "secret", phone); s != 200 {
		t.Errorf("the phone renews: %d", s)
	}
	if s := g.try("ann", "secret", "127.67.0.10:5060"); s != 200 {
		t.Errorf("the phone at another place: %d", s)
	}
}

// TestManyNamesFromOneSource: a source tries a few words for each of many names.
func TestManyNamesFromOneSource(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	looked := 0
	for name := range 1000 {
		if g.try(fmt.Sprint("agent", name), "guess", "127.67.1.1:5060") == 401 {
			looked++
		}
	}
	if looked != 50 {
		t.Errorf("%d of 1000 names were looked at at once, want 50", looked)
	}
}

// TestForgedAddressesUseUpNothing: who does not receive our challenges has no
// password looked at, so that nobody can spend another's guesses.
func TestForgedAddressesUseUpNothing(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	const thief, victim = "127.67.1.1:5060", "127.67.1.2:5060"
	nonce := g.nonce("ann", thief)
	for range 100 {
		res := g.ep.reg.answer(g.request("ann", "guess", nonce), netip.MustParseAddrPort(victim), UDP)
		if res == nil || res.StatusCode != 401 || !strings.Contains(res.GetHeader("WWW-Authenticate").Value(), "stale=true") {
			t.Fatalf("answered %v, want a fresh challenge", res)
		}
	}
	if s := g.try("ann", "secret", victim); s != 200 {
		t.Errorf("the victim's phone is answered %d", s)
	}
}

// TestFloodLeavesPhonesTheirRegistration: REGISTERs from everywhere use up what
// strangers have together; a phone that is registered renews, and who holds a nonce of ours goes on.
func TestFloodLeavesPhonesTheirRegistration(t *testing.T) {
	g := newGuesser(t, oneAgent("ann"))
	r, now := g.ep.reg, g.ep.cfg.Now()
	phone, newcomer := netip.MustParseAddrPort("127.67.0.9:5060"), netip.MustParseAddrPort("127.67.0.10:5060")
	if s := g.try("ann", "secret", phone.String()); s != 200 {
		t.Fatalf("the phone registers: %d", s)
	}
	proof := []byte(g.request("bob", "x", g.nonce("bob", newcomer.String())).String())
	heard := 0
	for i := range 20000 {
		src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 68, byte(i >> 8), byte(i)}), 5060)
		if r.admits(src, r.proves(proof, src.Addr(), now)) {
			heard++
		}
	}
	if heard > 2000 {
		t.Errorf("%d of 20000 REGISTERs were heard at once", heard)
	}
	if !r.admits(phone, false) {
		t.Error("the phone that is registered is not heard")
	}
	if !r.admits(newcomer, r.proves(proof, newcomer.Addr(), now)) {
		t.Error("who answers our challenge is not heard")
	}
	if r.admits(newcomer, r.proves([]byte("REGISTER"), newcomer.Addr(), now)) {
		t.Error("the flood has left an allowance: the test tests nothing")
	}
}

func TestAllowancesAreBounded(t *testing.T) {
	a := newAllowances(0.001, 1)
	now := time.Now()
	mine := keyOf(networkOf(netip.MustParseAddr("127.67.0.1")), "ann")
	if !a.of(mine).AllowN(now, 1) {
		t.Fatal("the first is refused")
	}
	for i := range 20 * mostKeys {
		a.of(keyOf(netip.Prefix{}, fmt.Sprint(i)))
		if i%1000 == 0 && a.of(mine).AllowN(now, 1) {
			t.Fatalf("what is in use was forgotten after %d keys", i)
		}
	}
	if n := len(a.young) + len(a.old); n > 2*mostKeys {
		t.Errorf("%d keys are kept", n)
	}
}

func TestNetworkOf(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := networkOf(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestTimeTellsNoName measures how long a wrong password takes for a name that
// exists and for one that does not, by turns, and compares the medians.
func TestTimeTellsNoName(t *testing.T) {
	g := newGuesser(t, oneAgent("agent01"), func(c *Config) { c.Limits.GuessRate, c.Limits.GuessBurst = 1e9, 1e9 })
	src := netip.MustParseAddrPort("127.67.1.1:5060")
	const samples = 10000
	took := map[string][]time.Duration{}
	names := []string{"agent01", "agent02"}
	for _, name := range names {
		took[name] = make([]time.Duration, 0, samples)
	}
	reqs := map[string]*sip.Request{}
	for _, name := range names {
		reqs[name] = g.request(name, "guess", g.nonce(name, src.String()))
	}
	for range samples {
		for _, name := range names {
			began := time.Now()
			res := g.ep.reg.answer(reqs[name], src, UDP)
			took[name] = append(took[name], time.Since(began))
			if res == nil || res.StatusCode != 401 {
				t.Fatalf("%s: %v", name, res)
			}
		}
	}
	for _, name := range names {
		slices.Sort(took[name])
	}
	known, unknown := took[names[0]][samples/2], took[names[1]][samples/2]
	t.Logf("median of %d: %s for a name that exists, %s for one that does not", samples, known, unknown)
	if d := (known - unknown).Abs(); d > max(known, unknown)/20 {
		t.Errorf("the medians differ by %s: %s for a name that exists, %s for one that does not", d, known, unknown)
	}
}

func TestRefusedRegistrationIsTold(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	g := newGuesser(t, oneAgent("ann"), func(c *Config) { c.Logger = zap.New(core) })
	for range 100 {
		g.try("ann", "guess", "127.67.1.1:5060")
	}
	if n := logs.Len(); n != 2 {
		t.Fatalf("%d lines, want one about a wrong password and one about too many", n)
	}
	for i := range 1000 {
		g.try(fmt.Sprint("agent", i), "guess", "127.67.1.2:5060")
	}
	if n := logs.Len(); n < 3 || n > 21 {
		t.Errorf("%d lines about 1000 names, want 20 at most", n)
	}
	first := logs.All()[0]
	if f := first.ContextMap(); f["agent"] != "ann" || f["from"] != "127.67.1.1:5060" || f["why"] != "wrong name or password" {
		t.Errorf("logged %v", f)
	}
}
