// Package redis keeps the state that several pronto serve nodes share on one
// Redis: campaigns, leads, leases, attempts, opt-outs, verdicts, consents and
// agents, behind the same interfaces as the store of one data folder. The journal stays on each
// node's disk: Redis never holds the only copy of what must be proved.
//
// # Keys
//
// Every key has a hash tag, and every script touches the keys of one tag, so
// that a Redis Cluster serves as well as a single server:
//
//	{c7}         one campaign: its leads, their order, leases, list loads (campaign.lua and the files added to it, see run.go)
//	{pseudonym}  one number: attempts to it, opt-outs, verdicts, consents (number.lua)
//	{node a}     one node: open attempts, how far its journal was applied, its phones and callers
//	{campaigns}  records of campaigns, agents, imports, advice, erasures; which data folder each node has
//
// A number's tag is its pseudonym under the key of the company's own list (store.ListKey), the same
// file on every node.
//
// # A claim
//
// Two atomic steps, in this order: the number counts the attempt, then the lead
// follows. A crash between them leaves an attempt counted, never one uncounted. Each step knows the
// attempts that it has seen, so that a change may be written any number of times.
//
// # Leases
//
// A lease belongs to the node that opened the store. It ends when it is returned, when the
// attempt's intent is written, when the node opens the store again, or, for the others, when its time
// (Options.Lease) has run out; a node that lives keeps its leases. Time is the caller's.
//
// # Failure
//
// Every call returns within Options.Wait, bulk work within it for each step.
// Nothing is retried here: a lease whose answer was lost is given back with the node's next one.
package redis
