package trunk

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
)

// TestRepeatedRefusal: a refusal is acknowledged as often as it comes, at once,
// also when its transaction is long over.
func TestRepeatedRefusal(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	refuse := say{status: "486 Busy Here", tag: "a"}
	b.far.reply(inv, refuse)
	first := b.far.next("ACK")
	if o := wait(t, "the end", out); o.res.Outcome != campaigns.Busy {
		t.Fatalf("result %+v", o.res)
	}
	b.far.none("ACK", 2*testT1)
	for range 3 {
		b.far.reply(inv, refuse)
		ack := b.far.next("ACK")
		for _, name := range []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Content-Length"} {
			if got, want := ack.header(name), first.header(name); got != want {
				t.Errorf("%s: %q in the later ACK, %q in the first", name, got, want)
			}
		}
		if ack.line != first.line {
			t.Errorf("%q, but the first ACK was %q", ack.line, first.line)
		}
	}
	stray := b.far.responseTo(inv, refuse)
	b.far.send(inv.from, stray[:len("SIP/2.0 ")]+"200 OK"+stray[len("SIP/2.0 486 Busy Here"):])
	if bye := b.far.next("BYE"); bye.header("Call-ID") != inv.header("Call-ID") {
		t.Error("an answer after the refusal was not ended")
	}
}

func TestRefusalsAreForgotten(t *testing.T) {
	var r refusals
	now := time.Unix(0, 0)
	r.keep("one", refusal{}, now)
	r.keep("two", refusal{}, now.Add(giveUp()/2))
	later := now.Add(giveUp() + time.Millisecond)
	r.keep("three", refusal{}, later)
	for branch, want := range map[string]bool{"one": true, "two": true, "three": true, "four": false} {
		if _, ok := r.get(branch); ok != want {
			t.Errorf("%s: kept %v, want %v", branch, ok, want)
		}
	}
	r.keep("five", refusal{}, later.Add(giveUp()+time.Millisecond))
	for branch, want := range map[string]bool{"one": false, "two": false, "three": true, "five": true} {
		if _, ok := r.get(branch); ok != want {
			t.Errorf("%s, later: kept %v, want %v", branch, ok, want)
		}
	}
}
