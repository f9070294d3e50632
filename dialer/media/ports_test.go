package media

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/dialer"
)

func TestPortsRunOutAndComeBack(t *testing.T) {
	d := desk(t, "127.20.13.1", func(c *Config) { c.PortMin, c.PortMax = 22001, 22009 })
	var open []dialer.Audio
	for range 4 {
		a, err := d.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, a)
	}
	_, err := d.Open(nil)
	if !errors.Is(err, ErrNoPort) || !strings.Contains(err.Error(), "22001-22009") || !strings.Contains(err.Error(), "widen") {
		t.Fatalf("fifth leg of four: %v", err)
	}
	open[2].Close()
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Local() != open[2].Local() {
		t.Errorf("got %s, want %s again", a.Local(), open[2].Local())
	}
}

func TestPortsHeldByOthersAreStepped(t *testing.T) {
	d := desk(t, "127.20.13.2", func(c *Config) { c.PortMin, c.PortMax = 22002, 22004 })
	squat := newFarAt(t, "127.20.13.2:22002")
	a, err := d.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Local().Port() != 22004 {
		t.Errorf("got %s", a.Local())
	}
	if _, err := d.Open(nil); !errors.Is(err, ErrNoPort) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("both ports taken: %v", err)
	}
	squat.Close()
	if _, err := d.Open(nil); err != nil {
		t.Errorf("one port free again: %v", err)
	}
}

// A restart begins elsewhere: far ends that the last process left still send to
// its ports for a while.
func TestPortsBeginAnywhere(t *testing.T) {
	begins := map[uint16]bool{}
	for range 20 {
		p := newPorts(Config{PortMin: 20000, PortMax: 29999})
		begins[p.free[0]] = true
		if len(p.free) != 5000 {
			t.Fatalf("%d ports in the range, want 5000", len(p.free))
		}
	}
	if len(begins) < 15 {
		t.Errorf("twenty desks begin at %d ports", len(begins))
	}
	if p := newPorts(Config{PortMin: 20001, PortMax: 20001}); len(p.free) != 0 {
		t.Errorf("a range without an even port has %v", p.free)
	}
}

func TestTwoHundredLegs(t *testing.T) {
	d := desk(t, "127.20.14.1", func(c *Config) { c.PortMin, c.PortMax = 22000, 22499 })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				agent, err1 := d.Open(nil)
				customer, err2 := d.Open(nil)
				if err := errors.Join(err1, err2); err != nil {
					t.Error(err)
					return
				}
				agent.Connect(dialer.Remote{Addr: customer.Local(), Codec: dialer.PCMA})
				customer.Connect(dialer.Remote{Addr: agent.Local(), Codec: dialer.PCMU})
				d.Bridge(customer, agent, nil)
				d.Part(agent, dialer.Comfort)
				d.Bridge(customer, agent, func(time.Time) {})
				customer.Close()
				agent.Close()
			}
		})
	}
	all.Wait()
	if s := d.Stats(); s.Legs != 0 {
		t.Errorf("%d legs left", s.Legs)
	}
	d.Close()
	if _, err := d.Open(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("open after close: %v", err)
	}
}
