package report

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// recordAt makes a record at seconds after noon.
func recordAt(second float64, kind journal.Kind, attempt string) journal.Record {
	return journal.Record{At: noon.Add(time.Duration(second * float64(time.Second))), Kind: kind, Campaign: "spring", Attempt: attempt}
}

func endedAs(r journal.Record, o campaigns.Outcome, d journal.EndedDetail) journal.Record {
	r.Outcome, r.Detail = string(o), journal.Detailed(d)
	return r
}

func agentAt(second float64, campaign, to string) journal.Record {
	r := recordAt(second, journal.AgentState, "")
	r.Campaign, r.Agent, r.Outcome = campaign, "ada", to
	return r
}

func TestPastHoldsWhatLinesAndAgentsDid(t *testing.T) {
	other := recordAt(1, journal.Invited, "z")
	other.Campaign = "autumn"
	unreadable := recordAt(55, journal.Ended, "g")
	unreadable.Outcome, unreadable.Detail = string(campaigns.Failed), []byte(`[`)
	past, err := PastOf(records(
		other,
		// answered, talked, wrapped up
		recordAt(0, journal.Invited, "a"), recordAt(0.1, journal.Invited, "a"), recordAt(2, journal.Ringing, "a"), recordAt(3, journal.Ringing, "a"), recordAt(10, journal.Answered, "a"),
		endedAs(recordAt(70.5, journal.Ended, "a"), campaigns.Bridged, journal.EndedDetail{TalkMS: 60000, Status: 200}),
		agentAt(70, "spring", wrapUp), agentAt(82, "spring", ready),
		// answered without ringing, abandoned
		recordAt(5, journal.Invited, "b"), recordAt(9, journal.Answered, "b"), endedAs(recordAt(12, journal.Ended, "b"), campaigns.Abandoned, journal.EndedDetail{}),
		// rang until its time was up; given up before
		recordAt(20, journal.Invited, "c"), recordAt(22, journal.Ringing, "c"), endedAs(recordAt(42, journal.Ended, "c"), campaigns.NoAnswer, journal.EndedDetail{Status: 487}),
		recordAt(21, journal.Invited, "d"), recordAt(23, journal.Ringing, "d"), endedAs(recordAt(33, journal.Ended, "d"), campaigns.NoAnswer, journal.EndedDetail{Status: 487}),
		// busy an hour later
		recordAt(3700, journal.Invited, "e"), endedAs(recordAt(3701.5, journal.Ended, "e"), campaigns.Busy, journal.EndedDetail{Status: 486}),
		// left open by a crash, and ended without a begin
		recordAt(50, journal.Invited, "f"), recordAt(51, journal.Interrupted, "f"), endedAs(recordAt(52, journal.Ended, "f"), campaigns.Failed, journal.EndedDetail{}),
		recordAt(54, journal.Invited, "g"), unreadable,
		// wrap-ups that say nothing: the phone gone, another campaign's, a restart
		agentAt(100, "spring", wrapUp), agentAt(101, "spring", "logged_out"), agentAt(102, "spring", ready),
		agentAt(103, "autumn", wrapUp), agentAt(108, "autumn", ready),
		agentAt(110, "spring", wrapUp), journal.Record{At: noon, Kind: journal.Started}, agentAt(120, "spring", ready),
	), PastOptions{Campaign: "spring", RingTimeout: 22 * time.Second, Zone: time.FixedZone("", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	want := Past{
		From: noon, To: noon.Add(3700 * time.Second),
		Answered: []Line{{Delay: 2, Rang: true, Ring: 8, Outcome: campaigns.Bridged}, {Delay: 4, Outcome: campaigns.Abandoned}},
		Unanswered: []Line{
			{Delay: 2, Rang: true, Ring: 20, Outcome: campaigns.NoAnswer}, {Delay: 1.5, Outcome: campaigns.Busy}, {Delay: 1, Outcome: campaigns.Failed},
		},
		Talk: []float64{60}, WrapUp: []float64{12}, GivenUp: 1,
	}
	want.Hours[13], want.Hours[14] = Hour{Dialed: 4, Answered: 2}, Hour{Dialed: 1}
	if !reflect.DeepEqual(past, want) {
		t.Errorf("past is\n%+v, want\n%+v", past, want)
	}
	if past.Dialed() != 5 {
		t.Errorf("%d dialed", past.Dialed())
	}
}

func TestPastOfAnotherCampaignIsEmpty(t *testing.T) {
	past, err := ReadPast(written(t), PastOptions{Campaign: "nobody's"})
	if err != nil || past.Dialed() != 0 || len(past.WrapUp) != 0 {
		t.Errorf("%+v, %v", past, err)
	}
	broken := errors.New("broken")
	if _, err := PastOf(func(yield func(journal.Record, error) bool) { yield(journal.Record{}, broken) }, PastOptions{}); !errors.Is(err, broken) {
		t.Errorf("a journal that cannot be read: %v", err)
	}
}
