package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"pronto/dialer/dscp"
	"pronto/dialer/media"
)

// media makes the audio side's configuration.
func (c config) media() (media.Config, error) {
	var out media.Config
	host := c.Media.Address
	if host == "" {
		if ap, err := netip.ParseAddrPort(c.SIP.Listen); err == nil {
			host = ap.Addr().String()
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return out, fmt.Errorf("media.address: %q: give an IP address", host)
	}
	first, last, err := portRange(c.Media.Ports)
	if err != nil {
		return out, err
	}
	out = media.Config{Address: addr, PortMin: first, PortMax: last}
	if out.Advertise, err = c.shown(); err != nil {
		return out, err
	}
	if out.DSCP, err = classOf("media.dscp", c.Media.DSCP, dscp.EF); err != nil {
		return out, err
	}
	out.MediaRanges, err = networks("media.ranges", c.Media.Ranges)
	return out, err
}

// shown is the address that SDP shows in place of the sockets' own; not valid: none.
func (c config) shown() (netip.Addr, error) {
	if c.Media.Public == "" {
		addr, err := netip.ParseAddr(c.SIP.Public)
		if err != nil {
			return netip.Addr{}, nil // a name, or nothing
		}
		return addr, nil
	}
	addr, err := netip.ParseAddr(c.Media.Public)
	if err != nil {
		err = fmt.Errorf("media.public_address: %q: give an IP address", c.Media.Public)
	}
	return addr, err
}

func classOf(field, text string, otherwise dscp.Class) (dscp.Class, error) {
	if text == "" {
		return otherwise, nil
	}
	c, err := dscp.Parse(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", field, err)
	}
	return c, err
}

func networks(field string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %q: give a network such as 192.0.2.0/24", field, i, text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func portRange(s string) (first, last uint16, err error) {
	a, b, ok := strings.Cut(s, "-")
	lo, err1 := strconv.ParseUint(strings.TrimSpace(a), 10, 16)
	hi, err2 := strconv.ParseUint(strings.TrimSpace(b), 10, 16)
	if !ok || errors.Join(err1, err2) != nil || lo >= hi {
		return 0, 0, fmt.Errorf("media.ports: %q: give first-last, such as 20000-29999", s)
	}
	return uint16(lo), uint16(hi), nil
}
