package report

import (
	"bytes"
	"io"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/rules"
)

func complianceOptions() ComplianceOptions {
	return ComplianceOptions{
		Options:  Options{Campaign: "spring", Rules: italy},
		Deadline: 3 * time.Second, MaxAge: map[string]time.Duration{"rpo": 15 * 24 * time.Hour},
	}
}

func TestCompliance(t *testing.T) {
	dir := written(t)
	c, err := ReadCompliance(journal.Folders{dir}, complianceOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "compliance.json", asJSON(c))
	golden(t, "compliance.html", func(w io.Writer) error {
		return c.WriteHTML(w, time.UTC, Fact{"Seller", "Aurora <S.r.l.>"}, Fact{"Rule set", "it@000000000000"})
	})
	r, err := Read(journal.Folders{dir}, Options{Campaign: "spring", Rules: italy})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Abandon, r.Abandon.Campaigns[0]) || !maps.Equal(c.Refused, r.Calls.Campaigns[0].Refused) || c.Cleared != r.Calls.Campaigns[0].Cleared {
		t.Errorf("the compliance report differs from the others:\n%+v\n%+v", c, r)
	}
}

func TestCompliancePageStandsAlone(t *testing.T) {
	var page bytes.Buffer
	if err := (Compliance{Span: Span{Campaign: `<script>alert("x")</script>`}}).WriteHTML(&page, nil); err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"<script", "src=", "href=", "url("} {
		if strings.Contains(page.String(), not) {
			t.Errorf("the page has %q", not)
		}
	}
}

func TestTreatments(t *testing.T) {
	at := func(second int, kind journal.Kind, attempt string, detail any) journal.Record {
		return journal.Record{At: noon.Add(time.Duration(second) * time.Second), Kind: kind, Campaign: "spring", Attempt: attempt, Detail: journal.Detailed(detail)}
	}
	c, err := ComplianceOf(records(
		at(1, journal.Abandoned, "A", nil), at(1, journal.Treated, "A", journal.TreatedDetail{Action: "message", AfterMS: 1999}),
		at(2, journal.Treated, "B", journal.TreatedDetail{Action: "message", AfterMS: 3001}), at(2, journal.Abandoned, "B", nil),
		at(3, journal.Abandoned, "C", nil),
		at(4, journal.Refused, "D", dnc.Verdict{RuleSet: "it@1"}),
		at(5, journal.Cleared, "E", dnc.Verdict{RuleSet: "it@1", Register: "rpo", CheckedAt: noon.Add(-30 * time.Hour)}),
	), complianceOptions())
	if err != nil {
		t.Fatal(err)
	}
	if tr := c.Treatments; tr.InTime != 1 || tr.Late != 1 || tr.None != 1 || tr.By["message"] != 2 || tr.DeadlineMS != 3000 {
		t.Errorf("treatments are %+v, want one in time, one late, one without", tr)
	}
	if c.RuleSets["it@1"] != 2 || len(c.Registers) != 1 || c.Registers[0].Days[0].Max < 30 || c.Registers[0].Days[0].Max > 30.1 || c.Registers[0].MaxAgeHours != 360 {
		t.Errorf("rule sets %v and registers %+v are not those of the decisions", c.RuleSets, c.Registers)
	}
}

func TestRunningRates(t *testing.T) {
	for name, tc := range map[string]struct {
		line string
		w    rules.Window
		want []float64
	}{
		"campaign":                  {"ca.c", rules.Window{Period: rules.Campaign, Base: rules.OfLiveAnswered}, []float64{0, 0.5, 1. / 3}},
		"rolling forgets":           {"a.c..c", rules.Window{Period: rules.Rolling, Length: rules.Duration(2 * time.Hour), Base: rules.OfLiveAnswered}, []float64{1, 0.5, 0}},
		"successive begins afresh":  {"a.c", rules.Window{Period: rules.Successive, Length: rules.Duration(time.Hour), Base: rules.OfLiveAnswered}, []float64{1, 0}},
		"nobody was ever connected": {"a", rules.Window{Period: rules.Campaign, Base: rules.OfConnected}, []float64{1}},
		"no answers":                {"", rules.Window{Period: rules.Campaign}, nil},
	} {
		var got []float64
		for _, p := range running(live(tc.line), tc.w, Rule{}).Points {
			got = append(got, p.Value)
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	long := make([]Point, 2500)
	long[1234].Value = 1
	if kept := thinned(long, 1000); len(kept) != 1000 || !strings.Contains(strings.Trim(strings.Join(strings.Fields(plotValues(kept)), ""), "0"), "1") {
		t.Errorf("thinned to %d points lost the worst one", len(kept))
	}
}

func plotValues(points []Point) string {
	var b strings.Builder
	for _, p := range points {
		if p.Value > 0 {
			b.WriteString("1 ")
		} else {
			b.WriteString("0 ")
		}
	}
	return b.String()
}
