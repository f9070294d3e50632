package trunk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer"
)

// invite is a call on its way: the client's side of RFC 3261 sections 13.2 and
// 9.1. Its fields belong to the goroutine in run but for those that mu protects;
// request and stray, which others call, touch only these and what does not change.
type invite struct {
	call
	ep  *Endpoint
	res dialer.Result

	creds   credentials
	try     int
	cseq    uint32
	every   time.Duration // the life of the session that we ask for (RFC 4028)
	leastSE time.Duration // the least that the far end accepts
	signed  []sip.Header
	req     *sip.Request
	tx      *sip.ClientTx
	offer   session
	sdes    sdes
	ringAt  time.Time
	rang180 bool

	sent    time.Time
	back    chan string // branches of datagrams that came back as unreachable
	returns int         // of the INVITE of this try

	unreached   bool // the INVITE could not be sent to this hop
	provisional bool
	wish        string    // why it is to be given up; empty: it is not
	cancelledAt time.Time // zero: no CANCEL was sent
	cancelTx    *sip.ClientTx

	mu    sync.Mutex        // protects the fields below; creds, hop and cseq change only while there are no forks
	forks map[string]*early // by To tag
	leg   *leg              // once answered
}

// place runs a call until it is answered or no 200 can follow any more.
func (ep *Endpoint) place(ctx context.Context, c *call) (*leg, dialer.Result) {
	v := &invite{call: *c, ep: ep, cseq: 1, every: ep.cfg.Limits.SessionExpires, leastSE: ep.cfg.Limits.SessionMin, back: make(chan string, 16)}
	v.res.Trunk = c.trunk
	var err error
	if v.sdes, err = newSDES(c.srtp, c.srtpPlain).by(c.hop.transport); err != nil {
		c.release()
		return v.fail(err.Error())
	}
	if !ep.calls.add(c.id.callID, v) {
		c.release()
		return v.fail("this attempt was placed before")
	}
	l, res := v.run(ctx)
	if v.cancelTx != nil {
		v.cancelTx.Terminate()
	}
	if l == nil {
		ep.calls.drop(c.id.callID, v)
		c.release()
	}
	return l, res
}

// fated tells whoever asks what the call's way says of the trunk.
func (v *invite) fated(tell func(*fate)) {
	if v.fate != nil {
		tell(v.fate)
	}
}

func (v *invite) fail(why string) (*leg, dialer.Result) {
	v.res.Outcome = campaigns.Failed
	v.res.Cause.Text = why
	return nil, v.res
}

func (v *invite) run(ctx context.Context) (*leg, dialer.Result) {
	for {
		if why, outcome := v.start(ctx); why != "" {
			if v.unreached && v.elsewhere(ctx) {
				continue
			}
			v.res.Outcome, v.res.Cause.Text = outcome, why
			return nil, v.res
		}
		final, err := v.await(ctx)
		if final != nil && !final.IsSuccess() {
			v.refused()
		}
		switch {
		case errors.Is(err, errUnreachable) && v.elsewhere(ctx):
			continue
		case final == nil:
			return v.unanswered(err)
		case final.IsSuccess():
			return v.answer(final)
		case v.challenged(ctx, final), v.tooShort(ctx, final):
			continue
		case final.StatusCode == sip.StatusServiceUnavailable && v.elsewhere(ctx):
			continue
		}
		v.res.Final = v.ep.cfg.Now()
		v.res.Outcome, v.res.Cause = classify(final)
		v.fated(func(f *fate) { f.asked, f.givenUp = pauseAsked(final), v.wish != "" })
		if v.wish != "" && final.StatusCode == sip.StatusRequestTerminated {
			v.res.Outcome, v.res.Cause.Text = v.givenUp(), v.wish
		}
		return nil, v.res
	}
}

// start sends the INVITE. It returns why it could not, and the outcome of that.
func (v *invite) start(ctx context.Context) (string, campaigns.Outcome) {
	v.mu.Lock()
	v.try++
	v.forks = nil
	v.build()
	v.mu.Unlock()
	if ctx.Err() != nil {
		return "given up before it was dialed", campaigns.Failed
	}
	if v.dialing != nil {
		if err := v.dialing(v.res.Dialog); err != nil {
			return printable("not dialed: " + err.Error()), campaigns.Failed
		}
	}
	now := v.ep.cfg.Now()
	v.sent, v.returns = now, 0
	if !v.valid(now) {
		return "the clearance is no longer valid", campaigns.Refused
	}
	tx, err := v.ep.request(ctx, v.req)
	if v.unreached = err != nil; v.unreached {
		v.fated(func(f *fate) { f.unreached = v.res.Invited.IsZero() && ctx.Err() == nil })
		return printable("cannot reach the far end: " + err.Error()), campaigns.Failed
	}
	if v.res.Invited.IsZero() {
		v.res.Invited = now
	}
	v.tx, v.provisional = tx, false
	return "", ""
}

// await follows the INVITE to its final response; nil when there is none, with
// the transaction's error or nil when it was given up.
func (v *invite) await(ctx context.Context) (*sip.Response, error) {
	timer := time.NewTimer(v.wait())
	defer timer.Stop()
	gone := ctx.Done()
	for {
		var cancelled <-chan *sip.Response
		if v.cancelTx != nil {
			cancelled = v.cancelTx.Responses()
		}
		select {
		case res := <-v.tx.Responses():
			if v.heard != nil {
				v.heard()
			}
			if !res.IsProvisional() {
				return res, nil
			}
			v.progress(res)
		case <-v.tx.Done():
			return nil, v.tx.Err()
		case <-cancelled: // 200 or 481 (RFC 3261 section 9.1): the INVITE's own response decides either way
		case branch := <-v.back:
			if v.isBack(branch) {
				v.tx.Terminate()
				return nil, errUnreachable
			}
		case <-gone:
			v.wish, gone = "given up by the dialer", nil
		case <-timer.C:
		}
		if v.act() {
			v.tx.Terminate()
			return nil, nil
		}
		timer.Reset(v.wait())
	}
}

// progress takes a provisional response, in whatever order and number they come.
func (v *invite) progress(res *sip.Response) {
	v.provisional = true
	if !v.heed(res) {
		return
	}
	is180 := res.StatusCode == sip.StatusRinging
	if !is180 && res.StatusCode != sip.StatusSessionInProgress {
		return
	}
	first := v.ringAt.IsZero()
	if first || is180 && !v.rang180 {
		v.ringAt = v.ep.cfg.Now()
		v.res.Ringing = v.ringAt
		v.rang180 = v.rang180 || is180
	}
	if first && v.ringing != nil {
		v.ringing(v.ringAt, v.dialog(toTag(res)))
	}
}

// mostTries bounds how often one call is asked for again.
const mostTries = 6

// answer takes the first 200. The audio is connected before the dialog can be
// found, so that no re-INVITE comes in between; the ACK leaves once the answer is written down.
func (v *invite) answer(res *sip.Response) (*leg, dialer.Result) {
	now := v.ep.cfg.Now()
	v.res.Answered, v.res.Final = now, now
	v.res.Late = !v.cancelledAt.IsZero()
	v.res.Cause.Status = res.StatusCode
	l, body := v.newLeg(res)
	far, err := parseSDP(body, v.codecs, v.sdes)
	if err == nil {
		v.audio.Connect(far.Remote)
	}
	v.ep.calls.replace(v.id.callID, l)
	v.mu.Lock()
	v.leg = l
	v.mu.Unlock()
	v.tx.OnRetransmission(l.again)
	v.res.Dialog = l.Dialog()
	if err != nil {
		l.confirm(nil)
		v.ep.log.Warn("answered without usable audio", zap.String("callID", v.id.callID), zap.Error(err))
		l.Hangup()
		v.res.Outcome = campaigns.Failed
		v.res.Cause = dialer.Cause{Status: sip.StatusNotAcceptableHere, Text: "answered without usable audio: " + printable(err.Error())}
		return nil, v.res
	}
	var recorded func()
	if v.answered != nil {
		recorded = v.answered(now, v.res.Dialog)
	}
	l.lives(lifeOf(res, v.ep.cfg.Limits.SessionMin))
	l.confirm(recorded)
	return l, v.res
}

// unanswered is the end without a final response.
func (v *invite) unanswered(err error) (*leg, dialer.Result) {
	v.fated(func(f *fate) { f.givenUp, f.unreached = v.wish != "", errors.Is(err, errUnreachable) })
	switch {
	case errors.Is(err, errUnreachable):
		v.res.Outcome, v.res.Cause.Text = campaigns.Failed, err.Error()
	case v.deserted():
		v.res.Outcome, v.res.Cause.Text = v.givenUp(), v.wish+"; no response"
	case err == nil:
		v.res.Outcome, v.res.Cause.Text = v.givenUp(), v.wish+"; no answer to CANCEL"
	case errors.Is(err, sip.ErrTransactionTimeout):
		v.res.Outcome, v.res.Cause.Text = campaigns.Failed, "no response"
	default:
		v.res.Outcome, v.res.Cause.Text = campaigns.Failed, printable(fmt.Sprintf("no response: %v", err))
	}
	return nil, v.res
}

// givenUp is the outcome of a call that was cancelled: a phone that rang was
// not answered; where none rang, the trunk did not do its work.
func (v *invite) givenUp() campaigns.Outcome {
	if v.ringAt.IsZero() {
		return campaigns.Failed
	}
	return campaigns.NoAnswer
}

// stray takes a response that outlived its transaction.
func (v *invite) stray(res *sip.Response) { v.ep.endStray(res) }
