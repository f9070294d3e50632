package dialer

import (
	"testing"
	"testing/synctest"
	"time"

	"pronto/dialer/journal"
)

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}

func TestKeysOfTheAgent(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Hour)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		press := func(d byte) {
			r.svc.do(func() { r.svc.floor.digit("agent00", d) })
			synctest.Wait()
		}
		press('3') // do not call
		press('#') // end the call
		time.Sleep(time.Second)
		press('*') // pause after wrap-up
		press('#') // wrap-up over
		r.svc.Live()
		got := r.svc.Live().Agents[0].State
		if got != NotReady {
			t.Errorf("agent is %s, want not_ready", got)
		}
		press('*')
		if got := r.svc.Live().Agents[0].State; got != Ready {
			t.Errorf("agent is %s, want ready", got)
		}
		r.end()
		if len(r.store.optOuts) != 1 || r.store.optOuts[0].Source != "agent" {
			t.Errorf("opt-outs %+v, want one by the agent", r.store.optOuts)
		}
		if l := r.store.leads[1]; !l.Done {
			t.Errorf("lead is not done after do_not_call")
		}
	})
}

func TestDispositionAfterTheCallAmendsIt(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(14 * time.Second) // in wrap-up
		r.svc.do(func() { r.svc.floor.digit("agent00", '4') })
		time.Sleep(time.Second)
		r.end()
		if l := r.store.leads[1]; l.Done || l.Due.IsZero() {
			t.Errorf("lead done %v, due %v: want a callback", l.Done, l.Due)
		}
	})
}

func TestDarkPhoneGetsNoCallAndIsFoundOut(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 40, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(30 * time.Second)
		r.phones.dark("agent00", false)
		at := time.Now()
		time.Sleep(20 * time.Second)
		for _, x := range r.journal.kinds(journal.Connected) {
			if x.Agent == "agent00" && x.At.After(at.Add(stale)) {
				t.Errorf("a customer was given to the dark phone %s after it went dark", x.At.Sub(at))
			}
		}
		found := false
		for _, x := range r.journal.kinds(journal.AgentState) {
			if x.Agent == "agent00" && x.Outcome == string(LoggedOut) {
				found = x.At.Sub(at) < 6*time.Second
			}
		}
		if !found {
			t.Errorf("the dark phone was not found out within 6 s")
		}
		r.end()
	})
}

func TestMutedPhoneThatSuppressesSilenceGoesOn(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 40, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(30 * time.Second)
		r.phones.dark("agent00", true)
		at := time.Now()
		time.Sleep(time.Minute)
		n := 0
		for _, x := range r.journal.kinds(journal.Connected) {
			if x.At.After(at) {
				n++
			}
		}
		if n < 3 {
			t.Errorf("%d customers for the muted phone in a minute, want several", n)
		}
		r.end()
	})
}

// TestHold: while a command writes opt-outs or consents, the store does not claim
// to be past their records.
func TestHold(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 20, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(5 * time.Second)
		release := r.svc.Hold()
		seq, _ := r.journal.Append(journal.Record{At: time.Now(), Kind: journal.OptedOut, Number: "+393331230019"})
		time.Sleep(5 * time.Minute)
		if applied, _ := r.store.Applied(t.Context()); applied >= seq {
			t.Errorf("the store claims everything up to record %d, and record %d is being stored", applied, seq)
		}
		release()
		time.Sleep(5 * time.Minute)
		r.end()
		if applied, _ := r.store.Applied(t.Context()); applied <= seq {
			t.Errorf("the store stays at record %d after record %d was stored", applied, seq)
		}
	})
}
