package sipua

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Token is a random word for tags, branches and Call-IDs.
func Token() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// Respond makes a response; tag is the To tag where the request has none,
// empty for a random one.
func Respond(r *sip.Request, status int, reason, tag string, body []byte, headers ...sip.Header) *sip.Response {
	res := sip.NewResponseFromRequest(r, status, reason, body)
	if to := res.To(); tag != "" && r.To() != nil && !r.To().Params.Has("tag") && status > 100 {
		to.Params.Add("tag", tag)
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	return res
}

// NewRequest makes a request with a Via of this user agent and a new branch.
// from, to and target are complete header values and a URI.
func (u *UA) NewRequest(method sip.RequestMethod, target, from, to, callID string, seq uint32, headers ...sip.Header) (*sip.Request, error) {
	var uri sip.Uri
	if err := sip.ParseUri(target, &uri); err != nil {
		return nil, err
	}
	r := sip.NewRequest(method, uri)
	r.AppendHeader(sip.NewHeader("Via", "SIP/2.0/UDP "+u.local.String()+";rport;branch=z9hG4bK"+Token()))
	r.AppendHeader(sip.NewHeader("Max-Forwards", "70"))
	r.AppendHeader(sip.NewHeader("From", from))
	r.AppendHeader(sip.NewHeader("To", to))
	r.AppendHeader(sip.NewHeader("Call-ID", callID))
	r.AppendHeader(sip.NewHeader("CSeq", strconv.FormatUint(uint64(seq), 10)+" "+string(method)))
	for _, h := range headers {
		r.AppendHeader(h)
	}
	r.SetBody(nil)
	return r, nil
}

// Dialog is one established by an INVITE that came in (RFC 3261 section 12.1.1).
type Dialog struct {
	CallID string
	Tag    string // ours
	Remote string // their tag
	local  string // our From
	remote string // our To
	target string
	route  []sip.Header
	hop    netip.AddrPort
	seq    uint32
}

// NewDialog makes the dialog of an INVITE answered with the given To tag.
// from is where the INVITE came from, used when the contact's address is a name.
func NewDialog(r *sip.Request, tag string, from netip.AddrPort) *Dialog {
	d := &Dialog{CallID: r.CallID().Value(), Tag: tag, remote: r.From().Value(), hop: from}
	d.Remote, _ = r.From().Params.Get("tag")
	to := r.To()
	d.local = to.Value()
	if !to.Params.Has("tag") {
		d.local += ";tag=" + tag
	}
	d.target = r.From().Address.String()
	if c := r.Contact(); c != nil {
		d.target = c.Address.String()
		d.hop = hop(c.Address, from)
	}
	for i, h := range r.GetHeaders("Record-Route") {
		d.route = append(d.route, sip.NewHeader("Route", h.Value()))
		if rr := r.RecordRoute(); i == 0 && rr != nil {
			d.hop = hop(rr.Address, from)
		}
	}
	return d
}

// Called makes the dialog of an INVITE of ours by its 2xx (RFC 3261 section
// 12.1.2). to is where the INVITE went, used when the contact's address is a name.
func Called(r *sip.Request, res *sip.Response, to netip.AddrPort) *Dialog {
	d := &Dialog{CallID: r.CallID().Value(), local: r.From().Value(), remote: res.To().Value(), target: r.Recipient.String(), hop: to, seq: r.CSeq().SeqNo}
	d.Tag, _ = r.From().Params.Get("tag")
	d.Remote, _ = res.To().Params.Get("tag")
	if c := res.Contact(); c != nil {
		d.target, d.hop = c.Address.String(), hop(c.Address, to)
	}
	return d
}

// hop is the address of a URI, or else where the message came from.
func hop(uri sip.Uri, from netip.AddrPort) netip.AddrPort {
	addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	if err != nil {
		return from
	}
	port := uri.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// Bye sends BYE and calls done when it is answered or given up.
func (d *Dialog) Bye(u *UA, reason string, done func(*sip.Response)) {
	d.seq++
	headers := d.route
	if reason != "" {
		headers = append(headers[:len(headers):len(headers)], sip.NewHeader("Reason", reason))
	}
	r, err := u.NewRequest(sip.BYE, d.target, d.local, d.remote, d.CallID, d.seq, headers...)
	if err != nil {
		done(nil)
		return
	}
	u.Request(r, d.hop, done)
}

// Holds says whether an in-dialog request belongs to this dialog.
func (d *Dialog) Holds(r *sip.Request) bool {
	tag, _ := r.To().Params.Get("tag")
	remote, _ := r.From().Params.Get("tag")
	return r.CallID().Value() == d.CallID && tag == d.Tag && remote == d.Remote
}

// Addr reads HOST:PORT or HOST with port 5060; the host is an address.
func Addr(s string) (netip.AddrPort, error) {
	if _, _, err := net.SplitHostPort(s); err != nil {
		s = net.JoinHostPort(s, "5060")
	}
	return netip.ParseAddrPort(s)
}
