package campaigns_test

import (
	"testing"

	"pronto/campaigns"
)

func TestRests(t *testing.T) {
	named := campaigns.Campaign{Lists: []campaigns.List{{Name: "autumn"}, {Name: "winter", Paused: true}}}
	for _, c := range []struct {
		name     string
		campaign campaigns.Campaign
		lead     campaigns.Lead
		want     bool
	}{
		{"no lists: every list is called", campaigns.Campaign{}, campaigns.Lead{List: "old"}, false},
		{"a list that is named", named, campaigns.Lead{List: "autumn"}, false},
		{"a paused list", named, campaigns.Lead{List: "winter"}, true},
		{"a list that is not named", named, campaigns.Lead{List: "old"}, true},
		{"no list", named, campaigns.Lead{}, false},
		{"an agreed call is kept", named, campaigns.Lead{List: "winter", Callback: true}, false},
	} {
		if got := c.campaign.Rests(c.lead); got != c.want {
			t.Errorf("%s: Rests = %v", c.name, got)
		}
	}
}
