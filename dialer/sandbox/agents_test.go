package sandbox

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// startAgents runs agents until the test ends or stop is called.
func startAgents(t *testing.T, cfg AgentsConfig) (stop func() []truth.Line) {
	t.Helper()
	cfg.Log = filepath.Join(t.TempDir(), "agents.jsonl")
	ready := make(chan struct{})
	cfg.Ready = func() { close(ready) }
	return running(t, cfg.Log, func(ctx context.Context) error { return RunAgents(ctx, cfg) }, func(done <-chan error) (err error) {
		select {
		case <-ready:
		case err = <-done:
		}
		return err
	})
}

// registrar is sipp as a registrar that challenges, checks the password, and calls
// nobody.
const registrar = `<?xml version="1.0"?><scenario name="registrar">
<recv request="REGISTER"/>
<send><![CDATA[
SIP/2.0 401 Unauthorized
[last_Via:]
[last_From:]
[last_To:];tag=r[call_number]
[last_Call-ID:]
[last_CSeq:]
WWW-Authenticate: Digest realm="pronto", nonce="abcdef", qop="auth", algorithm=MD5
Content-Length: 0

]]></send>
<recv request="REGISTER" auth="true"><action>
<ereg regexp="sip:agent01@127.40.20.2:[0-9]+" search_in="hdr" header="Contact:" check_it="true" assign_to="1"/>
<verifyauth assign_to="2" username="agent01" password="secret"/>
</action></recv>
<nop hide="true" test="2" next="good"/>
<send next="end"><![CDATA[
SIP/2.0 403 Forbidden
[last_Via:]
[last_From:]
[last_To:];tag=r[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="good"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=r[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:];expires=30
Content-Length: 0

]]></send>
<label id="end"/>
<Reference variables="1"/>
</scenario>`

func TestAgentRegistersWithSipp(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]truth.Kind{"secret": truth.Registered, "wrong": truth.Unregistered} {
		t.Run(password, func(t *testing.T) {
			stop := startAgents(t, AgentsConfig{Registrar: "127.40.20.1:5060", Count: 1, First: "127.40.20.2", Password: password, Retry: time.Minute})
			sipp(t, registrar, "-i", "127.40.20.1", "-p", "5060")
			lines := stop()
			if got := lines[1]; got.Kind != want || got.Agent != "agent01" || (want == truth.Registered && got.Count != 30) {
				t.Errorf("%+v", lines)
			}
		})
	}
}

// The agent hears the customer, presses a key for the disposition once the
// customer has gone, and its call ends by the dialer's BYE.
func TestAgentTalksWithSipp(t *testing.T) {
	t.Parallel()
	stop := startAgents(t, AgentsConfig{
		Registrar: "127.40.21.1:5070", Count: 2, First: "127.40.21.2", Password: "secret",
		Keys: []Key{{Digit: '3', Share: 1, After: 400 * time.Millisecond}},
	})
	voice := tones.Voice{Side: tones.Callee, Index: 17}
	sipp(t, uacTop+ok200+`
<nop><action><exec rtp_stream="`+speech(t, voice, tones.PCMA)+`,1,8"/></action></nop>
<pause milliseconds="2500"/>`+bye+`</scenario>`, "-s", "agent02", "-i", "127.40.21.1", "-mi", "127.40.21.1", "-mp", "17000", "127.40.21.3:5060")
	lines := stop()
	up := only(t, lines, truth.CallUp)
	if up.Agent != "agent02" || up.Voice != "agent02" {
		t.Errorf("call up: %+v", up)
	}
	_, total := heardAll(t, lines, voice)
	if total < 500*time.Millisecond || total > 1500*time.Millisecond {
		t.Errorf("a second of speech was heard for %s", total)
	}
	digits := 0
	var gone time.Time // of the customer, when last heard
	for _, l := range lines {
		if l.Kind == truth.Heard {
			gone = l.Until
		}
		if (l.Kind == truth.Heard || l.Kind == truth.Digit) && (l.Agent != "agent02" || l.CallID != up.CallID) {
			t.Errorf("another agent's or call's: %+v", l)
		}
		if l.Kind == truth.Digit {
			digits++
			if l.Text != "3" || gone.IsZero() || l.At.Sub(gone) < 350*time.Millisecond {
				t.Errorf("digit %+v, customer gone at %s", l, gone)
			}
		}
	}
	if digits == 0 {
		t.Error("no digit pressed")
	}
	if down := only(t, lines, truth.CallDown); down.By != truth.ByDialer || down.Lost != 0 || down.Sources != 1 {
		t.Errorf("call down: %+v", down)
	}
}

// A phone that vanishes says nothing, neither BYE nor REGISTER, and hears nothing; it
// comes back by registering.
func TestAgentVanishesWithSipp(t *testing.T) {
	t.Parallel()
	stop := startAgents(t, AgentsConfig{
		Registrar: "127.40.22.1:5070", Count: 1, First: "127.40.22.2", Password: "secret",
		Vanish: []Vanishing{{Agent: "agent01", After: 600 * time.Millisecond, Back: time.Second}},
	})
	sipp(t, uacTop+ok200+`
<nop><action><exec rtp_stream="`+speech(t, tones.Voice{Side: tones.Callee, Index: 3}, tones.PCMA)+`,-1,8"/></action></nop>
<recv request="BYE" timeout="1800" ontimeout="dark"/>
<recv response="999" timeout="100"/>
<label id="dark"/>
<nop/>
</scenario>`, "-s", "agent01", "-i", "127.40.22.1", "-mi", "127.40.22.1", "-mp", "18000", "127.40.22.2:5060")
	lines := stop()
	gone := only(t, lines, truth.Vanish)
	back := only(t, lines, truth.Back)
	if d := back.At.Sub(gone.At); d < 900*time.Millisecond || d > 1500*time.Millisecond {
		t.Errorf("away for %s", d)
	}
	heard := 0
	for _, l := range lines {
		if l.Kind == truth.Heard {
			heard++
			if l.Until.After(gone.At.Add(30 * time.Millisecond)) {
				t.Errorf("heard %+v after vanishing at %s", l, gone.At)
			}
		}
		if l.Kind == truth.CallDown {
			t.Errorf("the call ended with a word: %+v", l)
		}
	}
	if heard == 0 {
		t.Error("nothing was heard before")
	}
}

func TestRoomsShareTheNumbersOfAgents(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct{ before, count int }{"none": {0, 0}, "less than none": {-1, 1}, "too many": {MostAgents - 3, 4}} {
		cfg := AgentsConfig{Registrar: "127.40.20.1:5060", First: "127.40.21.2", Before: c.before, Count: c.count, Log: filepath.Join(t.TempDir(), "agents.log")}
		if err := RunAgents(ctx, cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r := &room{cfg: AgentsConfig{First: "127.40.21.2", Port: 5060, Before: 5, Count: 2}, loop: loop.New()}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, a := range r.agents {
			a.ua.Silence()
		}
	}()
	if len(r.agents) != 2 || r.agents[0].name != "agent06" || r.agents[1].name != "agent07" {
		t.Errorf("after five others come %v", r.agents)
	}
}
