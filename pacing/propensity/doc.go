// Package propensity learns, call by call, how likely a lead is to answer in person, compared with the campaign's other leads.
//
// A lead is described by factors: the hour, the weekday, the kind of number, the region, the attempts so far, the last outcome. The caller
// names them and gives each lead a level of every factor:
//
//	model, err := propensity.New([]propensity.Factor{{Name: "hour", Levels: 24}, {Name: "attempts", Levels: 4}})
//	...
//	event.Propensity = model.Propensity([]int{now.Hour(), min(attempts, 3)}) // 0 while too little is known
//	...
//	model.Learn([]int{hour, attempts}, answered)
//
// The package is pure: the same calls give the same numbers, to the bit, on every machine.
package propensity
