package trunk

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// traces are the calls that somebody looks on, by Call-ID.
type traces struct {
	n atomic.Int64 // of them, so that nobody pays for it when there is none
	m sync.Map
}

// watchCall has every message of a Call-ID shown. stop ends it, a second later, when
// the last answer has passed.
func (ep *Endpoint) watchCall(callID string, show func(dialer.Passed)) (stop func()) {
	if show == nil {
		return func() {}
	}
	ep.traces.m.Store(callID, show)
	ep.traces.n.Add(1)
	return func() {
		time.AfterFunc(time.Second, func() {
			ep.traces.m.Delete(callID)
			ep.traces.n.Add(-1)
		})
	}
}

// passes shows a message, when somebody looks on.
func (ep *Endpoint) passes(msg sip.Message, out bool) {
	if ep.traces.n.Load() == 0 || msg.CallID() == nil {
		return
	}
	text := ""
	switch m := msg.(type) {
	case *sip.Request:
		text = string(m.Method)
	case *sip.Response:
		text = strings.TrimSpace(strconv.Itoa(m.StatusCode) + " " + printable(m.Reason))
	}
	ep.show(msg.CallID().Value(), text, out)
}

// passesRaw shows a datagram that we send.
func (ep *Endpoint) passesRaw(datagram []byte) {
	if ep.traces.n.Load() == 0 {
		return
	}
	word, callID := glance(datagram)
	if callID == nil {
		return
	}
	if line, _, _ := bytes.Cut(datagram, []byte("\r\n")); word == "SIP/2.0" {
		word = printable(strings.TrimPrefix(string(line), "SIP/2.0 "))
	}
	ep.show(string(callID), word, true)
}

func (ep *Endpoint) show(callID, text string, out bool) {
	if show, ok := ep.traces.m.Load(callID); ok {
		show.(func(dialer.Passed))(dialer.Passed{At: ep.cfg.Now(), Out: out, Text: text})
	}
}

// passesOut shows a message that goes by a connection: datagrams are seen where
// they are written.
func (ep *Endpoint) passesOut(msg sip.Message) {
	if !strings.EqualFold(msg.Transport(), string(UDP)) {
		ep.passes(msg, true)
	}
}
