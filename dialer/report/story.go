package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"pronto/dialer/journal"
)

// Story is every record about one number, in time order.
type Story struct {
	Number  string  `json:"number"`
	Erased  bool    `json:"erased"` // the number's keys were destroyed; what its records still say is told
	Entries []Entry `json:"entries"`
}

// Entry is one record in plain words.
type Entry struct {
	At       time.Time       `json:"at"`
	Node     string          `json:"node"`
	Seq      uint64          `json:"seq"`
	Kind     journal.Kind    `json:"kind"`
	Campaign string          `json:"campaign,omitempty"`
	Attempt  string          `json:"attempt,omitempty"`
	Text     string          `json:"text"`
	Detail   json.RawMessage `json:"detail,omitempty"`
}

// ReadStory tells the story of a number, in the E.164 form in which it was
// dialed, from journals' folders: the records about it, and those of the files that
// they and the state name.
func ReadStory(from journal.Folders, number string, known Origins) (Story, error) {
	s := Story{Number: number}
	for r, err := range from.Read(journal.ReadOptions{Number: number}) {
		if err != nil {
			return Story{}, fmt.Errorf("report: %w", err)
		}
		if r.Kind == journal.Erased {
			s.Erased = true
		}
		s.Entries = append(s.Entries, entryOf(r, sentence(r)))
	}
	files, err := origins(known, s.Entries).entries(from)
	if err != nil {
		return Story{}, err
	}
	s.merge(files)
	return s, nil
}

func entryOf(r journal.Record, text string) Entry {
	return Entry{At: r.At, Node: r.Node, Seq: r.Seq, Kind: r.Kind, Campaign: r.Campaign, Attempt: r.Attempt, Text: text, Detail: r.Detail}
}

// WriteText writes the story for people, a paragraph for each attempt.
func (s Story) WriteText(w io.Writer) error {
	out := &strings.Builder{}
	fmt.Fprintf(out, "The journal's records about %s: %d (times in UTC)\n", s.Number, len(s.Entries))
	if s.Erased {
		fmt.Fprintln(out, "Personal data on it was erased; what remains is told without it.")
	}
	attempt := "none yet"
	for _, e := range s.Entries {
		if e.Attempt != attempt {
			attempt = e.Attempt
			fmt.Fprintln(out)
			switch {
			case e.Kind == journal.CalledBack:
				fmt.Fprintf(out, "Call %s to us%s\n", attempt, phrase(", about campaign ", e.Campaign))
			case attempt != "":
				fmt.Fprintf(out, "Attempt %s of campaign %s\n", attempt, e.Campaign)
			}
		}
		fmt.Fprintf(out, "  %s  %s [%s %d]\n", e.At.UTC().Format("2006-01-02 15:04:05.000"), e.Text, e.Node, e.Seq)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteCSV writes one row for each record.
func (s Story) WriteCSV(w io.Writer) error {
	rows := [][]string{{"at", "node", "seq", "kind", "campaign", "attempt", "text"}}
	for _, e := range s.Entries {
		rows = append(rows, []string{e.At.UTC().Format(time.RFC3339Nano), e.Node, fmt.Sprint(e.Seq), string(e.Kind), e.Campaign, e.Attempt, e.Text})
	}
	return writeCSV(w, rows)
}

// detail reads a record's Detail; what cannot be read, as after an erasure, is
// left empty and the sentence is shorter.
func detail[T any](r journal.Record) (d T) {
	_ = json.Unmarshal(r.Detail, &d)
	return d
}
