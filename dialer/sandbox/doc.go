// Package sandbox is the simulated far ends of a dialer: a carrier with its
// callees and agents with their phones, over real SIP and RTP on loopback. They
// run as processes of their own, share no code with the dialer's trunk and
// media, and write what really reached them to log files (package truth), by
// which package judge judges a run.
package sandbox
