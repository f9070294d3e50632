package main

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"pronto/dialer/trunk"
)

// trunkTLS secures a trunk by TLS.
type trunkTLS struct {
	CA          string `yaml:"ca"` // PEM file; default: the system's authorities
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	ServerName  string `yaml:"server_name"` // default: the host of the address or proxy
	Insecure    bool   `yaml:"insecure"`
}

// shaken signs a trunk's calls.
type shaken struct {
	Certificate string `yaml:"certificate"` // URL
	Key         string `yaml:"key"`         // PEM file
	Attest      string `yaml:"attest"`      // A, B, C; default A
}

// sipTLS is a port for SIP by TLS.
type sipTLS struct {
	Listen      string `yaml:"listen"`
	Certificate string `yaml:"certificate"` // PEM files
	Key         string `yaml:"key"`
}

func (t sipTLS) port() (trunk.TLSListen, error) {
	listen, err := netip.ParseAddrPort(t.Listen)
	if err != nil {
		err = fmt.Errorf("sip.tls.listen: %q: give an address and port such as 192.0.2.1:5061", t.Listen)
	}
	return trunk.TLSListen{Listen: listen, Certificate: t.Certificate, Key: t.Key}, err
}

// span is a time that passes; 0 needs no unit.
type span time.Duration

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (s *span) UnmarshalYAML(text []byte) error {
	d, err := time.ParseDuration(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	if err != nil {
		return fmt.Errorf("%q is no time: write it as 30s, 10m or 1h", strings.TrimSpace(string(text)))
	}
	*s = span(d)
	return nil
}

// placeFiles makes files that the configuration names relative to its own folder.
func (c *config) placeFiles(dir string) {
	files := []*string{&c.Prompts, &c.Recordings.Folder, &c.SIP.TLS.Certificate, &c.SIP.TLS.Key}
	for i := range c.Trunks {
		t := &c.Trunks[i]
		files = append(files, &t.TLS.CA, &t.TLS.Certificate, &t.TLS.Key, &t.Shaken.Key)
	}
	for _, names := range []paths{c.Rules, c.Profiles} {
		for i := range names {
			files = append(files, &names[i])
		}
	}
	for _, f := range files {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}

// way is the trunk as the SIP endpoint wants it; at is where it stands in the file.
func (t trunkConfig) way(at string) (trunk.TrunkConfig, error) {
	codecs, noCodecs := codecsOf(at+".codecs", t.Codecs)
	sources, noSources := networks(at+".sources", t.Sources)
	health := 30 * time.Second
	if t.Health != nil {
		health = time.Duration(*t.Health)
	}
	return trunk.TrunkConfig{
		Name: t.Name, Address: t.Address, Transport: trunk.Transport(t.Transport), TLS: trunk.TLSConfig(t.TLS), Proxy: t.Proxy,
		Username: t.Username, AuthName: t.AuthName, Password: t.Password,
		Register: t.Register, Registrar: t.Registrar, Expires: time.Duration(t.Expires), Health: health,
		Shaken: trunk.Shaken{Certificate: t.Shaken.Certificate, Key: t.Shaken.Key, Attest: trunk.Attestation(t.Shaken.Attest)},
		Domain: t.Domain, FromUser: t.FromUser,
		Format: trunk.NumberFormat(t.NumberFormat), ToFormat: trunk.NumberFormat(t.ToFormat),
		FromFormat: trunk.NumberFormat(t.FromFormat), AssertedFormat: trunk.NumberFormat(t.AssertedFormat),
		Priority: t.Priority, Weight: t.Weight, Country: t.Country, NationalPrefix: t.NationalPrefix, Asserted: trunk.Identity(t.Asserted),
		Channels: t.Channels, CallsPerSecond: t.MaxCallsPerSecond, Codecs: codecs, SRTP: trunk.SRTP(t.SRTP), SRTPWithoutTLS: t.SRTPWithoutTLS,
		Peering: t.Peering, Sources: sources,
	}, errors.Join(noCodecs, noSources)
}

// meant says which key was probably meant by one that does not exist; empty for
// every other error.
func meant(err error) string {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) || unknown.Token == nil {
		return ""
	}
	best, least := "", 3
	for _, key := range keysOf(reflect.TypeFor[config](), nil) {
		if d := distance(unknown.Token.Value, key); d < least {
			best, least = key, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("%s: no such key: did you mean %s?\n", unknown.Token.Value, best)
}

// keysOf lists the keys of a part of the configuration and of the parts in it.
func keysOf(t reflect.Type, keys []string) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys = keysOf(t.Field(i).Type, append(keys, key))
		}
	}
	return keys
}

// distance is how many letters must be changed, added or taken away to make one
// word of the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
