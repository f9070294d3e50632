package sim_test

import (
	"fmt"
	"time"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// What would one line per agent have reached on the same people? Leads are given by the caller.
func ExampleRun() {
	day := sim.Scenario{
		Agents: 20, Length: 70 * time.Second, Grace: 2 * time.Second,
		Lead: func(k int, _ time.Duration) sim.Lead {
			lead := sim.Lead{Outcome: pacing.NoAnswer, PostDial: 300 * time.Millisecond, Rings: true, Ring: 3 * time.Second}
			if k%3 == 0 {
				lead.Outcome, lead.Ring = pacing.Completed, time.Duration(1000+k*37%900)*time.Millisecond
				lead.Talk, lead.WrapUp = time.Duration(3000+k*91%4000)*time.Millisecond, 1500*time.Millisecond
			}
			return lead
		},
	}
	for _, mode := range []pacing.Mode{pacing.Progressive, pacing.Predictive} {
		engine, err := pacing.New(pacing.Config{
			Mode: mode, Windows: []pacing.Window{{Period: pacing.Campaign, Start: day.Begin(), Cap: 0.03}}, Grace: day.Grace,
		})
		if err != nil {
			panic(err)
		}
		result, err := sim.Run(day, engine)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.0f %% of the time on the phone, %d answered, %d abandoned\n", 100*result.Utilisation, result.Answered, result.Abandoned)
	}
	// Output:
	// 42 % of the time on the phone, 99 answered, 0 abandoned
	// 75 % of the time on the phone, 178 answered, 0 abandoned
}
