package trunk

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
)

// Transport is how requests reach a peer.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
)

// NumberFormat is how numbers are written in the Request-URI, To, From and
// P-Asserted-Identity of a trunk's calls.
type NumberFormat string

// The formats of the number +390212345678.
const (
	E164     NumberFormat = "e164"   // +390212345678, the default
	ZeroZero NumberFormat = "00"     // 00390212345678
	Digits   NumberFormat = "digits" // 390212345678
)

// TrunkConfig is one way to a carrier.
type TrunkConfig struct { //nolint:revive // Config is the endpoint's, and a trunk is the product's word
	Name           string
	Address        string         // host:port of the carrier; port 5060 when left out
	Transport      Transport      // default UDP; an INVITE over 1300 bytes goes by TCP whatever stands here
	Username       string         // for digest; empty: a challenge is a failure
	Password       string         //
	Domain         string         // host part of Request-URI, From and To; empty: the address
	Format         NumberFormat   // default E164
	FromUser       string         // user part of From instead of the caller ID, which then stands in P-Asserted-Identity alone
	Channels       int            // calls in progress; 0: no bound
	CallsPerSecond float64        // 0: no bound
	Codecs         []dialer.Codec // in order of preference; default PCMA, PCMU
	Peering        bool           // its address alone authorises it to call us
	Sources        []netip.Prefix // where its SIP may come from beside its address
}

// Limits are the times and amounts that an Endpoint keeps to. Zero fields get
// the value of DefaultLimits.
type Limits struct {
	PostDial      time.Duration // INVITE without 180 or 183 is given up after this
	PhoneRing     time.Duration // an agent's phone rings no longer than this
	AdmissionWait time.Duration // longest wait for a trunk's calls per second; over it the call is Congested

	RegisterDefault time.Duration // life of a registration that asks for none
	RegisterMin     time.Duration // shorter ones get 423 (RFC 3261 section 10.2.8)
	RegisterMax     time.Duration // longer ones are shortened
	NonceLife       time.Duration // a digest nonce is stale after this
	RegisterRate    float64       // REGISTERs per second and source address
	RegisterBurst   int           //
	GuessRate       float64       // wrong credentials per second and source address
	GuessBurst      int           //

	TCPConns          int // accepted TCP connections
	TCPConnsPerSource int //
}

// DefaultLimits are the limits of a Config that sets none.
func DefaultLimits() Limits {
	return Limits{
		PostDial:      20 * time.Second,
		PhoneRing:     30 * time.Second,
		AdmissionWait: time.Second,

		RegisterDefault: 300 * time.Second,
		RegisterMin:     60 * time.Second,
		RegisterMax:     3600 * time.Second,
		NonceLife:       5 * time.Minute,
		RegisterRate:    50,
		RegisterBurst:   500,
		GuessRate:       0.5,
		GuessBurst:      20,

		TCPConns:          2000,
		TCPConnsPerSource: 600,
	}
}

// Accounts knows the agents whose phones may register.
type Accounts interface {
	// Account returns the account of the name. It is asked for every
	// registration and every call, and must answer from memory.
	Account(name string) (dialer.Account, bool)
}

// Config is what an Endpoint needs.
type Config struct {
	Listen    netip.AddrPort // by UDP and TCP; port 0 takes a free one
	Public    string         // host for Via and Contact; empty: the listening address
	UserAgent string         // default "pronto"
	Realm     string         // of the registrar; default "pronto"
	Trunks    []TrunkConfig
	Accounts  Accounts       // nil: no phone may register
	Codecs    []dialer.Codec // offered to phones, in order; default PCMA, PCMU
	Limits    Limits
	Logger    *zap.Logger      // nil: no log
	Now       func() time.Time // nil: time.Now
}

// Validate reports every problem of the configuration at once.
func (c Config) Validate() error {
	var errs []error
	bad := func(field string, value any, mend string) {
		errs = append(errs, fmt.Errorf("trunk: %s: %v: %s", field, value, mend))
	}
	if !c.Listen.Addr().IsValid() {
		bad("listen", c.Listen, "give an address and port such as 192.0.2.1:5060")
	} else if c.Listen.Addr().IsUnspecified() && c.Public == "" {
		bad("listen", c.Listen, "give public_address as well, because a far end cannot answer to "+c.Listen.Addr().String())
	}
	names := map[string]bool{}
	for i, t := range c.Trunks {
		at := fmt.Sprintf("trunks[%d]", i)
		if t.Name == "" || names[t.Name] {
			bad(at+".name", t.Name, "give each trunk a name of its own")
		}
		names[t.Name] = true
		if host, _, err := splitHostPort(t.Address, 5060); err != nil || host == "" || !safe(host) || !safe(t.Domain) {
			bad(at+".address", t.Address, "give the carrier's host:port")
		}
		if t.Transport != "" && t.Transport != UDP && t.Transport != TCP {
			bad(at+".transport", t.Transport, "one of udp, tcp")
		}
		switch t.Format {
		case "", E164, ZeroZero, Digits:
		default:
			bad(at+".format", t.Format, "one of e164, 00, digits")
		}
		if t.Channels < 0 || t.CallsPerSecond < 0 {
			bad(at, t.Name, "channels and calls per second are not negative; 0 is no bound")
		}
		if !safe(t.FromUser) || !safe(t.Username) {
			bad(at+".username", t.Username, "no white space, quotes or brackets")
		}
	}
	return errors.Join(errs...)
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

func (c Config) withDefaults() Config {
	if c.UserAgent == "" {
		c.UserAgent = "pronto"
	}
	if c.Realm == "" {
		c.Realm = "pronto"
	}
	if len(c.Codecs) == 0 {
		c.Codecs = []dialer.Codec{dialer.PCMA, dialer.PCMU}
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	l.PostDial = or(l.PostDial, d.PostDial)
	l.PhoneRing = or(l.PhoneRing, d.PhoneRing)
	l.AdmissionWait = or(l.AdmissionWait, d.AdmissionWait)
	l.RegisterDefault = or(l.RegisterDefault, d.RegisterDefault)
	l.RegisterMin = or(l.RegisterMin, d.RegisterMin)
	l.RegisterMax = or(l.RegisterMax, d.RegisterMax)
	l.NonceLife = or(l.NonceLife, d.NonceLife)
	l.RegisterRate = or(l.RegisterRate, d.RegisterRate)
	l.RegisterBurst = or(l.RegisterBurst, d.RegisterBurst)
	l.GuessRate = or(l.GuessRate, d.GuessRate)
	l.GuessBurst = or(l.GuessBurst, d.GuessBurst)
	l.TCPConns = or(l.TCPConns, d.TCPConns)
	l.TCPConnsPerSource = or(l.TCPConnsPerSource, d.TCPConnsPerSource)
	return l
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
