package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/dialer"
)

func campaignRecords(t *testing.T, m Maker) {
	f := newFixture(t, m)
	later := monday.Add(time.Hour)
	if err := f.SetState(t.Context(), "spring", dialer.Running, later); err != nil {
		t.Fatalf("SetState: %v", err)
	}
	changed := record("spring")
	changed.Campaign.Seller, changed.State, changed.CreatedAt, changed.UpdatedAt = "other", dialer.Stopped, later, later
	if created, err := f.PutCampaign(t.Context(), changed); err != nil || created {
		t.Fatalf("PutCampaign again = %v, %v, want an update", created, err)
	}
	if err := f.SetState(t.Context(), "winter", dialer.Running, later); err == nil {
		t.Errorf("SetState of an unknown campaign gave no error")
	}
	changed.State, changed.CreatedAt = dialer.Running, monday
	got, err := f.Campaigns(t.Context())
	if diff := cmp.Diff([]dialer.CampaignRecord{record("autumn"), changed}, got); diff != "" || err != nil {
		t.Errorf("Campaigns: %v (-want +got):\n%s", err, diff)
	}
}

func accounts(t *testing.T, m Maker) {
	f := newFixture(t, m)
	ada := dialer.Account{Name: "ada", HA1: "0123", Codec: "PCMA"}
	bob := dialer.Account{Name: "bob", Phone: "sip:bob@127.0.0.1:5070"}
	for _, step := range []struct {
		put  dialer.Account
		want bool
	}{{bob, true}, {dialer.Account{Name: "ada"}, true}, {ada, false}} {
		if created, err := f.PutAccount(t.Context(), step.put); err != nil || created != step.want {
			t.Errorf("PutAccount(%s) = %v, %v, want %v", step.put.Name, created, err, step.want)
		}
	}
	got, err := f.Accounts(t.Context())
	if diff := cmp.Diff([]dialer.Account{ada, bob}, got); diff != "" || err != nil {
		t.Errorf("Accounts: %v (-want +got):\n%s", err, diff)
	}
	for _, want := range []bool{true, false} {
		if removed, err := f.RemoveAccount(t.Context(), "ada"); err != nil || removed != want {
			t.Errorf("RemoveAccount = %v, %v, want %v", removed, err, want)
		}
	}
}
