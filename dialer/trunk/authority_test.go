package trunk

import (
	"net/netip"
	"testing"
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
			if got := b.ep.peer(netip.MustParseAddr(c.from)) != nil; got != c.want {
				t.Errorf("a call from %s is authorised: %v, want %v", c.from, got, c.want)
			}
		})
	}
}
