package rules

// Hours is a calling window at the called party's place. Days are mon to sun;
// a day that is missing is closed. The window of eve (the day before a holiday)
// and of holiday cut the weekday's; missing: no difference is made.
type Hours struct {
	Days map[string][]Span `yaml:"days"`

	week         [7][]Span // by time.Weekday
	eve, holiday []Span    // nil: no difference
	starts, ends []int     // minutes at which any span begins and ends
}

// Day is what Hours must know of a day.
type Day struct {
	Weekday int // by time.Weekday
	Eve     bool
	Holiday bool
}

func (h *Hours) compile() {
	for i, name := range weekdays {
		h.week[i] = h.Days[name]
	}
	h.eve, h.holiday = h.Days[eveKey], h.Days[holidayKey]
	if _, named := h.Days[holidayKey]; named && h.holiday == nil {
		h.holiday = []Span{}
	}
	if _, named := h.Days[eveKey]; named && h.eve == nil {
		h.eve = []Span{}
	}
	for _, spans := range h.Days {
		for _, s := range spans {
			h.starts, h.ends = append(h.starts, s.From), append(h.ends, s.To)
		}
	}
}

// Open reports whether the window is open at the minute of the day.
func (h *Hours) Open(d Day, minute int) bool {
	if !within(h.week[d.Weekday], minute) {
		return false
	}
	if d.Eve && h.eve != nil && !within(h.eve, minute) {
		return false
	}
	return !d.Holiday || h.holiday == nil || within(h.holiday, minute)
}

// Starts are the minutes of the day at which the window may open.
func (h *Hours) Starts() []int { return h.starts }

// Ends are the minutes of the day at which the window may close.
func (h *Hours) Ends() []int { return h.ends }

func within(spans []Span, minute int) bool {
	for _, s := range spans {
		if s.Has(minute) {
			return true
		}
	}
	return false
}
