package trunk

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
)

// program starts a test peer and stops it at the end of the test. A peer that is
// not installed fails the test.
func program(t *testing.T, name string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed for this test: %v; make setup installs it", name, err)
	}
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.Dir = t.TempDir()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Signal(os.Interrupt)
		select {
		case <-p.done:
		case <-time.After(3 * time.Second):
			p.cmd.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.out.String())
		}
	})
	return p
}

type process struct {
	name string
	cmd  *exec.Cmd
	out  output
	done chan struct{}
	err  error
}

// output collects what a process says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// ha1 is what an account stores of a password.
func ha1(name, realm, password string) string {
	sum := md5.Sum([]byte(name + ":" + realm + ":" + password))
	return hex.EncodeToString(sum[:])
}

// roster is a fixed set of accounts.
type roster map[string]dialer.Account

func (r roster) Account(name string) (dialer.Account, bool) {
	a, ok := r[name]
	return a, ok
}

func oneAgent(name string) roster {
	return roster{name: {Name: name, HA1: ha1(name, "pronto", "secret")}}
}

// baresip starts a phone on a host that registers with ep as name and answers at once.
func baresip(t *testing.T, ep *Endpoint, host, name, transport string) *process {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/tone.wav", tone(440, time.Minute))
	write(t, dir+"/config", "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\n"+
		"module_tmp account.so\nmodule_app menu.so\nsip_listen "+host+":0\nnet_interface "+host+"\n"+
		"audio_source aufile,"+dir+"/tone.wav\naudio_player aufile,"+dir+"/heard.wav\naudio_alert aufile,/dev/null\n"+
		"rtp_stats no\njitter_buffer_type off\n")
	registrar := ep.Addr()
	if transport == "tls" {
		registrar = ep.secure.listen
	}
	write(t, dir+"/accounts", "<sip:"+name+"@"+registrar.String()+";transport="+transport+">;auth_user="+name+
		";auth_pass=secret;answermode=auto;audio_codecs=PCMU,PCMA;regint=60\n")
	write(t, dir+"/contacts", "")
	return program(t, "baresip", "-f", dir, "-v")
}

// tone is a WAV file of a sine, 8 kHz, 16 bits, mono.
func tone(hz float64, d time.Duration) string {
	n := int(8000 * d.Seconds())
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	le := binary.LittleEndian
	b = le.AppendUint32(b, 16)
	for _, v := range []uint16{1, 1} {
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(le.AppendUint32(b, 8000), 16000)
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(2*n))
	for i := range n {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/8000))))
	}
	le.PutUint32(b[4:], uint32(len(b)-8))
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newPhones(t *testing.T, a Accounts, change ...func(*Config)) *Endpoint {
	t.Helper()
	cfg := Config{Listen: netip.MustParseAddrPort(ourHost + ":0"), Accounts: a}
	for _, c := range change {
		c(&cfg)
	}
	ep, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ep.Close)
	return ep
}
