package trunk

import (
	"net/netip"
	"slices"
)

// peer finds the trunk that may send us requests that belong to no dialog, a
// call above all, from the address: a source address alone authorises only where
// the trunk is declared peering. Several trunks of one address: the first counts. nil: none.
func (ep *Endpoint) peer(src netip.Addr) *carrier {
	for _, t := range ep.trunks {
		if t.cfg.Peering && t.speaksFrom(src) {
			return t
		}
	}
	return nil
}

// speaksFrom reports whether the trunk's SIP may come from the address: one
// that its name resolved to last, or one of its further networks.
func (t *carrier) speaksFrom(src netip.Addr) bool {
	src = src.Unmap()
	if t.isAt(src) {
		return true
	}
	return slices.ContainsFunc(t.cfg.Sources, func(p netip.Prefix) bool { return p.Contains(src) })
}
