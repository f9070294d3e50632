package sandbox

import (
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// hear takes in what the callee heard.
func (k *call) hear(v audio.Interval) {
	if v.What == audio.AVoice && v.Until.IsZero() {
		if name := v.Voice.Name(); !slices.Contains(k.heard, name) {
			k.heard = append(k.heard, name)
		}
		if v.Voice.Side == tones.Agent && k.agentAt.IsZero() {
			k.agentAt = v.Since
			if k.stage == taken {
				k.timer.Stop()
				k.ends = time.Now().Add(k.plan.Talk)
				k.timer = k.carrier.loop.After(k.plan.Talk, func() { k.hangUp("said good-bye") })
			}
		}
		if v.Voice.Side == tones.Agent {
			k.carrier.met(v.Voice.Name())
		}
	}
	if line, ok := heardLine(k.line(""), v); ok {
		k.carrier.log.Write(line)
	}
}

// heardLine makes the log line of an interval; ok is false for one that is
// only written once it is over.
func heardLine(line truth.Line, v audio.Interval) (truth.Line, bool) {
	line.Since, line.Until = v.Since, v.Until
	switch v.What {
	case audio.AVoice:
		line.Kind, line.Voice, line.Pair = truth.Heard, v.Voice.Name(), v.Voice.Pair()
		if v.Until.IsZero() {
			line.Kind = truth.Hears
		}
		return line, true
	case audio.AnAlert:
		line.Kind = truth.Alert
	case audio.ANoise:
		line.Kind = truth.Noise
	}
	line.Level = v.Level
	return line, !v.Until.IsZero()
}

// hangUp is the callee's BYE.
func (k *call) hangUp(why string) {
	if k.stage != taken {
		return
	}
	k.dialog.Bye(k.carrier.ua, "Q.850;cause=16;text=\"Normal call clearing\"", func(*sip.Response) {})
	k.finish(truth.ByCallee, why)
	k.linger()
}

// bye is the dialer's BYE.
func (k *call) bye(by string) {
	if k.stage != taken {
		return
	}
	k.finish(by)
	k.carrier.abandoned(k)
	k.linger()
}

// finish notes who parted first.
func (k *call) finish(by string, why ...string) {
	k.stop()
	if k.stage != taken {
		return
	}
	k.stage = parted
	line := k.line(truth.Bye)
	k.parting = line.At
	line.By = by
	if len(why) > 0 {
		line.Text = why[0]
	}
	k.carrier.log.Write(line)
	k.sound = k.audio.Heard().Sound
}

// linger keeps the callee's phone at its ear for a while after BYE, so that a
// bridge left over is heard at both ends.
func (k *call) linger() {
	k.carrier.loop.After(k.carrier.cfg.Linger, func() {
		k.audio.Close()
		k.carrier.loop.Post(k.end)
	})
}

// end writes the summary and forgets the call.
func (k *call) end() {
	k.stop()
	if k.carrier.calls[k.id] != k {
		return
	}
	delete(k.carrier.calls, k.id)
	k.carrier.gone[k.id] = k.req.CSeq().SeqNo
	k.carrier.loop.After(sipua.Giveup, func() { delete(k.carrier.gone, k.id) })
	line := k.line(truth.End)
	if k.answered() {
		s := k.audio.Heard()
		line.Answered, line.Silence = true, k.agentAt.IsZero()
		line.Voices, line.Packets, line.Lost, line.Sources = k.heard, s.Packets, s.Lost, s.Sources
		line.SilentMS = max(0, milliseconds(k.parting.Sub(k.at200)-k.sound))
		if !k.agentAt.IsZero() {
			first := milliseconds(k.agentAt.Sub(k.at200))
			line.FirstAgentMS = &first
		}
		if k.owned {
			k.carrier.voices = append(k.carrier.voices, k.voice.Index)
		}
	}
	k.carrier.log.Write(line)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
