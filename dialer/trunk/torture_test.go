package trunk

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"pronto/campaigns"
)

// lot is what becomes of a torture message: what a stranger is answered, a
// phone that is registered, and a peer that may call one number that is in none of the messages.
type lot struct{ stranger, phone, peer string }

// The lots of most.
var (
	dropped    = lot{"", "", ""}          // no SIP message, or a response that nobody waits for
	challenged = lot{"401", "401", "401"} // a REGISTER
	noCall     = lot{"", "403", "404"}
	question   = lot{"", "200", "200"} // OPTIONS
	unsuited   = lot{"", "400", "400"}
)

// tortured are the messages of RFC 4475 and RFC 5118 by their names there.
var tortured = map[string]lot{
	// RFC 4475 section 3.1.1: valid messages. sipgo has no transaction for wsinv and inv2543,
	// whose branch or tag it does not read, and says 400.
	"wsinv": {"", "403", "400"}, "intmeth": {}, "esc01": noCall, "escnull": challenged, "esc02": {"", "405", "405"}, "lwsdisp": question,
	"longreq": noCall, "dblreq": challenged, "semiuri": question, "transports": question, "mpart01": {"", "405", "405"},
	"unreason": dropped, "noreason": dropped,
	// Section 3.1.2: invalid messages. Those that the parser refuses are dropped.
	"badinv01": dropped, "clerr": dropped, "ncl": dropped, "scalar02": dropped, "scalarlg": dropped, "quotbal": dropped,
	"ltgtruri": dropped, "lwsruri": dropped, "lwsstart": dropped, "trws": dropped, "escruri": noCall, "baddate": noCall,
	"regbadct": challenged, "badaspec": dropped, "baddn": dropped, "badvers": {"", "505", "505"}, "mismatch01": unsuited,
	"mismatch02": unsuited, "bigcode": dropped,
	// Sections 3.2 and 3.3: transactions and applications.
	"badbranch": question, "insuf": dropped, "unkscm": {"", "416", "416"}, "novelsc": dropped, "unksm2": challenged, "bext01": {"", "420", "420"},
	"invut": noCall, "regaut01": challenged, "multi01": unsuited, "mcl01": unsuited, "bcast": dropped, "zeromf": question,
	"cparam01": challenged, "cparam02": challenged, "regescrt": challenged, "sdp01": noCall, "inv2543": {"", "403", "400"},
	// RFC 5118 section 4.
	"ipv6-good": challenged, "ipv6-bad": dropped, "port-ambiguous": challenged, "port-unambiguous": challenged,
	"via-received-param-with-delim": {"", "481", "481"}, "via-received-param-no-delim": question, "ipv6-in-sdp": noCall,
	"mult-ip-in-header": {"", "481", "481"}, "mult-ip-in-sdp": noCall, "ipv4-mapped-ipv6": noCall,
	"ipv6-bug-abnf-3-colons": question, "ipv6-correct-abnf-2-colons": question,
}

// The hosts that the messages come from.
var (
	tortureStranger = netip.MustParseAddr("127.67.6.1")
	torturePhone    = netip.MustParseAddr("127.67.6.2")
	torturePeer     = netip.MustParseAddr("127.67.6.3")
)

// rack is an endpoint with far ends on every port that the messages' Vias name.
type rack struct {
	*bench
	logs *observer.ObservedLogs
	fars map[netip.Addr]*far
}

func newRack(t *testing.T) *rack {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	b := newBench(t, func(c *Config) {
		c.Logger = zap.New(core)
		c.Trunks[0].Peering, c.Trunks[0].Sources = true, []netip.Prefix{netip.PrefixFrom(torturePeer, 32)}
		c.Accounts = oneAgent("user")
	})
	b.ep.known.add(torturePhone)
	b.ep.Take([]campaigns.Number{caller})
	r := &rack{bench: b, logs: logs, fars: map[netip.Addr]*far{}}
	for _, host := range []netip.Addr{tortureStranger, torturePhone, torturePeer} {
		f := newFarAt(t, netip.AddrPortFrom(host, 5060))
		for _, port := range []uint16{5050, 5070, 6050, 19823} {
			newFarInto(t, netip.AddrPortFrom(host, port), f.in)
		}
		r.fars[host] = f
	}
	return r
}

// put sends a message and gives the status of what comes back; empty: nothing.
func (r *rack) put(from netip.Addr, msg string) (status string) {
	r.t.Helper()
	f := r.fars[from]
	f.send(r.ep.Addr(), msg)
	timer := time.NewTimer(4 * testT1)
	defer timer.Stop()
	for {
		select {
		case h := <-f.in:
			id, cseq := h.header("Call-ID"), h.header("CSeq")
			number, method, _ := strings.Cut(cseq, " ")
			if h.method() != "SIP/2.0" || id == "" || cseq == "" || !strings.Contains(msg, id) || !strings.Contains(msg, number) || !strings.Contains(msg, method) {
				continue // another message's answer again
			}
			return strings.Fields(h.line)[1]
		case <-timer.C:
			return ""
		}
	}
}

func TestTortureMessages(t *testing.T) {
	r := newRack(t)
	inv, leg := r.answer("a")
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) != len(tortured) {
		t.Fatalf("%d messages, %v; want %d", len(files), err, len(tortured))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".dat")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, known := tortured[name]
		if !known {
			t.Errorf("%s has no lot", name)
		}
		for i, w := range []struct {
			from netip.Addr
			want string
		}{{tortureStranger, want.stranger}, {torturePhone, want.phone}, {torturePeer, want.peer}} {
			msg := strings.ReplaceAll(string(data), "z9hG4bK", fmt.Sprintf("z9hG4bK%d", i))
			if got := r.put(w.from, msg); got != w.want {
				t.Errorf("%s from %s is answered %q, want %q", name, w.from, got, w.want)
			}
		}
	}
	for _, l := range r.logs.All() {
		if strings.Contains(l.Message, "broke") {
			t.Errorf("%s: %v", l.Message, l.ContextMap())
		}
	}
	if n := r.ep.calls.len(); n != 1 {
		t.Errorf("%d calls are kept, want the one that stands", n)
	}
	expect(t, r.far.answerOf(r.far.ask(inv, "a", "OPTIONS", 50, "")), "200")
	r.hangup(leg)
}

// TestTortureByTCP: what a stranger's connection brings is a REGISTER with its
// Content-Length or the end of the connection.
func TestTortureByTCP(t *testing.T) {
	r := newRack(t)
	for name, want := range tortured {
		files, _ := filepath.Glob("testdata/rfc*/" + name + ".dat")
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		s := newStranger(t, r.ep, tortureStranger.String())
		if _, err := s.conn.Write(data); err != nil {
			t.Fatal(err)
		}
		heard, closed := s.hear(4 * testT1)
		switch {
		case want.stranger == "" && (heard != "" || !closed):
			t.Errorf("%s: closed %v, answered %q", name, closed, heard)
		case heard != "" && !strings.HasPrefix(heard, "SIP/2.0 401"):
			t.Errorf("%s: answered %q", name, heard)
		case heard == "" && !closed:
			t.Errorf("%s: neither answered nor closed", name)
		}
		s.conn.Close()
	}
	if n := r.ep.tp.Pool("tcp").Size(); n != 0 {
		t.Errorf("sipgo has %d connections", n)
	}
}

func TestEveryTortureMessageIsThere(t *testing.T) {
	for rfc, want := range map[string]int{"rfc4475": 49, "rfc5118": 12} {
		files, _ := filepath.Glob("testdata/" + rfc + "/*.dat")
		if len(files) != want || slices.ContainsFunc(files, func(f string) bool { s, err := os.Stat(f); return err != nil || s.Size() < 100 }) {
			t.Errorf("%s: %d messages, want %d", rfc, len(files), want)
		}
	}
}
