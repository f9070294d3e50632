package trunk

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// newAnswering is a bench that answers calls to shown.
func newAnswering(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := newBench(t, append([]func(*Config){func(c *Config) { c.Trunks[0].Peering = true }}, change...)...)
	b.ep.Take([]campaigns.Number{shown})
	return b
}

// dials is an INVITE from the far end.
type dials struct {
	to, from string
	tag      string
	cseq     int
	extra    []string
	body     string
	callID   string
	branch   string
}

func (f *far) invite(to netip.AddrPort, d dials) *heard {
	f.t.Helper()
	msg := f.inviteText(to, d)
	f.send(to, msg)
	return hear(msg, to)
}

func (f *far) inviteText(to netip.AddrPort, d dials) string {
	d.to, d.from = or(d.to, string(shown)), or(d.from, "<sip:"+ringingBack+"@"+f.addrString()+">")
	d.callID, d.branch, d.cseq = or(d.callID, "back-"+newAttempt()), or(d.branch, "z9hG4bKback"+newAttempt()), or(d.cseq, 41)
	var b strings.Builder
	fmt.Fprintf(&b, "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\n", d.to, to, f.addrString(), d.branch)
	fmt.Fprintf(&b, "From: %s;tag=%s\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: %d INVITE\r\n", d.from, or(d.tag, "caller"), d.to, to, d.callID, d.cseq)
	fmt.Fprintf(&b, "Contact: <sip:far@%s>\r\n", f.addrString())
	for _, e := range d.extra {
		b.WriteString(e + "\r\n")
	}
	if d.body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(d.body), d.body)
	return b.String()
}

// within sends a request of the dialog that the far end's INVITE made, by its 200.
func (f *far) within(inv, ok *heard, method string, cseq int, body string) *heard {
	f.t.Helper()
	contact := strings.Trim(ok.header("Contact"), "<>")
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:far@%s>\r\n",
		method, contact, f.addrString(), newAttempt(), inv.header("From"), ok.header("To"), inv.header("Call-ID"), cseq, method, f.addrString())
	if body != "" {
		msg += "Content-Type: application/sdp\r\n"
	}
	msg += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	f.send(inv.from, msg)
	return hear(msg, inv.from)
}

// response waits for a response to the INVITE with the status.
func (f *far) response(inv *heard, status string) *heard {
	f.t.Helper()
	for {
		h := f.next("SIP/2.0")
		if h.header("Call-ID") != inv.header("Call-ID") {
			continue
		}
		if got := strings.TrimPrefix(h.line, "SIP/2.0 "); strings.HasPrefix(got, status) {
			return h
		} else if !strings.HasPrefix(got, "1") && !strings.HasPrefix(got, "200") {
			f.t.Fatalf("answered %q, want %s", got, status)
		}
	}
}

// ring waits for a call.
func (b *bench) ring() dialer.Ring {
	b.t.Helper()
	return wait(b.t, "the ring", b.ep.Rings())
}

// picked is what Answer gave.
type picked struct {
	leg dialer.Leg
	err error
}

// take answers a ring in the background.
func (b *bench) take(r dialer.Ring) <-chan picked {
	out := make(chan picked, 1)
	go func() {
		leg, err := r.Answer(b.t.Context(), b.audio, func(d dialer.Dialog) error {
			b.note(func() { b.dialogs = append(b.dialogs, d) })
			return nil
		})
		out <- picked{leg, err}
	}()
	return out
}

// accepted runs a call to its ACK.
func (b *bench) accepted(d dials) (inv, ok *heard, leg dialer.Leg) {
	b.t.Helper()
	inv = b.far.invite(b.ep.Addr(), d)
	out := b.take(b.ring())
	ok = b.far.response(inv, "200")
	b.far.within(inv, ok, "ACK", inv.cseq(), "")
	got := wait(b.t, "the leg", out)
	if got.err != nil {
		b.t.Fatal(got.err)
	}
	return inv, ok, got.leg
}

// drain passes over what comes within d.
func (f *far) drain(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-f.in:
		case <-timer.C:
			return
		}
	}
}
