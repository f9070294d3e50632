package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// asks plays that the gate is asked in the changed campaign's name within a second.
func asks(is func(dnc.Terms) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		v.soon("the gate is asked in the new terms", v.some(func() bool {
			return slices.ContainsFunc(v.asked, func(r dnc.Request) bool { return is(r.Campaign) })
		}))
	}
}

// frees plays that leads which the gate refused under the old terms are called.
func frees(old func(dnc.Terms) bool) func(*testing.T, *live) {
	return func(t *testing.T, v *live) {
		v.mu.Lock()
		v.refuse = func(r dnc.Request) bool { return old(r.Campaign) }
		v.mu.Unlock()
		settle(time.Minute)
		if n := v.trunk.count(); n != 0 {
			t.Fatalf("%d calls under the old terms", n)
		}
		v.apply()
		v.soon("a lead that was refused is called", func() bool { return v.trunk.count() > 0 })
	}
}

// slowGate plays that a lead about which the gate is asked while the file changes is asked
// about anew.
func slowGate(_ *testing.T, v *live) {
	v.mu.Lock()
	v.refuse = func(r dnc.Request) bool {
		old := r.Campaign.Purpose == "marketing"
		if old {
			time.Sleep(5 * time.Second)
		}
		return old
	}
	v.mu.Unlock()
	settle(4900 * time.Millisecond)
	v.apply()
	v.soon("the lead is called", func() bool { return v.trunk.count() > 0 })
}

// ways plays that the next calls may take other trunks.
func ways(want ...string) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		v.soon("a call by the new trunks", v.some(func() bool {
			return slices.ContainsFunc(v.wishes, func(w Wish) bool { return slices.Equal(w.Trunks, want) })
		}))
	}
}

// bothTrunks gives the rig the trunks first and second.
func bothTrunks(r *rig) { r.trunk.routes = []Route{{Trunk: "first"}, {Trunk: "second"}} }

// anotherCampaign plays that a file with another name is another campaign, and the
// first goes on: a name never changes.
func anotherCampaign(_ *testing.T, v *live) {
	settle(2 * time.Second)
	v.store.mu.Lock()
	v.store.others = append(v.store.others, CampaignRecord{Campaign: v.after, State: Running, CreatedAt: time.Now(), UpdatedAt: time.Now()})
	for id := campaigns.LeadID(len(v.store.leads) + 1); id < 150; id++ {
		v.store.leads[id] = &campaigns.Lead{ID: id, Campaign: v.after.Name, Number: "+390655512345"}
	}
	v.store.mu.Unlock()
	v.applied = time.Now()
	v.changed <- struct{}{}
	v.soon("both campaigns run", func() bool { return len(v.svc.Live().Campaigns) == 2 })
}

func liveGateKeys() []liveKey {
	narrow := func(c []campaigns.Cap, most int) bool { return len(c) == 1 && c[0].Max == most }
	return []liveKey{
		{key: "campaign", before: "priority: 0", after: "campaign: autumn\npriority: 5", agents: 2, script: fails, play: anotherCampaign},
		{key: "seller", before: "", after: "seller: Other", script: fails, play: asks(func(c dnc.Terms) bool { return c.Seller == "Other" })},
		{key: "purpose", before: "purpose: marketing", after: "purpose: survey", script: fails, play: frees(func(c dnc.Terms) bool { return c.Purpose == "marketing" })},
		{key: "purpose", before: "purpose: marketing", after: "purpose: survey", leads: 1, script: fails, play: slowGate},
		{key: "sector", before: "sector: energy", after: "sector: telecom", script: fails, play: frees(func(c dnc.Terms) bool { return c.Sector == "energy" })},
		{key: "jurisdiction", before: "", after: "jurisdiction: us", script: fails, play: asks(func(c dnc.Terms) bool { return c.Jurisdiction == "us" })},
		{key: "caller_ids", before: "", after: `caller_ids: ["+390844000124"]`, script: fails, play: frees(func(c dnc.Terms) bool { return c.CallerIDs[0] == "+390844000123" })},
		{
			key: "hours.*", before: `hours: {mon: ["09:00-10:00"]}`, after: `hours: {mon-sun: ["09:00-18:00"]}`, script: fails,
			play: frees(func(c dnc.Terms) bool { return len(c.Hours) < 7 }),
		},
		{
			key: "caps.number", before: "caps: {number: 1 per day}", after: "caps: {number: 3 per day}", script: fails,
			play: frees(func(c dnc.Terms) bool { return narrow(c.Caps.Number, 1) }),
		},
		{
			key: "caps.lead", before: "caps: {lead: 1 per day}", after: "caps: {lead: 2 per 24h}", script: fails,
			play: frees(func(c dnc.Terms) bool { return narrow(c.Caps.Lead, 1) }),
		},
		{
			key: "caps.caller_id", before: "caps: {caller_id: 50 per day}", after: "caps: {caller_id: 60 per day}", script: fails,
			play: frees(func(c dnc.Terms) bool { return narrow(c.Caps.CallerID, 50) }),
		},
		{key: "trunk", before: "trunk: first", after: "trunk: second", script: fails, rig: bothTrunks, play: ways("second")},
		{key: "trunks", before: "trunks: [first]", after: "trunks: [second, first]", script: fails, rig: bothTrunks, play: ways("second", "first")},
		{
			key: "trunks", before: "trunks: [first]", after: "trunks: [second]", rig: bothTrunks, play: anotherWay, // nothing gets through, so that dialing waits
			script: func(int) script { return script{ring: 50 * time.Millisecond, fails: campaigns.Failed, dead: true} },
		},
	}
}

// anotherWay plays that a campaign which waits because nothing gets through dials at
// once when it may take another trunk.
func anotherWay(_ *testing.T, v *live) {
	settle(40 * time.Second)
	v.within(20*time.Second, "a try", func() bool {
		n := v.trunk.count()
		settle(100 * time.Millisecond)
		return v.trunk.count() > n
	})
	v.apply()
	v.soon("several calls by the new trunk", v.some(func() bool { return len(v.placed) > 3 }))
}
