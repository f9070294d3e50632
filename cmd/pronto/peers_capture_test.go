package main

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// capture is tshark at work on the loopback interface.
type capture struct {
	t       testing.TB
	file    string
	process *process
}

// startCapture records the UDP packets of a network; it returns once tshark is
// at it.
func startCapture(t testing.TB, network string) *capture {
	t.Helper()
	dir := t.TempDir()
	c := &capture{t: t, file: filepath.Join(dir, "lo.pcapng")}
	c.process = startProcess(t, dir, "tshark", "-q", "-n", "-i", "lo", "-B", "32", "-f", "udp and net "+network, "-w", c.file)
	await(t, 20*time.Second, "tshark captures on lo (where it may not, run the tests as root)", func() bool {
		return strings.Contains(c.process.out.String(), "Capture started") || !c.process.running()
	})
	if !c.process.running() {
		t.Fatalf("tshark does not capture on lo: run the tests as root\n%s", c.process.out.String())
	}
	return c
}

// end stops the capture and reads it.
func (c *capture) end() traffic {
	c.t.Helper()
	c.process.stop(syscall.SIGINT, 20*time.Second)
	if out := c.process.out.String(); strings.Contains(out, "dropped") {
		c.t.Fatalf("tshark lost packets: %s", lastLines(out, 2))
	}
	args := []string{"-n", "-r", c.file, "-d", "udp.port==20000-20999,rtp", "-Y", "sip or rtp", "-z", "rtp,streams", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"}
	for _, f := range packetFields {
		args = append(args, "-e", f)
	}
	out, err := exec.CommandContext(c.t.Context(), "tshark", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		c.t.Fatalf("tshark: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		c.t.Fatal(err)
	}
	packets, streams, _ := strings.Cut(string(out), "=== RTP Streams ===")
	return traffic{t: c.t, packets: parsePackets(c.t, packets), streams: parseStreams(c.t, streams)}
}

// packetFields are what tshark prints of each packet, in the order of readPacket.
var packetFields = []string{
	"frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport",
	"rtp.ssrc", "rtp.seq", "rtp.p_type", "rtp.payload",
	"sip.Method", "sip.Status-Code", "sip.Call-ID", "sip.CSeq.method", "sip.Route", "sdp.media.port", "srtp.enc_payload", "ip.dsfield.dscp", "rtp.timestamp", "rtp.marker",
}

// traffic is what was on the wire.
type traffic struct {
	t       testing.TB
	packets []packet
	streams []stream
}

// packet is a SIP message or an RTP packet.
type packet struct {
	at       time.Time
	src, dst netip.AddrPort

	ssrc        string // empty: SIP
	seq         int
	payloadType int
	payload     []byte
	stamp       uint32
	marker      bool
	sealed      []byte // of SRTP, in the place of payload

	method string // of a request
	status int    // of a response
	callID string
	cseq   string // method that a response answers
	route  string
	port   int // of the audio in SDP; 0: none

	dscp int // how the packet is marked (RFC 2474)
}

func parsePackets(t testing.TB, text string) []packet {
	t.Helper()
	var out []packet
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "|")
		if len(f) != len(packetFields) {
			continue
		}
		p, err := readPacket(f)
		if err != nil {
			t.Fatalf("tshark printed %q: %v", line, err)
		}
		out = append(out, p)
	}
	return out
}

func readPacket(f []string) (packet, error) {
	var errs []error
	number := func(s string) int {
		if s == "" {
			return 0
		}
		n, err := strconv.Atoi(s)
		errs = append(errs, err)
		return n
	}
	address := func(host, port string) netip.AddrPort {
		a, err := netip.ParseAddrPort(host + ":" + port)
		errs = append(errs, err)
		return a
	}
	at, err := strconv.ParseFloat(f[0], 64)
	errs = append(errs, err)
	payload, err := hex.DecodeString(strings.ReplaceAll(f[8], ":", ""))
	errs = append(errs, err)
	sealed, err := hex.DecodeString(strings.ReplaceAll(f[15], ":", ""))
	errs = append(errs, err)
	p := packet{
		at: time.UnixMicro(int64(at * 1e6)), src: address(f[1], f[2]), dst: address(f[3], f[4]),
		ssrc: f[5], seq: number(f[6]), payloadType: number(f[7]), payload: payload, sealed: sealed,
		method: f[9], status: number(f[10]), callID: f[11], cseq: f[12], route: f[13], port: number(f[14]), dscp: number(f[16]),
		stamp: uint32(number(f[17])), marker: f[18] == "1" || f[18] == "True",
	}
	return p, errors.Join(errs...)
}

// stream is a row of tshark's table of RTP streams.
type stream struct {
	src, dst netip.AddrPort
	ssrc     string
	lost     int // by sequence numbers
}

func parseStreams(t testing.TB, table string) []stream {
	t.Helper()
	var out []stream
	for line := range strings.Lines(table) {
		// start, end, source, port, destination, port, SSRC, payload, packets, lost, (percent), ...
		f := strings.Fields(line)
		if len(f) < 11 || !strings.HasPrefix(f[6], "0x") {
			continue
		}
		src, err1 := netip.ParseAddrPort(f[2] + ":" + f[3])
		dst, err2 := netip.ParseAddrPort(f[4] + ":" + f[5])
		lost, err3 := strconv.Atoi(f[9])
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatalf("tshark printed %q: %v", line, err)
		}
		out = append(out, stream{src: src, dst: dst, ssrc: f[6], lost: lost})
	}
	return out
}

// port is the one that the service offered for audio in a call's INVITE.
func (w traffic) port(callID string) uint16 {
	w.t.Helper()
	i := slices.IndexFunc(w.packets, func(p packet) bool { return p.method == "INVITE" && p.callID == callID && p.port != 0 })
	if i < 0 {
		w.t.Fatalf("no INVITE of %s on the wire", callID)
	}
	return uint16(w.packets[i].port)
}

// audio is what was sent from one address to another, decoded, as one piece. A
// port of 0 is any.
func (w traffic) audio(src, dst netip.AddrPort) []int16 {
	w.t.Helper()
	var out []int16
	for _, p := range w.packets {
		if p.ssrc != "" && p.payloadType < 96 && fits(p.src, src) && fits(p.dst, dst) {
			out = append(out, decodeG711(w.t, p.payloadType, p.payload)...)
		}
	}
	return out
}

// checkMarks fails when the service did not mark signalling and voice as the
// configuration's defaults say.
func (w traffic) checkMarks(service netip.Addr) {
	w.t.Helper()
	marks := map[[2]bool]int{}
	for _, p := range w.packets {
		if isVoice := p.ssrc != ""; p.src.Addr() == service {
			marks[[2]bool{isVoice, p.dscp == 46 && isVoice || p.dscp == 24 && !isVoice}]++
		}
	}
	if marks[[2]bool{false, true}] == 0 || marks[[2]bool{true, true}] == 0 || marks[[2]bool{false, false}]+marks[[2]bool{true, false}] > 0 {
		w.t.Errorf("packets by voice and right mark: %v, want every one marked, EF or CS3", marks)
	}
}

// laws are the payload types of the audio sent between two hosts.
func (w traffic) laws(src, dst netip.AddrPort) []int {
	var out []int
	for _, p := range w.packets {
		if p.ssrc != "" && fits(p.src, src) && fits(p.dst, dst) && !slices.Contains(out, p.payloadType) {
			out = append(out, p.payloadType)
		}
	}
	return out
}

// numbers are the sequence numbers sent from each port of a host, unwrapped. All
// of a port must be of one source.
func (w traffic) numbers(src netip.Addr) map[uint16][]int {
	w.t.Helper()
	out, source := map[uint16][]int{}, map[uint16]string{}
	for _, p := range w.packets {
		port := p.src.Port()
		if p.ssrc == "" || p.src.Addr() != src {
			continue
		}
		n := p.seq
		if before := out[port]; len(before) > 0 {
			last := before[len(before)-1]
			n = last + int(int16(uint16(p.seq)-uint16(last)))
			if p.ssrc != source[port] {
				w.t.Errorf("from port %d: source %s after %s", port, p.ssrc, source[port])
			}
		}
		out[port], source[port] = append(out[port], n), p.ssrc
	}
	return out
}

// fits reports whether a is want, whose port may be 0 for any and whose address
// may be unspecified for any.
func fits(a, want netip.AddrPort) bool {
	return (want.Addr().IsUnspecified() || a.Addr() == want.Addr()) && (want.Port() == 0 || a.Port() == want.Port())
}

// sent are the requests of a call with a method, in time.
func (w traffic) sent(method, callID string) []packet {
	var out []packet
	for _, p := range w.packets {
		if p.method == method && p.callID == callID {
			out = append(out, p)
		}
	}
	return out
}
