package media

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
)

// BenchmarkRelay is one packet through a bridge, from the buffer it was read
// into to the socket it leaves by.
func BenchmarkRelay(b *testing.B) {
	for _, c := range []struct {
		name     string
		from, to dialer.Codec
	}{
		{"untouched", dialer.PCMA, dialer.PCMA},
		{"converted", dialer.PCMA, dialer.PCMU},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := desk(b, "127.20.100.1", func(c *Config) { c.Tone.Off = true })
			customer, src := drained(b, d, c.from)
			agent, _ := drained(b, d, c.to)
			d.Bridge(customer, agent, nil)
			l := customer.(*leg)
			buf := make([]byte, headerLen+frameSamples)
			p := packet{payloadType: uint8(c.from), ssrc: 1}
			b.ReportAllocs()
			for b.Loop() {
				p.seq++
				p.stamp += frameSamples
				putHeader(buf, p)
				l.receive(buf, src)
			}
		})
	}
}

// drained is a leg whose far end reads everything and keeps nothing.
func drained(b *testing.B, d *Desk, codec dialer.Codec) (dialer.Audio, netip.AddrPort) {
	b.Helper()
	conn := newFarAt(b, "127.20.100.2:0")
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, maxPacket)
		for {
			if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
		}
	})
	b.Cleanup(func() { conn.Close(); reading.Wait() })
	a, err := d.Open(nil)
	if err != nil {
		b.Fatal(err)
	}
	src := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	a.Connect(dialer.Remote{Addr: src, Codec: codec})
	return a, src
}

// BenchmarkBed is one frame of bed on one leg.
func BenchmarkBed(b *testing.B) {
	d := desk(b, "127.20.100.4", nil)
	a, _ := drained(b, d, dialer.PCMA)
	d.Part(a, dialer.Comfort)
	l := a.(*leg)
	due := time.Hour // beyond anything the clock sends
	b.ReportAllocs()
	for b.Loop() {
		due += frame
		l.tick(due)
	}
}

// BenchmarkCalls carries bridged calls, 50 packets a second each way, through a
// desk that has one core, with the far ends in another process on another core.
// One iteration is ten seconds.
func BenchmarkCalls(b *testing.B) {
	for _, calls := range []int{250, 500, 750, 1000} {
		b.Run(strconv.Itoa(calls), func(b *testing.B) {
			for b.Loop() {
				measure(b, calls)
			}
		})
	}
}

// figures is what the two processes of BenchmarkCalls report.
type figures struct {
	Sent, Received int
	P50, P99, Max  time.Duration // packet sent to packet received
	CPU, Wall      time.Duration // of the desk
	RSS            int64         // of the desk, bytes
}

func measure(b *testing.B, calls int) {
	relay, generator := start(b, "relay", 0, calls), start(b, "generator", 1, calls)
	for range 2 * calls { // addresses of the legs
		generator.put(relay.get())
	}
	for range 2 * calls { // addresses of the far ends
		relay.put(generator.get())
	}
	generator.put(relay.get()) // ready
	relay.put(generator.get()) // done
	sent, cost := figures{}, figures{}
	for _, x := range []struct {
		c *child
		f *figures
	}{{generator, &sent}, {relay, &cost}} {
		if err := json.Unmarshal([]byte(x.c.get()), x.f); err != nil {
			b.Fatal(err)
		}
		if err := x.c.cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cost.CPU.Nanoseconds())/1000/float64(sent.Received), "us/packet")
	b.ReportMetric(100*cost.CPU.Seconds()/cost.Wall.Seconds(), "%core")
	b.ReportMetric(100*float64(sent.Sent-sent.Received)/float64(sent.Sent), "%lost")
	b.ReportMetric(float64(sent.P50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(sent.P99.Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(sent.Max.Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(cost.RSS)/1e6, "MB")
	b.ReportMetric(0, "ns/op")
}

// child is one of the two processes: this test binary, in a role, on one core.
type child struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func start(b *testing.B, role string, core, calls int) *child {
	b.Helper()
	cmd := exec.Command("taskset", "-c", strconv.Itoa(core), os.Args[0])
	cmd.Env = append(os.Environ(), "MEDIA_BENCH="+role, "MEDIA_BENCH_CALLS="+strconv.Itoa(calls), "GOMAXPROCS=1")
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

func (c *child) put(line string) { fmt.Fprintln(c.in, line) }

func (c *child) get() string {
	if !c.out.Scan() {
		c.b.Fatalf("process ended: %v", c.cmd.Wait())
	}
	return c.out.Text()
}

// benchRole runs one of the processes of BenchmarkCalls, when this is one.
func benchRole() bool {
	calls, _ := strconv.Atoi(os.Getenv("MEDIA_BENCH_CALLS"))
	in := bufio.NewScanner(os.Stdin)
	var f figures
	var err error
	switch os.Getenv("MEDIA_BENCH") {
	case "relay":
		f, err = benchRelay(calls, in)
	case "generator":
		f, err = benchGenerator(calls, in)
	default:
		return false
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func benchRelay(calls int, in *bufio.Scanner) (figures, error) {
	d, err := New(Config{Address: netip.MustParseAddr("127.20.101.1"), PortMin: 10000, PortMax: 19999, Tone: Tone{Off: true}})
	if err != nil {
		return figures{}, err
	}
	defer d.Close()
	legs := make([]dialer.Audio, 2*calls)
	for i := range legs {
		if legs[i], err = d.Open(nil); err != nil {
			return figures{}, err
		}
		fmt.Println(legs[i].Local())
	}
	for i, l := range legs {
		in.Scan()
		addr, err := netip.ParseAddrPort(in.Text())
		if err != nil {
			return figures{}, err
		}
		l.Connect(dialer.Remote{Addr: addr, Codec: dialer.PCMA})
		if i%2 == 1 {
			d.Bridge(legs[i-1], l, nil)
		}
	}
	began, before := time.Now(), cpu()
	fmt.Println("ready")
	in.Scan()
	return figures{CPU: cpu() - before, Wall: time.Since(began), RSS: resident()}, nil
}

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident is the most memory this process has held.
func resident() int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return r.Maxrss * 1024
}

func benchGenerator(calls int, in *bufio.Scanner) (figures, error) {
	const seconds, perMilli = 10, 20
	began := time.Now()
	conns, legs := make([]*net.UDPConn, 2*calls), make([]netip.AddrPort, 2*calls)
	delays := make([][]time.Duration, len(conns))
	var received atomic.Int64
	var reading sync.WaitGroup
	for i := range conns {
		in.Scan()
		var err error
		if legs[i], err = netip.ParseAddrPort(in.Text()); err != nil {
			return figures{}, err
		}
		if conns[i], err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 20, 101, 2)}); err != nil {
			return figures{}, err
		}
		fmt.Println(conns[i].LocalAddr())
		reading.Go(func() {
			buf := make([]byte, 2048)
			for {
				if _, _, err := conns[i].ReadFromUDPAddrPort(buf); err != nil {
					return
				}
				delay := time.Since(began) - time.Duration(binary.BigEndian.Uint64(buf[headerLen:]))
				if delay < 0 || delay > time.Minute {
					continue // a frame of bed from before the bridge
				}
				received.Add(1)
				delays[i] = append(delays[i], delay)
			}
		})
	}
	in.Scan() // ready
	buf := make([]byte, headerLen+frameSamples)
	sent := 0
	first := time.Now()
	for slot := range seconds * 1000 { // each call has its millisecond in every 20
		<-time.After(time.Until(first.Add(time.Duration(slot) * time.Millisecond)))
		n := slot / perMilli
		for i := slot % perMilli; i < len(conns); i += perMilli {
			putHeader(buf, packet{payloadType: 8, marker: n == 0, seq: uint16(n), stamp: uint32(n * frameSamples), ssrc: uint32(i + 1)})
			binary.BigEndian.PutUint64(buf[headerLen:], uint64(time.Since(began)))
			if _, err := conns[i].WriteToUDPAddrPort(buf, legs[i]); err != nil {
				return figures{}, err
			}
			sent++
		}
	}
	<-time.After(time.Second) // for what is still on its way
	fmt.Println("done")
	for _, c := range conns {
		c.Close()
	}
	reading.Wait()
	all := slices.Concat(delays...)
	slices.Sort(all)
	return figures{Sent: sent, Received: int(received.Load()), P50: all[len(all)/2], P99: all[len(all)*99/100], Max: all[len(all)-1]}, nil
}
