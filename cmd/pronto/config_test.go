package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/dscp"
	"pronto/dialer/trunk"
)

func TestConfigRefusesWhatItCannotRead(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":                      {"", ""},
		"callbacks":                  {"callbacks: {channels: 3, wait: 20s, prompt: who}\n", ""},
		"too many callbacks":         {"callbacks: {channels: 5000}\n", "callbacks.channels: 5000: give 1 to 1000"},
		"a callback that waits on":   {"callbacks: {wait: 2h}\n", "callbacks.wait: 2h0m0s: give 1s to 10m"},
		"a rehearsal on loopback":    {"rehearsal: {clock: 2026-11-24T10:00:00+01:00}\ntrunks: [{name: a, address: \"127.0.0.2:5060\"}]\n", ""},
		"a rehearsal on a real one":  {"rehearsal: {clock: 2026-11-24T10:00:00+01:00}\ntrunks: [{name: a, address: \"8.8.4.4:5060\"}]\n", "only with trunks on loopback"},
		"a rehearsal on a name":      {"rehearsal: {clock: 2026-11-24T10:00:00+01:00}\ntrunks: [{name: a, address: \"localhost:5060\"}]\n", "only with trunks on loopback"},
		"a clock that is none":       {"rehearsal: {clock: garbage}\ntrunks: [{name: a, address: \"8.8.4.4:5060\"}]\n", `"garbage" is no time`},
		"a clock without its zone":   {"rehearsal: {clock: 2026-11-24T10:00:00}\n", "is no time with its zone"},
		"since without a clock":      {"rehearsal: {since: 2026-11-24T10:00:00Z}\n", "give both or neither"},
		"a key that does not exist":  {"sip: {lisen: 127.0.0.1:5060}\n", "lisen: no such key: did you mean listen?"},
		"a key of a trunk misspelt":  {"trunks: [{number_fromat: e164}]\n", "did you mean number_format?"},
		"a time without its unit":    {"trunks: [{health: 30}]\n", `"30" is no time: write it as 30s`},
		"a key far from any":         {"tea: {milk: true}\n", "unknown field"},
		"what the library panics on": {"trunks: !0\n0", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pronto.yaml")
			writeFile(t, file, test.text)
			_, err := loadConfig(file)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one that says %q", err, test.want)
			case test.want != "" && statusOf(err) != statusInvalid:
				t.Errorf("status %d, want %d", statusOf(err), statusInvalid)
			}
		})
	}
}

func TestSessionsLiveLongEnough(t *testing.T) {
	for text, want := range map[string]string{
		"sip: {session_expires: 90s}":                          "",
		"sip: {session_expires: 2s, timers: {min_se: 1s}}":     "",
		"sip: {session_expires: 89s}":                          "session_expires: 1m29s: from 1m30s to 24h0m0s",
		"sip: {session_expires: 25h}":                          "session_expires",
		"sip: {session_expires: 90s, timers: {min_se: 500ms}}": "session_expires",
	} {
		file := filepath.Join(t.TempDir(), "pronto.yaml")
		writeFile(t, file, text+"\n")
		c, err := loadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.trunk(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestRehearsalClockGoesOnOverARestart(t *testing.T) {
	since := time.Now().Add(-time.Hour)
	c := config{Rehearsal: rehearsalConfig{Clock: &instant{time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}, Since: &instant{since}}}
	if got := c.now(time.Now())().Sub(c.Rehearsal.Clock.Time); got < time.Hour || got > time.Hour+time.Minute {
		t.Errorf("an hour after since the clock has gone on by %s", got)
	}
}

// All that is wrong with the trunks is said at once, each with its field, its
// value and how to mend it.
func TestConfigSaysAllThatIsWrongWithTrunks(t *testing.T) {
	c := config{SIP: sipConfig{Listen: "127.0.0.1:5060", Codecs: []string{"opus"}, TLS: sipTLS{Listen: "5061"}}, Trunks: []trunkConfig{
		{Name: "a", Address: "a", Codecs: []string{"g729"}, Sources: []string{"here"}, Asserted: "anonymous"},
		{Name: "b", Address: "b", NumberFormat: "national"},
	}}
	_, err := c.trunk()
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		`sip.codecs: "opus": one of`, `trunks[0].codecs: "g729": one of`, `trunks[0].sources[0]: "here": give a network`,
		"trunks[0].asserted: anonymous: one of pai", `sip.tls.listen: "5061": give an address and port`, "trunks[1].country", "as in country: IT",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestConfigPlacesFilesBesideItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pronto.yaml")
	writeFile(t, file, "sip: {tls: {listen: \"127.0.0.1:5061\", certificate: a.pem, key: /b.pem}}\nrules: [r.yaml]\n"+
		"trunks: [{name: a, address: sip.example, transport: tls, tls: {ca: ca.pem, server_name: x.example}, proxy: \"sip:p.example;lr\", username: u, register: true, expires: 5m, shaken: {certificate: \"https://x.example/c.pem\", key: s.key, attest: B}},\n"+
		"  {name: b, address: sip.example, health: 0}]\n")
	c, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	for got, want := range map[string]string{
		c.SIP.TLS.Certificate: filepath.Join(dir, "a.pem"), c.SIP.TLS.Key: "/b.pem", c.Trunks[0].TLS.CA: filepath.Join(dir, "ca.pem"),
		c.Trunks[0].Shaken.Key: filepath.Join(dir, "s.key"), c.Trunks[0].Shaken.Certificate: "https://x.example/c.pem",
		c.Rules[0]: filepath.Join(dir, "r.yaml"), c.Trunks[0].TLS.Certificate: "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	out, err := c.trunk()
	if err != nil || out.Trunks[0].TLS.ServerName != "x.example" || out.Trunks[0].Proxy != "sip:p.example;lr" || out.TLS.Listen.Port() != 5061 ||
		out.Trunks[0].Shaken.Attest != trunk.Partial || !out.Trunks[0].Register || out.Trunks[0].Expires != 5*time.Minute || out.Trunks[0].Health != 30*time.Second || out.Trunks[1].Health != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestConfigOfWhatNetworksSee(t *testing.T) {
	for name, test := range map[string]struct {
		sip   sipConfig
		media mediaConfig
		shown string // in SDP; empty: the socket's own address
		marks [2]dscp.Class
		err   string
	}{
		"defaults":            {marks: [2]dscp.Class{24, 46}},
		"a public address":    {sip: sipConfig{Public: "192.0.2.7"}, shown: "192.0.2.7", marks: [2]dscp.Class{24, 46}},
		"a public name":       {sip: sipConfig{Public: "sip.example"}, marks: [2]dscp.Class{24, 46}},
		"another one for SDP": {sip: sipConfig{Public: "192.0.2.7"}, media: mediaConfig{Public: "192.0.2.8"}, shown: "192.0.2.8", marks: [2]dscp.Class{24, 46}},
		"marks":               {sip: sipConfig{DSCP: "af31"}, media: mediaConfig{DSCP: "0"}, marks: [2]dscp.Class{26, 0}},
		"a name in SDP":       {media: mediaConfig{Public: "sip.example"}, err: `media.public_address: "sip.example": give an IP address`},
		"no mark for SIP":     {sip: sipConfig{DSCP: "voice"}, err: `sip.dscp: "voice": one of ef, cs0 to cs7`},
		"no mark for audio":   {media: mediaConfig{DSCP: "64"}, err: `media.dscp: "64": one of`},
	} {
		c := config{SIP: test.sip, Media: test.media}
		c.SIP.Listen, c.Media.Ports = "127.0.0.1:5060", "20000-29999"
		tc, err1 := c.trunk()
		mc, err2 := c.media()
		err := errors.Join(err1, err2)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q", name, err, test.err)
			}
			continue
		}
		shown := ""
		if mc.Advertise.IsValid() {
			shown = mc.Advertise.String()
		}
		if err != nil || shown != test.shown || [2]dscp.Class{tc.DSCP, mc.DSCP} != test.marks {
			t.Errorf("%s: SDP shows %q, marks %d and %d, %v", name, shown, tc.DSCP, mc.DSCP, err)
		}
	}
}

// Every configuration that the manual shows as a whole is taken.
func TestConfigTakesTheManualsExamples(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for i, block := range strings.Split(string(manual), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if !strings.Contains(text, "\ntrunks:") {
			continue
		}
		file := filepath.Join(t.TempDir(), "pronto.yaml")
		writeFile(t, file, text)
		c, err := loadConfig(file)
		if err == nil {
			_, err = c.trunk()
		}
		if err == nil {
			_, err = c.media()
		}
		if err != nil {
			t.Errorf("example %d: %v", i+1, err)
		}
		taken++
	}
	if taken < 3 {
		t.Errorf("%d examples", taken)
	}
}
