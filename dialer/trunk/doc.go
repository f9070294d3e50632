// Package trunk is the SIP side of the dialer: it places cleared calls over
// trunks (dialer.Trunk), keeps the registrations of agents' phones and calls
// them (dialer.Phones).
//
// sipgo serves as parser, transport and transaction layer. The call state
// machine is here: invite.go follows one INVITE from its sending to the point
// after which no 200 can follow unnoticed, leg.go is the established dialog, and
// stray.go ends what answers when nobody waits for it any more. Responses may
// come in any order, because sipgo starts a goroutine for each message.
//
// One Endpoint owns one listening address, by UDP and TCP. Datagrams from
// strangers are dropped in screen.go before a parser or a transaction sees them.
package trunk
