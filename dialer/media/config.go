package media

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"pronto/dialer/dscp"
)

// Config says where and how a Desk works. Address is the only field that must
// be set.
type Config struct {
	Address   netip.Addr // local address of every RTP socket
	Advertise netip.Addr // address to offer in SDP instead, where NAT maps it one to one; needed when Address is 0.0.0.0 or ::
	// PortMin and PortMax bound the RTP ports, both included; even ones are
	// used. Both zero: DefaultPortMin and DefaultPortMax.
	PortMin, PortMax uint16
	// MediaRanges are the networks that far ends' audio may come from when it
	// does not come from the address in their SDP. That address itself, with any
	// port, is always allowed.
	MediaRanges []netip.Prefix
	DSCP        dscp.Class        // of the RTP packets; 0: best effort
	Tone        Tone              // what the agent hears when a customer comes
	Noise       float64           // level of the Comfort bed in dBm0; 0: DefaultNoise
	Prompts     map[string]string // name, with or without .wav, to file: 8000 Hz mono, 16-bit PCM or G.711
	Logger      *zap.Logger       // nil: no log
}

// Defaults of Config.
const (
	DefaultPortMin uint16  = 16384
	DefaultPortMax uint16  = 32766
	DefaultNoise   float64 = -50
)

// Tone is a short signal. Zero fields get the value of DefaultTone.
type Tone struct {
	Off    bool          // no tone at all
	Hz     float64       // 300 to 3400
	Level  float64       // dBm0, -60 to 0
	Length time.Duration // up to 2 s
}

// DefaultTone lies above the sandbox's test tones and below the edge of the
// telephone band.
func DefaultTone() Tone {
	return Tone{Hz: 2300, Level: -16, Length: 150 * time.Millisecond}
}

// withDefaults fills what was left out.
func (c Config) withDefaults() Config {
	if c.PortMin == 0 && c.PortMax == 0 {
		c.PortMin, c.PortMax = DefaultPortMin, DefaultPortMax
	}
	d := DefaultTone()
	if c.Tone.Hz == 0 {
		c.Tone.Hz = d.Hz
	}
	if c.Tone.Level == 0 {
		c.Tone.Level = d.Level
	}
	if c.Tone.Length == 0 {
		c.Tone.Length = d.Length
	}
	if c.Noise == 0 {
		c.Noise = DefaultNoise
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	c.Address, c.Advertise = c.Address.Unmap(), c.Advertise.Unmap()
	return c
}

// validate returns every problem at once.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case !c.Address.IsValid():
		bad("address: missing: give the local address for RTP")
	case c.Address.IsUnspecified() && !c.Advertise.IsValid():
		bad("address: %s cannot be offered in SDP: give one interface's address, or advertise", c.Address)
	}
	if first, last := evenPorts(c.PortMin, c.PortMax); c.PortMin < 1024 || first > last {
		bad("ports: %d-%d: must hold an even port from 1024 up", c.PortMin, c.PortMax)
	}
	if t := c.Tone; !t.Off && (t.Hz < 300 || t.Hz > 3400 || t.Level < -60 || t.Level > 0 || t.Length < 0 || t.Length > 2*time.Second) {
		bad("tone: %g Hz, %g dBm0, %s: must be 300 to 3400 Hz, -60 to 0 dBm0, at most 2s", t.Hz, t.Level, t.Length)
	}
	if c.Noise < -90 || c.Noise > -30 {
		bad("noise: %g dBm0: must be -90 to -30", c.Noise)
	}
	for i, p := range c.MediaRanges {
		if !p.IsValid() {
			bad("media ranges: entry %d is not a network", i+1)
		}
	}
	return errors.Join(errs...)
}
