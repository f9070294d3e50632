package trunk

import (
	"net/netip"
	"slices"
	"time"
)

// peer finds the trunk that may send us requests that belong to no dialog, a
// call above all: a source address alone authorises only where the trunk is declared peering; where
// we register, requests may come from the very address and port that took the registration, as long as
// it holds. Several trunks of one address: the first counts. nil: none.
func (ep *Endpoint) peer(src netip.AddrPort, over Transport) *carrier {
	for _, t := range ep.trunks {
		if t.cfg.Peering && t.speaksFrom(src.Addr()) {
			return t
		}
		if f := t.flow.Load(); f != nil && f.from == src && f.over == over && ep.cfg.Now().Before(f.till) {
			return t
		}
	}
	return nil
}

// flow is where a carrier took our registration (RFC 5626): its calls for us come
// from there.
type flow struct {
	from netip.AddrPort
	over Transport
	till time.Time
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
