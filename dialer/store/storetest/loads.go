package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

// loadTwice: the same list again changes nothing; a changed row changes its lead
// and keeps the lead's history and place.
func loadTwice(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 1234)
	for i := range list {
		list[i].Name, list[i].Zone, list[i].Fields = "Ada", "Europe/Rome", map[string]string{"city": "Roma", "plan": "b"}
		if i%2 == 0 {
			list[i].External = "crm-" + string(list[i].Number)
		}
	}
	if got := f.load(t, list...); got != [3]int{1234, 0, 0} {
		t.Fatalf("first load = %v", got)
	}
	begun := intent("A", 1, f.leads(t)[4], monday)
	f.apply(t, begun, settled(begun, 2, campaigns.NoAnswer, monday.Add(time.Hour)))
	before := f.leads(t)
	if got := f.load(t, list...); got != [3]int{0, 0, 1234} {
		t.Errorf("second load = %v", got)
	}
	if diff := cmp.Diff(before, f.leads(t)); diff != "" {
		t.Errorf("leads after the second load (-want +got):\n%s", diff)
	}
	list[4].Number, list[4].Fields = number(7777), map[string]string{"city": "Bari"}
	list[5].Name = "Eva"
	list = append(list, campaigns.Lead{Number: number(9000)})
	if got := f.load(t, list...); got != [3]int{1, 2, 1232} {
		t.Errorf("third load = %v", got)
	}
	after := f.leads(t)
	if got := after[4]; got.ID != before[4].ID || got.Number != number(7777) || got.Attempts != 1 || got.LastOutcome != campaigns.NoAnswer || got.Fields["city"] != "Bari" {
		t.Errorf("changed lead = %+v, want the new number with the old history", got)
	}
	if after[5].Name != "Eva" || after[1234].Number != number(9000) {
		t.Errorf("leads 5 and 1234 = %+v, %+v", after[5], after[1234])
	}
}

// loadTells: whoever watches a load is told how many of its rows are merged, up to
// the last.
func loadTells(t *testing.T, m Maker) {
	f := newFixture(t, m)
	l, err := f.m.Load(t.Context(), f.Backend, "spring", "", monday)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 1234
	last := 0
	l.(interface{ Watch(func(merged, of int)) }).Watch(func(merged, of int) {
		if merged < last || merged > of || of != rows {
			t.Errorf("told of %d of %d after %d", merged, of, last)
		}
		last = merged
	})
	if err := l.Stage(t.Context(), numbered(0, rows)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := l.Commit(t.Context()); err != nil || last != rows {
		t.Errorf("told of %d rows of %d in the end, %v", last, rows, err)
	}
}

// loadMatches: by external id first, else by number.
func loadMatches(t *testing.T, m Maker) {
	f := newFixture(t, m)
	with := func(external string, n int) campaigns.Lead {
		return campaigns.Lead{External: external, Number: number(n)}
	}
	for _, step := range []struct {
		name string
		list []campaigns.Lead
		want [3]int
	}{
		{"two people with one number", []campaigns.Lead{with("a", 1), with("b", 1)}, [3]int{2, 0, 0}},
		{"a row without id matches by number", []campaigns.Lead{with("", 1)}, [3]int{0, 0, 1}},
		{"without id", []campaigns.Lead{with("", 2)}, [3]int{1, 0, 0}},
		{"the lead without id takes the first id", []campaigns.Lead{with("c", 2)}, [3]int{0, 1, 0}},
		{"and no other", []campaigns.Lead{with("d", 2)}, [3]int{1, 0, 0}},
		{"two ids for one lead without", []campaigns.Lead{with("", 3)}, [3]int{1, 0, 0}},
		{"one takes it, one is new", []campaigns.Lead{with("e", 3), with("f", 3)}, [3]int{1, 1, 0}},
		{"which stays so", []campaigns.Lead{with("e", 3), with("f", 3)}, [3]int{0, 0, 2}},
		{"the later of equal rows counts", []campaigns.Lead{with("g", 4), with("h", 6), with("g", 5)}, [3]int{2, 0, 0}},
	} {
		if got := f.load(t, step.list...); got != step.want {
			t.Errorf("%s: added, updated, unchanged = %v, want %v", step.name, got, step.want)
		}
	}
	want := []campaigns.Number{number(1), number(1), number(2), number(2), number(3), number(3), number(5), number(6)}
	if diff := cmp.Diff(want, numbers(f.leads(t))); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
}

// loadWithHistory: what an exported list says became of new leads is kept, and says when
// they are called again.
func loadWithHistory(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 4)
	list[0].Attempts, list[0].Tries, list[0].LastOutcome, list[0].LastAttempt, list[0].Due = 3, 2, campaigns.Busy, monday, monday.Add(time.Hour)
	list[1].Attempts, list[1].LastOutcome, list[1].Disposition, list[1].Due = 1, campaigns.Bridged, "later", monday.Add(time.Hour)
	list[1].Callback, list[1].Agent, list[1].Answers = true, "ada", map[string]string{"q": "a"}
	list[2].Attempts, list[2].LastOutcome, list[2].Done = 1, campaigns.Bridged, true
	f.load(t, list...)
	got := f.leads(t)
	for i := range list {
		list[i].ID, list[i].Campaign, list[i].LoadedAt = got[i].ID, "spring", monday
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	want := []campaigns.Number{number(1), number(0), number(3)} // agreed, again, fresh
	if diff := cmp.Diff(want, numbers(f.lease(t, 4, monday.Add(2*time.Hour)))); diff != "" {
		t.Errorf("leased (-want +got):\n%s", diff)
	}
}

// loadRollback: nothing of a load that is given up is ever seen.
func loadRollback(t *testing.T, m Maker) {
	f := newFixture(t, m)
	l, err := m.Load(t.Context(), f.Backend, "spring", "", monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := l.Stage(t.Context(), numbered(0, 10)); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if err := l.Rollback(t.Context()); err != nil {
		t.Fatalf("Rollback: %v", err)
	}
	if _, _, _, err := l.Commit(t.Context()); err == nil {
		t.Errorf("Commit after Rollback gave no error")
	}
	if got := f.leads(t); len(got) != 0 {
		t.Errorf("%d leads after a rollback", len(got))
	}
	if _, err := m.Load(t.Context(), f.Backend, "winter", "", monday); err == nil {
		t.Errorf("a load into an unknown campaign gave no error")
	}
}

// loadNotCommitted: a restart drops what was staged.
func loadNotCommitted(t *testing.T, m Maker) {
	f := newFixture(t, m)
	l, err := m.Load(t.Context(), f.Backend, "spring", "", monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := l.Stage(t.Context(), numbered(0, 10)); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if got := f.lease(t, 10, monday); len(got) != 0 {
		t.Errorf("leased %d staged leads", len(got))
	}
	f.reopen(t)
	if got := f.load(t, numbered(5, 10)...); got != [3]int{10, 0, 0} {
		t.Errorf("load after the restart = %v", got)
	}
	if diff := cmp.Diff(numbers(numbered(5, 10)), numbers(f.leads(t))); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
}

// severalNumbers: a lead is called at the number that its last settlement names,
// and a list that gives it other numbers begins with the first again.
func severalNumbers(t *testing.T, m Maker) {
	f := newFixture(t, m)
	lead := campaigns.Lead{External: "crm-1", Number: number(1), Numbers: []campaigns.LeadNumber{{Number: number(1), Type: "mobile"}, {Number: number(2), Type: "home"}, {Number: number(3)}}}
	f.load(t, lead)
	if got := f.load(t, lead); got != [3]int{0, 0, 1} {
		t.Errorf("the same list again = %v", got)
	}
	now, seq := monday, uint64(0)
	for i, step := range []struct {
		next    int
		amended int
		want    campaigns.Number
	}{
		{want: number(1)}, {next: 2, want: number(2)}, {want: number(2)}, {next: 1, amended: 3, want: number(3)}, {next: 1, want: number(1)},
	} {
		leads := f.lease(t, 1, now)
		if len(leads) != 1 {
			t.Fatalf("step %d: leased %d leads", i, len(leads))
		}
		begun := intent(string(rune('A'+i)), seq+1, leads[0], now)
		end := settled(begun, seq+2, campaigns.NoAnswer, now.Add(time.Hour))
		end.Attempt.NextNumber = step.next
		f.apply(t, begun, end)
		if step.amended > 0 {
			end.Amended, end.Seq, end.Attempt.NextNumber = true, seq+3, step.amended
			f.apply(t, end)
		}
		seq, now = seq+3, now.Add(2*time.Hour)
		if got := f.leads(t)[0]; got.Number != step.want || got.NumberType() != lead.Numbers[got.Turn].Type {
			t.Errorf("step %d: next is %s %s, want %s", i, got.NumberType(), got.Number, step.want)
		}
	}
	f.apply(t, settled(intent("Z", seq+1, f.leads(t)[0], now), seq+1, campaigns.Busy, now))
	lead.Numbers = []campaigns.LeadNumber{{Number: number(9)}, {Number: number(2), Type: "home"}}
	if got := f.load(t, lead); got != [3]int{0, 1, 0} {
		t.Errorf("a list with other numbers = %v", got)
	}
	if got := f.leads(t)[0]; got.Number != number(9) || got.Turn != 0 || got.Attempts != 6 {
		t.Errorf("then the lead is %+v, want its new first number and its old history", got)
	}
}
