// Package pacing decides how many lines an outbound campaign dials now, so that agents wait as little as possible between calls while the
// share of answered people who find no agent stays under every cap the campaign must hold.
//
// An [Engine] is told of every change by [Engine.Observe] and asked by [Engine.Decide]:
//
//	engine, err := pacing.New(pacing.Config{
//		Windows: []pacing.Window{{Period: pacing.Campaign, Start: start, Cap: 0.03}},
//		Close:   close,
//	})
//	...
//	decision := engine.Decide(now, queue.Propensities())
//	for range decision.Dial {
//		engine.Observe(pacing.Event{At: now, Kind: pacing.Dialed, Call: id, Propensity: odds})
//	}
//
// The package is pure: it has no clock, goroutine, input or output, randomness or dependence on the order of a map. The same events give
// the same decisions, to the bit, on every machine: products are rounded before they are added, and the exponential, logarithm and normal
// law are its own.
//
// An Engine is not safe for concurrent use.
package pacing
