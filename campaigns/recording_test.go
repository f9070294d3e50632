package campaigns_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

const unrecorded = "campaign: spring\nseller: Acme\njurisdiction: it\ncaller_ids: ['+390844000123']\n"

func TestRecordingPolicy(t *testing.T) {
	const day = 24 * time.Hour
	cases := []struct {
		name, yaml string
		want       campaigns.Recording
		share      float64
		prompt     string
	}{
		{"left out", "", campaigns.Recording{}, 0, ""},
		{"off", "recording: off\n", campaigns.Recording{}, 0, ""},
		{"none", "recording: {calls: none, keep: 5d}\n", campaigns.Recording{}, 0, ""},
		{
			"every call", "recording: {calls: all, announce: notice, keep: 90d, required: true}\n",
			campaigns.Recording{Calls: "all", Announce: "notice", Keep: 90 * day, Required: true, Key: "8", ObjectionKey: "9"},
			1, "notice",
		},
		{
			"a share", "recording: {calls: 2.50 %, announce: none, keep: 36h, key: 0}\n",
			campaigns.Recording{Calls: "2.5%", Announce: "none", Keep: 36 * time.Hour, Key: "0", ObjectionKey: "9"},
			0.025, "",
		},
		{
			"on demand", "recording: {calls: on_demand, announce: agent, keep: 1d}\n",
			campaigns.Recording{Calls: "on_demand", Announce: "agent", Keep: day, Key: "8", ObjectionKey: "9"},
			0, "",
		},
	}
	s := compiled(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			camp, err := campaigns.Parse("spring.yaml", []byte(unrecorded+c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, camp.Recording); diff != "" {
				t.Error(diff)
			}
			if got := camp.Recording.Share(); got != c.share {
				t.Errorf("share %g, want %g", got, c.share)
			}
			if got := camp.Recording.Prompt(); got != c.prompt {
				t.Errorf("prompt %q, want %q", got, c.prompt)
			}
			again, err := campaigns.Parse("normal.yaml", camp.Normal())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(camp.Recording, again.Recording); diff != "" {
				t.Errorf("not the same when written and read again: %s", diff)
			}
			for _, text := range [][]byte{[]byte(unrecorded + c.yaml), camp.Normal()} {
				if err := s.Validate(plainOf(t, text)); err != nil {
					t.Errorf("the schema refuses it: %v", err)
				}
			}
		})
	}
}
