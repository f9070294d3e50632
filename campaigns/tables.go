package campaigns

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// hours reads spans by weekday; a key such as mon-fri stands for each of its days.
func (r *reader) hours(c *Campaign, n ast.Node) {
	entries := r.entries("hours", n, nil, nil)
	c.Hours = make(Hours)
	for _, e := range entries {
		path := "hours." + e.key
		days, ok := daysOf(e.key)
		if !ok {
			mend := "use mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri"
			if near := nearest(e.key[:min(3, len(e.key))], Weekdays()); near != "" {
				mend = "did you mean " + near + "?"
			}
			r.add(path, e.at, "", "is not a weekday", mend)
			continue
		}
		var spans []string
		r.texts(path, e.value, &spans)
		for _, day := range days {
			if _, twice := c.Hours[day]; twice {
				r.add(path, e.at, "", "gives "+day+" a second time", "keep one")
				break
			}
			c.Hours[day] = slices.Clone(spans)
			for i := range spans {
				from := fmt.Sprintf("%s[%d]", path, i)
				r.places[fmt.Sprintf("hours.%s[%d]", day, i)] = r.places[from]
				if r.bad[from] {
					r.bad[fmt.Sprintf("hours.%s[%d]", day, i)] = true
				}
			}
		}
	}
}

// daysOf expands mon or mon-fri.
func daysOf(key string) ([]string, bool) {
	all := Weekdays()
	from, to, isRange := strings.Cut(key, "-")
	if !isRange {
		to = from
	}
	i, j := slices.Index(all, from), slices.Index(all, to)
	if i < 0 || j < i {
		return nil, false
	}
	return all[i : j+1], true
}

func (r *reader) retries(c *Campaign, n ast.Node) {
	var known []string
	for _, o := range Outcomes() {
		if o.Retryable() {
			known = append(known, string(o))
		}
	}
	for _, e := range r.entries("retry", n, known, nil) {
		path := "retry." + e.key
		o := Outcome(e.key)
		rule := DefaultRetry(o)
		r.retry(path, e.at, e.value, &rule)
		c.Retry[o] = rule
	}
}

// retry reads one rule over its defaults.
func (r *reader) retry(path string, key, n ast.Node, rule *Retry) {
	given := make(map[string]bool)
	for _, f := range r.entries(path, n, []string{"delay", "growth", "max", "next_number"}, nil) {
		given[f.key] = true
		switch f.key {
		case "delay":
			r.duration(path+".delay", f.value, &rule.Delay)
		case "growth":
			r.float(path+".growth", f.value, &rule.Growth, "")
		case "max":
			r.integer(path+".max", f.value, &rule.Max)
		case "next_number":
			r.truth(path+".next_number", f.value, &rule.NextNumber)
		}
	}
	if rule.Max == 0 && given["delay"] && !given["max"] && !r.bad[path] {
		r.add(path, key, "", "has a delay but no max", "give max: the number of retries")
	}
}

// outcomesOf gives the outcomes of a retry table in their order.
func outcomesOf(table map[Outcome]Retry) []Outcome {
	keys := slices.Collect(maps.Keys(table))
	all := Outcomes()
	slices.SortFunc(keys, func(a, b Outcome) int {
		i, j := slices.Index(all, a), slices.Index(all, b)
		if i != j {
			return i - j
		}
		return strings.Compare(string(a), string(b))
	})
	return keys
}
