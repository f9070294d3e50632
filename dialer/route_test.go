package dialer

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/pacing"
)

// The gate hears of the trunk that was chosen. An INVITE by another one leaves
// only when a record that names it, and the clearance, is on disk.
func TestAnotherTrunkNeedsItsRecord(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		r.trunk.routes = []Route{{"near", "IT"}, {"far", "IT"}, {"farthest", "IT"}}
		r.gate.asked = func(q dnc.Request) {
			if q.Trunk != "near" || q.Campaign.TrunkCountry != "IT" {
				t.Errorf("the gate is asked for trunk %q in %q", q.Trunk, q.Campaign.TrunkCountry)
			}
		}
		var left []string
		r.trunk.dialed = func(d Dialog, _ int) {
			invited := r.journal.kinds(journal.Invited)
			last := invited[len(invited)-1]
			if d.Trunk != "near" && r.journal.synced < last.Seq {
				t.Errorf("the record of the INVITE by %s is not on disk", d.Trunk)
			}
			if detail[journal.InvitedDetail](t, last).Trunk != d.Trunk || last.CallID != d.CallID {
				t.Errorf("an INVITE leaves by %s, the last record is %s %s", d.Trunk, last.CallID, last.Detail)
			}
			left = append(left, d.Trunk)
		}
		r.run()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := strings.Join(left, " "); got != "near far farthest" {
			t.Errorf("INVITEs left by %q", got)
		}
		for i, rec := range r.journal.kinds(journal.Invited) {
			if d := detail[journal.InvitedDetail](t, rec); d.Try != i+1 {
				t.Errorf("INVITE %d is told as try %d", i+1, d.Try)
			}
		}
		if live := r.svc.Live().Campaigns[0].Tally; live.Dialed != 1 || live.Answered != 1 {
			t.Errorf("one attempt counts as %+v", live)
		}
		r.end()
		if n := len(r.journal.kinds(journal.Ended)); n != 1 {
			t.Errorf("%d ends of one attempt", n)
		}
		if n := pacedDials(t, r.journal); n != 1 {
			t.Errorf("pacing heard of %d lines, want one", n)
		}
	})
}

// pacedDials counts the lines that pacing was told of.
func pacedDials(t *testing.T, j *fakeJournal) int {
	n := 0
	for _, rec := range j.kinds(journal.Paced) {
		for _, e := range detail[PacedDetail](t, rec).Events {
			if e.Kind == pacing.Dialed {
				n++
			}
		}
	}
	return n
}

// While another trunk takes calls no failure of the first makes a campaign wait.
func TestFailuresOfOneTrunkDoNotBreakTheCampaign(t *testing.T) {
	for _, elsewhere := range []bool{true, false} {
		in(t, rigOptions{agents: 1, leads: 90, script: func(int) script {
			return script{dead: true, fails: campaigns.Congested, ring: time.Second}
		}}, func(t *testing.T, r *rig) {
			r.trunk.elsewhere = elsewhere
			r.run()
			time.Sleep(60 * time.Second)
			synctest.Wait()
			if n := r.trunk.count(); elsewhere != (n > 50) {
				t.Errorf("another trunk takes calls: %t, calls in a minute: %d", elsewhere, n)
			}
			r.end()
		})
	}
}

func TestCampaignWithATrunkThatIsNotThere(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 9, script: talks(time.Second), camp: func(c *campaigns.Campaign) {
		c.Trunks = []string{"fake", "other"}
	}}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if why := r.svc.Live().Blocked["spring"]; !strings.Contains(why, `trunk "other"`) || !strings.Contains(why, "it has fake") {
			t.Errorf("blocked: %q", why)
		}
		if n := r.trunk.count(); n != 0 {
			t.Errorf("%d calls", n)
		}
		r.end()
	})
}

// The last INVITE is the one that may ring; where none is known, it is the one
// that the clearance names.
func TestRestartKnowsTheTrunk(t *testing.T) {
	in(t, rigOptions{leads: 2, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		at := time.Now()
		time.Sleep(time.Minute)
		add := func(k journal.Kind, id string, lead int64, d Dialog) {
			_, _ = r.journal.Append(journal.Record{
				At: at, Kind: k, Campaign: "spring", Attempt: id, Lead: lead, Number: "+393331230000",
				Detail: encode(dnc.Verdict{CallerID: "+390844000123", Trunk: "near"}), Personal: encode(d),
			})
		}
		add(journal.Cleared, "A", 1, Dialog{})
		add(journal.Cleared, "B", 2, Dialog{})
		add(journal.Invited, "B", 2, Dialog{CallID: "b", Trunk: "near", Hop: "tcp:192.0.2.1:5060", CSeq: 2})
		add(journal.Invited, "B", 2, Dialog{CallID: "b-2", Trunk: "far", CSeq: 1})
		r.run()
		time.Sleep(time.Second)
		r.end()
		ended := map[string]Dialog{}
		for _, d := range r.trunk.recovered {
			ended[d.CallID] = d
		}
		if d := ended["presumed-A"]; d.Trunk != "near" {
			t.Errorf("presumed %+v", d)
		}
		if d := ended["b-2"]; len(ended) != 2 || d.Trunk != "far" || d.Hop != "" || d.CSeq != 1 {
			t.Errorf("recovered %+v", ended)
		}
	})
}

func TestCommitThatFailsStopsTheINVITE(t *testing.T) {
	var full atomic.Bool
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		r.trunk.routes = []Route{{"near", ""}, {"far", ""}}
		r.svc.Journal = &fullJournal{fakeJournal: r.journal, full: &full}
		var left []string
		r.trunk.dialed = func(d Dialog, _ int) {
			full.Store(true)
			left = append(left, d.Trunk)
		}
		r.run()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := strings.Join(left, " "); got != "near" {
			t.Errorf("INVITEs left by %q, want the first alone", got)
		}
		full.Store(false)
		r.end()
	})
}
