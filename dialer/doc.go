// Package dialer is the service: the campaign loop, the attempt, agents, the
// answer, drain and recovery after a crash.
//
// One goroutine per campaign owns its state. Trunks, phones, media and the
// store are behind the interfaces in this package; dialer/trunk, dialer/media
// and dialer/store implement them and cmd wires them together.
package dialer
