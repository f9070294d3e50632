package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

// applied has the sample campaign with one lead, and a way to apply it changed.
func applied(t *testing.T) (*house, func(old, now string) (appliedDoc, error)) {
	t.Helper()
	h, g := served(t, t.TempDir())
	file := sample(t, "campaigns/demo-it.yaml")
	apply(t, g)
	load := loadArgs{Campaign: "demo-it", File: "list.csv"}
	if _, err := ask[loadedDoc](t.Context(), g, "leads load", load, strings.NewReader("phone\n+390612345601\n")); err != nil {
		t.Fatal(err)
	}
	return h, func(old, now string) (appliedDoc, error) {
		changed := bytes.Replace(file, []byte(old), []byte(now), 1)
		return ask[appliedDoc](t.Context(), g, "campaign apply", applyArgs{File: "changed.yaml"}, bytes.NewReader(changed))
	}
}

// TestSellerStaysOnceLeadsWereCalled: people were called on a seller's behalf and are
// counted under a law; before the first call both may be mended.
func TestSellerStaysOnceLeadsWereCalled(t *testing.T) {
	h, change := applied(t)
	if doc, err := change("seller: ", "seller: New "); err != nil || doc.Result != "changed" {
		t.Fatalf("before the first call: %+v, %v", doc, err)
	}
	if doc, err := change("", ""); err != nil || doc.Result != "changed" {
		t.Fatalf("and back: %+v, %v", doc, err)
	}
	if err := dialed(t.Context(), h, "01ARZ3NDEKTSV4RRFFQ69G5FAV", leadsOf(t, h)["+390612345601"]); err != nil {
		t.Fatal(err)
	}
	for key, now := range map[string]string{"seller: ": "seller: New ", "jurisdiction: it": "jurisdiction: us"} {
		_, err := change(key, now)
		if statusOf(err) != statusInvalid || !strings.Contains(err.Error(), "when leads were called") {
			t.Errorf("%s: %v, want a refusal", now, err)
		}
	}
	if doc, err := change("wrap_up: 10s", "wrap_up: 11s"); err != nil || doc.Result != "changed" {
		t.Errorf("another key: %+v, %v", doc, err)
	}
}

// TestApplyAsksAnew: a lead that was refused under the campaign's old file is due at
// once, and stays refused where the change does not concern the gate.
func TestApplyAsksAnew(t *testing.T) {
	h, change := applied(t)
	refuse := func() {
		leads, err := h.store.Lease(t.Context(), "demo-it", "local", campaigns.Draw{N: 1}, h.now())
		if err != nil || len(leads) != 1 {
			t.Fatalf("leased %v, %v", leads, err)
		}
		if err := h.store.Return(t.Context(), []campaigns.LeadID{leads[0].ID}, h.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	refuse()
	for i, to := range []string{"wrap_up: 9s", "caller_ids: [\"+390844000124\"]"} {
		key, _, _ := strings.Cut(to, ":")
		if _, err := change("\n"+key, "\n"+to+"\n#"); err != nil {
			t.Fatal(err)
		}
		if c, err := h.store.LeadCounts(t.Context(), "demo-it", h.now()); err != nil || c.Due != i {
			t.Errorf("after %s %d leads due, %v, want %d", to, c.Due, err, i)
		}
	}
}
