package trunk

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
)

// onlooker writes down what passes: > out, < in.
type onlooker struct {
	mu   sync.Mutex
	seen []string
}

func (o *onlooker) look(p dialer.Passed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	arrow := "<"
	if p.Out {
		arrow = ">"
	}
	o.seen = append(o.seen, arrow+p.Text)
}

func (o *onlooker) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Compact(slices.Clone(o.seen)) // but for retransmissions
}

func TestTraceByUDP(t *testing.T) {
	b := newBench(t)
	var o onlooker
	out := make(chan originated, 1)
	go func() {
		leg, res := b.ep.originate(context.Background(), b.cleared(), dialer.Placing{
			Trunk: "carrier", Audio: b.audio, RingTimeout: time.Minute, Trace: o.look,
			Ringing: func(time.Time, dialer.Dialog) { b.rang <- struct{}{} },
		})
		out <- originated{leg, res}
	}()
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "100 Trying", bare: true})
	until(t, "the 100", func() bool { return len(o.all()) == 2 })
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	b.hangup(wait(t, "the answer", out).leg)
	if got, want := strings.Join(o.all(), " "), ">INVITE <100 Trying <180 Ringing <200 OK >ACK >BYE <200 OK"; got != want {
		t.Errorf("seen %s, want %s", got, want)
	}
	_, leg := b.answer("other") // nobody looks on
	b.hangup(leg)
	if len(o.all()) != 7 {
		t.Errorf("seen %v", o.all())
	}
}

// examining is a bench whose trunk can be examined.
func examining(t *testing.T) (b *bench, ask func(), out chan Examined) {
	b, out = newBench(t), make(chan Examined, 1)
	return b, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*testT1)
		defer cancel()
		e, err := b.ep.Examine(ctx, "carrier")
		if err != nil {
			t.Error(err)
		}
		out <- e
	}, out
}

func TestExamine(t *testing.T) {
	b, ask, out := examining(t)
	go ask()
	opt := b.far.next("OPTIONS")
	if !strings.HasPrefix(opt.line, "OPTIONS sip:"+b.far.addrString()) || opt.header("Contact") == "" {
		t.Errorf("OPTIONS:\n%s", opt.raw)
	}
	b.far.reply(opt, say{status: "404 Not Found", tag: "a"})
	if e := wait(t, "the answer", out); e.Options != 404 || e.RoundTrip <= 0 || e.Why != "" || e.Trunk.State != dialer.TrunkUp {
		t.Errorf("%+v", e)
	}
	go ask()
	if e := wait(t, "the silence", out); e.Options != 0 || e.Why == "" {
		t.Errorf("%+v", e)
	}
	if _, err := b.ep.Examine(context.Background(), "other"); err == nil {
		t.Error("a trunk that is not there")
	}
}

func TestExamineRegistration(t *testing.T) {
	b, ask, out := examining(t)
	carrier := b.ep.trunk("carrier")
	carrier.cfg.Register = true
	carrier.watch.register("403 Forbidden")
	go ask()
	b.far.reply(b.far.next("OPTIONS"), say{status: "200 OK", tag: "a"})
	if e := wait(t, "the answer", out); !e.Registers || e.NoPlace != "403 Forbidden" || e.Options != 200 || e.Trunk.State != dialer.TrunkDown {
		t.Errorf("%+v", e)
	}
	go ask()
	b.far.reply(b.far.next("OPTIONS"), say{status: "200 OK", tag: "a"})
	carrier.watch.register("")
	if e := wait(t, "the registration", out); e.NoPlace != "" || e.Trunk.State != dialer.TrunkUp {
		t.Errorf("%+v", e)
	}
}
