package campaigns

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Cap is a bound on calls: at most Max within Per, or, where Per is 0, within a
// calendar day of the called party. In a campaign file it is written as "3 per 24h" or
// "1 per day".
type Cap struct {
	Max int           `json:"max"`
	Per time.Duration `json:"per,omitempty"`
}

// String is the cap as a campaign file has it.
func (c Cap) String() string {
	if c.Per == 0 {
		return fmt.Sprintf("%d per day", c.Max)
	}
	return fmt.Sprintf("%d per %s", c.Max, brief(c.Per))
}

// Since is the instant from which calls count towards the cap at now; zone is
// the called party's.
func (c Cap) Since(now time.Time, zone *time.Location) time.Time {
	if c.Per > 0 {
		return now.Add(-c.Per)
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// Frees is when the cap lets one more call pass, given the calls that count
// towards it, oldest first; the zero time when it lets one pass at now.
func (c Cap) Frees(calls []time.Time, now time.Time, zone *time.Location) time.Time {
	since := c.Since(now, zone)
	within := 0
	for _, at := range calls {
		if at.After(since) || c.Per == 0 && at.Equal(since) {
			within++
		}
	}
	switch {
	case within < c.Max:
		return time.Time{}
	case c.Per == 0:
		y, m, d := now.In(zone).Date()
		return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	default:
		return calls[len(calls)-c.Max].Add(c.Per)
	}
}

// Caps are the campaign's own bounds on its calls, beside the law's.
type Caps struct {
	Number   []Cap `yaml:"number" json:"number,omitempty"`       // calls to one number, over all campaigns of the seller
	Lead     []Cap `yaml:"lead" json:"lead,omitempty"`           // calls to one lead, whichever of its numbers
	CallerID []Cap `yaml:"caller_id" json:"caller_id,omitempty"` // calls that show one caller ID, over all campaigns; a calendar day of the rule set
}

// None reports whether nothing is bound.
func (c Caps) None() bool { return len(c.Number)+len(c.Lead)+len(c.CallerID) == 0 }

// maxCapSpan bounds a cap's window: the store remembers attempts at least so long.
const maxCapSpan = 365 * 24 * time.Hour

// parseCap reads "3 per 24h" or "1 per day".
func parseCap(text string) (Cap, error) {
	most, per, ok := strings.Cut(text, " per ")
	n, err := strconv.Atoi(strings.TrimSpace(most))
	if !ok || err != nil {
		return Cap{}, fmt.Errorf("is not a cap")
	}
	per = strings.TrimSpace(per)
	if per == "day" {
		return Cap{Max: n}, nil
	}
	if days, err := strconv.Atoi(strings.TrimSuffix(per, "d")); err == nil && strings.HasSuffix(per, "d") && days >= 0 && days <= 10000 {
		return Cap{Max: n, Per: time.Duration(days) * 24 * time.Hour}, nil
	}
	d, err := time.ParseDuration(per)
	if err != nil || d == 0 {
		return Cap{}, fmt.Errorf("is not a cap")
	}
	return Cap{Max: n, Per: d}, nil
}

func (r *reader) caps(c *Caps, n ast.Node) {
	into := map[string]*[]Cap{"number": &c.Number, "lead": &c.Lead, "caller_id": &c.CallerID}
	for _, e := range r.entries("caps", n, []string{"number", "lead", "caller_id"}, nil) {
		path := "caps." + e.key
		var texts []string
		r.texts(path, e.value, &texts)
		for i, text := range texts {
			one, err := parseCap(text)
			if at := fmt.Sprintf("%s[%d]", path, i); err != nil && !r.bad[at] {
				r.add(at, e.value, text, err.Error(), `write it as "3 per day" or "2 per 24h"`)
			}
			*into[e.key] = append(*into[e.key], one)
		}
	}
}

func (v *validator) caps(c Caps) {
	for _, of := range []struct {
		key  string
		caps []Cap
		most int
	}{{"number", c.Number, 1000}, {"lead", c.Lead, 1000}, {"caller_id", c.CallerID, 10_000_000}} {
		for i, one := range of.caps {
			key := fmt.Sprintf("caps.%s[%d]", of.key, i)
			switch {
			case one.Max < 1 || one.Max > of.most:
				v.add(key, one.String(), fmt.Sprintf("must let 1 to %d calls pass", of.most), "")
			case one.Per != 0 && of.key == "caller_id":
				v.add(key, one.String(), "must be for a day", fmt.Sprintf(`write "%d per day"`, one.Max))
			case one.Per != 0 && (one.Per < time.Minute || one.Per > maxCapSpan):
				v.add(key, one.String(), "must be for 1m to 8760h (365 days), or for a day", "")
			}
		}
	}
	if len(c.CallerID) > 1 {
		v.add("caps.caller_id[1]", c.CallerID[1].String(), "is a second cap for a day", "keep the lower one")
	}
}

func (w *yamlWriter) caps(c Caps) {
	if c.None() {
		return
	}
	w.open("caps")
	for _, of := range []struct {
		key  string
		caps []Cap
	}{{"number", c.Number}, {"lead", c.Lead}, {"caller_id", c.CallerID}} {
		if len(of.caps) == 0 {
			continue
		}
		texts := make([]string, len(of.caps))
		for i, one := range of.caps {
			texts[i] = one.String()
		}
		w.list(2, of.key, texts)
	}
}

func capsSchema() schema {
	caps := func(says string) schema {
		return list(says, text("", "pattern", patternCap))
	}
	return object("Bounds on calls, beside the law's: \"3 per day\" (a calendar day), \"2 per 24h\" (a rolling window).", schema{
		"number":    caps("Calls to one number, over all campaigns of the seller."),
		"lead":      caps("Calls to one lead, whichever of its numbers."),
		"caller_id": caps("Calls that show one caller ID, over all campaigns, a day; the next one of the pool takes over."),
	})
}
