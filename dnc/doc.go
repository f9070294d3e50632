// Package dnc answers one question: may we call this number, for this campaign,
// at this instant, and can we prove it later?
//
// Gate.Clear runs an ordered list of checks, all of which fail closed, writes
// the decision as evidence, and only then hands out a Clearance, without which
// no call can be placed.
package dnc
