package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// DefaultPrefix begins every key where the URL names no other.
const DefaultPrefix = "pronto:"

// Place says where Redis is.
type Place struct {
	Addrs              []string // host:port; of the sentinels, where Master is given
	Master             string   // name that the sentinels know the master by
	Cluster            bool
	TLS                bool
	CA                 string // PEM file of the authorities that sign the servers' certificates; empty: the system's
	Username, Password string
	DB                 int
	Prefix             string // of every key
	// Replicas is how many replicas must have an intent before it is good; -1: one if there are any.
	Replicas int
	Unsynced bool // Redis may forget what it acknowledged
}

// errURL tells the forms.
var errURL = errors.New("give redis://host:port/db, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port " +
	"(rediss for TLS), user:password@ before the hosts, ?prefix=, ?replicas= and ?ca= behind")

// ParseURL reads where Redis is:
//
//	redis://user:password@host:6379/0
//	redis+sentinel://user:password@host:26379,host:26379/master
//	redis+cluster://user:password@host:6379,host:6379
//
// rediss in place of redis asks for TLS; the servers' certificates must be signed by an authority
// in the PEM file ca, or by one of the system's, and name the host that is dialed. The query may hold prefix, which begins
// every key (default pronto:), and replicas, how many replicas must have an intent before it is good
// (default: one where sentinels watch or a replica is connected); fsync=any takes a Redis that
// does not sync what it acknowledges. An error never tells the password.
func ParseURL(text string) (Place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Place{}, fmt.Errorf("the URL of Redis cannot be read: %w", errURL)
	}
	scheme, kind, _ := strings.Cut(u.Scheme, "+")
	p := Place{TLS: scheme == "rediss", Cluster: kind == "cluster", Prefix: DefaultPrefix, Replicas: -1}
	if scheme != "redis" && scheme != "rediss" || kind != "" && kind != "cluster" && kind != "sentinel" {
		return Place{}, fmt.Errorf("the URL of Redis begins with %q: %w", u.Scheme+"://", errURL)
	}
	p.Username = u.User.Username()
	p.Password, _ = u.User.Password()
	if p.Addrs, err = hosts(u.Host, kind); err != nil {
		return Place{}, err
	}
	path := strings.Trim(u.Path, "/")
	switch {
	case kind == "sentinel" && path == "":
		return Place{}, fmt.Errorf("the URL of Redis names no master: %w", errURL)
	case kind == "sentinel":
		p.Master = path
	case path != "":
		if p.DB, err = strconv.Atoi(path); err != nil || p.DB < 0 || p.Cluster && p.DB != 0 {
			return Place{}, fmt.Errorf("the URL of Redis names database %q: %w", path, errURL)
		}
	}
	return p, p.query(u.Query())
}

// hosts splits the hosts of a URL.
func hosts(text, kind string) ([]string, error) {
	port := "6379"
	if kind == "sentinel" {
		port = "26379"
	}
	var addrs []string
	for host := range strings.SplitSeq(text, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil && host != "" {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		if host == "" || strings.HasPrefix(host, ":") {
			return nil, fmt.Errorf("the URL of Redis names no host: %w", errURL)
		}
		addrs = append(addrs, host)
	}
	if kind == "" && len(addrs) > 1 {
		return nil, fmt.Errorf("the URL of Redis names several hosts, and is neither redis+sentinel nor redis+cluster: %w", errURL)
	}
	return addrs, nil
}

func (p *Place) query(q url.Values) error {
	for key := range q {
		switch value := q.Get(key); key {
		case "prefix":
			if strings.ContainsAny(value, "{}") {
				return fmt.Errorf("prefix %q in the URL of Redis: no braces, please: they are Redis Cluster's", value)
			}
			p.Prefix = value
		case "replicas":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > 100 {
				return fmt.Errorf("replicas %q in the URL of Redis: give a number from 0 to 100", value)
			}
			p.Replicas = n
		case "ca":
			if value == "" || !p.TLS {
				return fmt.Errorf("ca %q in the URL of Redis: name a PEM file, and begin the URL with rediss", value)
			}
			p.CA = value
		case "fsync":
			if value != "any" {
				return fmt.Errorf("fsync %q in the URL of Redis: any, or leave it out", value)
			}
			p.Unsynced = true
		default:
			return fmt.Errorf("%q in the URL of Redis is not known: %w", key, errURL)
		}
	}
	return nil
}

// connect makes the client. Nothing is retried: a claim whose answer was lost is
// not made again, and a call that waits is a call that is late.
func (p Place) connect(wait time.Duration) (goredis.UniversalClient, error) {
	o := goredis.UniversalOptions{
		Addrs: p.Addrs, MasterName: p.Master, Username: p.Username, Password: p.Password, DB: p.DB,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: wait, ReadTimeout: wait, WriteTimeout: wait, PoolTimeout: wait,
		ContextTimeoutEnabled: true, DisableIdentity: true, PoolSize: 32, PipelinePoolSize: -1, IsClusterMode: p.Cluster,
	}
	if p.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if p.CA != "" {
			pem, err := os.ReadFile(p.CA)
			if err != nil {
				return nil, fmt.Errorf("ca in the URL of Redis: %w", err)
			}
			o.TLSConfig.RootCAs = x509.NewCertPool()
			if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("ca %s in the URL of Redis: there is no certificate in it (PEM)", p.CA)
			}
		}
	}
	db := goredis.NewUniversalClient(&o)
	db.AddHook(named{})
	return db, nil
}
