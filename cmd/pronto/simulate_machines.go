package main

import (
	"math/rand/v2"
	"time"

	"pronto/campaigns"
	"pronto/pacing"
	"pronto/pacing/sim"
)

// machineHeard is when a machine is told from a person, after it was put through: the median of what was measured
// (docs/benchmarks.md). machineWrapUp is the longest wrap-up after a call that was released.
const (
	machineHeard  = 7600 * time.Millisecond
	machineWrapUp = 5 * time.Second
)

// supposed is what the flags suppose, under the campaign's policy on machines.
func (s *study) supposed() supposeDoc {
	d := supposeDoc{Rota: s.simulateOptions.rota, Patience: s.patience.Seconds(), Uneven: s.uneven, Channels: s.config.MaxLines, PerSecond: s.config.MaxCallsPerSecond}
	if s.machines == 0 {
		return d
	}
	d.Machines, d.MachineTime = s.machines, s.machineTime.Seconds()
	if s.campaign.Machines.Do != campaigns.MachinesOff {
		d.MachinesFound = s.machinesFound
	}
	if s.campaign.Machines.Do == campaigns.MachinesRelease {
		d.PeopleReleased = s.peopleReleased
	}
	return d
}

// withMachines makes machines of a share of the answers. As in the service each goes to an agent at once; the campaign's
// detection shortens the calls that it finds, and with release errs on people.
func (s *study) withMachines(lead func(int, time.Duration) sim.Lead, seed uint64) func(int, time.Duration) sim.Lead {
	d := s.supposed()
	if d.Machines == 0 {
		return lead
	}
	releases := s.campaign.Machines.Do == campaigns.MachinesRelease
	return func(k int, at time.Duration) sim.Lead {
		l := lead(k, at)
		if l.Outcome != pacing.Completed {
			return l
		}
		var source rand.PCG
		source.Seed(seed^1<<63, uint64(k)+1)
		r := rand.New(&source)
		machine, found, wrong, long := r.Float64() < d.Machines, r.Float64() < d.MachinesFound, r.Float64() < d.PeopleReleased, 0.5+r.Float64()
		if machine {
			l.Talk, l.Pause = time.Duration(long*float64(s.machineTime)), 0
		}
		taken := found
		if !machine {
			taken = wrong && l.Talk > machineHeard
			l.Released = taken
		}
		if taken {
			l.Talk = min(l.Talk, machineHeard)
			if releases {
				l.WrapUp = min(l.WrapUp, machineWrapUp)
			}
		}
		return l
	}
}
