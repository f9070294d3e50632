package dialer

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
)

var errFull = errors.New("the disk of the recordings is full")

// calls is how many calls the trunk was given.
func (f *fakeTrunk) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.placed
}

// TestNoRoomForRequiredRecordings: without room nobody new is dialed where calls must be recorded, calls in progress go on,
// everybody is told why, and dialing goes on by itself. Elsewhere nothing changes.
func TestNoRoomForRequiredRecordings(t *testing.T) {
	for name, required := range map[string]bool{"required": true, "wanted": false} {
		t.Run(name, func(t *testing.T) {
			o, tape := taped(required, rigOptions{agents: 2, leads: 100, script: talks(30 * time.Second)})
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				settle(45 * time.Second) // the second talks are in progress
				tape.setRoom(errFull)
				settle(2 * time.Second)
				before, talking := r.trunk.calls(), r.svc.Live().Campaigns[0].Talking
				settle(time.Minute)
				live := r.svc.Live().Campaigns[0]
				if dialed := r.trunk.calls() - before; (dialed == 0) != required || before == 0 || talking == 0 {
					t.Errorf("%d calls before, %d talking, %d without room", before, talking, dialed)
				}
				if said := strings.Contains(live.Unrecordable, errFull.Error()); said != required || live.State != Running {
					t.Errorf("live says %q, %s", live.Unrecordable, live.State)
				}
				for _, rec := range r.journal.kinds(journal.Ended) {
					if d := detail[journal.EndedDetail](t, rec); d.TalkMS != 30000 {
						t.Errorf("a talk of %g ms was cut", d.TalkMS)
					}
				}
				tape.setRoom(nil)
				settle(20 * time.Second)
				if now := r.svc.Live().Campaigns[0].Unrecordable; now != "" || r.trunk.calls() <= before {
					t.Errorf("once there is room: %q, %d calls of %d before", now, r.trunk.calls(), before)
				}
				var told []string
				_, records := r.tapes(t)
				for _, rec := range records {
					if rec.Reason == "required" {
						told = append(told, rec.Outcome)
					}
				}
				if want := []string{journal.RecordingFailed, journal.RecordingResumed}; required && !slices.Equal(told, want) || !required && told != nil {
					t.Errorf("journaled %v", told)
				}
				r.end()
				r.replays()
			})
		})
	}
}

// TestPausedCampaignIsNotCalledUnrecordable: who paused it knows why nobody is dialed.
func TestPausedCampaignIsNotCalledUnrecordable(t *testing.T) {
	o, tape := taped(true, rigOptions{agents: 1, leads: 1, script: talks(time.Second)})
	in(t, o, func(t *testing.T, r *rig) {
		tape.setRoom(errFull)
		r.run()
		settle(5 * time.Second)
		if why := r.svc.Live().Campaigns[0].Unrecordable; why == "" || r.trunk.calls() != 0 {
			t.Errorf("started without room: %q, %d calls", why, r.trunk.calls())
		}
		if err := r.store.SetState(t.Context(), "spring", Paused, time.Now()); err != nil {
			t.Fatal(err)
		}
		settle(5 * time.Second)
		if why := r.svc.Live().Campaigns[0].Unrecordable; why != "" {
			t.Errorf("paused: %q", why)
		}
		r.end()
	})
}

// TestRecordingCannotBegin: a call that must be recorded is ended, another one goes on and the agent hears of it.
func TestRecordingCannotBegin(t *testing.T) {
	for name, required := range map[string]bool{"required": true, "wanted": false} {
		t.Run(name, func(t *testing.T) {
			o, tape := taped(required, rigOptions{agents: 1, leads: 1, script: talks(30 * time.Second)})
			tape.fails = errors.New("no key")
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				settle(time.Minute)
				steps, records := r.tapes(t)
				if want := []string{journal.RecordingAnnounced, journal.RecordingFailed}; !slices.Equal(steps, want) {
					t.Fatalf("journaled %v, want %v", steps, want)
				}
				if d := detail[journal.RecordingDetail](t, records[1]); d.Text != "no key" {
					t.Errorf("the reason is %+v", d)
				}
				ends := r.journal.kinds(journal.Ended)
				if len(ends) != 1 {
					t.Fatalf("%d ends", len(ends))
				}
				want := 30000.0
				if required {
					want = 1000 // the announcement
				}
				if d := detail[journal.EndedDetail](t, ends[0]); d.TalkMS != want {
					t.Errorf("they talked %g ms, want %g", d.TalkMS, want)
				}
				if warned := slices.Contains(tape.heard, ToneSorry); warned == required {
					t.Errorf("the agent heard %v", tape.heard)
				}
				if n := r.svc.Live().Campaigns[0].Tally.Unrecorded; n != 1 {
					t.Errorf("%d unrecorded calls counted, want 1", n)
				}
				if all := tape.taken(); len(all) != 1 || all[0].Required != required {
					t.Errorf("asked for %d recordings, required %v", len(all), all[0].Required)
				}
				r.end()
				r.replays()
			})
		})
	}
}

// TestRingBackIsRecorded: a person who rings back is announced to and recorded like one who was called, under the
// id of their call.
func TestRingBackIsRecorded(t *testing.T) {
	o, tape := taped(false, rigOptions{camp: shows, agents: 1, script: never})
	in(t, o, func(t *testing.T, r *rig) {
		r.run()
		settle(time.Second)
		ring := r.ringBack(backer)
		r.pressed(ring, '1')
		settle(5 * time.Second)
		if len(tape.taken()) != 1 {
			t.Fatalf("%d recordings", len(tape.taken()))
		}
		k := tape.takes[0]
		back, _ := r.back(journal.CallerConnected)
		if k.Header.Campaign != "spring" || k.Header.Attempt != back.Attempt || k.Header.ID != back.Attempt+"-1" || k.Header.Agent != "agent00" || k.Header.CallID != ring.CallID() {
			t.Errorf("recorded as %+v", k.Header)
		}
		r.agentKey("agent00", '8')
		if !k.paused {
			t.Error("the agent's key does not pause it")
		}
		r.agentKey("agent00", '8')
		r.agentKey("agent00", keyNext)
		settle(time.Second)
		if !k.stopped || k.paused {
			t.Errorf("after the call: stopped %v, paused %v", k.stopped, k.paused)
		}
		steps, records := r.tapes(t)
		want := []string{journal.RecordingAnnounced, journal.RecordingBegan, journal.RecordingPaused, journal.RecordingResumed, journal.RecordingEnded}
		if !slices.Equal(steps, want) {
			t.Errorf("journaled %v, want %v", steps, want)
		}
		for _, rec := range records {
			if rec.Attempt != back.Attempt || rec.Number != string(backer) || rec.Agent != "agent00" {
				t.Errorf("%s is journaled of %+v", rec.Outcome, rec)
			}
		}
		r.agentKey("agent00", '9') // the person objects, right after the call
		settle(time.Second)
		if !k.destroyed {
			t.Error("the objection did not destroy it")
		}
		r.end()
		r.replayed()
	})
}

// TestRingBackWaitsForRoom: who rings back where calls must be recorded waits until they can be, and is not cut.
func TestRingBackWaitsForRoom(t *testing.T) {
	o, tape := taped(true, rigOptions{camp: shows, agents: 1, script: never})
	in(t, o, func(t *testing.T, r *rig) {
		tape.setRoom(errFull)
		r.run()
		settle(time.Second)
		ring := r.ringBack(backer)
		r.pressed(ring, '1')
		settle(5 * time.Second)
		if r.desk.bridges != 0 || len(tape.taken()) != 0 || r.svc.Live().Callers[0].State != CallerWaiting {
			t.Fatalf("without room: %d bridges, %d recordings, %+v", r.desk.bridges, len(tape.taken()), r.svc.Live().Callers)
		}
		tape.setRoom(nil)
		settle(5 * time.Second)
		if r.desk.bridges != 1 || len(tape.taken()) != 1 {
			t.Errorf("with room: %d bridges, %d recordings", r.desk.bridges, len(tape.taken()))
		}
		r.end()
		r.replayed()
	})
}
