package trunk

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// refusals remembers INVITEs that were refused, as much of each as its ACK needs,
// for as long as the refusal may be repeated (timer H of RFC 3261 section 17.2.1).
// sipgo's own memory of one is a transaction of many kilobytes, and it answers a
// repeated refusal only seconds later.
type refusals struct {
	mu         sync.Mutex         // protects the fields below
	young, old map[string]refusal // by branch of the INVITE
	turned     time.Time          // when young began
}

// refusal is where the ACK of a refused INVITE goes.
type refusal struct {
	target sip.Uri
	route  []sip.Uri
	hop    hop
}

// keep remembers a refusal for giveUp at least, and twice that at most.
func (r *refusals) keep(branch string, it refusal, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young == nil || now.Sub(r.turned) > giveUp() {
		r.old, r.young, r.turned = r.young, map[string]refusal{}, now
	}
	r.young[branch] = it
}

func (r *refusals) get(branch string) (refusal, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it, ok := r.young[branch]
	if !ok {
		it, ok = r.old[branch]
	}
	return it, ok
}

// refused notes that this try of the call was refused and acknowledged.
func (v *invite) refused() {
	v.ep.refused.keep(v.id.branch(v.try), refusal{target: v.target, route: v.route, hop: v.hop}, v.ep.cfg.Now())
}

// acknowledgeAgain sends the ACK of a refusal that is repeated (RFC 3261 section
// 17.1.1.3); false when the response is none.
func (ep *Endpoint) acknowledgeAgain(res *sip.Response) bool {
	via := res.Via()
	if res.StatusCode < 300 || via == nil || res.From() == nil || res.To() == nil {
		return false
	}
	branch := via.Params.GetOr("branch", "")
	it, ok := ep.refused.get(branch)
	if !ok {
		return false
	}
	ack := sip.NewRequest(sip.ACK, it.target)
	ack.AppendHeader(ep.via(branch, it.hop.transport))
	for _, r := range it.route {
		ack.AppendHeader(&sip.RouteHeader{Address: r})
	}
	forwards := sip.MaxForwardsHeader(70)
	ack.AppendHeader(&forwards)
	ack.AppendHeader(sip.HeaderClone(res.From()))
	ack.AppendHeader(sip.HeaderClone(res.To()))
	ack.AppendHeader(sip.HeaderClone(res.CallID()))
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: res.CSeq().SeqNo, MethodName: sip.ACK})
	ack.SetBody(nil)
	ep.route(ack, it.hop)
	if err := ep.send(ack); err != nil {
		ep.log.Warn("ACK not sent", zap.String("callID", res.CallID().Value()), zap.Error(err))
	}
	return true
}
