package trunk

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	good := Config{Listen: netip.MustParseAddrPort("192.0.2.1:5060"), Trunks: []TrunkConfig{{Name: "a", Address: "sip.example:5080"}, {Name: "b", Address: "[2001:db8::1]"}}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := Config{
		Listen: netip.MustParseAddrPort("0.0.0.0:5060"),
		Trunks: []TrunkConfig{
			{Name: "", Address: "sip.example"},
			{Name: "x", Address: ""},
			{Name: "x", Address: "a b", Transport: "sctp", Format: "roman", Channels: -1, FromUser: "<x>", Domain: "a;b", Asserted: "anonymous"},
			{Name: "n", Address: "a", ToFormat: National, NationalPrefix: new("x"), AuthName: "a b"},
			{Name: "c", Address: "a", Country: "ITA", Priority: -1, Weight: -1},
		},
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		"listen: 0.0.0.0:5060: give public_address", "trunks[0].name", "trunks[1].address", "trunks[2].name: x",
		"trunks[2].address: a b", "trunks[2].transport: sctp: one of udp, tcp", "trunks[2].number_format: roman", "channels", "trunks[2].from_user: <x>",
		"trunks[2].domain: a;b", "trunks[2].asserted: anonymous: one of pai, ppi, rpid, none", "trunks[3].country", "trunks[3].national_prefix: x",
		"trunks[3].auth_name: a b", "trunks[4].country: ITA", "trunks[4].priority: -1", "trunks[4].weight: -1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if (Config{}).Validate() == nil {
		t.Error("a configuration without an address was taken")
	}
	if _, err := New(bad); err == nil {
		t.Error("New takes what Validate refuses")
	}
}

func TestEveryAddress(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Listen, c.Public = netip.MustParseAddrPort("0.0.0.0:0"), "127.30.0.5" })
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	if inv.from.Port() != b.ep.Addr().Port() || !strings.Contains(inv.header("Via"), "127.30.0.5:") || !strings.Contains(inv.header("Contact"), "@127.30.0.5:") {
		t.Errorf("from %s:\n%s", inv.from, inv.raw)
	}
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	b.hangup(wait(t, "the answer", out).leg)
}
