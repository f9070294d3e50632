package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"pronto/dialer/journal"
)

// List names a list that was loaded: the leads that it added have the ids from First
// to Last. Which they are the state says; the journal says what came of them.
type List struct {
	Campaign string
	Name     string // of the list that it was loaded into; empty: none
	Load     int64
	File     string
	At       time.Time
	Leads    int // that it added
	First    int64
	Last     int64
}

// ListsOptions say which lists are told of, and how.
type ListsOptions struct {
	Options
	Lists   []List
	PerLoad bool // each load for itself; else the loads of a list with a name are one
}

// ListsReport tells what came of the leads of each list.
type ListsReport struct {
	Span
	Lists   []ListFigures `json:"lists"`
	perLoad bool
}

// ListFigures are those of one list; a lead counts once in each of them. Without a load they are of
// leads that are in none of the lists given.
type ListFigures struct {
	Campaign string    `json:"campaign"`
	List     string    `json:"list,omitempty"`
	Load     int64     `json:"load,omitempty"` // the first one
	Loads    int       `json:"loads,omitempty"`
	File     string    `json:"file,omitempty"` // of the last one
	LoadedAt time.Time `json:"loaded_at,omitzero"`
	Leads    int       `json:"leads"`

	Asked     int            `json:"asked"`    // the gate was asked about them
	Callable  int            `json:"callable"` // it allowed a call at least once
	Refused   map[string]int `json:"refused"`  // it never did: by the last reason
	Dialed    int            `json:"dialed"`
	Attempts  int            `json:"attempts"` // calls to them
	Reached   int            `json:"reached"`  // put through to an agent
	Abandoned int            `json:"abandoned"`

	Dispositions map[string]int `json:"dispositions"` // the last of each lead
	Conversion   float64        `json:"conversion"`   // share of those reached whose disposition is sale
	ReachRate    float64        `json:"reach_rate"`   // share of those dialed who were reached
}

// saleDisposition is the disposition that counts as a conversion.
const saleDisposition = "sale"

// listKinds are the records that the figures of lists rest on.
var listKinds = []journal.Kind{
	journal.Cleared, journal.Refused, journal.Invited, journal.Connected, journal.Abandoned, journal.Ended, journal.Disposed,
}

// ReadLists computes the figures of lists from journals' folders, those of several
// nodes added up.
func ReadLists(from journal.Folders, opt ListsOptions) (ListsReport, error) {
	span := journal.ReadOptions{Kinds: listKinds, From: opt.From, To: opt.To, Campaign: opt.Campaign, Closed: true}
	return ListsOf(believed(from, span), opt)
}

// ListsOf computes them from records in their order.
func ListsOf(records iter.Seq2[journal.Record, error], opt ListsOptions) (ListsReport, error) {
	leads := map[leadKey]*leadFate{}
	tried := map[string]struct{}{} // attempts with an INVITE that have not ended
	for r, err := range records {
		if err != nil {
			return ListsReport{}, fmt.Errorf("report: %w", err)
		}
		if r.Lead == 0 || r.Campaign == "" || opt.Campaign != "" && r.Campaign != opt.Campaign || !opt.covers(r.At) {
			continue
		}
		key := leadKey{r.Campaign, r.Lead}
		if leads[key] == nil {
			leads[key] = &leadFate{}
		}
		leads[key].take(r, tried)
	}
	return ListsReport{Span{From: opt.From, To: opt.To, Campaign: opt.Campaign}, figuresOf(leads, opt), opt.PerLoad}, nil
}

type leadKey struct {
	campaign string
	lead     int64
}

// leadFate is what came of one lead.
type leadFate struct {
	attempts                     int
	callable, reached, abandoned bool
	refused, disposition         string
}

func (f *leadFate) take(r journal.Record, tried map[string]struct{}) {
	switch r.Kind {
	case journal.Cleared:
		f.callable = true
	case journal.Refused:
		f.refused = r.Reason
	case journal.Invited: // again after a challenge or a failover
		if _, again := tried[r.Attempt]; !again {
			f.attempts++
			tried[r.Attempt] = struct{}{}
		}
	case journal.Connected:
		f.reached = true
	case journal.Abandoned:
		f.abandoned = true
	case journal.Ended:
		delete(tried, r.Attempt)
		var d journal.EndedDetail
		if json.Unmarshal(r.Detail, &d) == nil && d.Settled.Disposition != "" {
			f.disposition = d.Settled.Disposition
		}
	case journal.Disposed:
		f.disposition = r.Outcome
	default: // the others are not read
	}
}

// figuresKey names the figures of a list: by its name or, without one, by its load.
type figuresKey struct {
	campaign, name string
	load           int64
}

// key is where a load counts.
func (o ListsOptions) key(l List) figuresKey {
	if l.Name == "" || o.PerLoad {
		return figuresKey{l.Campaign, "", l.Load}
	}
	return figuresKey{l.Campaign, l.Name, 0}
}

// figuresOf puts the leads into their lists.
func figuresOf(leads map[leadKey]*leadFate, opt ListsOptions) []ListFigures {
	byList := map[figuresKey]*ListFigures{}
	place := map[string][]List{} // loads of a campaign
	for _, l := range opt.Lists {
		if opt.Campaign != "" && l.Campaign != opt.Campaign {
			continue
		}
		place[l.Campaign] = append(place[l.Campaign], l)
		key := opt.key(l)
		if byList[key] == nil {
			byList[key] = newListFigures(l.Campaign)
		}
		byList[key].load(l)
	}
	for lead, fate := range leads {
		key := figuresKey{campaign: lead.campaign}
		for _, l := range place[lead.campaign] {
			if l.First <= lead.lead && lead.lead <= l.Last {
				key = opt.key(l)
			}
		}
		if byList[key] == nil {
			byList[key] = newListFigures(lead.campaign)
		}
		byList[key].add(fate)
	}
	found := slices.SortedFunc(maps.Values(byList), func(a, b *ListFigures) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Load, b.Load))
	})
	out := make([]ListFigures, 0, len(found))
	for _, f := range found {
		if f.Reached > 0 {
			f.Conversion = float64(f.Dispositions[saleDisposition]) / float64(f.Reached)
		}
		if f.Dialed > 0 {
			f.ReachRate = float64(f.Reached) / float64(f.Dialed)
		}
		out = append(out, *f)
	}
	return out
}

func newListFigures(campaign string) *ListFigures {
	return &ListFigures{Campaign: campaign, Refused: map[string]int{}, Dispositions: map[string]int{}}
}

// load adds a load of the list.
func (f *ListFigures) load(l List) {
	f.List, f.Leads, f.Loads = l.Name, f.Leads+l.Leads, f.Loads+1
	if f.Load == 0 || l.Load < f.Load {
		f.Load = l.Load
	}
	if f.File == "" || l.At.After(f.LoadedAt) {
		f.File, f.LoadedAt = l.File, l.At
	}
}

func (f *ListFigures) add(l *leadFate) {
	count := func(yes bool, n *int) {
		if yes {
			*n++
		}
	}
	count(l.callable || l.refused != "", &f.Asked)
	count(l.callable, &f.Callable)
	count(l.attempts > 0, &f.Dialed)
	count(l.reached, &f.Reached)
	count(l.abandoned, &f.Abandoned)
	f.Attempts += l.attempts
	if !l.callable && l.refused != "" {
		f.Refused[l.refused]++
	}
	if l.disposition != "" {
		f.Dispositions[l.disposition]++
	}
	if f.Load == 0 {
		f.Leads++
	}
}
