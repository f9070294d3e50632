package sandbox

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startCarrier runs a carrier until the test ends or stop is called, and gives
// its SIP address and a reader of its log.
func startCarrier(t *testing.T, cfg CarrierConfig) (addr netip.AddrPort, stop func() []truth.Line) {
	t.Helper()
	if cfg.Log == "" {
		cfg.Log = filepath.Join(t.TempDir(), "carrier.jsonl")
	}
	ready := make(chan netip.AddrPort, 1)
	cfg.Ready = func(a netip.AddrPort) { ready <- a }
	stop = running(t, cfg.Log, func(ctx context.Context) error { return RunCarrier(ctx, cfg) }, func(done <-chan error) (err error) {
		select {
		case addr = <-ready:
		case err = <-done:
		}
		return err
	})
	return addr, stop
}

// running runs a far end until stop, which returns what it logged. ready returns when it is,
// or with the error it ended with.
func running(t *testing.T, log string, run func(context.Context) error, ready func(done <-chan error) error) (stop func() []truth.Line) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() []truth.Line {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		lines, err := truth.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	t.Cleanup(func() { stop() })
	if err := ready(done); err != nil {
		stopped = true
		t.Fatal(err)
	}
	return stop
}

// sipp runs a scenario and fails the test unless every call succeeds.
func sipp(t *testing.T, scenario string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.xml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sipp", append([]string{"-sf", file, "-nostdin", "-m", "1", "-timeout", "25s", "-trace_err", "-error_file", filepath.Join(dir, "errors")}, args...)...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		errors, _ := os.ReadFile(filepath.Join(dir, "errors"))
		t.Fatalf("sipp: %v\n%s\n%s", err, errors, tail(out.String()))
	}
}

func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// number finds a number whose first behaviour satisfies want.
func number(t *testing.T, w World, want func(Behaviour) bool) string {
	t.Helper()
	for i := range 100_000 {
		n := "+390550" + strings.Repeat("0", 6-len(itoa(i))) + itoa(i)
		if want(w.Behave(n, 1)) {
			return n
		}
	}
	t.Fatal("no number behaves so")
	return ""
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// speech writes a file of raw audio in which the voice speaks for a second.
func speech(t *testing.T, v tones.Voice, c tones.Codec) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), v.Name()+".raw")
	if err := os.WriteFile(file, bytes.Repeat(v.Frame(c), 50), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func kinds(lines []truth.Line, callID string) (out []truth.Kind) {
	for _, l := range lines {
		if l.CallID == callID {
			out = append(out, l.Kind)
		}
	}
	return out
}

func only(t *testing.T, lines []truth.Line, k truth.Kind) truth.Line {
	t.Helper()
	var found []truth.Line
	for _, l := range lines {
		if l.Kind == k {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d lines of kind %s, want 1: %+v", len(found), k, lines)
	}
	return found[0]
}

// heardAll sums the intervals of the only voice that was heard: one interval,
// or several where a busy machine left a gap in the sender's stream.
func heardAll(t *testing.T, lines []truth.Line, v tones.Voice) (since time.Time, total time.Duration) {
	t.Helper()
	for _, l := range lines {
		if l.Kind != truth.Heard {
			continue
		}
		if l.Voice != v.Name() || l.Pair != v.Pair() {
			t.Errorf("heard %+v, want %s only", l, v.Name())
		}
		if since.IsZero() {
			since = l.Since
		}
		total += l.Until.Sub(l.Since)
	}
	return since, total
}

const uacTop = `<?xml version="1.0"?><scenario name="dialer">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+390612345@[local_ip]:[local_port]>;tag=[pid]a[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:dialer@[local_ip]:[local_port]>
P-Asserted-Identity: <sip:+390612345@pronto.invalid>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="183" optional="true"/>
<recv response="180" optional="true"/>
`

const byeOK = `<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
`

const ack = `<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+390612345@[local_ip]:[local_port]>;tag=[pid]a[call_number]
To: [$to]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
`

const ok200 = `<recv response="200" rrs="true"><action><ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/></action></recv>
` + ack

func TestCalleeTalksWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(1, 0.4)
	n := number(t, w, func(b Behaviour) bool {
		return b.Plan == Live && b.Manner == Plain && b.Ring < time.Second && b.Talk < 2*time.Second
	})
	voice := tones.Voice{Side: tones.Agent, Index: 6}
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.1.1:0", World: w, Linger: 400 * time.Millisecond})
	sipp(t, uacTop+ok200+`
<nop><action><exec rtp_stream="`+speech(t, voice, tones.PCMA)+`,-1,8"/></action></nop>
<recv request="BYE"/>
`+byeOK+`</scenario>`, "-s", n, "-i", "127.40.1.2", "-mi", "127.40.1.2", "-mp", "16000", addr.String())
	lines := stop()
	invite := only(t, lines, truth.Invite)
	if invite.Number != n || invite.From != "+390612345" || invite.PAI != "<sip:+390612345@pronto.invalid>" || invite.Plan != "live" || invite.Nth != 1 {
		t.Errorf("invite: %+v", invite)
	}
	got := kinds(lines, invite.CallID)
	want := []truth.Kind{truth.Invite, truth.Ringing, truth.Answered, truth.Ack, truth.Hears}
	if !slices.Equal(got[:min(5, len(got))], want) {
		t.Errorf("kinds: %v", got)
	}
	if bye := only(t, lines, truth.Bye); bye.By != truth.ByCallee || bye.Text != "said good-bye" {
		t.Errorf("bye: %+v", bye)
	}
	since, total := heardAll(t, lines, voice)
	if total < time.Second {
		t.Errorf("heard for %s", total)
	}
	end, answered := only(t, lines, truth.End), only(t, lines, truth.Answered)
	if !end.Answered || end.Silence || end.FirstAgentMS == nil {
		t.Fatalf("end: %+v", end)
	}
	if first := milliseconds(since.Sub(answered.At)); *end.FirstAgentMS != first || end.SilentMS < first-100 {
		t.Errorf("end: %+v, first audio after %g ms", end, first)
	}
}
