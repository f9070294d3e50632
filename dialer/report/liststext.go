package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// WriteText writes the report for people.
func (r ListsReport) WriteText(w io.Writer) error {
	if len(r.Lists) == 0 {
		return r.nothing(w, "lists")
	}
	if err := r.head(w, "Lists"); err != nil {
		return err
	}
	var rows, why [][]string
	for _, l := range r.Lists {
		name := l.name(r.perLoad)
		refused := 0
		for _, reason := range slices.Sorted(maps.Keys(l.Refused)) {
			refused += l.Refused[reason]
			why = append(why, []string{l.Campaign + ", " + name, reason, number(l.Refused[reason])})
		}
		rows = append(rows, []string{
			l.Campaign, name, number(l.Leads), number(l.Asked), number(l.Callable), number(refused), number(l.Dialed), number(l.Attempts),
			number(l.Reached), percent(l.ReachRate), number(l.Abandoned), number(l.Dispositions[saleDisposition]), percent(l.Conversion),
		})
	}
	head := []string{"Campaign", "List", "Leads", "Asked", "Callable", "Refused", "Dialed", "Calls", "Reached", "Of dialed", "Abandoned", "Sales", "Of reached"}
	if err := render(w, head, rows); err != nil || len(why) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return render(w, []string{"Never allowed, of list", "Reason", "Leads"}, why)
}

// name is what a list is called: by its own name or, without one or when it is one load of more, by load and file.
func (l ListFigures) name(perLoad bool) string {
	switch load := strconv.FormatInt(l.Load, 10) + " " + l.File; {
	case l.Load == 0:
		return "other leads"
	case l.List == "":
		return load
	case perLoad:
		return l.List + ", " + load
	default:
		return l.List
	}
}

// WriteCSV writes one row for each figure of each list.
func (r ListsReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", "list", "load", "file", "figure", "of", "value"}}
	for _, l := range r.Lists {
		add := func(figure, of, value string) {
			rows = append(rows, []string{l.Campaign, l.List, strconv.FormatInt(l.Load, 10), l.File, figure, of, value})
		}
		for _, n := range []struct {
			name  string
			count int
		}{
			{"leads", l.Leads},
			{"asked", l.Asked},
			{"callable", l.Callable},
			{"dialed", l.Dialed},
			{"attempts", l.Attempts},
			{"reached", l.Reached},
			{"abandoned", l.Abandoned},
		} {
			add(n.name, "", number(n.count))
		}
		for _, k := range slices.Sorted(maps.Keys(l.Refused)) {
			add("refused", k, number(l.Refused[k]))
		}
		for _, k := range slices.Sorted(maps.Keys(l.Dispositions)) {
			add("disposition", k, number(l.Dispositions[k]))
		}
		add("reach_rate", "", exact(l.ReachRate))
		add("conversion", "", exact(l.Conversion))
	}
	return writeCSV(w, rows)
}
