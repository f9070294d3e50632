package trunk

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pronto/dialer"
)

// echo answers INVITEs by itself: as fast as it can read.
func (f *far) echo(status string, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case h := <-f.in:
			s := say{status: "200 OK", tag: "e"}
			switch h.method() {
			case "INVITE":
				s.status = status
				if strings.HasPrefix(status, "200") {
					s.sdp = sdpAt(farHost, 4000)
				}
			case "BYE", "CANCEL":
			default:
				continue
			}
			f.send(h.from, f.responseTo(h, s))
		}
	}
}

func loaded(tb testing.TB, status string) (*Endpoint, func(*fakeAudio, time.Duration) (dialer.Leg, dialer.Result)) {
	tb.Helper()
	f := newFar(tb, farHost)
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.echo(status, done)
	}()
	tb.Cleanup(func() { close(done); <-stopped })
	ep, err := New(Config{
		Listen: netip.MustParseAddrPort(ourHost + ":0"),
		Trunks: []TrunkConfig{{Name: "carrier", Address: f.addrString()}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(ep.Close)
	return ep, func(a *fakeAudio, ring time.Duration) (dialer.Leg, dialer.Result) {
		return ep.originate(context.Background(),
			cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always},
			dialer.Placing{Audio: a, RingTimeout: ring})
	}
}

// BenchmarkOriginateToAnswer is the time from Originate to the leg, the far end
// answering at once over loopback, one call at a time.
func BenchmarkOriginateToAnswer(b *testing.B) {
	_, originate := loaded(b, "200 OK")
	audio := newFakeAudio(b, ourHost)
	audio.told = make(chan struct{}, b.N+1)
	var legs []dialer.Leg
	for b.Loop() {
		leg, res := originate(audio, time.Second)
		if leg == nil {
			b.Fatalf("result %+v", res)
		}
		select {
		case <-audio.told:
		default:
		}
		legs = append(legs, leg)
	}
	for _, l := range legs {
		l.Hangup()
	}
	for _, l := range legs {
		<-l.Done()
	}
}

// TestMemoryOfARingingLine measures what a line costs while it rings.
func TestMemoryOfARingingLine(t *testing.T) {
	const lines = 1000
	const limit = 40 << 10 // bytes, the design's
	ep, _ := loaded(t, "180 Ringing")
	audio := newFakeAudio(t, ourHost)
	var ringing atomic.Int64
	before := inUse()
	for n := int64(1); n <= lines; n++ {
		go ep.originate(context.Background(),
			cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always},
			dialer.Placing{Audio: audio, RingTimeout: time.Minute, Ringing: func(time.Time, dialer.Dialog) { ringing.Add(1) }})
		if n%25 == 0 { // no faster than the far end can read
			until(t, "the phones ring", func() bool { return ringing.Load() == n })
		}
	}
	each := (inUse() - before) / lines
	t.Logf("%d ringing lines, %d bytes each (heap and stacks)", ep.calls.len(), each)
	if ep.calls.len() != lines {
		t.Fatalf("%d lines ring", ep.calls.len())
	}
	if each > limit && !raced {
		t.Errorf("a ringing line takes %d bytes, more than %d", each, limit)
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestTrueTimers runs in a process of its own, because sipgo's timers are the
// process's: at the RFC's values an INVITE goes again after 0.5, 1 and 2 s.
func TestTrueTimers(t *testing.T) {
	if os.Getenv("TRUNK_TRUE_TIMERS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTrueTimers$", "-test.v")
		cmd.Env = append(os.Environ(), "TRUNK_TRUE_TIMERS=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestTrueTimers") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := b.dial(ctx, 200*time.Millisecond, 0)
	inv := b.far.next("INVITE")
	last := time.Now()
	for _, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
		again := b.far.next("INVITE")
		now := time.Now()
		if again.raw != inv.raw {
			t.Error("a retransmission differs from the INVITE")
		}
		if got := now.Sub(last); got < want*9/10 || got > want*3/2 {
			t.Errorf("sent again after %s, want %s", got, want)
		}
		last = now
	}
	cancel()
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	c := b.far.next("CANCEL")
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	wait(t, "the end", out)
}
