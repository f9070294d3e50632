package media

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
)

// The benchmark's bounds: a number of calls is held when nothing is lost and
// 99 of 100 packets are relayed within mayTake.
const (
	mayTake   = 10 * time.Millisecond
	rounds    = 3
	fineness  = 50 // calls; how finely the largest number held is found
	mostCalls = 4000
)

// BenchmarkBridgedCalls finds how many bridged G.711 calls, 50 packets a second
// each way, a relay on one core holds: a desk, and rtpengine in userspace, by turns, with
// one generator on the other core. The medians of three rounds are reported.
func BenchmarkBridgedCalls(b *testing.B) {
	if _, err := exec.LookPath("rtpengine"); err != nil {
		b.Fatalf("rtpengine, the peer of this benchmark, is not installed: apt-get install rtpengine-daemon: %v", err)
	}
	for b.Loop() {
		held := map[string][]float64{}
		for range rounds {
			for _, name := range []string{"pronto", "rtpengine"} {
				held[name] = append(held[name], float64(largest(b, name)))
			}
		}
		for name, all := range held {
			slices.Sort(all)
			b.Logf("%s held %v calls", name, all)
			b.ReportMetric(all[len(all)/2], name+"-calls")
		}
		b.ReportMetric(held["pronto"][rounds/2]/held["rtpengine"][rounds/2], "times-rtpengine")
	}
}

// BenchmarkBridgedCost is what some numbers of calls cost either relay.
func BenchmarkBridgedCost(b *testing.B) {
	for _, name := range []string{"pronto", "rtpengine"} {
		for _, calls := range []int{250, 500, 1000, 2000} {
			b.Run(fmt.Sprintf("%s/%d", name, calls), func(b *testing.B) {
				for b.Loop() {
					f := carry(b, name, calls)
					b.ReportMetric(100*f.CPU.Seconds()/f.Wall.Seconds(), "%core")
					b.ReportMetric(float64(f.CPU.Nanoseconds())/1000/float64(f.Received), "us/packet")
					b.ReportMetric(float64(f.Sent-f.Received), "lost")
					b.ReportMetric(f.P50.Seconds()*1000, "p50-ms")
					b.ReportMetric(f.P99.Seconds()*1000, "p99-ms")
					b.ReportMetric(f.Late.Seconds()*1000, "generator-late-ms")
					b.ReportMetric(0, "ns/op")
				}
			})
		}
	}
}

// largest is the largest number of calls that a relay holds, by halving. A
// number counts as held when one of two tries holds it: other work on the machine spoils some.
func largest(b *testing.B, name string) int {
	low, high := 0, mostCalls/fineness
	for high-low > 1 {
		calls := (low + high) / 2 * fineness
		f := carry(b, name, calls)
		if !f.held() {
			f = carry(b, name, calls)
		}
		b.Logf("%s, %d calls: %+v, held %t", name, calls, f, f.held())
		if f.held() {
			low = calls / fineness
		} else {
			high = calls / fineness
		}
	}
	return low * fineness
}

// figures is what one run of the generator found.
type figures struct {
	Sent, Received int
	P50, P99, Max  time.Duration // sent by the generator to delivered to it, by the kernel's clock
	Late           time.Duration // how far the generator fell behind its own schedule
	CPU, Wall      time.Duration // of the relay
}

func (f figures) held() bool { return f.Received == f.Sent && f.P99 < mayTake }

// carry runs a number of calls through a relay: pronto, recorded (pronto, which records all of them) or rtpengine.
func carry(b *testing.B, name string, calls int) figures {
	b.Helper()
	generator := start(b, 1, "MEDIA_BENCH=generator", os.Args[0])
	defer generator.end()
	customers, agents := generator.address(), generator.address()
	var relay *child
	var legs []netip.AddrPort
	if name == "rtpengine" {
		relay, legs = rtpengine(b, calls, customers, agents)
	} else {
		relay = start(b, 0, "MEDIA_BENCH=relay", os.Args[0])
		recordings := "-"
		if name == "recorded" {
			recordings = b.TempDir()
		}
		relay.put(fmt.Sprintf("%d %s %s %s", calls, customers, agents, recordings))
		for range 2 * calls {
			legs = append(legs, relay.address())
		}
	}
	defer relay.end()
	generator.put(strconv.Itoa(calls))
	for _, l := range legs {
		generator.put(l.String())
	}
	if line := generator.get(); line != "ready" {
		b.Fatalf("generator: %s", line)
	}
	began, before := time.Now(), relay.cpu()
	var f figures
	if err := json.Unmarshal([]byte(generator.get()), &f); err != nil {
		b.Fatal(err)
	}
	f.CPU, f.Wall = relay.cpu()-before, time.Since(began)
	return f
}

// child is a process on a core of its own, before all others on it.
type child struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(b *testing.B, core int, environment string, command ...string) *child {
	b.Helper()
	// Where the kernel groups processes by session, a session's niceness counts, not the process's.
	const script = `echo -15 2>/dev/null >/proc/$$/autogroup; exec nice -n -15 taskset -c "$0" "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, strconv.Itoa(core)}, command...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append(os.Environ(), environment, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	for _, err := range []error{err1, err2, cmd.Start()} {
		if err != nil {
			b.Fatal(err)
		}
	}
	return &child{b, cmd, in, bufio.NewScanner(out)}
}

// end stops the process.
func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait() // however it ends
}

func (c *child) put(line string) { fmt.Fprintln(c.in, line) }

func (c *child) get() string {
	c.b.Helper()
	if !c.out.Scan() {
		c.b.Fatalf("process ended: %v", c.cmd.Wait())
	}
	return c.out.Text()
}

func (c *child) address() netip.AddrPort {
	c.b.Helper()
	line := c.get()
	a, err := netip.ParseAddrPort(line)
	if err != nil {
		c.b.Fatalf("not an address: %q", line)
	}
	return a
}

// cpu is the processor time that the process has used.
func (c *child) cpu() time.Duration {
	c.b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		c.b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// benchRole runs one of the processes of BenchmarkBridgedCalls, when this is one.
func benchRole() bool {
	var err error
	switch os.Getenv("MEDIA_BENCH") {
	case "relay":
		err = benchRelay(bufio.NewScanner(os.Stdin))
	case "generator":
		err = benchGenerator(bufio.NewScanner(os.Stdin))
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// benchRelay is a desk with bridged calls, until its input ends. It records them into a folder unless that is -.
func benchRelay(in *bufio.Scanner) error {
	in.Scan()
	var calls int
	var far [2]string
	var recordings string
	if _, err := fmt.Sscan(in.Text(), &calls, &far[0], &far[1], &recordings); err != nil {
		return err
	}
	d, err := New(Config{Address: netip.MustParseAddr("127.64.101.1"), PortMin: 10000, PortMax: 39999, Tone: Tone{Off: true}})
	if err != nil {
		return err
	}
	defer d.Close()
	var r *Recorder
	if recordings != "-" {
		if r, err = NewRecorder(d, RecorderConfig{Dir: recordings, Free: func(string) (uint64, error) { return 1 << 40, nil }}); err != nil {
			return err
		}
		defer r.Close()
	}
	legs := make([]dialer.Audio, 2*calls)
	for i := range legs {
		if legs[i], err = d.Open(nil); err != nil {
			return err
		}
		to, err := netip.ParseAddrPort(far[i%2])
		if err != nil {
			return err
		}
		legs[i].Connect(dialer.Remote{Addr: to, Codec: dialer.PCMA, Digits: 101})
		if i%2 == 1 {
			d.Bridge(legs[i-1], legs[i], nil)
			if r != nil {
				r.Record(legs[i-1], legs[i], benchTake(i))
			}
		}
	}
	out := bufio.NewWriter(os.Stdout)
	for _, l := range legs {
		fmt.Fprintln(out, l.Local())
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for in.Scan() {
	}
	return in.Err()
}
