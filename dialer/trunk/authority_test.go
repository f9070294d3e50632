package trunk

import (
	"net/netip"
	"testing"
	"time"
)

// TestAddressAuthorisesOnlyPeers: a call may come from the address of a trunk
// that is declared peering, from no other trunk's and from nobody else's.
func TestAddressAuthorisesOnlyPeers(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("127.67.9.0/29")}
	for name, c := range map[string]struct {
		trunk TrunkConfig
		from  string
		want  bool
	}{
		"a peer's address":              {TrunkConfig{Peering: true}, farHost, true},
		"as IPv6 has it":                {TrunkConfig{Peering: true}, "::ffff:" + farHost, true},
		"a trunk that does not peer":    {TrunkConfig{}, farHost, false},
		"its further network":           {TrunkConfig{Sources: networks}, "127.67.9.3", false},
		"a peer's further network":      {TrunkConfig{Peering: true, Sources: networks}, "127.67.9.3", true},
		"beside a peer's network":       {TrunkConfig{Peering: true, Sources: networks}, "127.67.9.8", false},
		"a stranger":                    {TrunkConfig{Peering: true}, "127.67.9.3", false},
		"our own address":               {TrunkConfig{Peering: true}, ourHost, false},
		"an address that cannot be any": {TrunkConfig{Peering: true}, "0.0.0.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(cfg *Config) {
				c.trunk.Name, c.trunk.Address = "carrier", cfg.Trunks[0].Address
				cfg.Trunks[0] = c.trunk
			})
			if got := b.ep.peer(netip.AddrPortFrom(netip.MustParseAddr(c.from), 5060), UDP) != nil; got != c.want {
				t.Errorf("a call from %s is authorised: %v, want %v", c.from, got, c.want)
			}
		})
	}
}

// TestRegistrarMayCallWhileItHoldsOurRegistration: from the address and port
// that took it, over the same transport, and not longer.
func TestRegistrarMayCallWhileItHoldsOurRegistration(t *testing.T) {
	registrar := newFar(t, "127.67.9.20")
	b := newBench(t, registering(registrar.addr(), func(c *TrunkConfig) { c.Expires = time.Minute }))
	req := registrar.next("REGISTER")
	if b.ep.peer(registrar.addr(), UDP) != nil {
		t.Error("it may call before it has taken the registration")
	}
	registrar.reply(req, say{status: "200 OK", tag: "r", bare: true, extra: []string{"Contact: " + req.header("Contact"), "Expires: 60"}})
	until(t, "the registration", func() bool { return b.ep.peer(registrar.addr(), UDP) != nil })
	other := netip.AddrPortFrom(registrar.addr().Addr(), registrar.addr().Port()+1)
	if b.ep.peer(other, UDP) != nil || b.ep.peer(registrar.addr(), TCP) != nil || b.ep.peer(netip.AddrPortFrom(farAddr, registrar.addr().Port()), UDP) != nil {
		t.Error("another port, transport or address may call as well")
	}
	f := *b.ep.trunks[0].flow.Load()
	f.till = time.Now().Add(-time.Second)
	b.ep.trunks[0].flow.Store(&f)
	if b.ep.peer(registrar.addr(), UDP) != nil {
		t.Error("it may call after the registration has run out")
	}
}
