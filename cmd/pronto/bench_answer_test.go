package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkAnswerToVoice answers 100 calls a second and takes from a capture how
// long each person waits: from the 200 on the wire to the first packet of the agent's
// own audio at the carrier. Agents' phones send a packet every 20 ms.
func BenchmarkAnswerToVoice(b *testing.B) {
	const perSecond, talk = 100, 500 * time.Millisecond
	lasts := benchSpan(b, 20)
	figures := rounds{}
	for b.Loop() {
		const host = "127.64.70"
		carrier := newFarEnd(b, host+".2:5060", func(string) farPlan { return farPlan{ring: time.Second, status: 200, talk: talk} })
		carrier.port = 4000
		f := newBenchField(b, benchLoad{host: host, agents: 200, leads: perSecond * (int(lasts.Seconds()) + 20), maxLines: 400, perSecond: perSecond, ratio: 2, ring: 20 * time.Second})
		voice := newAgentsVoice(b, f.phones)
		f.in.do("campaign", "start", "bench")
		await(b, 20*time.Second, "the first calls", func() bool { return carrier.finals.Load() > 2*perSecond })
		c := startDump(b, host+".2")
		answered, began := carrier.finals.Load(), time.Now()
		<-time.After(lasts)
		figures.note("answers/s", float64(carrier.finals.Load()-answered)/time.Since(began).Seconds())
		delays, silent := answerToVoice(c.end())
		f.end()
		voice.end()
		f.phones.close()
		carrier.close()
		waits := f.waits()
		if len(delays) < perSecond {
			b.Fatalf("%d answers with an agent's voice in the capture, %d without", len(delays), silent)
		}
		figures.note("voice-p50-ms", quantile(delays, 0.5))
		figures.note("voice-p99-ms", quantile(delays, 0.99))
		figures.note("bridge-p50-ms", quantile(waits, 0.5))
		figures.note("bridge-p99-ms", quantile(waits, 0.99))
		figures.note("without-voice", float64(silent))
	}
	figures.report(b)
}

// agentsVoice sends what the agents say, each in turn, a packet every 20 ms.
type agentsVoice struct {
	conn *net.UDPConn
	stop chan struct{}
	done sync.WaitGroup
}

// spoken marks the agents' audio among the service's own: no comfort noise and
// no silence begins so.
const spoken = "pronto-bench-agent"

var audioIn = regexp.MustCompile(`(?s)c=IN IP4 (\S+).*m=audio (\d+) `)

// newAgentsVoice speaks to every leg that was offered to the phones.
func newAgentsVoice(b *testing.B, phones *farEnd) *agentsVoice {
	b.Helper()
	phones.mu.Lock()
	var legs []netip.AddrPort
	for _, id := range slices.Sorted(maps.Keys(phones.calls)) {
		m := audioIn.FindSubmatch(phones.calls[id].invite)
		at, err := netip.ParseAddrPort(string(m[1]) + ":" + string(m[2]))
		if err != nil {
			b.Fatal(err)
		}
		legs = append(legs, at)
	}
	phones.mu.Unlock()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: phones.conn.LocalAddr().(*net.UDPAddr).IP})
	if err != nil {
		b.Fatal(err)
	}
	v := &agentsVoice{conn: conn, stop: make(chan struct{})}
	v.done.Go(func() { v.speak(legs) })
	v.done.Go(func() { // what the agents hear is of no interest
		buf := make([]byte, 2048)
		for {
			if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
		}
	})
	return v
}

func (v *agentsVoice) speak(legs []netip.AddrPort) {
	const slots = 20
	b := make([]byte, 12+frameSamples)
	copy(b[12:], spoken)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	first := time.Now()
	for slot := 0; ; {
		select {
		case <-v.stop:
			return
		case <-tick.C:
		}
		for ; time.Duration(slot)*time.Millisecond < time.Since(first); slot++ {
			n := slot / slots
			for i := slot % slots; i < len(legs); i += slots {
				b[0], b[1] = 0x80, 8
				binary.BigEndian.PutUint16(b[2:], uint16(n))
				binary.BigEndian.PutUint32(b[4:], uint32(n*frameSamples))
				binary.BigEndian.PutUint32(b[8:], uint32(1000+i))
				_, _ = v.conn.WriteToUDPAddrPort(b, legs[i])
			}
		}
	}
}

func (v *agentsVoice) end() {
	close(v.stop)
	_ = v.conn.Close()
	v.done.Wait()
}

// dump is dumpcap at work on the loopback interface.
type dump struct {
	b       *testing.B
	file    string
	process *process
}

// startDump records the UDP packets of a host.
func startDump(b *testing.B, host string) *dump {
	b.Helper()
	dir := b.TempDir()
	d := &dump{b: b, file: filepath.Join(dir, "lo.pcap")}
	d.process = startProcess(b, dir, "dumpcap", "-P", "-i", "lo", "-B", "256", "-f", "udp and host "+host, "-w", d.file)
	await(b, 20*time.Second, "dumpcap captures on lo (where it may not, run the benchmark as root)", func() bool {
		return strings.Contains(d.process.out.String(), "File: ") || !d.process.running()
	})
	return d
}

// frame is one captured UDP packet.
type frame struct {
	at       time.Time
	src, dst netip.AddrPort
	data     []byte
}

var nothingDropped = regexp.MustCompile(`Packets received/dropped on interface '[^']*': \d+/0 `)

// end stops the capture, which must have lost nothing, and reads it: a pcap file of Ethernet frames.
func (d *dump) end() []frame {
	d.b.Helper()
	d.process.stop(syscall.SIGINT, 20*time.Second)
	if out := d.process.out.String(); !nothingDropped.MatchString(out) {
		d.b.Fatalf("dumpcap lost packets: %s", lastLines(out, 3))
	}
	file, err := os.ReadFile(d.file)
	if err != nil {
		d.b.Fatal(err)
	}
	le := binary.LittleEndian
	if len(file) < 24 || le.Uint32(file) != 0xa1b2c3d4 || le.Uint32(file[20:]) != 1 {
		d.b.Fatalf("%s is no pcap file of Ethernet frames in microseconds", d.file)
	}
	var all []frame
	for file = file[24:]; len(file) >= 16; {
		at := time.Unix(int64(le.Uint32(file)), int64(le.Uint32(file[4:]))*1000)
		size := int(le.Uint32(file[8:]))
		p := file[16 : 16+size]
		file = file[16+size:]
		const ethernet, udp = 14, 8
		if len(p) < ethernet+20+udp || p[ethernet]>>4 != 4 {
			continue
		}
		ip := p[ethernet:]
		head := ip[int(ip[0]&0x0f)*4:]
		src, _ := netip.AddrFromSlice(ip[12:16])
		dst, _ := netip.AddrFromSlice(ip[16:20])
		all = append(all, frame{
			at: at, data: head[udp:],
			src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(head)), dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(head[2:])),
		})
	}
	return all
}

// answerToVoice takes, for each call whose INVITE, 200 and BYE are in the capture, the
// time from the 200 to the agent's first packet, in milliseconds, and counts
// the calls in which the agent was never heard.
func answerToVoice(all []frame) (delays []float64, silent int) {
	type call struct{ answered, heard, ended time.Time }
	calls := map[string]*call{}          // by Call-ID
	byPort := map[netip.AddrPort]*call{} // the service's, of the call that has it now
	for _, p := range all {
		if len(p.data) > 12 && p.data[0]>>6 == 2 {
			if c := byPort[p.src]; c != nil && c.heard.IsZero() && bytes.HasPrefix(p.data[12:], []byte(spoken)) {
				c.heard = p.at
			}
			continue
		}
		id := header(p.data, "Call-ID")
		c := calls[id]
		switch line, _, _ := bytes.Cut(p.data, []byte("\r\n")); {
		case bytes.HasPrefix(line, []byte("INVITE ")):
			if m := audioIn.FindSubmatch(p.data); m != nil {
				c = &call{}
				calls[id] = c
				byPort[netip.MustParseAddrPort(fmt.Sprintf("%s:%s", m[1], m[2]))] = c
			}
		case c != nil && c.answered.IsZero() && bytes.HasPrefix(line, []byte("SIP/2.0 200")) && strings.HasSuffix(header(p.data, "CSeq"), "INVITE"):
			c.answered = p.at
		case c != nil && bytes.HasPrefix(line, []byte("BYE ")):
			c.ended = p.at
		}
	}
	for _, c := range calls {
		switch {
		case c.answered.IsZero() || c.ended.IsZero():
		case c.heard.IsZero():
			silent++
		default:
			delays = append(delays, float64(c.heard.Sub(c.answered))/float64(time.Millisecond))
		}
	}
	return delays, silent
}
