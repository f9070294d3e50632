package main

import (
	"fmt"
	"strings"
	"time"

	"pronto/dialer"
)

// awayText says that the store that nodes share cannot be reached, and what that
// means.
func awayText(a *dialer.StoreAway) string {
	return fmt.Sprintf("the store is away since %s: nothing is dialed until it is back; calls in progress go on (%s)", a.Since.Local().Format(time.TimeOnly), a.Why)
}

// nodesText names the nodes that share the store.
func nodesText(nodes []dialer.NodeLive) string {
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		if n.Alive {
			names = append(names, n.Name)
		} else {
			names = append(names, fmt.Sprintf("%s (dead, last heard of %s)", n.Name, n.Seen.Local().Format(secondForm)))
		}
	}
	return strings.Join(names, ", ")
}

// showAway is what can be told of a campaign while the store cannot be reached;
// false when it can, or the service does not run the campaign.
func (h *house) showAway(name string) (campaignDoc, bool) {
	if h.live == nil {
		return campaignDoc{}, false
	}
	doc := campaignDoc{Name: name, Away: h.live().StoreAway, Live: h.paced(name)}
	return doc, doc.Away != nil && doc.Live != nil
}
