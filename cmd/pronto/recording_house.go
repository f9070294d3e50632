package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/recording"
)

// recordingsDir is the folder of recordings.
func (h *house) recordingsDir() string { return h.config.recordings(h.dir) }

// listRecordingsArgs say which recordings.
type listRecordingsArgs struct {
	Of      string    `json:"of,omitempty"` // a number, or a campaign's name
	Country string    `json:"country,omitempty"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Sums    bool      `json:"sums,omitempty"` // only what they come to
	// Journals are those of the nodes whose recordings are listed; none: this node's alone.
	Journals []string `json:"journals,omitempty"`
}

// recordingsDoc is the JSON of recording list.
type recordingsDoc struct {
	Recordings []recordingDoc `json:"recordings"`
	Sums       []recordingSum `json:"sums"`
	Unreadable []string       `json:"unreadable,omitempty"`
	Room       roomDoc        `json:"room"`
}

// recordingDoc is one recording.
type recordingDoc struct {
	ID       string        `json:"id"`
	Node     string        `json:"node"`
	File     string        `json:"file"`
	Campaign string        `json:"campaign"`
	Attempt  string        `json:"attempt"`
	Agent    string        `json:"agent"`
	Began    time.Time     `json:"began"`
	Until    time.Time     `json:"kept_until"`
	Length   time.Duration `json:"length_ns"`
	Bytes    int64         `json:"bytes"`
	Law      recording.Law `json:"law"`
	Held     bool          `json:"held,omitempty"` // by a legal hold
	Open     bool          `json:"in_progress,omitempty"`
}

// roomDoc is what recordings take and may take of their disk.
type roomDoc struct {
	Files     int     `json:"files"`
	Bytes     int64   `json:"bytes"`
	Known     bool    `json:"free_known"` // whether the following are
	FreeBytes uint64  `json:"free_bytes"`
	LeftBytes uint64  `json:"left_bytes"` // free, without what is to stay free
	LeftHours float64 `json:"left_hours"` // of talk
}

// count takes a file in.
func (r *roomDoc) count(k recording.Kept) {
	r.Files++
	r.Bytes += k.Bytes
}

// look finds out what is free.
func (r *roomDoc) look(h *house) {
	dir := h.recordingsDir()
	if _, err := os.Stat(dir); err != nil {
		dir = h.dir
	}
	free, err := freeBytes(dir)
	if err != nil {
		return
	}
	r.Known, r.FreeBytes = true, free
	if reserve := h.config.Recordings.reserve(); free > reserve {
		r.LeftBytes = free - reserve
	}
	r.LeftHours = float64(r.LeftBytes) / recording.PerHour
}

// listRecordings lists what is wanted, and counts everything.
func listRecordings(ctx context.Context, h *house, args listRecordingsArgs, _ request) (recordingsDoc, error) {
	doc := recordingsDoc{Recordings: []recordingDoc{}}
	from := h.archives(args.Journals)
	wants, err := h.recordingFilter(ctx, from, args)
	if err != nil {
		return doc, err
	}
	held, err := h.heldRecordings(ctx, from)
	if err != nil {
		return doc, err
	}
	var sums recordingSums
	for k, err := range from.list() {
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case err != nil && k.File == "":
			return doc, err
		case err != nil:
			doc.Unreadable = append(doc.Unreadable, fmt.Sprintf("%s: %v", k.path(), err))
			continue
		}
		doc.Room.count(k.Kept)
		if !wants(k.Header) {
			continue
		}
		sums.add(k.Kept, held(k.Header))
		if args.Sums {
			continue
		}
		one, err := k.doc(held(k.Header))
		if err != nil {
			return doc, err
		}
		doc.Recordings = append(doc.Recordings, one)
	}
	doc.Sums = sums.all()
	if len(doc.Sums) == 0 && args.Of != "" {
		if _, err := h.number(ctx, args.Of, args.Country); err != nil { // it names a campaign, or nothing
			if _, err := h.campaign(ctx, args.Of); err != nil {
				return doc, err
			}
		}
	}
	doc.Room.look(h)
	return doc, nil
}

// doc tells a recording.
func (s stored) doc(held bool) (recordingDoc, error) {
	x := s.Header
	one := recordingDoc{
		ID: x.ID, Node: x.Node, File: s.File, Campaign: x.Campaign, Attempt: x.Attempt, Agent: x.Agent, Began: x.Began, Until: x.Until, Bytes: s.Bytes, Law: x.Law, Open: s.Open,
		Held: held,
	}
	r, err := recording.Open(s.path())
	if err != nil {
		return one, nil // it ended meanwhile
	}
	one.Length = r.Length()
	return one, r.Close()
}

// recordingFilter says which recordings are wanted.
func (h *house) recordingFilter(ctx context.Context, from archives, args listRecordingsArgs) (func(recording.Header) bool, error) {
	of := func(recording.Header) bool { return true }
	switch n, err := h.number(ctx, args.Of, args.Country); {
	case args.Of == "":
	case err == nil:
		subjects, err := from.subjects(string(n))
		if err != nil {
			return nil, err
		}
		of = func(x recording.Header) bool { return subjects[x.Subject] }
	case strings.HasPrefix(args.Of, "+"):
		return nil, err
	default:
		of = func(x recording.Header) bool { return x.Campaign == args.Of }
	}
	return func(x recording.Header) bool {
		return of(x) && !x.Began.Before(args.From) && (args.To.IsZero() || x.Began.Before(args.To))
	}, nil
}

// heldRecordings says which recordings a legal hold keeps.
func (h *house) heldRecordings(ctx context.Context, in archives) (func(recording.Header) bool, error) {
	list, err := h.store.Holds(ctx)
	if err != nil {
		return nil, err
	}
	all, subjects := holdsOf(list), map[string]bool{}
	for n := range all.numbers {
		of, err := in.subjects(string(n))
		if err != nil {
			return nil, err
		}
		maps.Copy(subjects, of)
	}
	return func(x recording.Header) bool { return subjects[x.Subject] || all.campaigns[x.Campaign] != nil }, nil
}

// recordingEntry begins a journal record about a recording.
func recordingEntry(x recording.Header, step string) journal.Record {
	return journal.Record{Kind: journal.Recording, Outcome: step, Campaign: x.Campaign, Attempt: x.Attempt, Agent: x.Agent, CallID: x.CallID, Subject: x.Subject}
}

// adoptRecordings settles what a crash left.
func (h *house) adoptRecordings(ctx context.Context) error {
	return recording.Adopt(h.recordingsDir(), h.ownArchives().key, func(x recording.Header, sum recording.Sum) error {
		return h.record(ctx, recordingEntry(x, journal.RecordingEnded), journal.RecordingDetail{
			File: x.Path(), Until: x.Until, SHA256: sum.SHA256, Bytes: sum.Bytes, LengthMS: float64(sum.Length) / float64(time.Millisecond), Interrupted: true,
		})
	})
}

// recordingsOf are the recordings of a number.
func (h *house) recordingsOf(n campaigns.Number) ([]recording.Kept, error) {
	subject, err := journal.SubjectOf(h.journalDir(), string(n))
	if err != nil {
		return nil, err
	}
	var out []recording.Kept
	for k, err := range recording.List(h.recordingsDir()) {
		if err != nil && k.File == "" {
			return nil, err
		}
		if err == nil && k.Header.Subject == subject {
			out = append(out, k)
		}
	}
	return out, nil
}

// destroyRecordings destroys recordings and journals each.
func (h *house) destroyRecordings(ctx context.Context, all []recording.Kept, who, why string) error {
	for _, k := range all {
		if k.Open {
			continue // a call in progress; what a crash left is settled at the next start
		}
		rec := recordingEntry(k.Header, journal.RecordingRemoved)
		rec.Reason = why
		if err := h.record(ctx, rec, journal.RecordingDetail{File: k.File, Bytes: k.Bytes, Who: who}); err != nil {
			return err
		}
		if err := recording.Destroy(h.recordingsDir(), k.Header); err != nil {
			return err
		}
	}
	return nil
}
