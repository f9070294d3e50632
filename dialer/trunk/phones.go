package trunk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// The reasons why a phone cannot be called.
var (
	ErrNoAccount     = errors.New("no such agent")
	ErrNotRegistered = errors.New("the phone is not registered")
)

// Registered reports whether the agent's phone is reachable now: it has a
// static address or a registration that holds.
func (ep *Endpoint) Registered(agent string) bool {
	a, ok := ep.account(agent)
	if !ok {
		return false
	}
	if a.Phone != "" {
		return true
	}
	_, ok = ep.reg.binding(agent, ep.cfg.Now())
	return ok
}

// Changes delivers the name of each agent whose registration came, went or was
// renewed.
func (ep *Endpoint) Changes() <-chan string { return ep.reg.changes }

// Binding is where the agent's phone has registered.
func (ep *Endpoint) Binding(agent string) (dialer.Binding, bool) {
	b, ok := ep.reg.binding(agent, ep.cfg.Now())
	if !ok {
		return dialer.Binding{}, false
	}
	return dialer.Binding{
		Agent: agent, Contact: b.contact.String(), Source: b.src.String(), Transport: string(b.transport), Expires: b.expires,
	}, true
}

// Restore takes over registrations that an earlier process granted. The connection
// of one by TCP has gone with the process: the phone is reached by a new one where its Contact says that it listens,
// unless a NAT stands before it. One by TLS is left out, and so is who cannot be reached: the phone registers anew.
func (ep *Endpoint) Restore(known []dialer.Binding) {
	now := ep.cfg.Now()
	for _, k := range known {
		b := binding{transport: Transport(k.Transport), expires: k.Expires}
		var err error
		if b.src, err = netip.ParseAddrPort(k.Source); err == nil {
			err = sip.ParseUri(k.Contact, &b.contact)
		}
		if err != nil {
			ep.log.Warn("a registration of an earlier process cannot be read", zap.String("agent", k.Agent), zap.Error(err))
			continue
		}
		h, ok := ep.anew(hop{addr: b.src, transport: b.transport}, b.contact)
		if !ok || !now.Before(b.expires) {
			continue
		}
		b.src, b.transport = h.addr, h.transport
		if _, newer := ep.reg.binding(k.Agent, now); !newer {
			ep.reg.put(k.Agent, b)
		}
	}
}

// anew is where a phone is reached whose connection, if it had one, is gone; false
// when it cannot be.
func (ep *Endpoint) anew(h hop, contact sip.Uri) (hop, bool) {
	switch h.transport {
	case UDP:
		return h, true
	case TCP:
		at := ep.hopTo(ep.ctx, contact, h)
		return at, at.transport != TLS && at.addr.Addr() == h.addr.Addr()
	default:
		return h, false
	}
}

func (ep *Endpoint) account(name string) (dialer.Account, bool) {
	if ep.cfg.Accounts == nil {
		return dialer.Account{}, false
	}
	return ep.cfg.Accounts.Account(name)
}

// Call rings the agent's phone and returns the leg once it answers.
func (ep *Endpoint) Call(ctx context.Context, agent string, a dialer.Audio) (dialer.Leg, error) {
	account, ok := ep.account(agent)
	if !ok {
		return nil, fmt.Errorf("call %s: %w", agent, ErrNoAccount)
	}
	target, h, err := ep.phone(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", agent, err)
	}
	ep.known.add(h.addr.Addr())
	gone := func() { ep.known.remove(h.addr.Addr()) }
	us := sip.Uri{Scheme: "sip", User: "pronto", Host: ep.host}
	l, res := ep.place(ctx, &call{
		id:     identOf(rand.Text(), 1),
		target: target, from: us, to: sip.Uri{Scheme: "sip", User: target.User, Host: target.Host, Port: target.Port},
		hop: h, usual: UDP, fixed: account.Phone == "", brisk: true,
		audio: a, codecs: ep.phoneCodecs(account), srtp: ep.cfg.SRTP, srtpPlain: ep.cfg.SRTPWithoutTLS,
		ring: ep.cfg.Limits.PhoneRing, post: ep.cfg.Limits.PostDial,
		valid: func(time.Time) bool { return true }, release: gone,
	})
	if l == nil {
		return nil, fmt.Errorf("call %s: %w", agent, phoneError(res.Cause))
	}
	return l, nil
}

// phone finds where an agent's phone is.
func (ep *Endpoint) phone(ctx context.Context, a dialer.Account) (sip.Uri, hop, error) {
	if a.Phone == "" {
		b, ok := ep.reg.binding(a.Name, ep.cfg.Now())
		if !ok {
			return sip.Uri{}, hop{}, ErrNotRegistered
		}
		return b.contact, hop{addr: b.src, transport: b.transport}, nil
	}
	address := a.Phone
	if !strings.HasPrefix(strings.ToLower(address), "sip:") {
		address = "sip:" + address
	}
	var u sip.Uri
	if err := sip.ParseUri(address, &u); err != nil || u.Host == "" {
		return sip.Uri{}, hop{}, fmt.Errorf("the phone's address %q is no SIP address such as sip:ann@192.0.2.7:5060", a.Phone)
	}
	if _, err := ep.lookup(ctx, u.Host); err != nil {
		return sip.Uri{}, hop{}, err
	}
	return u, ep.hopTo(ctx, u, hop{transport: UDP}), nil
}

// phoneCodecs are the codecs offered to a phone, the account's own first.
func (ep *Endpoint) phoneCodecs(a dialer.Account) []dialer.Codec {
	codecs := ep.cfg.Codecs
	for c, name := range codecNames {
		if a.Codec != "" && strings.EqualFold(strings.TrimSuffix(name, "/8000"), a.Codec) {
			codecs = []dialer.Codec{c}
			for _, o := range ep.cfg.Codecs {
				if o != c {
					codecs = append(codecs, o)
				}
			}
		}
	}
	return codecs
}

// phoneError says in plain words why a phone gave no leg.
func phoneError(c dialer.Cause) error {
	switch c.Status {
	case 0:
		return errors.New("the phone did not answer: " + c.Text)
	case sip.StatusBusyHere, sip.StatusGlobalBusyEverywhere:
		return fmt.Errorf("the phone is busy (%d)", c.Status)
	case sip.StatusGlobalDecline, sip.StatusForbidden:
		return fmt.Errorf("the phone refused the call (%d)", c.Status)
	case sip.StatusRequestTerminated:
		return errors.New("the phone did not answer: " + c.Text)
	}
	return fmt.Errorf("the phone answered %d %s", c.Status, c.Text)
}
