package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/rules"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is when the tests' campaigns begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// italy is a rule as the Italian rule set has it.
func italy(string) Rule {
	return Rule{Set: "it@000000000000", Windows: []rules.Window{
		{Period: rules.Campaign, Cap: 0.03, Base: rules.OfConnected},
		{Period: rules.Rolling, Length: rules.Duration(24 * time.Hour), Cap: 0.04, Base: rules.OfConnected},
	}}
}

// script writes a small journal: records at seconds after noon.
type script struct {
	t *testing.T
	j *journal.Journal
}

func (s *script) add(second float64, r journal.Record, detail any) {
	s.t.Helper()
	r.At = noon.Add(time.Duration(second * float64(time.Second)).Round(time.Millisecond))
	if detail != nil {
		r.Detail = journal.Detailed(detail)
	}
	if _, err := s.j.Append(r); err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) state(second float64, campaign, agent, to string) {
	s.add(second, journal.Record{Kind: journal.AgentState, Campaign: campaign, Agent: agent, Outcome: to}, journal.AgentDetail{To: to})
}

const (
	first  = "+390212340001"
	second = "+390212340002"
	third  = "+390212340003"
	fourth = "+390212340004"
)

func call(kind journal.Kind, attempt string, lead int64, number string) journal.Record {
	return journal.Record{Kind: kind, Campaign: "spring", Attempt: attempt, Lead: lead, Number: number}
}

func with(r journal.Record, agent, outcome, reason string) journal.Record {
	r.Agent, r.Outcome, r.Reason = agent, outcome, reason
	return r
}

// written makes the journal that the golden files tell of.
func written(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{Node: "n1", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, j: j}
	s.add(0, journal.Record{Kind: journal.Started}, journal.StartedDetail{Version: "1", Command: "serve"})
	s.state(0, "", "anna", "not_ready")
	s.state(1, "spring", "anna", "ready")
	s.state(1, "spring", "bruno", "ready")
	s.answered()
	s.abandoned()
	s.others()
	s.state(100, "spring", "anna", "logged_out")
	s.add(120, journal.Record{Kind: journal.Stopped}, nil)
	if _, err := j.Erase(t.Context(), fourth, "privacy officer"); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// answered is a call that is put through, twice, because a phone vanishes.
func (s *script) answered() {
	s.add(2, call(journal.Cleared, "A1", 1, first), dnc.Verdict{
		Allowed: true, Register: "rpo", Status: "clear", Import: "01IMP", CheckedAt: noon.Add(-48 * time.Hour), ValidUntil: noon.Add(13 * 24 * time.Hour),
		Zone: "Europe/Rome", LocalTime: "13:00", CallerID: "+390844000001", Trunk: "carrier", RuleSet: "it@000000000000",
	})
	s.add(2.1, call(journal.Invited, "A1", 1, first), journal.InvitedDetail{Trunk: "carrier", Try: 1, Evidence: 5})
	s.add(2.2, call(journal.Invited, "A1", 1, first), journal.InvitedDetail{Trunk: "other", Try: 2, Evidence: 5})
	s.add(4, call(journal.Ringing, "A1", 1, first), nil)
	s.add(9, call(journal.Answered, "A1", 1, first), nil)
	s.state(9.01, "spring", "bruno", "talking")
	s.add(9.01, with(call(journal.Connected, "A1", 1, first), "bruno", "", ""), journal.ConnectedDetail{WaitMS: 10})
	s.add(9.03, with(call(journal.Heard, "A1", 1, first), "bruno", "", ""), journal.HeardDetail{AnswerToAudioMS: 30})
	s.add(19, with(call(journal.Orphaned, "A1", 1, first), "bruno", "", ""), nil)
	s.state(19, "spring", "bruno", "logged_out")
	s.state(19.01, "spring", "anna", "talking")
	s.add(19.01, with(call(journal.Connected, "A1", 1, first), "anna", "", ""), journal.ConnectedDetail{WaitMS: 10010, Again: true})
	s.add(49, with(call(journal.Ended, "A1", 1, first), "anna", "bridged", ""), journal.EndedDetail{
		Status: 200, Trunk: "carrier", DelayMS: 1900, RingMS: 5000, TalkMS: 40000, ByFar: true, Dialed: true, Orphaned: true,
		Settled: journal.SettledDetail{Done: true},
	})
	s.state(49, "spring", "anna", "wrap_up")
	s.add(50, with(call(journal.Disposed, "A1", 1, first), "anna", "sale", ""), journal.DisposedDetail{Via: "dtmf"})
	s.state(59, "spring", "anna", "ready")
}

// abandoned is an answer without an agent, whose callee then opts out.
func (s *script) abandoned() {
	s.add(20, call(journal.Cleared, "A2", 2, second), dnc.Verdict{Allowed: true})
	s.add(20.1, call(journal.Invited, "A2", 2, second), journal.InvitedDetail{Trunk: "carrier"})
	s.add(22, call(journal.Ringing, "A2", 2, second), nil)
	s.add(25, call(journal.Answered, "A2", 2, second), nil)
	s.add(27.75, call(journal.Abandoned, "A2", 2, second), nil)
	s.add(27.751, call(journal.Treated, "A2", 2, second), journal.TreatedDetail{Action: "comfort_then_hangup", AfterMS: 2751})
	s.add(28, with(call(journal.Ended, "A2", 2, second), "", "abandoned", ""), journal.EndedDetail{
		DelayMS: 1900, RingMS: 3000, Late: true, Settled: journal.SettledDetail{RetryAt: noon.Add(5 * 24 * time.Hour)},
	})
	s.add(29, with(call(journal.OptedOut, "A2", 2, second), "", "", "dtmf"), journal.OptOutDetail{Seller: "acme", Source: "dtmf"})
}

// others are a machine, refusals, a busy line, an interrupted answer and a second campaign.
func (s *script) others() {
	s.add(60, call(journal.Cleared, "A3", 3, third), dnc.Verdict{Allowed: true})
	s.add(60.1, call(journal.Invited, "A3", 3, third), journal.InvitedDetail{Trunk: "carrier"})
	s.add(64, call(journal.Answered, "A3", 3, third), nil)
	s.state(64.02, "spring", "anna", "talking")
	s.add(64.02, with(call(journal.Connected, "A3", 3, third), "anna", "", ""), journal.ConnectedDetail{WaitMS: 20})
	s.add(64.05, with(call(journal.Heard, "A3", 3, third), "anna", "", ""), journal.HeardDetail{AnswerToAudioMS: 50})
	s.add(70, with(call(journal.Ended, "A3", 3, third), "anna", "machine", ""), journal.EndedDetail{Status: 200, TalkMS: 5980})
	s.state(70, "spring", "anna", "not_ready")
	s.state(90, "spring", "anna", "ready")
	refused := call(journal.Refused, "A4", 3, third)
	refused.Reason = string(dnc.Unscreened)
	s.add(71, refused, dnc.Verdict{Reason: dnc.Unscreened, Detail: "rpo has no verdict on this number.", NextCallable: noon.Add(time.Hour)})
	s.add(72, call(journal.Cleared, "A5", 4, fourth), dnc.Verdict{Allowed: true, Detail: "cleared " + fourth})
	s.add(72.1, call(journal.Invited, "A5", 4, fourth), journal.InvitedDetail{Trunk: "carrier"})
	s.add(74, with(call(journal.Ended, "A5", 4, fourth), "", "busy", ""), journal.EndedDetail{Status: 486, Q850: 17, Text: "Busy Here"})
	s.add(80, with(call(journal.Abandoned, "A6", 5, third), "", "", "interrupted"), nil)
	s.add(80, with(call(journal.Interrupted, "A6", 5, third), "", "abandoned", ""), journal.InterruptedDetail{Last: journal.Answered, Abandoned: true, Dialed: true})
	other := call(journal.Cleared, "B1", 6, third)
	other.Campaign = "autumn"
	s.add(81, other, dnc.Verdict{Allowed: true})
	other.Kind, other.Outcome = journal.Ended, "hung_up"
	s.add(85, other, journal.EndedDetail{RingMS: 1000})
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got.Bytes(), want)
	}
}

func asJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
}

func TestReports(t *testing.T) {
	r, err := Read(journal.Folders{written(t)}, Options{Rules: italy})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", asJSON(r))
	golden(t, "abandon.txt", r.Abandon.WriteText)
	golden(t, "abandon.csv", r.Abandon.WriteCSV)
	golden(t, "calls.txt", r.Calls.WriteText)
	golden(t, "calls.csv", r.Calls.WriteCSV)
	golden(t, "agents.txt", r.Agents.WriteText)
	golden(t, "agents.csv", r.Agents.WriteCSV)
	golden(t, "campaign.txt", r.Campaigns.WriteText)
	golden(t, "campaign.csv", r.Campaigns.WriteCSV)
	golden(t, "campaign.json", asJSON(r.Campaigns))
}

func TestReportOfASpanAndACampaign(t *testing.T) {
	dir := written(t)
	r, err := Read(journal.Folders{dir}, Options{From: noon.Add(10 * time.Second), To: noon.Add(65 * time.Second), Campaign: "spring", Rules: italy})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "span.json", asJSON(r))
}

func TestStories(t *testing.T) {
	dir := written(t)
	for name, number := range map[string]string{"first": first, "second": second, "third": third, "erased": fourth, "stranger": "+390299999999"} {
		s, err := ReadStory(journal.Folders{dir}, number, Origins{})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "story-"+name+".txt", s.WriteText)
		if name == "second" {
			golden(t, "story-second.csv", s.WriteCSV)
		}
	}
}

func TestEveryKindHasASentence(t *testing.T) {
	for _, k := range []journal.Kind{
		journal.Cleared, journal.Refused, journal.Invited, journal.Ringing, journal.Answered, journal.Connected, journal.Heard, journal.Abandoned,
		journal.Treated, journal.Ended, journal.Orphaned, journal.Disposed, journal.Interrupted, journal.OptedOut, journal.OptedIn, journal.Consented, journal.Note, journal.Erased,
		journal.Config,
	} {
		for _, d := range []string{``, `{}`, `[]`, `null`} { // as after an erasure, or from another version
			s := sentence(journal.Record{Kind: k, Detail: json.RawMessage(d)})
			if !strings.HasSuffix(s, ".") || strings.Contains(s, "Record of kind") || strings.Contains(s, "  ") {
				t.Errorf("%s with detail %q: %q", k, d, s)
			}
		}
	}
}

func TestSettingHasASentence(t *testing.T) {
	for want, d := range map[string]string{
		"Legal hold on by root: court 12/26.": `{"what":"legal hold on","who":"root","reason":"court 12/26."}`,
		"Agent added.":                        `{"what":"agent added"}`,
	} {
		if s := sentence(journal.Record{Kind: journal.Config, Detail: json.RawMessage(d)}); s != want {
			t.Errorf("%s: %q, want %q", d, s, want)
		}
	}
}

// records makes a sequence of journal records.
func records(list ...journal.Record) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestABrokenJournalGivesNoReport(t *testing.T) {
	dir := written(t)
	name := filepath.Join(dir, "n1-2026-11-22.log")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(data, []byte(`"abandoned"`), []byte(`"connected"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(journal.Folders{dir}, Options{}); err == nil || !strings.Contains(err.Error(), "hash does not match") {
		t.Errorf("Read: %v", err)
	}
	if _, err := ReadStory(journal.Folders{dir}, second, Origins{}); err == nil {
		t.Error("a story was told from a broken journal")
	}
}

type fails struct{}

func (fails) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWritersReturnTheirErrors(t *testing.T) {
	r, err := Read(journal.Folders{written(t)}, Options{Rules: italy})
	if err != nil {
		t.Fatal(err)
	}
	for i, write := range []func(io.Writer) error{
		r.Abandon.WriteText, r.Abandon.WriteCSV, r.Calls.WriteText, r.Calls.WriteCSV, r.Agents.WriteText, r.Agents.WriteCSV,
		r.Campaigns.WriteText, r.Campaigns.WriteCSV, SaidReport{Groups: []SaidGroup{{}}}.WriteText, SaidReport{By: ByHour}.WriteCSV,
		Story{}.WriteText, Story{}.WriteCSV,
	} {
		if write(fails{}) == nil {
			t.Error(fmt.Sprint("writer ", i, " hides that nothing was written"))
		}
	}
}
