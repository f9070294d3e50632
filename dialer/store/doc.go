// Package store keeps Pronto's state in one data folder: campaigns, leads,
// attempts, opt-outs, screening verdicts, consents and agents, behind the small
// interfaces that campaigns, dnc and dialer declare.
//
// # Writing
//
// One goroutine writes. Whatever is asked while a transaction is being synced
// goes into the next one (group commit), so that many callers share a sync. A
// write that has returned nil survives a crash of process and machine: SQLite
// in WAL mode with synchronous FULL. Readers have their own connections and
// never wait for the writer.
//
// # Leads
//
// A lead is in exactly one state: waiting for its due time, ready, leased,
// dialing or done. Each state has its own partial index, so that the cost of a
// lease depends on the leads taken, not on those stored:
//
//	          Lease: due has come
//	waiting ----------------------> ready ---- Lease ----> leased
//	   ^  ^                           ^                      |
//	   |  +------- Return(due) -------|---- Return(zero) ----+
//	   |                                                     | Apply(intent)
//	   +------------- Apply(settled) ------ dialing <--------+
//	                                           |
//	                                         done
//
// One process owns the folder (Lock); so at Open every lead that is leased and
// has no intent is fresh again.
//
// # Bulk work
//
// A list or a register file is staged in short transactions and becomes visible
// by one: the row that says "committed". What was staged and never committed is
// dropped at the next start.
package store
