// Package testdata carries the sample campaign, list, register result, opt-outs
// and prompts in the binary, so that the demo runs anywhere. All numbers are
// fictional.
package testdata

import "embed"

// Samples are the files that the demo and the examples use, by their path in
// this folder.
//
//go:embed campaigns/*.yaml lists/demo-it.csv registers/demo-rpo.csv registers/demo-optouts.csv prompts/*.wav
var Samples embed.FS
