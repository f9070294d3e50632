// Package sim is a contact centre in a computer: agents, leads and the telephone network between them, by the second and without a clock. It
// shows what a pacer does with a campaign before anyone is called.
//
//	result, err := sim.Run(sim.Scenario{
//		Agents: 50,
//		Length: 4 * time.Hour,
//		Grace:  2 * time.Second,
//		Lead:   sim.Base(1).Lead,
//	}, engine)
//
// Lead k is a function of k and the instant it is dialed alone, so that every pacer meets the same people; the agents do nothing of their
// own accord that depends on the pacer. The same scenario and pacer give the same result.
package sim
