package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// stage is a house with its far ends: sipp as carrier and its customers, baresip
// as the agents' phones, where wanted kamailio between service and carrier. Every
// party has an address of its own in one small network.
type stage struct {
	*installation
	net     string // first three parts of every address
	dir     string
	service *process
	carrier *process
}

// stageOptions are what a test wants.
type stageOptions struct {
	net     string
	numbers []string      // to be called; the last digit says how the callee behaves
	talk    time.Duration // how long the customers 1 to 3 talk
	agents  int
	proxy   bool
	sip     string         // more of the configuration's sip, as ", key: value"
	says    map[int][]byte // what the customers say instead of their tones, in A-law, over and over
	carrier string         // sipp's scenario; empty: testdata/peers/carrier.xml
	more    string         // of the configuration, whole lines
	records string         // recording of the campaign; empty: off
}

// The hosts of a stage.
const (
	serviceHost = iota + 1
	carrierHost
	proxyHost
	phoneHost // and up
)

func (s *stage) host(n int) string { return s.net + "." + strconv.Itoa(n) }

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// agent is the name of an agent.
func (s *stage) agent(i int) string { return "agent" + strconv.Itoa(i+1) }

// setUp takes everything in with the commands that a manager would use, and
// starts far ends and service, phones aside.
func setUp(t testing.TB, o stageOptions) *stage {
	t.Helper()
	s := &stage{net: o.net, dir: t.TempDir()}
	trunk := s.host(carrierHost)
	if o.proxy {
		trunk = s.host(proxyHost)
	}
	began := time.Now().Format(time.RFC3339Nano)
	config := func(clock string) string {
		return fill(t, "pronto.yaml", "SERVICE", s.host(serviceHost), "TRUNK", trunk, "MORE_SIP", o.sip, "CLOCK", clock, "SINCE", began) + o.more
	}
	s.installation = install(t, config(callClock))
	s.take(o, config(applyClock))
	for i, f := range customerTones {
		said := o.says[i+1]
		if said == nil {
			said = encodeALaw(sine(f, time.Second))
		}
		writeFile(t, s.path(fmt.Sprintf("customer%d.al", i+1)), string(said))
	}
	if o.carrier == "" {
		o.carrier = fill(t, "carrier.xml", "TALK", strconv.FormatInt(o.talk.Milliseconds(), 10))
	}
	writeFile(t, s.path("carrier.xml"), o.carrier)
	s.carrier = startProcess(t, s.dir, "sipp", "-sf", "carrier.xml", "-i", s.host(carrierHost), "-p", "5060", "-mi", s.host(carrierHost), "-mp", "30000",
		"-m", strconv.Itoa(len(o.numbers)), "-nostdin", "-trace_err", "-error_file", "errors")
	if o.proxy {
		writeFile(t, s.path("kamailio.cfg"), fill(t, "kamailio.cfg", "PROXY", s.host(proxyHost)+":5060", "CARRIER", s.host(carrierHost)+":5060"))
		startProcess(t, s.dir, "kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", s.dir)
		s.awaitPort(proxyHost)
	}
	s.awaitPort(carrierHost)
	s.service = s.serve("--drain", "5s")
	return s
}

// take applies the campaign and loads list, register and agents.
func (s *stage) take(o stageOptions, applyConfig string) {
	s.t.Helper()
	apply := *s.installation
	apply.config = s.path("apply.yaml")
	writeFile(s.t, apply.config, applyConfig)
	leads, rpo := "id,phone\n", ""
	for i, n := range o.numbers {
		leads += fmt.Sprintf("P%d,%s\n", i, n)
		rpo += strings.TrimPrefix(n, "+39") + ",0,2026-11-24\n"
	}
	writeFile(s.t, s.path("leads.csv"), leads)
	writeFile(s.t, s.path("rpo.csv"), rpo)
	writeFile(s.t, s.path("campaign.yaml"), fill(s.t, "campaign.yaml")+"recording: "+cmp.Or(o.records, "off")+"\n")
	apply.do("campaign", "apply", s.path("campaign.yaml"))
	apply.do("leads", "load", "peers", s.path("leads.csv"))
	s.do("dnc", "import", "rpo", s.path("rpo.csv"), "--no-submission", "--reason", "test")
	for i := range o.agents {
		s.do("agent", "add", s.agent(i), "--password", "secret")
	}
}

// fill reads a file of testdata/peers and puts values in the place of names.
func fill(t testing.TB, name string, oldnew ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(oldnew...).Replace(string(text))
}

// awaitPort waits until a host has taken its SIP port.
func (s *stage) awaitPort(host int) {
	s.t.Helper()
	await(s.t, 20*time.Second, s.host(host)+" listens", func() bool {
		c, err := net.ListenPacket("udp", s.host(host)+":5060")
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
}

// phones is a baresip with agents' phones.
type phones struct {
	s       *stage
	host    string
	dir     string
	process *process
	agents  []string
}

// startPhones starts a baresip without a phone.
func (s *stage) startPhones(n int) *phones {
	s.t.Helper()
	p := &phones{s: s, host: s.host(phoneHost + n), dir: s.t.TempDir()}
	for i, f := range agentTones {
		writeFile(s.t, filepath.Join(p.dir, s.agent(i)+".wav"), wavFile(sine(f, time.Minute)))
	}
	writeFile(s.t, filepath.Join(p.dir, "config"), fill(s.t, "baresip.conf", "HOST", p.host, "FOLDER", p.dir))
	for _, name := range []string{"accounts", "contacts"} {
		writeFile(s.t, filepath.Join(p.dir, name), "")
	}
	p.process = startProcess(s.t, p.dir, "baresip", "-f", p.dir, "-v")
	await(s.t, 20*time.Second, "baresip's control port", func() bool {
		c, err := net.Dial("tcp", p.host+":4444")
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return p
}

// add gives an agent a phone, which registers, is called and begins to record. A
// recording's name tells the second of its beginning, so that the next phone must
// not come in the same one.
func (p *phones) add(i int, codec string) {
	p.s.t.Helper()
	p.addAt(i, codec, "5060")
}

// addAt is add by another port of the service, as "5061;transport=tls".
func (p *phones) addAt(i int, codec, port string) {
	p.s.t.Helper()
	name := p.s.agent(i)
	p.command("uanew", fmt.Sprintf("<sip:%[1]s@%[2]s:%[5]s>;auth_user=%[1]s;auth_pass=secret;answermode=auto;audio_codecs=%[3]s;regint=60;audio_source=aufile,%[4]s/%[1]s.wav",
		name, p.s.host(serviceHost), codec, p.dir, port))
	p.agents = append(p.agents, name)
	p.s.awaitState(name, 20*time.Second, dialer.NotReady)
	await(p.s.t, 5*time.Second, "a recording for each phone", func() bool { return len(p.recordings()) == len(p.agents) })
	// baresip names a recording by a clock that may be some milliseconds behind
	next := time.Unix(time.Now().Unix()+1, int64(50*time.Millisecond))
	await(p.s.t, 2*time.Second, "the next second", func() bool { return time.Now().After(next) })
}

// press has an agent press keys.
func (p *phones) press(agent, keys string) {
	p.s.t.Helper()
	p.command("uafind", fmt.Sprintf("sip:%s@%s:5060", agent, p.s.host(serviceHost)))
	p.command("sndcode", keys)
}

// command runs one of baresip's commands by its control port.
func (p *phones) command(name, params string) {
	p.s.t.Helper()
	c, err := net.DialTimeout("tcp", p.host+":4444", 5*time.Second)
	if err != nil {
		p.s.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		p.s.t.Fatal(err)
	}
	ask, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err != nil {
		p.s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "%d:%s,", len(ask), ask); err != nil {
		p.s.t.Fatal(err)
	}
	answer := make([]byte, 4096)
	for text := ""; !strings.Contains(text, `"response":true`); {
		n, err := c.Read(answer)
		if err != nil {
			p.s.t.Fatalf("baresip does not answer %s: %v", name, err)
		}
		text += string(answer[:n])
	}
}

// recordings are the files of what the agents hear, in the order of the phones.
func (p *phones) recordings() []string {
	p.s.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if err != nil {
		p.s.t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// heard is what an agent heard during the shift.
func (p *phones) heard(agent string) []int16 {
	p.s.t.Helper()
	files, i := p.recordings(), slices.Index(p.agents, agent)
	if len(files) != len(p.agents) || i < 0 {
		p.s.t.Fatalf("recordings %v of %v", files, p.agents)
	}
	return readRecording(p.s.t, files[i])
}

// awaitState waits until an agent is in one of the states.
func (s *stage) awaitState(agent string, patience time.Duration, states ...dialer.AgentState) {
	s.t.Helper()
	await(s.t, patience, fmt.Sprintf("%s %v", agent, states), func() bool {
		live, ok := s.live()
		return ok && slices.ContainsFunc(live.Agents, func(a dialer.AgentLive) bool { return a.Name == agent && slices.Contains(states, a.State) })
	})
}

// finish waits until the carrier has had all its calls, each as its scenario has
// it, and ends the service in good order.
func (s *stage) finish(patience time.Duration) {
	s.t.Helper()
	s.carrier.wait(patience)
	await(s.t, 10*time.Second, "the end of the last call", func() bool {
		live, ok := s.live()
		return ok && live.Lines() == 0
	})
	s.service.stop(os.Interrupt, 20*time.Second)
}

// record waits for a record of the journal.
func (s *stage) record(kind journal.Kind, want func(journal.Record) bool) journal.Record {
	s.t.Helper()
	var found journal.Record
	await(s.t, 20*time.Second, "a record of kind "+string(kind), func() bool {
		all := s.records(kind)
		i := slices.IndexFunc(all, want)
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

// records reads the journal.
func (s *stage) records(kinds ...journal.Kind) []journal.Record {
	s.t.Helper()
	var out []journal.Record
	for r, err := range journal.Read(filepath.Join(s.data, journalFolder), journal.ReadOptions{Kinds: kinds}) {
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}
