package sandbox

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"pronto/dialer/sandbox/truth"
)

// Plan is what a callee means to do when called.
type Plan string

// The plans.
const (
	Live     Plan = "live"      // a person answers
	NoAnswer Plan = "no_answer" // rings until CANCEL
	Busy     Plan = "busy"      // 486
	Vacant   Plan = "vacant"    // 404: no such number
	Failed   Plan = "failed"    // 503
	Rejected Plan = "rejected"  // 603
)

// Spread is a lognormal duration.
type Spread struct {
	Mean  time.Duration
	CV    float64       // coefficient of variation: standard deviation divided by mean
	Least time.Duration // nothing is shorter
}

// World is how the callees of a run behave. Everything in it is a pure function of
// its fields: two worlds with equal fields are the same world.
type World struct {
	Seed       uint64
	AnswerRate float64 // share of attempts that a person answers
	Busy       float64 // share of attempts
	Vacant     float64 // share of numbers: they stay vacant at every attempt
	Failed     float64 // share of attempts
	Rejected   float64 // share of attempts; what is left over is no answer

	PostDial Spread        // from INVITE to the first ringing or the refusal
	Ring     Spread        // from ringing to the 200 of a live answer
	Talk     Spread        // from first hearing an agent to hanging up
	Patience time.Duration // a callee that hears nobody hangs up after so long
	RingFor  time.Duration // the network gives up ringing with 480
}

// Compressed is the demo's world: ring and talk times about ten to thirty times
// shorter than in life.
func Compressed(seed uint64, answerRate float64) World {
	return World{
		Seed: seed, AnswerRate: answerRate, Busy: 0.08, Vacant: 0.08, Failed: 0.04, Rejected: 0.01,
		PostDial: Spread{Mean: 200 * time.Millisecond, CV: 0.3, Least: 50 * time.Millisecond},
		Ring:     Spread{Mean: 2200 * time.Millisecond, CV: 0.5, Least: 300 * time.Millisecond},
		Talk:     Spread{Mean: 5 * time.Second, CV: 0.6, Least: 1500 * time.Millisecond},
		Patience: 20 * time.Second,
		RingFor:  30 * time.Second,
	}
}

// Stretched is the world with all its times multiplied by factor.
func (w World) Stretched(factor float64) World {
	scale := func(d time.Duration) time.Duration { return time.Duration(float64(d) * factor) }
	for _, s := range []*Spread{&w.PostDial, &w.Ring, &w.Talk} {
		s.Mean, s.Least = scale(s.Mean), scale(s.Least)
	}
	w.Patience, w.RingFor = scale(w.Patience), scale(w.RingFor)
	return w
}

// Behaviour is what one callee does at one attempt.
type Behaviour struct {
	Plan     Plan
	PostDial time.Duration // INVITE to ringing or refusal
	Ring     time.Duration // ringing to 200, also for a callee that answers although cancelled
	Talk     time.Duration // first hearing an agent to the callee's hanging up
	Manner   Manner
}

// Manner is how the network tells of the ringing and the answer.
type Manner uint8

// The manners.
const (
	Plain         Manner = iota // 100, 180, 200
	ProgressFirst               // 183, then 180
	ManyRingings                // 180 again and again, more than ten times
	AnsweredTwice               // the 200 is sent twice
)

// Behave is what the callee with the number does at the nth attempt, counted
// from 1. The number is taken as written: digits after + or without.
func (w World) Behave(number string, nth int) Behaviour {
	digits := truth.Digits(number)
	once := w.random(digits, 0)
	vacant := once.Float64() < w.Vacant
	r := w.random(digits, nth)
	b := Behaviour{
		PostDial: w.PostDial.draw(r), Ring: w.Ring.draw(r), Talk: w.Talk.draw(r),
		Plan: NoAnswer, Manner: Manner(r.IntN(12)),
	}
	if b.Manner > AnsweredTwice {
		b.Manner = Plain
	}
	roll := r.Float64() * (1 - w.Vacant)
	if vacant {
		b.Plan = Vacant
		return b
	}
	for _, o := range []struct {
		plan  Plan
		share float64
	}{{Live, w.AnswerRate}, {Busy, w.Busy}, {Failed, w.Failed}, {Rejected, w.Rejected}} {
		if roll < o.share {
			b.Plan = o.plan
			return b
		}
		roll -= o.share
	}
	return b
}

func (w World) random(digits string, nth int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(digits + "/" + strconv.Itoa(nth))) // a hash never fails
	return rand.New(rand.NewPCG(w.Seed, h.Sum64()))
}

func (s Spread) draw(r *rand.Rand) time.Duration {
	variance := math.Log(1 + s.CV*s.CV)
	x := math.Exp(-variance/2 + math.Sqrt(variance)*r.NormFloat64())
	return max(s.Least, time.Duration(float64(s.Mean)*x))
}
