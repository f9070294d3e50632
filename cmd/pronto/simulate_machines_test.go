package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/pacing"
)

// withMachineFlags is a change of flags: two of five answers are machines.
func withMachineFlags(o *simulateOptions) {
	o.machines, o.machineTime, o.machinesFound, o.peopleReleased = 0.4, 20*time.Second, 0.5, 0.05
}

// TestMachinesAreSupposed looks at the calls that a campaign meets, by what it does about machines.
func TestMachinesAreSupposed(t *testing.T) {
	for _, c := range []struct {
		name            string
		do              campaigns.MachinesDo
		found, released float64 // shares: of machines, of people
	}{{"off", campaigns.MachinesOff, 0, 0}, {"tell", campaigns.MachinesTell, 0.5, 0}, {"release", campaigns.MachinesRelease, 0.5, 0.05}} {
		t.Run(c.name, func(t *testing.T) {
			s := testStudy(t, withMachineFlags)
			s.campaign.Machines.Do = c.do
			plain, lead := s.people.lead(1), s.scenario(6, 1).Lead
			var answers, machines, found, people, released, time20 float64
			for k := range 40000 {
				was, is := plain(k, 0), lead(k, 0)
				if was.Outcome != pacing.Completed {
					if was != is {
						t.Fatalf("a call that nobody answers was changed: %+v, %+v", was, is)
					}
					continue
				}
				answers++
				switch {
				case is.Released:
					people++
					released++
				case is.Talk == was.Talk:
					people++
				default:
					machines++
					time20 += is.Talk.Seconds()
					if is.Talk == machineHeard {
						found++
					}
				}
			}
			near := func(what string, got, want, give float64) {
				t.Helper()
				if math.Abs(got-want) > give {
					t.Errorf("%s: %.4f, want %.4f", what, got, want)
				}
			}
			near("machines", machines/answers, 0.4, 0.02)
			near("found", found/machines, c.found, 0.03)
			near("people released", released/people, c.released, 0.01)
			if c.do == campaigns.MachinesOff {
				near("seconds with a machine", time20/machines, 20, 0.5)
			}
		})
	}
}

// TestMachinesHaveTheirEffect: releasing frees agents, and the people whom it takes count against the cap, which holds.
func TestMachinesHaveTheirEffect(t *testing.T) {
	play := func(do campaigns.MachinesDo, change func(*simulateOptions)) (pacingDoc, string) {
		s := testStudy(t, func(o *simulateOptions) {
			o.agents, o.hours, o.ratio = []int{10}, 1, 2
			withMachineFlags(o)
			o.machineTime = time.Minute
			change(o)
		})
		s.campaign.Machines.Do = do
		doc, _ := playStudy(t, s)
		return doc.Teams[0].Pacings[0], doc.Suppose.text()
	}
	off, said := play(campaigns.MachinesOff, func(*simulateOptions) {})
	if want := "40 % of answers are machines, ended after 60 s"; said != want {
		t.Errorf("said: %s", said)
	}
	release, said := play(campaigns.MachinesRelease, func(o *simulateOptions) { o.peopleReleased = 0.005 })
	if release.PerAgent.Mean <= off.PerAgent.Mean || release.Released.Mean == 0 || off.Released.Mean != 0 {
		t.Errorf("calls an agent and hour: %v with release, %v without; released %v, %v", release.PerAgent, off.PerAgent, release.Released, off.Released)
	}
	if !strings.Contains(said, "50 % of them are found after 7.6 s; 0.50 % of people are taken for machines and released") {
		t.Errorf("said: %s", said)
	}
	if release.WorstWindow > 0.03 || release.AbandonRate.Mean <= 0.002 {
		t.Errorf("abandoned with release: %v, worst window %v", release.AbandonRate, release.WorstWindow)
	}
	spent, _ := play(campaigns.MachinesRelease, func(o *simulateOptions) { o.peopleReleased = 0.2 })
	if spent.AbandonRate.Mean < 0.03 {
		t.Errorf("a detector that takes one in five people breaks every cap, here %v", spent.AbandonRate)
	}
}
