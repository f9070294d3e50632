package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/dscp"
	"pronto/dialer/store/redis"
	"pronto/dialer/trunk"
	"pronto/dnc/registers"
)

// config is the service's configuration file. Every key is optional.
type config struct {
	Node      string                      `yaml:"node"`
	Redis     string                      `yaml:"redis"` // URL of the state that several nodes share; empty: in the data folder
	SIP       sipConfig                   `yaml:"sip"`
	Media     mediaConfig                 `yaml:"media"`
	HTTP      httpConfig                  `yaml:"http"`
	Trunks    []trunkConfig               `yaml:"trunks"`
	Prompts   string                      `yaml:"prompts"`    // folder of WAV files, played by their name without .wav
	Rules     paths                       `yaml:"rules"`      // rule files of one's own, or folders of them
	Tariffs   map[string]registers.Tariff `yaml:"tariffs"`    // what registers charge, by their names
	Profiles  paths                       `yaml:"profiles"`   // layouts of registers' files, or folders of them
	CallerIDs []callerID                  `yaml:"caller_ids"` // proofs of the right to show them
	Callbacks callbackConfig              `yaml:"callbacks"`  // for people who ring a caller ID
	Rehearsal rehearsalConfig             `yaml:"rehearsal"`

	Recordings recordingsConfig `yaml:"recordings"`

	path string // of the file; empty: there is none
}

// sipConfig says where Pronto speaks SIP, with carriers and phones alike.
type sipConfig struct {
	Listen string    `yaml:"listen"` // address:port, UDP and TCP; default 127.0.0.1:5060
	TLS    sipTLS    `yaml:"tls"`
	DSCP   string    `yaml:"dscp"`           // default cs3
	Public string    `yaml:"public_address"` // host that far ends see, when it is another
	Realm  string    `yaml:"realm"`          // of the phones' passwords; default pronto
	Codecs []string  `yaml:"codecs"`         // offered to phones, in order; default pcma, pcmu
	Timers sipTimers `yaml:"timers"`

	SRTP           string `yaml:"srtp"`             // of phones: off, offer, require; default off
	SRTPWithoutTLS bool   `yaml:"srtp_without_tls"` // its keys may go by UDP or TCP

	SessionExpires time.Duration `yaml:"session_expires"` // of calls without a refresh (RFC 4028); default 30m
}

// sipTimers are RFC 3261 section 17's T1, T2 and T4, and the least life of a
// session, 90 s by RFC 4028; only tests shorten them.
type sipTimers struct {
	T1    time.Duration `yaml:"t1"`
	T2    time.Duration `yaml:"t2"`
	T4    time.Duration `yaml:"t4"`
	MinSE time.Duration `yaml:"min_se"`
}

// set makes the timers those of this process; what is not given is RFC 3261's.
func (t sipTimers) set() {
	t1 := cmp.Or(t.T1, 500*time.Millisecond)
	trunk.SetTimers(t1, max(t1, cmp.Or(t.T2, 4*time.Second)), max(t1, cmp.Or(t.T4, 5*time.Second)))
}

// httpConfig says where metrics and health are shown.
type httpConfig struct {
	Listen string `yaml:"listen"` // address:port; empty: nowhere; without an address on loopback
}

// mediaConfig says where audio flows.
type mediaConfig struct {
	Address string   `yaml:"address"`        // default: the SIP address
	Public  string   `yaml:"public_address"` // in SDP; default: sip.public_address, when it is an IP address
	DSCP    string   `yaml:"dscp"`           // default ef
	Ports   string   `yaml:"ports"`          // first-last; default 20000-29999
	Ranges  []string `yaml:"ranges"`         // where far ends may send from; default: the address of their SDP
}

// trunkConfig is one way to a carrier.
type trunkConfig struct {
	Name              string   `yaml:"name"`
	Address           string   `yaml:"address"`   // host:port, or a name alone
	Priority          int      `yaml:"priority"`  // lower goes first
	Weight            int      `yaml:"weight"`    // share among those of the same priority; default 1
	Transport         string   `yaml:"transport"` // udp, tcp, tls
	TLS               trunkTLS `yaml:"tls"`
	Proxy             string   `yaml:"proxy"` // sip:host:port;lr
	Username          string   `yaml:"username"`
	Password          string   `yaml:"password"`
	Register          bool     `yaml:"register"`
	Registrar         string   `yaml:"registrar"`
	Expires           span     `yaml:"expires"`
	Health            *span    `yaml:"health"` // default 30s; 0: no OPTIONS
	Shaken            shaken   `yaml:"shaken"`
	Domain            string   `yaml:"domain"`
	FromUser          string   `yaml:"from_user"`
	AuthName          string   `yaml:"auth_name"`
	NumberFormat      string   `yaml:"number_format"` // e164, 00, digits, national
	ToFormat          string   `yaml:"to_format"`     // each default number_format
	FromFormat        string   `yaml:"from_format"`
	AssertedFormat    string   `yaml:"asserted_format"`
	Country           string   `yaml:"country"`         // of the carrier, whose numbers national shortens
	NationalPrefix    *string  `yaml:"national_prefix"` // before a national number; default: the country's own
	Asserted          string   `yaml:"asserted"`        // pai, ppi, rpid, none
	Channels          int      `yaml:"channels"`
	MaxCallsPerSecond float64  `yaml:"max_calls_per_second"`
	Codecs            []string `yaml:"codecs"`
	SRTP              string   `yaml:"srtp"`             // off, offer, require; default off
	SRTPWithoutTLS    bool     `yaml:"srtp_without_tls"` // its keys may go by UDP or TCP
	Peering           bool     `yaml:"peering"`          // its address alone lets it call us
	Sources           []string `yaml:"sources"`          // networks that its SIP may come from beside its address
}

// rehearsalConfig sets the service's clock for a rehearsal. It is refused
// unless every trunk is on the loopback network, where nobody's phone rings.
type rehearsalConfig struct {
	Clock *instant `yaml:"clock"` // what the clock says at Since; nil: no rehearsal
	Since *instant `yaml:"since"` // by the machine's clock; default: when the process starts
}

// instant is a time with its zone, as RFC 3339 writes it.
type instant struct{ time.Time }

// UnmarshalYAML implements yaml.BytesUnmarshaler. The library would take what is
// no time for the zero one.
func (i *instant) UnmarshalYAML(text []byte) error {
	s := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("rehearsal: %q is no time with its zone: write it as 2026-11-24T10:00:00+01:00", s)
	}
	i.Time = t
	return nil
}

// loadConfig reads the file; an empty path gives the defaults.
func loadConfig(path string) (config, error) {
	var c config
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return c, invalidFile(fmt.Errorf("configuration: %w", err))
		}
		if err := decodeStrictly(data, &c); err != nil && len(bytes.TrimSpace(data)) > 0 {
			return c, invalidFile(fmt.Errorf("%s: %s%s", path, meant(err), strings.TrimSpace(yaml.FormatError(err, false, true))))
		}
		c.placeFiles(filepath.Dir(path))
		if c.path, err = filepath.Abs(path); err != nil {
			return c, invalidFile(fmt.Errorf("configuration: %w", err))
		}
	}
	if c.Node == "" {
		c.Node = "local"
	}
	if c.SIP.Listen == "" {
		c.SIP.Listen = "127.0.0.1:5060"
	}
	if c.SIP.Realm == "" {
		c.SIP.Realm = realm
	}
	if c.Media.Ports == "" {
		c.Media.Ports = "20000-29999"
	}
	if err := errors.Join(c.checkRedis(), c.checkRehearsal(), c.checkTariffs(), c.Callbacks.check(), c.HTTP.check(), c.Recordings.check()); err != nil {
		return c, invalidFile(fmt.Errorf("%s: %w", path, err))
	}
	return c, nil
}

// settings are the configuration with what the flags say instead.
func (g *globals) settings() (config, error) {
	c, err := loadConfig(g.config)
	if err != nil || g.redis == "" {
		return c, err
	}
	c.Redis = g.redis
	if err := c.checkRedis(); err != nil {
		return c, usageError(err)
	}
	return c, nil
}

func (c config) checkRedis() error {
	if c.Redis == "" {
		return nil
	}
	if _, err := redis.ParseURL(c.Redis); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// decodeStrictly reads YAML without keys of its own.
func decodeStrictly(data []byte, into any) (err error) {
	defer func() { // the library panics on some malformed input, a tag before a sequence for one
		if recover() != nil {
			err = errors.New("cannot be read as YAML")
		}
	}()
	return yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into)
}

// checkRehearsal refuses a set clock where a real phone could ring.
func (c config) checkRehearsal() error {
	if c.Rehearsal.Clock == nil {
		if c.Rehearsal.Since != nil {
			return errors.New("rehearsal.since: it says when rehearsal.clock was right, and there is none: give both or neither")
		}
		return nil
	}
	for i, t := range c.Trunks {
		addr, err := netip.ParseAddrPort(t.Address)
		if err != nil || !addr.Addr().IsLoopback() {
			return fmt.Errorf("rehearsal.clock: trunks[%d].address is %q: a set clock is allowed only with trunks on loopback addresses such as 127.0.0.2:5060; remove rehearsal.clock", i, t.Address)
		}
	}
	return nil
}

// now is the service's clock: the machine's, or the rehearsal's.
func (c config) now(start time.Time) func() time.Time {
	if c.Rehearsal.Clock == nil {
		return time.Now
	}
	base := c.Rehearsal.Clock.Time
	if c.Rehearsal.Since != nil {
		start = c.Rehearsal.Since.Time
	}
	return func() time.Time { return base.Add(time.Since(start)) }
}

// trunk makes the SIP endpoint's configuration.
func (c config) trunk() (trunk.Config, error) {
	var out trunk.Config
	listen, err := netip.ParseAddrPort(c.SIP.Listen)
	if err != nil {
		return out, fmt.Errorf("sip.listen: %q: give an address and port such as 192.0.2.1:5060", c.SIP.Listen)
	}
	codecs, err := codecsOf("sip.codecs", c.SIP.Codecs)
	errs := []error{err}
	out = trunk.Config{
		Listen: listen, Public: c.SIP.Public, Realm: c.SIP.Realm, UserAgent: "pronto/" + version, Codecs: codecs,
		SRTP: trunk.SRTP(c.SIP.SRTP), SRTPWithoutTLS: c.SIP.SRTPWithoutTLS,
	}
	if c.SIP.TLS != (sipTLS{}) {
		out.TLS, err = c.SIP.TLS.port()
		errs = append(errs, err)
	}
	out.DSCP, err = classOf("sip.dscp", c.SIP.DSCP, dscp.CS3)
	errs = append(errs, err)
	out.Limits.Callers = c.Callbacks.Channels
	out.Limits.SessionExpires, out.Limits.SessionMin = c.SIP.SessionExpires, c.SIP.Timers.MinSE
	for i, t := range c.Trunks {
		way, err := t.way(fmt.Sprintf("trunks[%d]", i))
		out.Trunks, errs = append(out.Trunks, way), append(errs, err)
	}
	return out, errors.Join(append(errs, out.Validate())...)
}

// trunkNames are the names of the trunks.
func (c config) trunkNames() []string {
	var names []string
	for _, t := range c.Trunks {
		names = append(names, t.Name)
	}
	return names
}

// trunkWarnings say which of a campaign's trunks the configuration does not have;
// one without any trunk may be another than the service's.
func (c config) trunkWarnings(camp *campaigns.Campaign) []string {
	if len(c.Trunks) == 0 {
		return nil
	}
	if err := dialer.CheckTrunks(camp.TrunkNames(), c.trunkNames()); err != nil {
		return []string{err.Error()}
	}
	return nil
}

func codecsOf(field string, names []string) ([]dialer.Codec, error) {
	var out []dialer.Codec
	for _, n := range names {
		switch strings.ToLower(n) {
		case "pcma":
			out = append(out, dialer.PCMA)
		case "pcmu":
			out = append(out, dialer.PCMU)
		default:
			return nil, fmt.Errorf("%s: %q: one of pcma, pcmu", field, n)
		}
	}
	return out, nil
}
