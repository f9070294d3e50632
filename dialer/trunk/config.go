package trunk

import (
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
	"pronto/dialer/dscp"
)

// Transport is how requests reach a peer.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// TLSConfig secures the connections to a carrier. Its certificate is always
// verified, unless Insecure says otherwise.
type TLSConfig struct {
	CA               string // PEM file of the authorities that sign the carrier's certificate; empty: the system's
	Certificate, Key string // PEM files of our own, where the carrier asks for one
	ServerName       string // that the carrier's certificate must bear; empty: the host of the address or proxy
	Insecure         bool   // whoever answers is believed to be the carrier: for trials alone
}

// TLSListen is a port at which carriers and phones reach us by TLS.
type TLSListen struct {
	Listen           netip.AddrPort // not valid: no such port
	Certificate, Key string         // PEM files
}

// NumberFormat is how numbers are written in the addresses of a trunk's calls.
type NumberFormat string

// The formats of the number +390212345678.
const (
	E164     NumberFormat = "e164"     // +390212345678, the default
	ZeroZero NumberFormat = "00"       // 00390212345678
	Digits   NumberFormat = "digits"   // 390212345678
	National NumberFormat = "national" // 0212345678 where the trunk's country is Italy, 00390212345678 elsewhere
)

// Identity is the header in which a trunk's calls assert the caller ID beside
// From. The caller ID is always shown: no call asks for privacy.
type Identity string

// The headers.
const (
	AssertedIdentity  Identity = "pai"  // P-Asserted-Identity (RFC 3325), the default
	PreferredIdentity Identity = "ppi"  // P-Preferred-Identity (RFC 3325)
	RemoteParty       Identity = "rpid" // Remote-Party-ID (draft-ietf-sip-privacy), for older equipment
	NoIdentity        Identity = "none"
)

// TrunkConfig is one way to a carrier.
type TrunkConfig struct { //nolint:revive // Config is the endpoint's, and a trunk is the product's word
	Name           string
	Address        string        // host:port of the carrier; a name without a port is looked up by SRV (RFC 3263)
	Transport      Transport     // default UDP; an INVITE over 1300 bytes goes by TCP then
	TLS            TLSConfig     // of transport TLS
	Proxy          string        // outbound proxy, host:port;lr, that everything goes through; without lr no Route header names it
	Username       string        // for digest; empty: a challenge is a failure
	AuthName       string        // digest's user name where it is not Username
	Password       string        //
	Register       bool          // keep us registered with the carrier as Username
	Registrar      string        // host:port; empty: the domain, where calls go
	Expires        time.Duration // of the registration, to ask for; default 10 minutes
	Health         time.Duration // between two OPTIONS that ask whether the carrier is there; 0: none
	Shaken         Shaken
	Domain         string       // host part of Request-URI, From and To; empty: the address
	Format         NumberFormat // of the Request-URI; default E164
	ToFormat       NumberFormat // default Format
	FromFormat     NumberFormat // default Format
	AssertedFormat NumberFormat // default Format
	Country        string       // of the carrier, ISO 3166-1 alpha-2, whose numbers National shortens; empty: not known
	NationalPrefix *string      // before a national number; nil: what the country's own format has
	Asserted       Identity
	FromUser       string         // user part of From instead of the caller ID, which then stands in the asserted identity alone
	Channels       int            // calls in progress; 0: no bound
	CallsPerSecond float64        // 0: no bound
	Priority       int            // lower goes first
	Weight         int            // share among trunks of the same priority; 0: 1
	Codecs         []dialer.Codec // in order of preference; default PCMA, PCMU
	SRTP           SRTP           // default off
	SRTPWithoutTLS bool           // its keys may go by UDP or TCP, for whoever is on the way to read
	Peering        bool           // its address alone authorises it to call us
	Sources        []netip.Prefix // where its SIP may come from beside its address
}

// Limits are the times and amounts that an Endpoint keeps to. Zero fields get
// the value of DefaultLimits.
type Limits struct {
	PostDial      time.Duration // INVITE without 180 or 183 is given up after this
	PhoneRing     time.Duration // an agent's phone rings no longer than this
	AdmissionWait time.Duration // longest wait for a trunk's calls per second; over it the call is Congested

	SessionExpires time.Duration // life of a session without a refresh that is asked for (RFC 4028)
	SessionMin     time.Duration // shorter ones get 422; the RFC's own least is 90 s

	RegisterDefault time.Duration // life of a registration that asks for none
	RegisterMin     time.Duration // shorter ones get 423 (RFC 3261 section 10.2.8)
	RegisterMax     time.Duration // longer ones are shortened
	NonceLife       time.Duration // a digest nonce is stale after this
	RegisterRate    float64       // REGISTERs per second and source: an IPv4 address or an IPv6 /64
	RegisterBurst   int           //
	GuessRate       float64       // wrong credentials per second of one source for one name; ten times as many of a source or for a name
	GuessBurst      int           //

	Callers int // people who ring back, at once; the next hear busy

	TCPConns          int // accepted TCP connections
	TCPConnsPerSource int //

	TCPStrangers          int // those of them whose phones have not registered
	TCPStrangersPerSource int
	Introduction          time.Duration // in which a stranger by TCP or TLS must have registered
}

// DefaultLimits are the limits of a Config that sets none.
func DefaultLimits() Limits {
	return Limits{
		PostDial:      20 * time.Second,
		PhoneRing:     30 * time.Second,
		AdmissionWait: time.Second,

		SessionExpires: 30 * time.Minute,
		SessionMin:     90 * time.Second,

		RegisterDefault: 300 * time.Second,
		RegisterMin:     60 * time.Second,
		RegisterMax:     3600 * time.Second,
		NonceLife:       5 * time.Minute,
		RegisterRate:    50,
		RegisterBurst:   500,
		GuessRate:       0.05,
		GuessBurst:      5,

		Callers: 10,

		TCPConns:          2000,
		TCPConnsPerSource: 600,

		TCPStrangers:          500,
		TCPStrangersPerSource: 100,
		Introduction:          20 * time.Second,
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
	Listen         netip.AddrPort // by UDP and TCP; port 0 takes a free one
	TLS            TLSListen
	Public         string     // host for Via and Contact; empty: the listening address
	DSCP           dscp.Class // of SIP by every transport; 0: best effort
	UserAgent      string     // default "pronto"
	Realm          string     // of the registrar; default "pronto"
	Trunks         []TrunkConfig
	Accounts       Accounts       // nil: no phone may register
	Codecs         []dialer.Codec // offered to phones, in order; default PCMA, PCMU
	SRTP           SRTP           // of phones; default off
	SRTPWithoutTLS bool           // its keys may go to phones by UDP or TCP
	Limits         Limits
	Resolver       *net.Resolver    // nil: the machine's
	Logger         *zap.Logger      // nil: no log
	Now            func() time.Time // nil: time.Now
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
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
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
	l.SessionExpires = or(l.SessionExpires, d.SessionExpires)
	l.SessionMin = or(l.SessionMin, d.SessionMin)
	l.RegisterDefault = or(l.RegisterDefault, d.RegisterDefault)
	l.RegisterMin = or(l.RegisterMin, d.RegisterMin)
	l.RegisterMax = or(l.RegisterMax, d.RegisterMax)
	l.NonceLife = or(l.NonceLife, d.NonceLife)
	l.RegisterRate = or(l.RegisterRate, d.RegisterRate)
	l.RegisterBurst = or(l.RegisterBurst, d.RegisterBurst)
	l.GuessRate = or(l.GuessRate, d.GuessRate)
	l.GuessBurst = or(l.GuessBurst, d.GuessBurst)
	l.Callers = or(l.Callers, d.Callers)
	l.TCPConns = or(l.TCPConns, d.TCPConns)
	l.TCPConnsPerSource = or(l.TCPConnsPerSource, d.TCPConnsPerSource)
	l.TCPStrangers = or(l.TCPStrangers, d.TCPStrangers)
	l.TCPStrangersPerSource = or(l.TCPStrangersPerSource, d.TCPStrangersPerSource)
	l.Introduction = or(l.Introduction, d.Introduction)
	return l
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
