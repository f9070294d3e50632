package trunk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	random "math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// newCallID is a Call-ID for a request that is no call.
func newCallID() string { return strings.ToLower(rand.Text()) }

// registration keeps us registered with a carrier (RFC 3261 section 10.2). It
// has one Call-ID, and its CSeq grows, for as long as the process lives.
type registration struct {
	ep     *Endpoint
	t      *carrier
	place  place
	dialog dialogOf
	target sip.Uri
	cseq   uint32
	asked  time.Duration // the life that we ask for
	creds  standing
	till   time.Time // the registration holds until then; zero: there is none
	failed int       // times in a row
}

func newRegistration(ep *Endpoint, t *carrier) *registration {
	r := &registration{ep: ep, t: t, place: t.gate, asked: t.cfg.Expires, target: t.domain}
	if t.cfg.Registrar != "" {
		host, port, _ := splitHostPort(t.cfg.Registrar, 0)
		r.target = sip.Uri{Scheme: "sip", Host: host, Port: port}
		if t.cfg.Proxy == "" {
			r.place = place{host, port, t.transport}
		}
	}
	callID, us := newCallID(), t.uri(t.cfg.Username)
	r.dialog = dialogOf{callID: callID, localTag: tagOf(callID), local: us, remote: us}
	r.creds = standing{user: t.authName(), password: t.cfg.Password}
	t.watch.register("no answer yet")
	return r
}

// register notes why we are not registered; empty when we are.
func (w *watch) register(why string) {
	w.mu.Lock()
	w.unregistered = why
	w.mu.Unlock()
}

// run registers, again before each registration ends, until ctx ends; then it
// takes the registration back.
func (r *registration) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			r.end()
			return
		case <-timer.C:
		}
		timer.Reset(r.turn(ctx))
	}
}

// turn registers once and returns when to do it again.
func (r *registration) turn(ctx context.Context) time.Duration {
	life, after, err := r.register(ctx, r.asked)
	now, log := r.ep.cfg.Now(), r.ep.log.With(zap.String("trunk", r.t.cfg.Name))
	if err == nil {
		if r.till.IsZero() || r.failed > 0 {
			log.Info("registered with the carrier", zap.Duration("for", life))
		}
		r.till, r.failed = now.Add(life), 0
		r.t.watch.register("")
		return refreshIn(life)
	}
	if ctx.Err() != nil {
		return time.Hour
	}
	r.failed++
	wait := max(retryIn(r.failed, random.Float64()), after)
	if now.Before(r.till) {
		wait = min(wait, r.till.Sub(now)) // the trunk is down the moment that the old registration ends
	} else {
		r.t.watch.register(printable(err.Error()))
	}
	log.Warn("not registered with the carrier", zap.Error(err), zap.Duration("again in", wait))
	return wait
}

// refreshIn is when to register again: a fifth of the life before its end, at
// most a minute.
func refreshIn(life time.Duration) time.Duration {
	return life - min(life/5, time.Minute)
}

// retryIn is the wait after the n-th failure in a row: 2 s, doubled each time, up
// to 5 minutes, and of that a random half to the whole, so that trunks and nodes
// do not all come back at once.
func retryIn(n int, random float64) time.Duration {
	const first, last = 2 * time.Second, 5 * time.Minute
	wait := last
	if n < 9 {
		wait = min(last, first<<(n-1))
	}
	return wait/2 + time.Duration(random*float64(wait/2))
}

// end takes the registration back.
func (r *registration) end() {
	if !r.ep.cfg.Now().Before(r.till) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(giveUp(), 2*time.Second))
	defer cancel()
	if _, _, err := r.register(ctx, 0); err != nil {
		r.ep.log.Warn("the registration was not taken back", zap.String("trunk", r.t.cfg.Name), zap.Error(err))
	}
}

// register asks for a life at each address in turn, until one answers. after is
// how long the carrier wants to be left alone.
func (r *registration) register(ctx context.Context, life time.Duration) (granted, after time.Duration, err error) {
	h, err := r.ep.hopsTo(ctx, r.t, r.place)
	if err != nil {
		return 0, 0, err
	}
	for next := &h; next != nil; next = next.next {
		var res *sip.Response
		if res, err = r.converse(ctx, *next, &life); err != nil || res.StatusCode == sip.StatusServiceUnavailable {
			r.ep.shun(next.addr)
		}
		switch {
		case err != nil:
			continue
		case res.IsSuccess():
			granted, err = r.granted(res, life, next.transport)
			r.t.flow.Store(&flow{from: next.addr, over: next.transport, till: r.ep.cfg.Now().Add(granted)})
			return granted, 0, err
		}
		after = min(retryAfter(headerOf(res, "Retry-After")), lastRest)
		err = fmt.Errorf("%d %s", res.StatusCode, printable(res.Reason))
		if res.StatusCode != sip.StatusServiceUnavailable {
			return 0, after, err
		}
	}
	return 0, after, err
}

// converse sends REGISTER to one address, again as challenges and a 423 ask for it.
func (r *registration) converse(ctx context.Context, h hop, life *time.Duration) (*sip.Response, error) {
	r.creds.begin()
	for brief := false; ; {
		res, err := r.ask(ctx, h, *life)
		if err != nil {
			return nil, err
		}
		switch res.StatusCode {
		case sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
			if !r.creds.challenged(res) {
				return res, nil
			}
		case sip.StatusIntervalToBrief:
			least, err := strconv.ParseUint(headerOf(res, "Min-Expires"), 10, 31)
			if err != nil || brief || *life == 0 {
				return res, nil
			}
			brief, *life = true, time.Duration(least)*time.Second
			r.asked = *life
		default:
			return res, nil
		}
	}
}

// ask sends one REGISTER.
func (r *registration) ask(ctx context.Context, h hop, life time.Duration) (*sip.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, giveUp())
	defer cancel()
	r.cseq++
	req := r.ep.inDialog(sip.REGISTER, r.dialog, r.cseq, r.target, r.t.route, h.transport)
	contact, seconds := r.contact(h.transport), strconv.Itoa(int(life.Seconds()))
	contact.Params.Add("expires", seconds)
	req.AppendHeader(contact)
	req.AppendHeader(sip.NewHeader("Expires", seconds))
	req.AppendHeader(sip.NewHeader("Allow", allow))
	if err := r.creds.apply(req); err != nil {
		return nil, err
	}
	req.SetBody(nil)
	r.ep.route(req, h)
	return r.ep.do(ctx, req)
}

func (r *registration) contact(t Transport) *sip.ContactHeader {
	c := r.ep.contact(t)
	c.Address.User = r.t.cfg.Username
	return c
}

// granted reads the life of the registration and the carrier's route to it
// (RFC 3608) from a 200.
func (r *registration) granted(res *sip.Response, life time.Duration, t Transport) (time.Duration, error) {
	if life == 0 {
		return 0, nil
	}
	if v, err := strconv.ParseUint(headerOf(res, "Expires"), 10, 31); err == nil {
		life = time.Duration(v) * time.Second
	}
	ours := r.contact(t).Address
	for _, h := range res.GetHeaders("Contact") {
		for _, part := range splitRoutes(h.Value()) {
			var u sip.Uri
			params := sip.HeaderParams{}
			if _, err := sip.ParseAddressValue(part, &u, &params); err != nil || u.User != ours.User || u.Host != ours.Host || u.Port != ours.Port {
				continue
			}
			if v, ok := params.Get("expires"); ok {
				if n, err := strconv.ParseUint(v, 10, 31); err == nil {
					life = time.Duration(n) * time.Second
				}
			}
		}
	}
	if life == 0 {
		return 0, errors.New("the registrar took the registration for no time at all")
	}
	var own []sip.Uri
	for _, h := range res.GetHeaders("Service-Route") {
		own = append(own, routesIn(h.Value())...)
	}
	if len(own) > 0 {
		r.t.serviceRoute.Store(&own)
	} else {
		r.t.serviceRoute.Store(nil)
	}
	return life, nil
}
