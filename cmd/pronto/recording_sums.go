package main

import (
	"cmp"
	"slices"
	"time"

	"pronto/dialer/recording"
)

// recordingSum is what the recordings of a campaign at a node come to.
type recordingSum struct {
	Campaign string    `json:"campaign"`
	Node     string    `json:"node"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Hours    float64   `json:"hours"` // of sound, silent half seconds left out
	Oldest   time.Time `json:"oldest"`
	Newest   time.Time `json:"newest"`
	Held     int       `json:"held"`        // by a legal hold
	Open     int       `json:"in_progress"` // of calls in progress, or left by a crash
	NextGoes time.Time `json:"kept_until"`  // the first that is not held, by what stood in the campaign when it was made
}

// recordingSums adds recordings up by campaign and node.
type recordingSums map[[2]string]*recordingSum

func (s *recordingSums) add(k recording.Kept, held bool) {
	x := k.Header
	if *s == nil {
		*s = recordingSums{}
	}
	of := (*s)[[2]string{x.Campaign, x.Node}]
	if of == nil {
		of = &recordingSum{Campaign: x.Campaign, Node: x.Node, Oldest: x.Began, Newest: x.Began}
		(*s)[[2]string{x.Campaign, x.Node}] = of
	}
	of.Files++
	of.Bytes += k.Bytes
	of.Hours = float64(of.Bytes) / recording.PerHour
	if x.Began.Before(of.Oldest) {
		of.Oldest = x.Began
	}
	if x.Began.After(of.Newest) {
		of.Newest = x.Began
	}
	switch {
	case k.Open:
		of.Open++
	case held:
		of.Held++
	case of.NextGoes.IsZero() || x.Until.Before(of.NextGoes):
		of.NextGoes = x.Until
	}
}

// all are the sums by campaign, then node.
func (s recordingSums) all() []recordingSum {
	out := make([]recordingSum, 0, len(s))
	for _, of := range s {
		out = append(out, *of)
	}
	slices.SortFunc(out, func(a, b recordingSum) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Node, b.Node))
	})
	return out
}
