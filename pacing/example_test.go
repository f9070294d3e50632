package pacing_test

import (
	"fmt"
	"time"

	"pronto/pacing"
)

// An engine is told what happens and asked how many lines to start.
func ExampleEngine() {
	at := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	engine, err := pacing.New(pacing.Config{
		Windows: []pacing.Window{{Period: pacing.Campaign, Start: at, Cap: 0.03}},
		Grace:   2 * time.Second,
		Close:   at.Add(8 * time.Hour),
	})
	if err != nil {
		panic(err)
	}
	for agent := range 3 {
		if err := engine.Observe(pacing.Event{At: at, Kind: pacing.AgentReady, Agent: pacing.AgentID(agent + 1)}); err != nil {
			panic(err)
		}
	}
	decision := engine.Decide(at, nil)
	fmt.Println(decision.Dial, decision.Reason)
	for line := range decision.Dial {
		if err := engine.Observe(pacing.Event{At: at, Kind: pacing.Dialed, Call: pacing.CallID(line + 1)}); err != nil {
			panic(err)
		}
	}
	fmt.Println(engine.Decide(at, nil).Dial)
	// Output:
	// 3 floor
	// 0
}

// Every problem of a configuration is named at once.
func ExampleNew() {
	_, err := pacing.New(pacing.Config{Mode: pacing.Ratio, Ratio: -1, MaxLines: -5})
	fmt.Println(err)
	// Output:
	// pacing: config: Ratio: -1 lines per ready agent is not above 0 and at most 1000
	// Windows: none, but the mode plans for abandons
	// MaxLines: -5 is negative
}
