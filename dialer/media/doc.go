// Package media is the audio side of putting people through: RTP (RFC 3550)
// with G.711 (RFC 3551), telephone events (RFC 4733), beds, prompts and the
// bridge between two legs. Desk implements dialer.Desk.
//
// How it flows. Each leg has one UDP socket and one outgoing stream. A few readers, one for each
// core, watch all the sockets (by epoll on Linux; elsewhere each socket has a
// goroutine of its own). What the far end sends is read, checked against the
// latch and, when the leg is bridged, written to the other leg's stream by the
// same goroutine, with a new header and otherwise untouched. A leg that is not
// bridged is fed by the desk's one clock goroutine, every 20 ms, with its bed or
// a prompt; the legs take turns in five phases of 4 ms.
//
// RTCP is not spoken: its port is closed, and what comes to the RTP port instead is dropped.
//
// Locks. Desk.mu orders the switches (Bridge, Part, Play, Listen, Close). leg.mu guards one leg's socket, stream, latch
// and source. Desk.mu is taken before any leg.mu; two leg.mu are held together only by Bridge, lower
// id first. The mu of ports, rosters, readers and ears are taken last and hold nothing else but, an ear's,
// that of its recording (take.mu). Nothing is called back with a lock held.
package media
