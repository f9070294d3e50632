package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/dialer/sandbox/truth"
)

// sipp starts a carrier of sipp's. What it writes of each message, as it comes and
// goes, is the truth about it.
func (c *nodes) sipp(i int) *process {
	c.t.Helper()
	at := c.address(carrierAt + 1 + i)
	return c.startAt(faraway, nil, "sipp", "-sf", c.path("sipp.xml"), "-i", at, "-p", "5060", "-mi", at, "-mp", "30000", "-nostdin",
		"-trace_shortmsg", "-shortmessage_file", c.sippLog(i), "-max_retrans", "5")
}

func (c *nodes) sippLog(i int) string { return c.path("sipp" + strconv.Itoa(i) + ".log") }

// readSipp reads the messages that a carrier of sipp's took note of, in the
// order in which they came and went. The last line may be cut off.
func readSipp(from io.Reader) ([]*rung, error) {
	byID := map[string]*rung{}
	var all []*rung
	lines := bufio.NewReader(from)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		m, err := parseShort(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		r := byID[m.callID]
		if r == nil {
			number, isInvite := strings.CutPrefix(m.first, "INVITE sip:")
			if !isInvite || m.sent {
				continue
			}
			number, _, _ = strings.Cut(number, "@")
			r = &rung{id: m.callID, number: truth.Digits(number), invited: m.at, mute: true}
			byID[m.callID] = r
			all = append(all, r)
		}
		r.hear(m)
	}
}

// short is a line of sipp's.
type short struct {
	at     time.Time
	sent   bool
	callID string
	method string // of CSeq
	first  string // line of the message
}

// parseShort reads date, time, seconds, S or R, Call-ID, CSeq and first line,
// with tabs between them.
func parseShort(line string) (m short, err error) {
	parts := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	if len(parts) != 7 || parts[3] != "S" && parts[3] != "R" {
		return m, fmt.Errorf("%q is no short message", line)
	}
	seconds, micros, _ := strings.Cut(parts[2], ".")
	s, bad := strconv.ParseInt(seconds, 10, 64)
	us, worse := strconv.ParseInt(micros, 10, 64)
	if err := errors.Join(bad, worse); err != nil {
		return m, fmt.Errorf("time %q: %w", parts[2], err)
	}
	_, method, _ := strings.Cut(strings.TrimPrefix(parts[5], "CSeq:"), " ")
	return short{at: time.Unix(s, us*1000), sent: parts[3] == "S", callID: parts[4], method: method, first: parts[6]}, nil
}

// hear takes in a message of the call. Repetitions change nothing.
func (r *rung) hear(m short) {
	text, isResponse := strings.CutPrefix(m.first, "SIP/2.0 ")
	code, _, _ := strings.Cut(text, " ")
	status, _ := strconv.Atoi(code) // 0 fits no case
	switch {
	case isResponse && m.sent && m.method == "INVITE":
		switch {
		case status > 100 && status < 200:
			r.rang = true
		case status >= 200 && status < 300 && r.answered.IsZero():
			r.answered = m.at
		case status >= 300 && r.over.IsZero():
			r.over, r.status = m.at, status
		}
	case isResponse:
	case m.method == "CANCEL":
		r.cancelled = true
	case m.method == "BYE" && r.over.IsZero():
		r.over, r.byDialer = m.at, !m.sent
	}
}

func TestReadSipp(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(1_795_381_120_000 + ms) }
	line := func(ms int64, way, id, cseq, first string) string {
		return fmt.Sprintf("2026-11-22\t20:58:40.777583\t%d.%06d\t%s\t%s\tCSeq:%s\t%s\n", at(ms).Unix(), ms%1000*1000, way, id, cseq, first)
	}
	invite := line(0, "R", "a", "1 INVITE", "INVITE sip:+393561234567@127.0.0.2 SIP/2.0")
	call := rung{id: "a", number: "393561234567", invited: at(0), mute: true}
	cases := map[string]struct {
		log  string
		want func(r *rung) // nil: no call
		bad  bool
	}{
		"rings and answers": {
			invite + line(1, "S", "a", "1 INVITE", "SIP/2.0 180 Ringing") + line(700, "S", "a", "1 INVITE", "SIP/2.0 200 OK") +
				line(900, "S", "a", "1 INVITE", "SIP/2.0 200 OK") + line(950, "R", "a", "1 ACK", "ACK sip:c@127.0.0.2 SIP/2.0") +
				line(1900, "S", "a", "7 BYE", "BYE sip:u@127.0.0.1 SIP/2.0") + line(1901, "R", "a", "7 BYE", "SIP/2.0 200 OK"),
			func(r *rung) { r.rang, r.answered, r.over = true, at(700), at(1900) }, false,
		},
		"hung up by the dialer": {
			invite + line(700, "S", "a", "1 INVITE", "SIP/2.0 200 OK") + line(1900, "R", "a", "2 BYE", "BYE sip:c@127.0.0.2 SIP/2.0"),
			func(r *rung) { r.answered, r.over, r.byDialer = at(700), at(1900), true }, false,
		},
		"given up": {
			invite + invite + line(500, "R", "a", "1 CANCEL", "CANCEL sip:+393561234567@127.0.0.2 SIP/2.0") +
				line(501, "S", "a", "1 CANCEL", "SIP/2.0 200 OK") + line(520, "S", "a", "1 INVITE", "SIP/2.0 487 Request Terminated"),
			func(r *rung) { r.cancelled, r.over, r.status = true, at(520), 487 }, false,
		},
		"of no call":   {line(0, "R", "b", "1 OPTIONS", "OPTIONS sip:127.0.0.2 SIP/2.0"), nil, false},
		"cut off":      {invite + "2026-11-22\t20:58", func(*rung) {}, false},
		"another file": {"Call-ID: a\n", nil, true},
		"no time":      {strings.Replace(invite, "1795381120.", "soon.", 1), nil, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := readSipp(strings.NewReader(c.log))
			if (err != nil) != c.bad {
				t.Fatal(err)
			}
			var want []*rung
			if c.want != nil {
				r := call
				c.want(&r)
				want = append(want, &r)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(rung{}), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// heardBySipp is what the carriers of sipp's took note of so far.
func (c *nodes) heardBySipp() (all []*rung) {
	c.t.Helper()
	for i := range c.options.sipps {
		f, err := os.Open(c.sippLog(i))
		if err != nil {
			c.t.Fatal(err)
		}
		rungs, err := readSipp(f)
		if err := errors.Join(err, f.Close()); err != nil {
			c.t.Fatalf("%s: %v", c.sippLog(i), err)
		}
		all = append(all, rungs...)
	}
	return all
}
