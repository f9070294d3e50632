package dialer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

func TestRestartSettlesWhatWasLeftOpen(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 8, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		at := time.Now()
		time.Sleep(2 * time.Hour) // since then nothing ran
		add := func(k journal.Kind, id string, lead int64, detail, personal any) {
			_, _ = r.journal.Append(journal.Record{At: at, Kind: k, Campaign: "spring", Attempt: id, Lead: lead, Number: "+393331230000", Detail: encode(detail), Personal: encode(personal)})
		}
		clear := func(id string, lead int64) {
			add(journal.Cleared, id, lead, dnc.Verdict{CallerID: "+390844000123"}, nil)
		}
		clear("A", 1) // never invited, as far as the journal knows
		clear("B", 2)
		add(journal.Invited, "B", 2, nil, Dialog{CallID: "b"})
		add(journal.Ringing, "B", 2, nil, Dialog{ToTag: "early"})
		clear("C", 3)
		add(journal.Invited, "C", 3, nil, Dialog{CallID: "c"})
		add(journal.Answered, "C", 3, nil, Dialog{CallID: "c", ToTag: "x"})
		clear("D", 4)
		add(journal.Answered, "D", 4, nil, Dialog{CallID: "d"})
		add(journal.Connected, "D", 4, nil, nil)
		clear("E", 5)
		add(journal.Invited, "E", 5, nil, Dialog{CallID: "e"})
		clear("F", 6)
		add(journal.Cleared, "G", 7, nil, nil) // evidence without a caller ID: no dialog can be presumed
		clear("H", 8)                          // an earlier restart acknowledged its answer and died before the BYE
		add(journal.Abandoned, "H", 8, nil, Dialog{CallID: "h", ToTag: "z", Answered: true})
		r.trunk.answers = []string{"e", "presumed-F", "c"} // c's is repeated while it is being ended
		r.run()
		time.Sleep(time.Second)
		now := time.Now()
		want := map[campaigns.LeadID]campaigns.Outcome{
			1: campaigns.Interrupted, 2: campaigns.Interrupted, 3: campaigns.Abandoned, 4: campaigns.Bridged,
			5: campaigns.Abandoned, 6: campaigns.Abandoned, 7: campaigns.Interrupted, 8: campaigns.Abandoned,
		}
		for id, o := range want {
			if l := r.store.lead(id); l.LastOutcome != o || l.Attempts != 1 || !l.Done && l.Due.Before(now.Add(50*time.Minute)) {
				t.Errorf("lead %d: %+v, want %s, one attempt, its delay from now or never", id, l, o)
			}
		}
		ended := map[string]Dialog{}
		for _, d := range r.trunk.recovered {
			ended[d.CallID] = d
		}
		if _, ok := ended["presumed-A"]; len(ended) != 7 || !ok || ended["b"].ToTag != "early" || !ended["c"].Answered || !ended["h"].Answered || ended["h"].ToTag != "z" {
			t.Errorf("recovered %+v, want seven dialogs, two of them presumed", ended)
		}
		if n := len(r.journal.kinds(journal.Abandoned)); n != 4 {
			t.Errorf("abandoned %d, want the four answers that met a dead process", n)
		}
		r.trunk.met(Dialog{CallID: "b"}, now) // its CANCEL came too late
		r.trunk.met(Dialog{CallID: "b"}, now)
		r.trunk.met(Dialog{CallID: "c"}, now)
		r.end()
		if n := len(r.journal.kinds(journal.Abandoned)); n != 5 {
			t.Errorf("abandoned %d, want one more", n)
		}
		if l := r.store.lead(2); l.LastOutcome != campaigns.Abandoned || l.Due.Before(now.Add(4*24*time.Hour)) {
			t.Errorf("lead 2: %+v, want it abandoned and left in peace, although it was settled before its answer came to light", l)
		}
	})
}

func TestRestartReplaysTheCompanysListInOrder(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		add := func(k journal.Kind, number string) {
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: k, Number: number, Detail: encode(journal.OptOutDetail{Seller: "Acme", Source: "cli"})})
		}
		add(journal.OptedOut, "+393331230001")
		add(journal.OptedOut, "+393331230002")
		add(journal.OptedIn, "+393331230001")
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.optOuts) != 1 || r.store.optOuts[0].Number != "+393331230002" {
			t.Errorf("opt-outs %+v: want the second number alone", r.store.optOuts)
		}
	})
}

// TestRestartKeepsLaterOptOuts: what this node had taken off the company's own list, and
// another node has put on it since, stays on it.
func TestRestartKeepsLaterOptOuts(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		const number = "+393331230001"
		for _, k := range []journal.Kind{journal.OptedOut, journal.OptedIn} {
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: k, Number: number, Detail: encode(journal.OptOutDetail{Seller: "Acme", Source: "cli"})})
		}
		if _, err := r.store.AddOptOuts(t.Context(), []dnc.OptOut{{Number: number, Seller: "Acme", At: time.Now().Add(time.Minute)}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.optOuts) == 0 {
			t.Error("the replay took off what another node has put on the list later")
		}
	})
}

// TestRestartReplaysConsents: consents that were journaled and not stored are in the
// store before anybody is called; one of an erased person is not.
func TestRestartReplaysConsents(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		for i, n := range []campaigns.Number{"+393331230001", "+393331230002", ""} {
			c := dnc.Consent{ID: string(rune('a' + i)), Number: n, Seller: "Acme", Basis: dnc.ByConsent}
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Consented, Number: string(n), Detail: encode(c)})
		}
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.consents) > 0 && r.store.consents[0].Said.IsZero() {
			t.Error("a record from before words had an instant does not get that of its journal entry")
		}
		if got := r.store.consents; len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" || got[1].Number != "+393331230002" {
			t.Errorf("consents %+v: want those of the two persons in their order", got)
		}
	})
}

// TestReplayThatFailsIsRepeated: the store does not claim to have what it could not
// take, so that a further start replays it.
func TestReplayThatFailsIsRepeated(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.OptedOut, Number: "+393331230001", Detail: encode(journal.OptOutDetail{Seller: "Acme", Source: "cli"})})
		_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Cleared, Number: "+393331230000", Attempt: "a1", Lead: 1, Campaign: r.store.record.Campaign.Name})
		r.store.full = true
		if err := New(r.svc.Config).Run(t.Context()); err == nil {
			t.Fatal("the service dials though opt-outs are not in the store")
		}
		if applied, _ := r.store.Applied(t.Context()); applied != 0 {
			t.Errorf("the store claims everything up to record %d", applied)
		}
		r.store.full = false
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.optOuts) != 1 {
			t.Errorf("opt-outs %+v after the second start", r.store.optOuts)
		}
	})
}

func TestRestartCallsThePhonesAgain(t *testing.T) {
	in(t, rigOptions{agents: 2}, func(t *testing.T, r *rig) {
		r.store.bindings["agent01"] = Binding{Agent: "agent01", Source: "192.0.2.7:5060"}
		r.store.nailed["agent01"] = Dialog{CallID: "old", Answered: true}
		r.run()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(r.phones.restored) != 1 || len(r.trunk.recovered) != 1 || r.trunk.recovered[0].CallID != "old" {
			t.Errorf("restored %+v, ended %+v: want what the last run left", r.phones.restored, r.trunk.recovered)
		}
		if d := r.store.nailed["agent01"]; d.CallID != "phone-agent01" {
			t.Errorf("remembered %+v, want the new call", d)
		}
		r.phones.changes <- "agent00"
		synctest.Wait()
		r.phones.vanish("agent01")
		r.phones.changes <- "agent01"
		time.Sleep(time.Second)
		synctest.Wait()
		if _, ok := r.store.bindings["agent01"]; ok || len(r.store.bindings) != 1 || len(r.store.nailed) != 1 {
			t.Errorf("remembered %+v and %+v, want agent00 alone", r.store.bindings, r.store.nailed)
		}
		r.end()
		if len(r.store.nailed) != 0 {
			t.Errorf("calls remembered after a stop in good order: %+v", r.store.nailed)
		}
	})
}

// An opt-out that is journaled and not stored is replayed at the next start,
// however much the store has taken over since.
func TestOptOutThatIsNotStoredIsReplayed(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 20, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.store.full = true
		r.run()
		time.Sleep(5 * time.Second)
		r.svc.do(func() { r.svc.floor.digit("agent00", '3') })
		time.Sleep(time.Minute)
		r.end()
		out := r.journal.kinds(journal.OptedOut)
		if len(out) != 1 {
			t.Fatalf("%d opt-outs journaled, want 1", len(out))
		}
		if applied, _ := r.store.Applied(t.Context()); applied >= out[0].Seq || applied == 0 {
			t.Fatalf("the store claims everything up to record %d, the opt-out is record %d", applied, out[0].Seq)
		}
		r.store.full = false
		again := New(r.svc.Config)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- again.Run(ctx) }()
		time.Sleep(time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(r.store.optOuts) != 1 || string(r.store.optOuts[0].Number) != out[0].Number {
			t.Errorf("after the restart the list holds %+v", r.store.optOuts)
		}
	})
}

// Calls that a crash cut short count against the campaign's bounds like others.
func TestInterruptedLeadsKeepTheBounds(t *testing.T) {
	in(t, rigOptions{leads: 3}, func(t *testing.T, r *rig) {
		history := map[campaigns.LeadID]campaigns.Lead{
			1: {Attempts: 1, LastOutcome: campaigns.Busy, Tries: 1},
			2: {Attempts: 5, LastOutcome: campaigns.Busy, Tries: 1},        // of six attempts
			3: {Attempts: 3, LastOutcome: campaigns.Interrupted, Tries: 3}, // of three tries
		}
		for id, h := range history {
			l := r.store.leads[id]
			l.Attempts, l.LastOutcome, l.Tries = h.Attempts, h.LastOutcome, h.Tries
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Cleared, Campaign: "spring", Attempt: string(rune('A' + id)), Lead: int64(id), Number: string(l.Number)})
		}
		r.run()
		time.Sleep(time.Second)
		r.end()
		for id, done := range map[campaigns.LeadID]bool{1: false, 2: true, 3: true} {
			if l := r.store.lead(id); l.Done != done || l.LastOutcome != campaigns.Interrupted {
				t.Errorf("lead %d: %+v, want done %v", id, l, done)
			}
		}
	})
}
