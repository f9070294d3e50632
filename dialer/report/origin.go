package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
)

// Origins name the files by which something about a number came in or went out, as
// far as the state knows them. What the journal's records of the number name
// is found without them.
type Origins struct {
	Loads       []Loading       `json:"loads"`       // lists that its leads are from
	Verdicts    []dnc.Screening `json:"verdicts"`    // registers' answers, by their imports
	Imports     []string        `json:"imports"`     // ids of other imports: consents, downloaded lists that hold it
	Submissions []string        `json:"submissions"` // ids of those that hold it
}

// Loading names a list that was loaded into a campaign.
type Loading struct {
	Campaign string    `json:"campaign"`
	At       time.Time `json:"at"` // of the load, as the lead has it
}

// fileDetail is what the records of files hold: journal.LoadedDetail,
// journal.ImportedDetail and the record of a submission, with who did it.
type fileDetail struct {
	journal.ImportedDetail
	Who        string    `json:"who"`
	At         time.Time `json:"at"` // loaded: the load's time; submitted: the submission's
	Added      int       `json:"added"`
	Updated    int       `json:"updated"`
	ID         string    `json:"id"` // of a submission
	Count      int       `json:"count"`
	Closed     string    `json:"closed"`
	Submission string    `json:"submission"`
	Reason     string    `json:"reason"`
}

// search is what a story's files are looked for by.
type search struct {
	loads       map[Loading]bool
	imports     map[string]bool
	lists       map[string]bool // register and the register's time of a downloaded list
	submissions map[string]bool
	verdicts    map[string]dnc.Screening
}

func listKey(register string, checked time.Time) string {
	return register + " " + checked.UTC().Format(time.RFC3339Nano)
}

// origins finds what files the number's records and the state name.
func origins(known Origins, entries []Entry) search {
	s := search{map[Loading]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]dnc.Screening{}}
	for _, l := range known.Loads {
		s.loads[Loading{l.Campaign, l.At.UTC()}] = true
	}
	for _, v := range known.Verdicts {
		s.imports[v.Import], s.verdicts[v.Import] = true, v
	}
	for _, id := range known.Imports {
		s.imports[id] = true
	}
	for _, id := range known.Submissions {
		s.submissions[id] = true
	}
	for _, e := range entries {
		r := journal.Record{Detail: e.Detail}
		switch e.Kind {
		case journal.Cleared, journal.Refused:
			v := detail[dnc.Verdict](r)
			s.loads[Loading{e.Campaign, v.LoadedAt.UTC()}] = true
			s.imports[v.Import] = true
			if v.Import == "" && v.Register != "" {
				s.lists[listKey(v.Register, v.CheckedAt)] = true
			}
			if v.Reassigned != nil {
				s.imports[v.Reassigned.Import] = true
			}
		case journal.Consented:
			s.imports[detail[dnc.Consent](r).Import] = true
		case journal.OptedOut:
			s.imports[detail[journal.OptOutDetail](r).Import] = true
		}
	}
	delete(s.imports, "")
	return s
}

// entries reads the records of the files that are looked for.
func (s search) entries(from journal.Folders) ([]Entry, error) {
	var found []Entry
	kinds := []journal.Kind{journal.Loaded, journal.Imported, journal.Submitted}
	for r, err := range from.Read(journal.ReadOptions{Kinds: kinds}) {
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		if text := s.says(r, detail[fileDetail](r)); text != "" {
			found = append(found, entryOf(r, text))
		}
	}
	return found, nil
}

// says tells the record of a file that is looked for; empty for another.
func (s search) says(r journal.Record, d fileDetail) string {
	file := d.File
	if sum := d.SHA256; sum != "" {
		file += " (SHA-256 " + sum[:min(len(sum), 12)] + "…)"
	}
	switch {
	case r.Kind == journal.Loaded && s.loads[Loading{r.Campaign, d.At.UTC()}]:
		return fmt.Sprintf("The list %s was loaded into campaign %s%s: rows %d, new %d, changed %d.", file, r.Campaign, by(d.Who), d.Rows, d.Added, d.Updated)
	case r.Kind == journal.Submitted && s.submissions[d.ID] && d.Closed != "":
		return fmt.Sprintf("Submission %s to %s was withdrawn%s: %s.", d.ID, d.Register, by(d.Who), strings.TrimSuffix(d.Closed, "."))
	case r.Kind == journal.Submitted && s.submissions[d.ID]:
		return fmt.Sprintf("The number was submitted to %s for %s%s: submission %s, file %s, numbers %d.", d.Register, d.Seller, by(d.Who), d.ID, file, d.Count)
	case r.Kind == journal.Imported && (s.imports[d.Import] || s.submissions[d.Submission] || s.lists[listKey(d.Register, d.CheckedAt)]):
		return s.imported(d, file)
	}
	return ""
}

// imported tells the record of an import.
func (s search) imported(d fileDetail, file string) string {
	text := fmt.Sprintf("A file of %s%s was taken in%s: import %s, %s, rows %d", d.Register, phrase(" for ", d.Seller), by(d.Who), d.Import, file, d.Rows)
	if !d.CheckedAt.IsZero() {
		text += ", as of " + instant(d.CheckedAt)
	}
	text += phrase(", in answer to submission ", d.Submission)
	if d.Submission == "" {
		text += phrase(", reason: ", strings.TrimSuffix(d.Reason, "."))
	}
	if v, ok := s.verdicts[d.Import]; ok {
		status := "clear"
		if v.Registered {
			status = "registered"
		}
		text += "; it says " + status + " of the number"
	}
	return text + "."
}

// merge puts the entries in order of time.
func (s *Story) merge(more []Entry) {
	s.Entries = append(s.Entries, more...)
	slices.SortStableFunc(s.Entries, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Node, b.Node), cmp.Compare(a.Seq, b.Seq))
	})
}

// configured says what somebody changed, as a legal hold on the number.
func configured(r journal.Record) string {
	d := detail[struct {
		journal.ConfigDetail
		Reason string `json:"reason"`
	}](r)
	if d.What == "" {
		return "A setting was changed" + by(d.Who) + "."
	}
	s := strings.ToUpper(d.What[:1]) + d.What[1:] + by(d.Who)
	if d.Reason != "" {
		s += ": " + strings.TrimSuffix(d.Reason, ".")
	}
	return s + "."
}
