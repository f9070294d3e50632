package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
)

// A phone that is not ours, baresip, as the agent's: its recording holds the
// tone and then the customer, without a hole, and the customer hears its voice.
// Its audio comes from an address and a port that the desk has to learn.
func TestBaresipAndCustomerHearEachOther(t *testing.T) {
	d := desk(t, "127.20.60.1", func(c *Config) {
		c.MediaRanges = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	a.Connect(dialer.Remote{Addr: netip.MustParseAddrPort("127.20.60.2:9"), Codec: dialer.PCMA})
	phone := baresip(t, "127.20.60.2", 700, a.Local())
	await(t, "audio from the phone", func() bool { return !a.LastHeard().IsZero() })

	customer := opposite(t, d, "127.20.60.3", dialer.PCMU, nil)
	customer.more(2)
	d.Bridge(customer.audio, a, nil)
	voice := newClip(sine(1100, -10, 3*time.Second)).u
	customer.talk(len(voice)/frameSamples, frame, func(i int) []byte { return voice[i*frameSamples : (i+1)*frameSamples] })
	d.Part(a, dialer.Silence)
	continuous(t, customer.packets())

	heard := joined(customer.packets())
	if l := level(heard[len(heard)-2*rate:], lawU, 700); l < -15 || l > -5 {
		t.Errorf("the customer hears the phone at %.1f dBm0, want -10", l)
	}
	ear := phone.hangUp()
	checkEar(t, ear)
}

// checkEar looks at a recording in windows of 50 ms for the tone, then three
// seconds of the customer.
func checkEar(t *testing.T, ear []byte) {
	t.Helper()
	const window = rate / 20
	var tone, both, voice int
	for at := 0; at+window <= len(ear); at += window {
		hasTone := level(ear[at:at+window], lawA, 2300) > -25
		hasVoice := math.Abs(level(ear[at:at+window], lawA, 1100)+10) < 2
		switch {
		case hasTone && hasVoice:
			both++
		case hasTone:
			tone++
		case hasVoice:
			voice++
		}
	}
	if tone+both < 2 || tone+both > 4 {
		t.Errorf("the tone is heard for %d windows of 50 ms, want 3", tone+both)
	}
	if both == 0 {
		t.Error("no customer under the tone")
	}
	if voice+both < 50 {
		t.Errorf("the customer is heard whole for %d windows of 50 ms, want about 60", voice+both)
	}
}

// phone is a running baresip in a call.
type phone struct {
	t       *testing.T
	conn    *net.UDPConn
	host    string
	ok      string // its 200
	dir     string // where it records
	process *exec.Cmd
	ended   chan struct{}
}

// baresip starts a phone that says a tone, and calls it with a leg's address.
func baresip(t *testing.T, host string, hz float64, leg netip.AddrPort) *phone {
	t.Helper()
	dir := t.TempDir()
	var pcm []byte
	for _, v := range sine(hz, -10, 30*time.Second) {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(v))
	}
	for name, text := range map[string]string{
		"voice.wav": string(wav(format(wavePCM, 1, 16, rate), chunk("data", pcm))),
		"config": "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\n" +
			"sip_listen " + host + ":5060\nnet_interface " + host + "\naudio_source aufile," + dir + "/voice.wav\n" +
			"snd_path " + dir + "\naudio_alert aufile,/dev/null\nrtp_stats no\njitter_buffer_type off\n",
		"accounts": "<sip:agent@" + host + ">;answermode=auto;audio_codecs=PCMA;regint=0\n",
		"contacts": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &phone{t: t, host: host, dir: dir, ended: make(chan struct{})}
	p.process = exec.CommandContext(ctx, "baresip", "-f", dir, "-v")
	p.process.Cancel = func() error { return p.process.Process.Signal(os.Interrupt) }
	p.process.WaitDelay = patience
	var said bytes.Buffer
	p.process.Stdout, p.process.Stderr = &said, &said
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.WaitGroup
	once.Go(func() { p.process.Wait(); close(p.ended) })
	t.Cleanup(func() {
		cancel()
		once.Wait()
		if t.Failed() {
			t.Logf("baresip: %s", said.String())
		}
	})
	p.conn = newFarAt(t, leg.Addr().String()+":0")
	p.call(leg)
	return p
}

// call sends the INVITE until the phone answers, and ACKs.
func (p *phone) call(leg netip.AddrPort) {
	p.t.Helper()
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n", leg.Addr(), leg.Port())
	limit := time.After(patience)
	for p.ok == "" {
		p.send("INVITE", "", sdp)
		select {
		case <-limit:
			p.t.Fatal("the phone did not answer")
		default:
			p.ok = p.answer("INVITE", time.Second)
		}
	}
	p.send("ACK", p.ok, "")
}

// send sends a request; within the dialog when ok is its 200.
func (p *phone) send(method, ok, body string) {
	p.t.Helper()
	to, cseq, branch := "<sip:agent@"+p.host+">", 1, "z9hG4bK1"
	if ok != "" {
		_, rest, _ := strings.Cut(ok, "\r\nTo: ")
		to, _, _ = strings.Cut(rest, "\r\n")
		branch = "z9hG4bK" + method
	}
	if method == "BYE" {
		cseq = 2
	}
	here := p.conn.LocalAddr()
	text := fmt.Sprintf("%[1]s sip:agent@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=%[4]s\r\nMax-Forwards: 70\r\nFrom: <sip:desk@%[3]s>;tag=1\r\n"+
		"To: %[5]s\r\nCall-ID: 1@%[3]s\r\nCSeq: %[6]d %[1]s\r\nContact: <sip:desk@%[3]s>\r\nContent-Type: application/sdp\r\nContent-Length: %[7]d\r\n\r\n%[8]s",
		method, p.host, here, branch, to, cseq, len(body), body)
	if _, err := p.conn.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(p.host+":5060")); err != nil {
		p.t.Fatal(err)
	}
}

// answer waits for a 200 to a method; empty when none comes in time.
func (p *phone) answer(method string, limit time.Duration) string {
	buf := make([]byte, 4096)
	if err := p.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		p.t.Fatal(err)
	}
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return ""
		}
		if text := string(buf[:n]); strings.HasPrefix(text, "SIP/2.0 200") && strings.Contains(text, " "+method+"\r\n") {
			return text
		}
	}
}

// hangUp ends the call and the phone and returns what it heard, as A-law.
func (p *phone) hangUp() []byte {
	p.t.Helper()
	p.send("BYE", p.ok, "")
	if p.answer("BYE", patience) == "" {
		p.t.Fatal("the phone did not answer BYE")
	}
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatal("the phone did not end")
	}
	files, err := filepath.Glob(p.dir + "/dump-*-dec.wav")
	if err != nil || len(files) != 1 {
		p.t.Fatalf("recordings %v, error %v", files, err)
	}
	c, err := readWAV(files[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return c.a
}
