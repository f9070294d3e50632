package main

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
)

// troubledAgents are the agents of the tests below.
const troubledAgents = 5

// shortTimers make a far end that does not answer known after 3 s instead of 32.
const shortTimers = "{t1: 50ms, t2: 400ms, t4: 400ms}"

// troubledCampaign is the sample campaign with short ringing and no wrap-up.
func troubledCampaign(line string) string {
	switch key, _, _ := strings.Cut(line, ":"); key {
	case "ring_timeout":
		return "ring_timeout: 5s"
	case "wrap_up":
		return "wrap_up: 0s"
	}
	return line
}

// newTrouble is a field for one of the tests below.
func newTrouble(t *testing.T, plot int) *field {
	t.Helper()
	t.Parallel()
	return newField(t, fieldOptions{plot: plot, agents: troubledAgents, timers: shortTimers, edit: troubledCampaign})
}

func (f *field) busyCarrier() *process {
	f.t.Helper()
	return f.carrier("--answer-rate", "0.5", "--stretch", "0.3")
}

// settle ends the service and checks the books: nothing panicked, nothing is
// leased or dialing, and the journal holds.
func (f *field) settle(service *process) {
	f.t.Helper()
	service.stop(syscall.SIGTERM, 15*time.Second)
	if out := service.out.String(); strings.Contains(out, "panic") || strings.Contains(out, "broke its handler") {
		f.t.Errorf("something panicked:\n%s", lastLines(out, 40))
	}
	var doc leadsDoc
	f.ask(&doc, "leads", "list", demoCampaign)
	if doc.Counts.Leased != 0 || doc.Counts.Dialing != 0 {
		f.t.Errorf("after the end %d leads are leased and %d are being dialed", doc.Counts.Leased, doc.Counts.Dialing)
	}
	f.do("audit", "verify")
}

// says waits for a line in the service's log.
func (f *field) says(service *process, patience time.Duration, text string) {
	f.t.Helper()
	await(f.t, patience, "log line "+text, func() bool { return strings.Contains(service.out.String(), text) })
}

func TestNoPhonesNoInvite(t *testing.T) {
	f := newTrouble(t, 1)
	f.busyCarrier()
	service := f.serve()
	await(t, 10*time.Second, "the campaign", func() bool {
		v, ok := f.live()
		return ok && v.campaign().State == dialer.Running
	})
	f.pass(3*time.Second, service)
	if n := f.invites(); n != 0 {
		t.Fatalf("%d INVITEs without an agent", n)
	}
	f.phones(troubledAgents)
	f.awaitCalls("once there are phones", 10*time.Second)
	f.settle(service)
}

func TestCarrierGone(t *testing.T) {
	f := newTrouble(t, 2)
	carrier := f.busyCarrier()
	f.phones(troubledAgents)
	service := f.serve()
	f.awaitCalls("at first", 10*time.Second)
	carrier.kill()
	f.says(service, 30*time.Second, "no call gets through")
	await(f.t, 50*time.Second, "the end of the calls that were in progress", func() bool { return f.campaign().Talking == 0 })
	before := f.campaign().Tally
	f.pass(8*time.Second, service)
	if c := f.campaign(); c.Tally.Dialed-before.Dialed > 3 || c.Calls > 2 { // a try, and the end of a call
		t.Errorf("in 8 s without a carrier %d calls were tried, %d are open: want one now and then", c.Tally.Dialed-before.Dialed, c.Calls)
	}
	f.busyCarrier()
	f.awaitCalls("once the carrier is back", 20*time.Second)
	f.says(service, time.Second, "calls get through again")
	f.settle(service)
}

func TestCarrierRefusesEverything(t *testing.T) {
	f := newTrouble(t, 3)
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(f.address(2)+":5060")))
	if err != nil {
		t.Fatal(err)
	}
	var met atomic.Int64
	go refuseAll(conn, &met)
	f.phones(troubledAgents)
	service := f.serve()
	f.says(service, 15*time.Second, "no call gets through")
	first := met.Load()
	f.pass(8*time.Second, service)
	if n := met.Load() - first; n > 8 {
		t.Errorf("%d calls in 8 s to a carrier that refuses everything, after %d before it was noticed", n, first)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	f.busyCarrier()
	f.awaitCalls("once the carrier takes them", 20*time.Second)
	f.settle(service)
}

// refuseAll answers every INVITE with 503 until the socket is closed.
func refuseAll(conn *net.UDPConn, met *atomic.Int64) {
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		head, _, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		if !strings.HasPrefix(lines[0], "INVITE ") {
			continue
		}
		met.Add(1)
		answer := "SIP/2.0 503 Service Unavailable\r\n"
		for _, l := range lines[1:] {
			name, _, _ := strings.Cut(l, ":")
			switch strings.ToLower(name) {
			case "via", "from", "call-id", "cseq":
				answer += l + "\r\n"
			case "to":
				answer += l + ";tag=no\r\n"
			}
		}
		_, _ = conn.WriteToUDPAddrPort([]byte(answer+"Content-Length: 0\r\n\r\n"), from) // a lost answer is asked for again
	}
}

// When all phones vanish at once nobody is dialed any more within seconds, and
// who was talking is not left alone.
func TestAllPhonesGone(t *testing.T) {
	f := newTrouble(t, 4)
	f.busyCarrier()
	phones := f.phones(troubledAgents)
	service := f.serve()
	f.awaitCalls("at first", 10*time.Second)
	phones.kill()
	gone := time.Now()
	await(f.t, 20*time.Second, "the last call's end", func() bool { return f.campaign().Calls == 0 })
	f.pass(3*time.Second, service)
	last := gone
	for _, r := range readRung(f.heard()) {
		if r.invited.After(last) {
			last = r.invited
		}
		if limit := gone.Add(phonesGone + 4*time.Second); r.over.IsZero() || r.over.After(limit) {
			t.Errorf("%s: still there %s after the phones had gone", r, r.over.Sub(gone))
		}
	}
	if d := last.Sub(gone); d > phonesGone {
		t.Errorf("the last INVITE came %s after the phones had gone", d)
	}
	f.phones(troubledAgents)
	f.awaitCalls("once the phones are back", 15*time.Second)
	f.settle(service)
}

// phonesGone is when phones that vanished must be known to have gone: 1.5 s
// without audio, 1.5 s for the answer to OPTIONS, half a second between two looks; the rest is for a
// loaded machine.
const phonesGone = 6 * time.Second
