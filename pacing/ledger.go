package pacing

import (
	"math/bits"
	"time"
)

// A ledger counts one window.
//
// Every base comes down to abandoned <= share × connected: of connected, share is the cap; of live answers, cap / (1 - cap). The credit, in
// abandons, is share × connected - abandoned.
type ledger struct {
	window               Window
	start                int64   // Window.Start, moved into range by whole Lengths
	months               []month // of Month: how far local time is ahead
	until                int64   // of Successive and Month: when the period the counts are of ends
	connected, abandoned float64 // in the window now
	tail                 rollingTail
}

// count is live answers.
type count struct{ connected, abandoned float64 }

func newLedger(w Window) ledger {
	l := ledger{window: w, start: startOf(w), until: -1 << 62}
	switch w.Period {
	case Month:
		l.months = monthOffsets(w.Start.Location())
	case Rolling:
		l.tail = newRollingTail(int64(w.Length))
	}
	return l
}

// startOf returns the start of the window in nanoseconds; one that does not fit is moved by whole Lengths.
func startOf(w Window) int64 {
	if inRange(w.Start) {
		return w.Start.UnixNano()
	}
	if w.Period != Successive {
		return -1 << 62
	}
	sec := w.Start.Unix()
	if sec > 0 {
		return w.Start.UnixNano()
	}
	hi, lo := bits.Mul64(uint64(-sec), 1e9)
	return -int64(bits.Rem64(hi, lo, uint64(w.Length))) + int64(w.Start.Nanosecond())
}

// same tells whether two windows keep the same counts.
func (w Window) same(v Window) bool {
	return w.Period == v.Period && w.Length == v.Length && w.Base == v.Base && w.Start.Equal(v.Start)
}

// share turns a cap on the rate into a cap on abandoned / connected.
func (l *ledger) share(limit float64) float64 {
	if l.window.Base == OfConnected {
		return limit
	}
	return limit / (1 - limit)
}

// rate returns the abandon rate of counts under the window's base.
func (l *ledger) rate(c count) float64 {
	of := c.connected
	if l.window.Base == OfLiveAnswered {
		of += c.abandoned
	}
	switch {
	case c.abandoned <= 0:
		return 0
	case of <= c.abandoned && l.window.Base == OfLiveAnswered, of <= 0:
		return 1
	}
	return c.abandoned / of
}

// advance moves the window to an instant.
func (l *ledger) advance(at int64) {
	if l.window.Period == Rolling {
		gone := l.tail.expire(at)
		l.connected -= gone.connected
		l.abandoned -= gone.abandoned
		if l.tail.empty() {
			l.connected, l.abandoned = 0, 0
		}
		return
	}
	if at >= l.until {
		l.until, l.connected, l.abandoned = l.end(at), 0, 0
	}
}

// add counts answers at an instant; the window must have been advanced to it.
func (l *ledger) add(at int64, c count) {
	if l.window.Period == Campaign && at < l.start || l.window.Period == Successive && at < l.start && inRange(l.window.Start) {
		return
	}
	l.connected += c.connected
	l.abandoned += c.abandoned
	if l.window.Period == Rolling {
		l.tail.add(at, c)
	}
}

// unconnect takes back a connected answer that proved to be a machine.
func (l *ledger) unconnect(connectedAt int64) {
	if l.window.Machines {
		return
	}
	switch l.window.Period {
	case Rolling:
		if !l.tail.unconnect(connectedAt) {
			return
		}
	default:
		if l.window.Period != Month && connectedAt < l.start || l.end(connectedAt) != l.until {
			return
		}
	}
	l.connected--
}

// at returns the counts of the window at an instant not before the last advance.
func (l *ledger) at(now int64) count {
	c := count{l.connected, l.abandoned}
	switch l.window.Period {
	case Rolling:
		gone := l.tail.expiring(now)
		c.connected -= gone.connected
		c.abandoned -= gone.abandoned
	case Successive, Month:
		if now >= l.until {
			return count{}
		}
	}
	return c
}

// end returns when the window's period ends, never for a campaign.
func (l *ledger) end(now int64) int64 {
	switch l.window.Period {
	case Successive:
		length := int64(l.window.Length)
		if p := floorDiv(now-l.start, length); p < (never-l.start)/length-1 {
			return l.start + (p+1)*length
		}
	case Month:
		return monthStart(l.months, monthAt(l.months, now)+1)
	}
	return never
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// month is a run of months that begin with the same offset from UTC.
type month struct {
	from   int64 // months since January 1970
	offset int64 // nanoseconds local time is ahead
}

const (
	firstMonth = -70 * 12 // 1900
	lastMonth  = 180 * 12 // 2150
)

// monthOffsets lists the zone's offsets at the starts of months, so that a snapshot needs no zone file.
func monthOffsets(zone *time.Location) []month {
	var runs []month
	for m := int64(firstMonth); m < lastMonth; m++ {
		local := time.Date(1970, time.Month(1+m), 1, 0, 0, 0, 0, zone)
		offset := utcMonth(m) - local.Unix()*1e9
		if len(runs) == 0 || runs[len(runs)-1].offset != offset {
			runs = append(runs, month{m, offset})
		}
	}
	return runs
}

// utcMonth returns when a month begins in UTC.
func utcMonth(m int64) int64 {
	return time.Date(1970, time.Month(1+m), 1, 0, 0, 0, 0, time.UTC).Unix() * 1e9
}

// monthStart returns when a month begins in the zone.
func monthStart(runs []month, m int64) int64 {
	low, high := 0, len(runs)-1
	for low < high {
		mid := (low + high + 1) / 2
		if runs[mid].from <= m {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return utcMonth(m) - runs[low].offset
}

// monthAt returns the month an instant lies in.
func monthAt(runs []month, at int64) int64 {
	utc := time.Unix(0, at).UTC()
	m := int64(utc.Year()-1970)*12 + int64(utc.Month()) - 1
	if at < monthStart(runs, m) {
		return m - 1
	}
	if at >= monthStart(runs, m+1) {
		return m + 1
	}
	return m
}
