package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer/store"
)

// LeadCounts counts the campaign's leads at now. NextDue is when the next lead
// that waits falls due; zero when none waits.
func (s *Store) LeadCounts(ctx context.Context, campaign string, now time.Time) (store.LeadCounts, error) {
	c, err := s.countLeads(ctx, campaign, now)
	if err != nil {
		return c, fmt.Errorf("count leads of %s: %w", campaign, err)
	}
	return c, nil
}

func (s *Store) countLeads(ctx context.Context, campaign string, now time.Time) (store.LeadCounts, error) {
	var c store.LeadCounts
	no, err := s.number(ctx, campaign)
	if err != nil {
		return c, err
	}
	var counts *goredis.MapStringStringCmd
	var fallen *goredis.IntCmd
	var next *goredis.ZSliceCmd
	at := strconv.FormatInt(now.UnixMicro(), 10)
	err = s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		counts = p.HGetAll(ctx, s.campaignKey(no, "k"))
		fallen = p.ZCount(ctx, s.campaignKey(no, "w"), "-inf", at)
		next = p.ZRangeByScoreWithScores(ctx, s.campaignKey(no, "w"), &goredis.ZRangeBy{Min: "(" + at, Max: "+inf", Count: 1})
	})
	if err != nil {
		return c, err
	}
	for field, text := range counts.Val() {
		f, err := strconv.Atoi(field)
		if err != nil {
			return c, err
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return c, err
		}
		addCount(&c, f%32/4, f%4, n)
	}
	c.Due += int(fallen.Val())
	if z := next.Val(); len(z) > 0 {
		member, _ := z[0].Member.(string)
		r := reader{b: []byte(member)}
		c.NextDue = time.UnixMicro(int64(z[0].Score)).Add(time.Duration(r.u16())).UTC()
	}
	return c, nil
}

// addCount counts n leads of one state and class of campaign.lua.
func addCount(c *store.LeadCounts, state, class, n int) {
	c.Total += n
	switch state {
	case untouched, ready:
		c.Due += n
	case 3:
		c.Leased += n
	case 4:
		c.Dialing += n
	case done:
		c.Done += n
		return
	}
	switch class {
	case callback:
		c.Callbacks += n
	case retry:
		c.Retries += n
	case fresh, behind:
		c.Fresh += n
	}
}
