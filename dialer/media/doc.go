// Package media is the audio side of putting people through: RTP (RFC 3550)
// with G.711 (RFC 3551), telephone events (RFC 4733), beds, prompts and the
// bridge between two legs. Desk implements dialer.Desk.
//
// How it flows. Each leg has one UDP socket, one goroutine that reads it, and
// one outgoing stream. What the far end sends is read, checked against the
// latch and, when the leg is bridged, written to the other leg's stream by the
// same goroutine, with a new header and otherwise untouched. A leg that is not
// bridged is fed by the desk's one clock goroutine, every 20 ms, with its bed or
// a prompt.
//
// Locks. Desk.mu orders the switches (Bridge, Part, Play, Close) and guards the
// set of legs. leg.mu guards one leg's stream, latch and source. Desk.mu is
// taken before any leg.mu; two leg.mu are held together only by Bridge, lower
// id first. Nothing is called back with a lock held.
package media
