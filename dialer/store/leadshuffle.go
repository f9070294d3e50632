package store

import (
	"database/sql"
	"fmt"
	"hash/fnv"

	"pronto/campaigns"
)

// A shuffled order needs no index of its own: each lead is looked for from a place
// in the list on which a counter names. The counter is kept, so that a restart goes on where it was, and
// each lead costs one look into the index of ready leads, however long the list.

// stretch is a part of a list, by the ids of its leads, in which a lead may be found.
type stretch struct {
	class    int
	low, end int64 // end is not in it
}

// shuffled picks fresh leads from all over the lists.
func (l *leasing) shuffled(lots []laneLot) error {
	apart := 0 // each list for itself, where none is asked for more than there is room
	for _, lot := range lots {
		apart += lot.most
	}
	if apart <= l.rest() {
		for _, lot := range lots {
			if err := l.scatter([]laneLot{lot}, lot.most); err != nil {
				return err
			}
		}
		return nil
	}
	return l.scatter(lots, l.rest())
}

// scatter picks n fresh leads from all over the given lists taken together, those
// put by last.
func (l *leasing) scatter(lots []laneLot, n int) error {
	mark := fmt.Sprintf("shuffle %d", l.id)
	var turn int64
	if _, err := l.t.get(`SELECT value FROM marks WHERE name = ?`, []any{mark}, &turn); err != nil {
		return err
	}
	began := len(l.picked)
	for _, class := range []int{fresh, putBy} {
		for len(l.picked)-began < n {
			priority, places, err := l.stretches(class, lots)
			if err != nil {
				return err
			}
			if len(places) == 0 {
				break
			}
			for len(l.picked)-began < n && len(places) > 0 {
				turn++
				if places, err = l.pickFrom(places, priority, l.dice(turn)); err != nil {
					return err
				}
			}
		}
	}
	_, err := l.t.exec(`INSERT INTO marks(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2`, mark, turn)
	return err
}

// stretches are where the ready leads of a class lie that have the highest
// priority among them.
func (l *leasing) stretches(class int, lots []laneLot) (priority int64, places []stretch, err error) {
	const top = `SELECT priority FROM leads WHERE campaign = ? AND state = 1 AND class = ? AND due <= ? ORDER BY priority DESC LIMIT 1`
	some := false
	for _, lot := range lots {
		var p int64
		found, err := l.t.get(top, []any{l.id, inLane(class, lot.lane), l.now}, &p)
		if err != nil {
			return 0, nil, err
		}
		if found && (!some || p > priority) {
			priority, some = p, true
		}
	}
	for _, lot := range lots {
		if !some {
			break
		}
		list, err := l.stretchesOf(inLane(class, lot.lane), lot.lane, priority)
		if err != nil {
			return 0, nil, err
		}
		places = append(places, list...)
	}
	return priority, places, nil
}

// stretchesOf are the parts of one list, as its loads made them, between its first
// ready lead of the priority and its last.
func (l *leasing) stretchesOf(class, lane int, priority int64) ([]stretch, error) {
	const end = `SELECT id FROM leads INDEXED BY leads_ready WHERE campaign = ? AND state = 1 AND class = ? AND priority = ? ORDER BY id `
	var low, last int64
	some, err := l.t.get(end+`LIMIT 1`, []any{l.id, class, priority}, &low)
	if err != nil || !some {
		return nil, err
	}
	if _, err := l.t.get(end+`DESC LIMIT 1`, []any{l.id, class, priority}, &last); err != nil {
		return nil, err
	}
	var places []stretch
	const loads = `SELECT first_lead, last_lead FROM loads WHERE campaign = ? AND lane = ? AND first_lead > 0 AND first_lead <= ? AND last_lead >= ? ORDER BY first_lead`
	err = l.t.each(loads, []any{l.id, lane, last, low}, func(rows *sql.Rows) error {
		var from, to int64
		if err := rows.Scan(&from, &to); err != nil {
			return err
		}
		if n := len(places); n > 0 && from < places[n-1].end { // loaded at the same time
			from = places[n-1].end
		}
		if s := (stretch{class, max(from, low), min(to, last) + 1}); s.low < s.end {
			places = append(places, s)
		}
		return nil
	})
	if err == nil && (len(places) == 0 || low < places[0].low) { // loaded before loads were noted
		end := last + 1
		if len(places) > 0 {
			end = places[0].low
		}
		places = append([]stretch{{class, low, end}}, places...)
	}
	return places, err
}

// pickFrom picks the first ready lead from a place on within one of the stretches;
// a stretch that has none is left out from then on.
func (l *leasing) pickFrom(places []stretch, priority int64, dice uint64) ([]stretch, error) {
	var whole uint64
	for _, s := range places {
		whole += uint64(s.end - s.low)
	}
	at, k := dice%whole, 0
	for ; at >= uint64(places[k].end-places[k].low); k++ {
		at -= uint64(places[k].end - places[k].low)
	}
	s := places[k]
	from := s.low + int64(at)
	for _, span := range [][2]int64{{from, s.end}, {s.low, from}} {
		const next = `UPDATE leads SET state = 2, node = ? WHERE id = (
			SELECT id FROM leads INDEXED BY leads_ready WHERE campaign = ? AND state = 1 AND class = ? AND priority = ? AND id >= ? AND id < ? AND due <= ? ORDER BY id LIMIT 1)
			RETURNING id`
		found := false
		err := l.t.each(next, []any{l.node, l.id, s.class, priority, span[0], span[1], l.now}, func(rows *sql.Rows) error {
			p := picked{priority: priority, class: int64(s.class)}
			err := rows.Scan(&p.id)
			l.picked, found = append(l.picked, p), true
			return err
		})
		if err != nil || found {
			return places, err
		}
	}
	return append(places[:k:k], places[k+1:]...), nil
}

// dice is the number that a turn throws: SplitMix64 from a seed that the campaign's
// name gives.
func (l *leasing) dice(turn int64) uint64 {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(l.campaign)) // it never fails
	z := seed.Sum64() + uint64(turn)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

var _ campaigns.LeadStore = (*Store)(nil)
