package trunk

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

// nameserver is a DNS server of a test, so that no test asks the machine's.
type nameserver struct {
	conn  *net.UDPConn
	mu    sync.Mutex // protects hosts and srv
	hosts map[string][]netip.Addr
	srv   map[string][]net.SRV
	asked atomic.Int64
	dead  atomic.Bool // it answers, yet knows nothing
}

// newNameserver starts a server that knows the hosts of the tests.
func newNameserver(t *testing.T) *nameserver {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.62.0.5:0")))
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{conn: conn, hosts: map[string][]netip.Addr{}, srv: map[string][]net.SRV{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			k, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			n.asked.Add(1)
			conn.WriteToUDPAddrPort(n.answer(buf[:k]), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return n
}

// resolver asks this server and no other.
func (n *nameserver) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *nameserver) use(c *Config) { c.Resolver = n.resolver() }

// serve makes one SRV record of a service for each address, of priority 1, 2, 3….
func (n *nameserver) serve(service string, at ...netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, a := range at {
		host := strings.ReplaceAll(a.Addr().String(), ".", "-") + ".test."
		n.hosts[host] = []netip.Addr{a.Addr()}
		n.srv[service] = append(n.srv[service], net.SRV{Target: host, Port: a.Port(), Priority: uint16(i + 1)})
	}
}

// answer writes the response to a question (RFC 1035 section 4, RFC 2782).
func (n *nameserver) answer(q []byte) []byte {
	end := 12
	name := ""
	for q[end] != 0 {
		name += string(q[end+1:end+1+int(q[end])]) + "."
		end += 1 + int(q[end])
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	question := q[12 : end+5]
	var answers []byte
	count := 0
	add := func(data []byte) {
		count++
		answers = append(answers, 0xc0, 12) // the name of the question
		answers = binary.BigEndian.AppendUint16(answers, kind)
		answers = append(answers, 0, 1, 0, 0, 0, 60)
		answers = binary.BigEndian.AppendUint16(answers, uint16(len(data)))
		answers = append(answers, data...)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	hosts, isHost := n.hosts[name]
	records, isService := n.srv[name]
	switch kind {
	case 1:
		for _, a := range hosts {
			add(a.AsSlice())
		}
	case 33:
		for _, r := range records {
			var data []byte
			for _, v := range []uint16{r.Priority, r.Weight, r.Port} {
				data = binary.BigEndian.AppendUint16(data, v)
			}
			for _, label := range strings.Split(strings.TrimSuffix(r.Target, "."), ".") {
				data = append(append(data, byte(len(label))), label...)
			}
			add(append(data, 0))
		}
	}
	out := append([]byte{q[0], q[1], 0x84, 0x00, 0, 1, 0, byte(count), 0, 0, 0, 0}, question...)
	switch {
	case n.dead.Load():
		return append(append(out[:3:3], 2, 0, 1, 0, 0, 0, 0, 0, 0), question...) // SERVFAIL
	case !isHost && !isService:
		out[3] = 3 // NXDOMAIN
	}
	return append(out, answers...)
}

func carrierTest(transport Transport) func(*Config) {
	return func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Transport = "carrier.test", transport }
}

// The first address refuses connections: the call goes to the second, the next
// call there at once. Each INVITE was written down before it left.
func TestNextAddressWhenOneRefuses(t *testing.T) {
	t.Parallel()
	n, addr := newNameserver(t), freePort(t, hostOf(t, "carrier"))
	n.serve("_sip._tcp.carrier.test.", netip.MustParseAddrPort("127.62.0.8:5060"), addr)
	text, err := os.ReadFile("testdata/sipp/answer.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := sippAs(t, addr, "t1", string(text), "-m", "2")
	b := formBench(t, n.use, carrierTest(TCP))
	for i, tries := range []int{2, 3} {
		o := b.many(1, time.Minute)[0]
		if o.leg == nil {
			t.Fatalf("result %+v", o.res)
		}
		if d := b.dialed(); len(d) != tries || d[tries-1].Hop != "tcp:"+addr.String() || o.res.Dialog.CSeq < uint32(2-i) {
			t.Errorf("call %d: dialed %+v", i+1, d)
		}
		o.leg.Hangup()
		wait(t, "the end of the leg", o.leg.Done())
	}
	finished(t, p)
}

// What a first server says decides whether the second is asked.
func TestNextAddressByResponse(t *testing.T) {
	for name, test := range map[string]struct {
		says []say
		next bool
	}{
		"503":           {[]say{{status: "503 Service Unavailable", tag: "a"}}, true},
		"100, then 503": {[]say{{status: "100 Trying", bare: true}, {status: "503 Service Unavailable", tag: "a"}}, true},
		"503 after 180": {[]say{{status: "180 Ringing", tag: "a"}, {status: "503 Service Unavailable", tag: "a"}}, false},
		"503 after 183": {[]say{{status: "183 Session Progress", tag: "a"}, {status: "503 Service Unavailable", tag: "a"}}, false},
		"486":           {[]say{{status: "486 Busy Here", tag: "a"}}, false},
		"silence":       {nil, false},
		"ICMP":          {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, first, second := newNameserver(t), newFar(t, "127.62.0.6"), newFar(t, "127.62.0.7")
			n.serve("_sip._udp.carrier.test.", first.addr(), second.addr())
			b := formBench(t, n.use, carrierTest(UDP))
			if name == "ICMP" { // nobody is there any more
				first.conn.Close()
				b.dial(context.Background(), time.Minute, 0)
				if inv := second.next("INVITE"); inv.cseq() != 2 {
					t.Errorf("INVITE:\n%s", inv.raw)
				}
				return
			}
			out := b.dial(context.Background(), time.Minute, 0)
			inv := first.next("INVITE")
			if inv.line != "INVITE sip:+390212345678@carrier.test SIP/2.0" {
				t.Errorf("request line %q", inv.line)
			}
			for i, s := range test.says {
				first.reply(inv, s)
				if i == 0 && s.tag != "" && len(test.says) > 1 {
					wait(t, "ringing", b.rang)
				}
			}
			if !test.next {
				if o := wait(t, "the outcome", out); o.leg != nil {
					t.Fatalf("result %+v", o.res)
				}
				second.none("INVITE", 4*testT1)
				if d := b.dialed(); len(d) != 1 || d[0].Hop != "udp:"+first.addrString() {
					t.Errorf("dialed %+v", d)
				}
				return
			}
			again := second.next("INVITE")
			if again.branch() == inv.branch() || again.cseq() <= inv.cseq() || again.header("Call-ID") != inv.header("Call-ID") {
				t.Errorf("the second INVITE:\n%s", again.raw)
			}
			second.reply(again, say{status: "486 Busy Here", tag: "b"})
			if o := wait(t, "the outcome", out); o.res.Outcome != campaigns.Busy {
				t.Errorf("result %+v", o.res)
			}
			if d := b.dialed(); len(d) != 2 {
				t.Errorf("dialed %+v", d)
			}
		})
	}
}

// Names are asked for once a minute, and what was known holds while no server answers.
func TestNamesAreRemembered(t *testing.T) {
	t.Parallel()
	n, far := newNameserver(t), newFar(t, "127.62.0.6")
	n.serve("_sip._udp.carrier.test.", far.addr())
	var ahead atomic.Int64
	b := formBench(t, n.use, carrierTest(UDP), func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	call := func() {
		t.Helper()
		out := b.dial(context.Background(), time.Minute, 0)
		far.reply(far.next("INVITE"), say{status: "486 Busy Here", tag: "a"})
		wait(t, "the outcome", out)
	}
	call()
	asked := n.asked.Load()
	call()
	if got := n.asked.Load(); got != asked {
		t.Errorf("asked %d times more within a minute", got-asked)
	}
	ahead.Store(int64(2 * time.Minute))
	call()
	if n.asked.Load() == asked {
		t.Error("not asked again after a minute")
	}
	ahead.Store(int64(4 * time.Minute))
	n.dead.Store(true)
	call()
}

// Without SRV records a domain's own addresses count, at the default port; a
// name that nobody knows is said.
func TestNamesWithoutRecords(t *testing.T) {
	t.Parallel()
	n := newNameserver(t)
	n.mu.Lock()
	n.hosts["carrier.test."] = []netip.Addr{netip.MustParseAddr("127.62.0.6"), netip.MustParseAddr("127.62.0.7")}
	n.mu.Unlock()
	ep := formBench(t, n.use).ep
	for name, test := range map[string]struct {
		host string
		port int
		t    Transport
		want string
	}{
		"default port": {"carrier.test", 0, UDP, "127.62.0.6:5060 127.62.0.7:5060"},
		"by TLS":       {"carrier.test", 0, TLS, "127.62.0.6:5061 127.62.0.7:5061"},
		"a port":       {"carrier.test", 5080, TCP, "127.62.0.6:5080 127.62.0.7:5080"},
		"an address":   {"192.0.2.7", 0, UDP, "192.0.2.7:5060"},
		"IPv6":         {"[2001:db8::1]", 0, TLS, "[2001:db8::1]:5061"},
		"unknown":      {"nobody.test", 0, UDP, ""},
	} {
		addrs, err := ep.addresses(t.Context(), test.host, test.port, test.t)
		var got []string
		for _, a := range addrs {
			got = append(got, a.String())
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %v, %v, want %s", name, got, err, test.want)
		}
	}
}

// SRV records come by priority, none is lost, and within a priority each is first
// as often as its weight says.
func TestServiceRecordsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var records []*net.SRV
		for i := range rapid.IntRange(0, 8).Draw(rt, "n") {
			records = append(records, &net.SRV{
				Port: uint16(i), Priority: rapid.Uint16Range(0, 3).Draw(rt, "priority"), Weight: rapid.Uint16Range(0, 5).Draw(rt, "weight"),
			})
		}
		got := inOrder(records, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "drawn") })
		seen := map[uint16]bool{}
		for i, r := range got {
			seen[r.Port] = true
			if i > 0 && got[i-1].Priority > r.Priority {
				rt.Fatalf("priority %d after %d", r.Priority, got[i-1].Priority)
			}
		}
		if len(seen) != len(records) {
			rt.Fatalf("%d of %d records", len(seen), len(records))
		}
	})
	records := []*net.SRV{{Target: "light", Weight: 1}, {Target: "heavy", Weight: 3}, {Target: "spare", Priority: 1}}
	first := map[string]int{}
	for drawn := range 5 { // each number that can be drawn of 1+3+1
		first[inOrder(records, func(n int) int { return min(drawn, n-1) })[0].Target]++
	}
	if want := map[string]int{"light": 2, "heavy": 3}; !maps.Equal(first, want) {
		t.Errorf("first %v, want %v", first, want)
	}
}

// Everything goes through the outbound proxy, which insists on its Route.
func TestOutboundProxy(t *testing.T) {
	for _, transport := range []string{"", ";transport=tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t, hostOf(t, "carrier"))
			p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{
				{"line", "sip:+390212345678@carrier.example"}, {"!msg", "[^-]Route:"}, {"Record-Route:", "."},
			}))
			proxy := kamailioWith(t, addr, "udp", "", `route[ROUTED] {
	if (!is_present_hf("Route")) {
		sl_send_reply("403", "No Route");
		exit;
	}
	loose_route();
	record_route();
}
`)
			res := converse(t, formBench(t, func(c *Config) {
				c.Trunks[0].Address, c.Trunks[0].Proxy = "carrier.example", "sip:"+proxy.String()+";lr"+transport
			}), p)
			if len(res.Dialog.Route) == 0 || !strings.Contains(res.Dialog.Route[0], proxy.String()) {
				t.Errorf("route %v", res.Dialog.Route)
			}
		})
	}
}

func TestProxyWithoutRoute(t *testing.T) {
	t.Parallel()
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "u1", checking(t, "answer.xml", []check{{"line", "sip:+390212345678@carrier.example"}, {"!msg", "[^-]Route:"}}))
	converse(t, formBench(t, func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Proxy = "carrier.example", addr.String() }), p)
}

func TestNoSuchNameIsSaid(t *testing.T) {
	n := newNameserver(t)
	ep := formBench(t, n.use).ep
	_, err := ep.lookup(t.Context(), "nobody.test")
	var none *net.DNSError
	if !errors.As(err, &none) || !none.IsNotFound {
		t.Errorf("error %v", err)
	}
}
