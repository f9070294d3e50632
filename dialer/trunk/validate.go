package trunk

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
)

// problems gathers what is wrong with a configuration.
type problems []error

func (p *problems) add(field string, value any, mend string) {
	*p = append(*p, fmt.Errorf("%s: %v: %s", field, value, mend))
}

// Validate reports every problem of the configuration at once.
func (c Config) Validate() error {
	var p problems
	if !c.Listen.Addr().IsValid() {
		p.add("sip.listen", c.Listen, "give an address and port such as 192.0.2.1:5060")
	} else if c.Listen.Addr().IsUnspecified() && c.Public == "" {
		p.add("sip.listen", c.Listen, "give public_address as well, because a far end cannot answer to "+c.Listen.Addr().String())
	}
	if l := c.TLS; l.Listen.IsValid() && (l.Certificate == "" || l.Key == "") {
		p.add("sip.tls", l.Listen, "give certificate and key as well, as PEM files")
	} else if l.Listen.IsValid() && l.Listen.Port() != 0 && l.Listen.Port() == c.Listen.Port() {
		p.add("sip.tls.listen", l.Listen, "give another port than sip.listen has, such as 5061")
	}
	c.SRTP.validate(&p, "sip.srtp", c.TLS.Listen.IsValid() || c.SRTPWithoutTLS)
	names := map[string]bool{}
	for i, t := range c.Trunks {
		at := fmt.Sprintf("trunks[%d]", i)
		if t.Name == "" || names[t.Name] {
			p.add(at+".name", t.Name, "give each trunk a name of its own")
		}
		names[t.Name] = true
		t.validate(&p, at)
	}
	if l := c.Limits.withDefaults(); l.SessionMin < time.Second || l.SessionExpires < l.SessionMin || l.SessionExpires > longestSession {
		p.add("sip.session_expires", l.SessionExpires, "from "+l.SessionMin.String()+" to "+longestSession.String())
	}
	return errors.Join(p...)
}

func (t TrunkConfig) validate(p *problems, at string) {
	if host, _, err := splitHostPort(t.Address, 5060); err != nil || host == "" || !safe(host) {
		p.add(at+".address", t.Address, "give the carrier's host:port")
	}
	if !safe(t.Domain) {
		p.add(at+".domain", t.Domain, "give a host name such as carrier.example")
	}
	if !slices.Contains([]Transport{"", UDP, TCP, TLS}, t.Transport) {
		p.add(at+".transport", t.Transport, "one of udp, tcp, tls")
	}
	secure := t.Transport == TLS
	if u, err := parseProxy(t.Proxy); t.Proxy != "" {
		way, _ := u.UriParams.Get("transport")
		secure = way == "" && secure || strings.EqualFold(way, string(TLS))
		if err != nil || u.Host == "" || strings.ContainsAny(t.Proxy, " <>\"") || !slices.Contains([]string{"", "udp", "tcp", "tls"}, strings.ToLower(way)) {
			p.add(at+".proxy", t.Proxy, "give the proxy as sip:host:port;lr")
		}
	}
	t.TLS.validate(p, at+".tls")
	t.SRTP.validate(p, at+".srtp", secure || t.SRTPWithoutTLS)
	t.validateRegistration(p, at)
	t.Shaken.validate(p, at+".shaken")
	if t.Channels < 0 || t.CallsPerSecond < 0 {
		p.add(at, t.Name, "channels and calls per second are not negative; 0 is no bound")
	}
	if t.Priority < 0 {
		p.add(at+".priority", t.Priority, "not negative; the lower one goes first")
	}
	if t.Weight < 0 {
		p.add(at+".weight", t.Weight, "not negative; the higher one gets more calls")
	}
	for _, f := range []struct{ field, value string }{
		{"username", t.Username}, {"auth_name", t.AuthName}, {"from_user", t.FromUser},
	} {
		if !safe(f.value) {
			p.add(at+"."+f.field, f.value, "no white space, quotes or brackets")
		}
	}
	t.validateNumbers(p, at)
}

func (t TrunkConfig) validateRegistration(p *problems, at string) {
	if t.Register && t.Username == "" {
		p.add(at+".username", `""`, "a trunk that registers needs the user name that the carrier gave")
	}
	if host, _, err := splitHostPort(t.Registrar, 0); t.Registrar != "" && (err != nil || host == "" || !safe(host)) {
		p.add(at+".registrar", t.Registrar, "give the registrar's host:port")
	}
	if t.Expires < 0 || t.Expires%time.Second != 0 {
		p.add(at+".expires", t.Expires, "whole seconds, such as 10m")
	}
	if t.Health != 0 && t.Health < minHealth {
		p.add(at+".health", t.Health, "at least "+minHealth.String()+", or 0 for none")
	}
}

// minHealth keeps the asking from being a burden.
const minHealth = 100 * time.Millisecond

func (t TrunkConfig) validateNumbers(p *problems, at string) {
	isNational := false
	for _, f := range []struct {
		field  string
		format NumberFormat
	}{{"number_format", t.Format}, {"to_format", t.ToFormat}, {"from_format", t.FromFormat}, {"asserted_format", t.AssertedFormat}} {
		if !slices.Contains([]NumberFormat{"", E164, ZeroZero, Digits, National}, f.format) {
			p.add(at+"."+f.field, f.format, "one of e164, 00, digits, national")
		}
		isNational = isNational || f.format == National
	}
	switch {
	case t.Country != "" && !campaigns.KnownCountry(t.Country):
		p.add(at+".country", t.Country, "give two letters as in IT, US, GB")
	case isNational && t.Country == "":
		p.add(at+".country", `""`, "national numbers need the country of the trunk, as in country: IT")
	}
	if t.NationalPrefix != nil && strings.Trim(*t.NationalPrefix, "0123456789") != "" {
		p.add(at+".national_prefix", *t.NationalPrefix, "digits only, or empty")
	}
	if !slices.Contains([]Identity{"", AssertedIdentity, PreferredIdentity, RemoteParty, NoIdentity}, t.Asserted) {
		p.add(at+".asserted", t.Asserted, "one of pai, ppi, rpid, none")
	}
}

// safe reports that s can stand in a SIP header without quoting.
func safe(s string) bool {
	return !strings.ContainsAny(s, " \t\r\n<>\"@;,?")
}

// splitHostPort splits host:port, with port as the default.
func splitHostPort(s string, port int) (string, int, error) {
	if s == "" {
		return "", 0, errors.New("empty address")
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		if strings.Contains(strings.Trim(s, "[]"), ":") && !strings.HasPrefix(s, "[") {
			return "", 0, err
		}
		return strings.Trim(s, "[]"), port, nil
	}
	n, err := net.LookupPort("udp", p)
	if err != nil {
		return "", 0, err
	}
	return host, n, nil
}
