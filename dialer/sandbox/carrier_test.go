package sandbox

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/sandbox/truth"
)

const ackRefusal = `<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch-1]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
`

const cancel = `<send retrans="500"><![CDATA[
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch-1]
From: <sip:+390612345@[local_ip]:[local_port]>;tag=[pid]a[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

]]></send>
`

const bye = `<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+390612345@[local_ip]:[local_port]>;tag=[pid]a[call_number]
To: [$to]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
`

func TestRefusalsWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(2, 0.3)
	for plan, status := range map[Plan]string{Busy: "486", Vacant: "404", Failed: "503", Rejected: "603"} {
		t.Run(string(plan), func(t *testing.T) {
			n := number(t, w, func(b Behaviour) bool { return b.Plan == plan })
			addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.2.1:0", World: w})
			sipp(t, uacTop+`<recv response="`+status+`"/>`+ackRefusal+`</scenario>`, "-s", n, "-i", "127.40.2.2", "-mi", "127.40.2.2", addr.String())
			lines := stop()
			refused := only(t, lines, truth.Refused)
			if itoa(refused.Status) != status || refused.Number != n {
				t.Errorf("refused: %+v", refused)
			}
			if got := kinds(lines, refused.CallID); !slices.Equal(got, []truth.Kind{truth.Invite, truth.Refused, truth.End}) {
				t.Errorf("kinds: %v", got)
			}
		})
	}
}

func TestCancelWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(3, 0.3)
	n := number(t, w, func(b Behaviour) bool { return b.Plan == NoAnswer })
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.3.1:0", World: w})
	sipp(t, uacTop[:strings.Index(uacTop, `<recv response="100"`)]+`<recv response="100" optional="true"/><recv response="180"/>`+cancel+
		`<recv response="200"/><recv response="487"/>`+ackRefusal+`</scenario>`, "-s", n, "-i", "127.40.3.2", "-mi", "127.40.3.2", addr.String())
	lines := stop()
	id := only(t, lines, truth.Invite).CallID
	want := []truth.Kind{truth.Invite, truth.Ringing, truth.Cancel, truth.Refused, truth.End}
	if got := kinds(lines, id); !slices.Equal(got, want) {
		t.Errorf("kinds: %v, want %v", got, want)
	}
}

// The 200 to the INVITE leaves before the 200 to the CANCEL, and no 487 comes.
func TestGlareWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(4, 0.3)
	n := number(t, w, func(b Behaviour) bool { return b.Plan == NoAnswer && b.Manner == Plain })
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.4.1:0", World: w, Trouble: Trouble{Crossed: []int{1}}, Linger: 300 * time.Millisecond})
	sipp(t, uacTop[:strings.Index(uacTop, `<recv response="100"`)]+`<recv response="100" optional="true"/><recv response="180"/>`+
		strings.Replace(cancel, ` retrans="500"`, "", 1)+
		ok200+`<recv response="200"/>`+bye+`</scenario>`, "-s", n, "-i", "127.40.4.2", "-mi", "127.40.4.2", addr.String())
	lines := stop()
	id := only(t, lines, truth.Invite).CallID
	want := []truth.Kind{truth.Invite, truth.Ringing, truth.Cancel, truth.Glare, truth.Answered, truth.Ack, truth.Bye, truth.End}
	if got := kinds(lines, id); !slices.Equal(got, want) {
		t.Errorf("kinds: %v, want %v", got, want)
	}
	if end := only(t, lines, truth.End); !end.Answered || !end.Silence {
		t.Errorf("end: %+v", end)
	}
}

// A callee that nobody speaks to hangs up by itself, and the log says so.
func TestPatienceWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(5, 0.5)
	w.Patience = 700 * time.Millisecond
	n := number(t, w, func(b Behaviour) bool { return b.Plan == Live && b.Ring < time.Second })
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.5.1:0", World: w, Linger: 300 * time.Millisecond})
	sipp(t, uacTop+ok200+`<recv request="BYE"/>`+byeOK+`</scenario>`, "-s", n, "-i", "127.40.5.2", "-mi", "127.40.5.2", addr.String())
	lines := stop()
	if b := only(t, lines, truth.Bye); b.By != truth.ByCallee || b.Text != "heard nobody" {
		t.Errorf("bye: %+v", b)
	}
}

// rawInvite is a dialer of a few lines: it sends an INVITE, ACKs the 200 and
// gives the status of each packet that came until quiet had passed after the 200.
func rawInvite(t *testing.T, to netip.AddrPort, number string, quiet time.Duration) (statuses []string) {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	local := conn.LocalAddr().String()
	head := func(method, tag string) string {
		return method + " sip:" + number + "@" + to.String() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + local + ";branch=z9hG4bK1" + method +
			"\r\nFrom: <sip:a@" + local + ">;tag=1\r\nTo: <sip:" + number + "@" + to.String() + ">" + tag + "\r\nCall-ID: raw\r\nCSeq: 1 " + method +
			"\r\nContact: <sip:a@" + local + ">\r\n"
	}
	sdp := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.40.6.2\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
	send := func(s string) {
		if _, err := conn.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	send(head("INVITE", "") + "Content-Length: " + itoa(len(sdp)) + "\r\n\r\n" + sdp)
	deadline := time.Now().Add(10 * time.Second)
	buf := make([]byte, 4096)
	for {
		if err := conn.SetReadDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			return statuses
		}
		f := strings.Fields(string(buf[:n]))
		if f[0] != "SIP/2.0" {
			continue
		}
		if f[1] == "200" && !slices.Contains(statuses, "200") {
			send(head("ACK", "") + "Content-Length: 0\r\n\r\n")
			deadline = time.Now().Add(quiet)
		}
		statuses = append(statuses, f[1])
	}
}

func TestManners(t *testing.T) {
	t.Parallel()
	w := Compressed(6, 0.5)
	cases := []struct {
		manner Manner
		want   []string          // in this order, each at least once
		times  map[string][2]int // least and most
	}{
		{Plain, []string{"100", "180", "200"}, map[string][2]int{"180": {1, 1}, "183": {0, 0}, "200": {1, 1}}},
		{ProgressFirst, []string{"100", "183", "180", "200"}, map[string][2]int{"180": {3, 12}, "183": {1, 1}, "200": {1, 1}}},
		{ManyRingings, []string{"100", "180", "200"}, map[string][2]int{"180": {11, 13}, "200": {1, 1}}},
		{AnsweredTwice, []string{"100", "180", "200"}, map[string][2]int{"180": {1, 1}, "200": {2, 2}}},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.want, " "), func(t *testing.T) {
			t.Parallel()
			n := number(t, w, func(b Behaviour) bool {
				return b.Plan == Live && b.Manner == c.manner && b.Ring > 2*time.Second && b.Ring < 2500*time.Millisecond
			})
			addr, _ := startCarrier(t, CarrierConfig{Listen: "127.40.6.1:0", World: w, Trouble: Trouble{Provisionals: true}, Linger: 300 * time.Millisecond})
			got := rawInvite(t, addr, n, 300*time.Millisecond)
			if compact := slices.Compact(slices.Clone(got)); !slices.Equal(compact, c.want) {
				t.Errorf("got %v", got)
			}
			for status, times := range c.times {
				n := 0
				for _, s := range got {
					if s == status {
						n++
					}
				}
				if n < times[0] || n > times[1] {
					t.Errorf("%d times %s, want %v", n, status, times)
				}
			}
		})
	}
}

// Three callees answer within 20 ms of each other, and no second burst comes
// once one of them was abandoned.
func TestBurstWithSipp(t *testing.T) {
	t.Parallel()
	w := Compressed(7, 0.9)
	w.Busy, w.Vacant, w.Failed, w.Rejected = 0, 0, 0, 0
	w.AnswerRate = 1
	w.Ring = Spread{Mean: time.Second, CV: 0.3, Least: 400 * time.Millisecond}
	addr, stop := startCarrier(t, CarrierConfig{
		Listen: "127.40.7.1:0", World: w, Linger: 300 * time.Millisecond,
		Trouble: Trouble{BurstFirst: 3, BurstAfter: 100 * time.Millisecond, BurstEvery: 500 * time.Millisecond},
	})
	sipp(t, uacTop+ok200+bye+`</scenario>`, "-m", "9", "-r", "3", "-rp", "1000", "-s", "+390550000001", "-i", "127.40.7.2", "-mi", "127.40.7.2", addr.String())
	lines := stop()
	burst := only(t, lines, truth.Burst)
	if burst.Count < 3 {
		t.Errorf("burst of %d", burst.Count)
	}
	together := 0
	for _, l := range lines {
		if d := l.At.Sub(burst.At); l.Kind == truth.Answered && d >= 0 && d < 20*time.Millisecond {
			together++
		}
	}
	if together != burst.Count {
		t.Errorf("%d answered in the burst of %d", together, burst.Count)
	}
	last := 0
	for _, l := range lines {
		if l.Kind == truth.Invite {
			last = max(last, l.Nth)
		}
	}
	if last != 9 {
		t.Errorf("the last INVITE is the %dth to its number, want 9", last)
	}
}

// A carrier that knows nothing of a call says so to whoever asks for it.
func TestOptionsOfACallThatIsNotThere(t *testing.T) {
	t.Parallel()
	addr, _ := startCarrier(t, CarrierConfig{Listen: "127.40.21.1:0", World: Compressed(1, 0.3)})
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for to, want := range map[string]string{"": "SIP/2.0 200", ";tag=gone": "SIP/2.0 481"} {
		ask := "OPTIONS sip:carrier@" + addr.String() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + conn.LocalAddr().String() + ";branch=z9hG4bK" + want[8:] + "\r\n" +
			"From: <sip:us@127.40.21.2>;tag=us\r\nTo: <sip:them@127.40.21.1>" + to + "\r\nCall-ID: over\r\nCSeq: 5 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
		if _, err := conn.Write([]byte(ask)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2000)
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), want) {
			t.Errorf("To%s: %q, %v; want %s", to, buf[:n], err, want)
		}
	}
}
