package judge

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pronto/dialer/sandbox/truth"
)

func TestCleanRunPasses(t *testing.T) {
	v := Judge(clean().Evidence, rules())
	if !v.Passed() {
		t.Fatalf("failures: %s", strings.Join(v.Failures, "\n"))
	}
	want := Verdict{
		Leads: 13, Refused: map[string]int{"registered": 1, "verdict_expired": 1, "opted_out": 1, "unscreened": 1},
		Dialed: 8, Answered: 6, Connected: 5, Abandoned: 1, AbandonRate: 1.0 / 6, Cap: 0.03, JournalVerified: true,
		AnswerToAudio: Percentiles{50, 50}, Classes: map[Class]int{Registered: 1, Expired: 1, OptedOut: 1, Missing: 1, Abandoned: 1},
		Provoked: Provoked{Vanish: 1}, Failures: []string{},
	}
	// agent01: 50 s shift, talks of 3.95, 3.95 and 2 s; agent02: 23 s, 3.95, 3.95 and 1.95 s, the last without wrap-up.
	want.Utilisation = (3.95 + 1 + 3.95 + 1 + 2 + 1 + 3.95 + 1 + 3.95 + 1 + 1.95) / (50 + 23)
	want.Wait = ((3.05 + 3.05) + (11.05 - 8) + (11.05 - 8) + (26 - 16) + (21.05 - 16)) / 6
	if diff := v.Utilisation - want.Utilisation; diff > 1e-6 || diff < -1e-6 {
		t.Errorf("utilisation %g, want %g", v.Utilisation, want.Utilisation)
	}
	if diff := v.Wait - want.Wait; diff > 1e-6 || diff < -1e-6 {
		t.Errorf("wait %g, want %g", v.Wait, want.Wait)
	}
	v.Utilisation, v.Wait = want.Utilisation, want.Wait
	if !reflect.DeepEqual(v, want) {
		t.Errorf("got  %+v\nwant %+v", v, want)
	}
}

// TestSmallRun: what a small run did not meet is told and is no failure; what it met is
// judged as ever.
func TestSmallRun(t *testing.T) {
	r, rule := clean(), rules()
	rule.Provoked.Bursts, rule.Progressive, rule.Verified = 1, 0.99, false
	r.OptOuts = nil
	if v := Judge(r.Evidence, rule); len(v.Failures) != 4 || len(v.Unmet) != 0 {
		t.Errorf("a whole run: failures %q, unmet %q, want 4 and none", v.Failures, v.Unmet)
	}
	rule.Small = true
	if v := Judge(r.Evidence, rule); len(v.Unmet) != 3 || len(v.Failures) != 1 || !strings.Contains(v.Failures[0], "does not verify") {
		t.Errorf("a small run: failures %q, unmet %q, want the journal alone and 3", v.Failures, v.Unmet)
	}
}

// Each failure, provoked once, is found, and nothing else is.
func TestEachFailureIsFound(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(*run, *Rules)
		want  string // count that becomes 1; empty: none
		says  string
	}{
		{"registered number rung", func(r *run, _ *Rules) { r.Register[number(0)] = Entry{Registered: true, CheckedAt: at(-3600)} }, "forbidden", "registered"},
		{"verdict expires before the INVITE by the dialer's clock", func(r *run, _ *Rules) {
			r.Register[number(0)] = Entry{CheckedAt: at(0).Add(offset - 15*24*time.Hour)}
		}, "forbidden", "expired"},
		{"verdict expires just after the INVITE", func(r *run, _ *Rules) {
			r.Register[number(0)] = Entry{CheckedAt: at(1.1).Add(offset - 15*24*time.Hour)}
		}, "", ""},
		{"unscreened number rung", func(r *run, _ *Rules) { delete(r.Register, number(1)) }, "forbidden", "missing"},
		{"opted-out number rung", func(r *run, _ *Rules) { r.OptOuts[number(2)] = true }, "forbidden", "opted_out"},
		{"opted out during the run and rung", func(r *run, _ *Rules) { r.note(3, "opted_out", "", "", number(5), "", "") }, "forbidden", "opted out during"},
		{"opted out after its call", func(r *run, _ *Rules) { r.note(45, "opted_out", "", "", number(5), "", "") }, "", ""},
		{"stranger rung", func(r *run, _ *Rules) { drop(&r.Leads, func(n string) bool { return n == number(3) }) }, "forbidden", "not a lead"},
		{"rung again too soon", func(r *run, _ *Rules) {
			r.note(44.9, "cleared", "again", "", number(7), "", "")
			r.note(44.95, "invited", "again", "again", number(7), "", "")
			r.carrier(truth.Line{At: at(45), Kind: truth.Invite, CallID: "again", Number: "+" + number(7)})
		}, "twice", "retry delay"},
		{"answered and left in silence", func(r *run, rule *Rules) {
			rule.Classes = nil
			edit(r.Carrier, lineOf(truth.Bye, "call5"), func(l *truth.Line) { l.At, l.By, l.Text = at(51), truth.ByCallee, "heard nobody" })
		}, "untreated", "without agent or treatment"},
		{"answered and never ended", func(r *run, rule *Rules) {
			rule.Classes = nil
			drop(&r.Carrier, lineOf(truth.Bye, "call5"))
		}, "untreated", "without agent or treatment"},
		{"hung up after the deadline", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Bye, "call5"), func(l *truth.Line) { l.At = at(34.5) })
		}, "untreated", "3.5s after the 200"},
		{"hung up at the deadline, late by the network", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Bye, "call5"), func(l *truth.Line) { l.At = at(34.2) })
		}, "", ""},
		{"agent after the deadline", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Answered, "call0"), func(l *truth.Line) { l.At = at(-0.5) })
			r.carrier(truth.Line{At: at(3), Kind: truth.Noise, CallID: "call0", Since: at(-0.4), Until: at(3), Level: -55})
		}, "untreated", "heard an agent only 3.55s"},
		{"waits in silence", func(r *run, _ *Rules) { drop(&r.Carrier, lineOf(truth.Noise, "call5")) }, "waits", "nothing at all"},
		{"waits in silence for an agent who just vanished", func(r *run, _ *Rules) {
			r.note(31.01, "connected", "acall5", "call5", "", "agent02", "")
			edit(r.Carrier, lineOf(truth.Noise, "call5"), func(l *truth.Line) { l.Since = at(32) })
		}, "", ""},
		{"agent does not hear the callee", func(r *run, _ *Rules) { drop(&r.Agents, agentHeard("agent01", "callee001")) }, "silent", "agent01 heard the callee for 0s"},
		{"agent hears the callee for half of it", func(r *run, _ *Rules) {
			edit(r.Agents, agentHeard("agent01", "callee001"), func(l *truth.Line) { l.Until = at(5) })
		}, "silent", "agent01 heard the callee for 1.95s"},
		{"callee does not hear the agent", func(r *run, _ *Rules) {
			drop(&r.Carrier, func(l truth.Line) bool { return l.CallID == "call0" && l.Voice == "agent01" })
			r.carrier(truth.Line{At: at(7), Kind: truth.Noise, CallID: "call0", Since: at(3.05), Until: at(5.5), Level: -55})
			edit(r.Carrier, lineOf(truth.Bye, "call0"), func(l *truth.Line) { l.At = at(5.5) })
			edit(r.Agents, agentHeard("agent01", "callee001"), func(l *truth.Line) { l.Until = at(5.5) })
		}, "silent", "call0"},
		{"bridge falls silent", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Heard, "call1"), func(l *truth.Line) { l.Until = at(4.8) })
			edit(r.Agents, agentHeard("agent02", "callee002"), func(l *truth.Line) { l.Until = at(4.8) })
		}, "silent", "heard nobody for 2.2s"},
		{"bridge falls silent while a far end did not run", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Heard, "call1"), func(l *truth.Line) { l.Until = at(4.8) })
			edit(r.Agents, agentHeard("agent02", "callee002"), func(l *truth.Line) { l.Until = at(4.8) })
			r.carrier(truth.Line{At: at(6), Kind: truth.Stall, Since: at(4.7), Until: at(6)})
			r.Agents = append(r.Agents, truth.Line{At: at(6), Kind: truth.Stall, Since: at(4.9), Until: at(6.1)})
		}, "", ""},
		{"bridge falls silent after a far end did not run", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Heard, "call1"), func(l *truth.Line) { l.Until = at(4.8) })
			edit(r.Agents, agentHeard("agent02", "callee002"), func(l *truth.Line) { l.Until = at(4.8) })
			r.carrier(truth.Line{At: at(5), Kind: truth.Stall, Since: at(4.7), Until: at(5)})
		}, "silent", "heard nobody for 2.2s"},
		{"hung up late because the carrier did not run", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Bye, "call5"), func(l *truth.Line) { l.At = at(35) })
			r.carrier(truth.Line{At: at(35), Kind: truth.Stall, Since: at(34.1), Until: at(35)})
		}, "", ""},
		{"far ends that stood still for long prove nothing", func(r *run, _ *Rules) {
			r.carrier(truth.Line{At: at(45), Kind: truth.Stall, Since: at(30.5), Until: at(44.5)})
		}, "", "stood still for 14s"},
		{"left alone after the agent vanished", func(r *run, _ *Rules) {
			drop(&r.Carrier, func(l truth.Line) bool { return lineOf(truth.Heard, "call4")(l) && l.Voice == "agent01" })
			drop(&r.Carrier, func(l truth.Line) bool { return lineOf(truth.Hears, "call4")(l) && l.Voice == "agent01" })
			drop(&r.Agents, agentHeard("agent01", "callee005"))
			drop(&r.Journal, func(x Record) bool { return x.Kind == "connected" && x.CallID == "call4" && x.Agent == "agent01" })
			edit(r.Carrier, lineOf(truth.Bye, "call4"), func(l *truth.Line) { l.At = at(35) })
		}, "silent", "heard nobody for 12s"},
		{"treated after the agent vanished", func(r *run, _ *Rules) {
			drop(&r.Carrier, func(l truth.Line) bool { return l.CallID == "call4" && l.Voice == "agent01" })
			drop(&r.Agents, agentHeard("agent01", "callee005"))
			drop(&r.Journal, func(x Record) bool { return x.Kind == "connected" && x.CallID == "call4" && x.Agent == "agent01" })
			edit(r.Carrier, lineOf(truth.Bye, "call4"), func(l *truth.Line) { l.By = truth.ByDialer })
		}, "", ""},
		{"connected by the journal, heard by nobody", func(r *run, _ *Rules) {
			r.note(31.1, "connected", "acall5", "call5", "", "agent01", "")
		}, "silent", "whom the callee never heard"},
		{"callee in another agent's ear", func(r *run, _ *Rules) { r.hears("agent01", "callee005", 21.5, 22.2) }, "crossed", "who heard agent02"},
		{"callee hears a callee", func(r *run, _ *Rules) { r.heard("call5", "callee002", 32, 33) }, "crossed", "a callee"},
		{"agent hears an agent", func(r *run, _ *Rules) { r.hears("agent01", "agent02", 12, 13) }, "crossed", "an agent"},
		{"agent hears the callee after BYE", func(r *run, _ *Rules) {
			edit(r.Agents, agentHeard("agent01", "callee001"), func(l *truth.Line) { l.Until = at(8) })
		}, "left", "until 1s after BYE"},
		{"callee hears the agent after BYE", func(r *run, _ *Rules) {
			edit(r.Carrier, lineOf(truth.Heard, "call0"), func(l *truth.Line) { l.Until = at(8) })
		}, "left", "until 1s after BYE"},
		{"agent hears nobody's callee", func(r *run, _ *Rules) { r.hears("agent01", "callee099", 40, 41) }, "left", "no call was up"},
		{"INVITE unknown to the journal", func(r *run, _ *Rules) {
			drop(&r.Journal, func(x Record) bool { return x.Attempt == "acall6" })
		}, "evidence", "neither its Call-ID"},
		{"INVITE without its invited record, as after a crash", func(r *run, _ *Rules) { drop(&r.Journal, recordOf("invited", "acall6")) }, "", ""},
		{"attempt never cleared", func(r *run, _ *Rules) { drop(&r.Journal, recordOf("cleared", "acall6")) }, "evidence", "never cleared"},
		{"cleared after the INVITE in sequence", func(r *run, _ *Rules) {
			edit(r.Journal, recordOf("cleared", "acall6"), func(x *Record) { x.Seq = 999 })
		}, "evidence", "cleared after the INVITE"},
		{"cleared after the INVITE in time", func(r *run, _ *Rules) {
			edit(r.Journal, recordOf("cleared", "acall6"), func(x *Record) { x.At = x.At.Add(time.Second) })
		}, "evidence", "after the INVITE arrived"},
		{"clearance of another number", func(r *run, _ *Rules) {
			edit(r.Journal, recordOf("cleared", "acall6"), func(x *Record) { x.Number = number(7) })
		}, "evidence", "another number"},
		{"one clearance for two calls", func(r *run, _ *Rules) {
			edit(r.Journal, recordOf("invited", "acall7"), func(x *Record) { x.Attempt = "acall6" })
			edit(r.Journal, recordOf("cleared", "acall6"), func(x *Record) { x.Number = "" })
		}, "evidence", "used for another call"},
		{"journal does not verify", func(_ *run, r *Rules) { r.Verified = false }, "", "does not verify"},
		{"class never met", func(r *run, _ *Rules) {
			drop(&r.Journal, func(x Record) bool { return x.Reason == "unscreened" })
		}, "", "no missing number or call was met"},
		{"trouble not provoked", func(_ *run, r *Rules) { r.Provoked.Glares = 1 }, "", "0 answers that cross a CANCEL"},
		{"less work than progressive", func(_ *run, r *Rules) { r.Progressive = 0.9 }, "", "with one line for each free agent"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, rule := clean(), rules()
			c.spoil(r, &rule)
			v := Judge(r.Evidence, rule)
			for name, n := range counts(v) {
				if want := map[bool]int{true: 1}[name == c.want]; n != want {
					t.Errorf("%s: %d, want %d", name, n, want)
				}
			}
			all := strings.Join(v.Failures, "\n")
			if c.says == "" && !v.Passed() || !strings.Contains(all, c.says) || c.says != "" && len(v.Failures) != 1 {
				t.Errorf("failures, want one with %q:\n%s", c.says, all)
			}
		})
	}
}

// A callee who answered only because the far end makes trouble is neither work nor shift.
func TestExtraAnswersDoNotCountAsWork(t *testing.T) {
	r := clean()
	edit(r.Carrier, lineOf(truth.Invite, "call0"), func(l *truth.Line) { l.Plan = "no_answer" })
	edit(r.Carrier, lineOf(truth.Invite, "call1"), func(l *truth.Line) { l.Plan = "live" })
	v := Judge(r.Evidence, rules())
	want := (24.75 - 4.95) / (73 - 4.95)
	if diff := v.Utilisation - want; diff > 1e-6 || diff < -1e-6 || !v.Passed() {
		t.Errorf("utilisation %g, want %g; %v", v.Utilisation, want, v.Failures)
	}
}

// Two voices at once are found at both ends.
func TestTwoVoicesAtOnce(t *testing.T) {
	r := clean()
	r.heard("call0", "agent02", 6.2, 6.9)
	v := Judge(r.Evidence, rules())
	if v.LeftOver != 1 || !strings.Contains(strings.Join(v.Failures, " "), "agent01 and agent02 at once") {
		t.Errorf("callee: %d, %v", v.LeftOver, v.Failures)
	}
	r = clean()
	r.hears("agent01", "callee002", 6.2, 6.9)
	v = Judge(r.Evidence, rules())
	if v.LeftOver != 1 || v.Crossed != 1 || !strings.Contains(strings.Join(v.Failures, " "), "callee001 and callee002 at once") {
		t.Errorf("agent: %d, %d, %v", v.LeftOver, v.Crossed, v.Failures)
	}
}

func TestTooManyAbandoned(t *testing.T) {
	for _, c := range []struct {
		extra  int
		cap    float64
		passes bool
	}{{1, 0.03, true}, {2, 0.03, false}, {2, 0.4, true}} {
		r, rule := clean(), rules()
		rule.Cap = c.cap
		for i := range c.extra {
			r.Leads = append(r.Leads, number(20+i))
			r.Register[number(20+i)] = Entry{CheckedAt: at(-10)}
			id := r.rung(20+i, 45)
			r.answered(46, id, "callee050")
			r.carrier(truth.Line{At: at(47), Kind: truth.Noise, CallID: id, Since: at(46), Until: at(47)})
			r.line(47, truth.Bye, id, truth.ByDialer)
		}
		if v := Judge(r.Evidence, rule); v.Passed() != c.passes || v.Abandoned != 1+c.extra {
			t.Errorf("%d abandoned, cap %g: %v", v.Abandoned, c.cap, v.Failures)
		}
	}
}

// A message instead of hanging up counts where the rules want one, comfort
// noise does not.
func TestMessageAsTreatment(t *testing.T) {
	for level, untreated := range map[float64]int{-20: 0, -55: 1} {
		r, rule := clean(), rules()
		rule.Message = true
		edit(r.Carrier, lineOf(truth.Bye, "call5"), func(l *truth.Line) { l.At = at(40) })
		edit(r.Carrier, lineOf(truth.Noise, "call5"), func(l *truth.Line) { l.Level, l.Until = level, at(39) })
		if v := Judge(r.Evidence, rule); v.UntreatedAnswers != untreated {
			t.Errorf("level %g: %d untreated, want %d: %v", level, v.UntreatedAnswers, untreated, v.Failures)
		}
	}
}
