package dnc

import (
	"fmt"
	"slices"
	"sync"

	"pronto/campaigns"
)

// areaCache keeps the time zones of North American area codes. The zero value is
// empty; there are at most 800 codes.
type areaCache struct {
	mu    sync.RWMutex // guards known
	known map[string][]string
}

// zones are the time zones in which the number may be. Metadata about North
// American numbers knows some exchanges of an area code and guesses at the others,
// at times wrongly, so that such a number may be wherever any number of its area
// code is.
func (c *areaCache) zones(n campaigns.Number, national string) []string {
	const northAmerica, areaLen = 1, 3
	if n.CallingCode() != northAmerica || len(national) < areaLen {
		return n.Zones()
	}
	area := national[:areaLen]
	c.mu.RLock()
	found, ok := c.known[area]
	c.mu.RUnlock()
	if ok {
		return found
	}
	for exchange := 200; exchange <= 999; exchange++ {
		found = append(found, campaigns.Number(fmt.Sprintf("+1%s%03d0000", area, exchange)).Zones()...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string][]string{}
	}
	c.known[area] = found
	return found
}
