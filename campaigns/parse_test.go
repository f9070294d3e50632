package campaigns_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pronto/campaigns"
)

var update = flag.Bool("update", false, "write golden files")

// golden compares got with the file, or writes it with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Fatalf("%s differs (-want +got):\n%s", file, diff)
	}
}

func TestParseReportsEveryProblem(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := campaigns.Parse(filepath.Base(file), data)
			var problems campaigns.Problems
			if c != nil || !errors.As(err, &problems) {
				t.Fatalf("Parse = %v, %v; want Problems", c, err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".want", []byte(err.Error()+"\n"))
		})
	}
}

func TestSamplesParse(t *testing.T) {
	files, err := filepath.Glob("../testdata/campaigns/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("samples: %v, %v", files, err)
	}
	for i, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := campaigns.Parse(file, data)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 && (c.Jurisdiction != "it" || !strings.HasPrefix(string(c.CallerIDs[0]), "+390844")) {
				t.Fatalf("the first by name is not the Italian one: %+v", c)
			}
			golden(t, "testdata/normal/"+filepath.Base(file), c.Normal())
			checkNormal(t, c)
		})
	}
}

// checkNormal holds for every campaign that Parse accepts.
func checkNormal(t interface{ Fatalf(string, ...any) }, c *campaigns.Campaign) {
	if err := c.Validate(); err != nil {
		t.Fatalf("parsed, but not valid: %v", err)
	}
	normal := c.Normal()
	again, err := campaigns.Parse("normal", normal)
	if err != nil {
		t.Fatalf("Normal does not parse: %v\n%s", err, normal)
	}
	if !reflect.DeepEqual(c, again) {
		t.Fatalf("Normal gives another campaign: %s\n%s", cmp.Diff(c, again), normal)
	}
	if second := again.Normal(); string(second) != string(normal) {
		t.Fatalf("Normal is not stable:\n%s\n%s", normal, second)
	}
}

func TestParseFillsDefaults(t *testing.T) {
	c, err := campaigns.Parse("min.yaml", []byte("campaign: min\nseller: Aurora\njurisdiction: it\ncaller_ids: +390844000123\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := campaigns.Default()
	want.Name, want.Seller, want.Jurisdiction = "min", "Aurora", "it"
	want.CallerIDs = []campaigns.Number{"+390844000123"}
	if diff := cmp.Diff(&want, c); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	if c.RingTimeout != 22*time.Second || c.MaxAttempts != 6 || c.Pacing.Mode != "predictive" || c.Purpose != "marketing" {
		t.Fatalf("defaults: %+v", c)
	}
}

func TestParseMergesRetryWithDefaults(t *testing.T) {
	c, err := campaigns.Parse("r.yaml", []byte("campaign: r\nseller: A\njurisdiction: it\ncaller_ids: +390844000123\nretry: {busy: {max: 7}, rejected: {delay: 2h, max: 1}, machine: {max: 0}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for o, want := range map[campaigns.Outcome]campaigns.Retry{
		campaigns.Busy:     {Delay: 15 * time.Minute, Max: 7},
		campaigns.Rejected: {Delay: 2 * time.Hour, Max: 1},
		campaigns.Machine:  {Delay: 6 * time.Hour},
		campaigns.NoAnswer: campaigns.DefaultRetry(campaigns.NoAnswer),
	} {
		if c.Retry[o] != want {
			t.Errorf("retry %s = %+v, want %+v", o, c.Retry[o], want)
		}
	}
}

func TestParseBounds(t *testing.T) {
	large := "campaign: a\n" + strings.Repeat("# x\n", 100_000)
	deep := "campaign: " + strings.Repeat("[", 50_000)
	for name, text := range map[string]string{
		"large": large, "deep": deep, "nul": "campaign: a\x00b\n",
		"hyphens": strings.Repeat("- ", 30_000), "keys": strings.Repeat("? ", 30_000), "colons": strings.Repeat("a: ", 20_000),
		"lines": strings.Repeat("- a\n", 16_000), "quotes": "campaign: " + strings.Repeat("'", 60_001),
		"braces": strings.Repeat("{a: ", 16_000), "anchors": strings.Repeat("&a ", 20_000), "tags": strings.Repeat("!a ", 20_000),
		"steps": steps(300), "pipes": strings.Repeat("a: |\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := campaigns.Parse(name, []byte(text)); err == nil {
				t.Fatalf("accepted: %+v", c)
			}
		})
	}
}

// steps is YAML nested ever deeper by indentation.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestNormalProperty(t *testing.T) {
	word := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?`)
	line := rapid.StringMatching(`[A-Za-z0-9'"#:àé&*!|>%@{}\[\],?-]([ A-Za-z0-9'"#:àé&*!|>%@{}\[\],?-]{0,20}[A-Za-z0-9'"#:.])?`)
	rapid.Check(t, func(t *rapid.T) {
		c := campaigns.Default()
		c.Name, c.Seller, c.Jurisdiction = word.Draw(t, "name"), line.Draw(t, "seller"), "it"
		c.Trunk = rapid.SampledFrom([]string{"", "null", "true", "1e3", "0x1f", "main"}).Draw(t, "trunk")
		if c.Trunk == "" && rapid.Bool().Draw(t, "several trunks") {
			c.Trunks = rapid.SliceOfNDistinct(word, 1, 3, rapid.ID).Draw(t, "trunks")
		}
		c.Message = rapid.OneOf(rapid.Just(""), line).Draw(t, "message")
		c.CallerIDs = []campaigns.Number{"+390844000123"}
		c.Pacing.MaxLinesPerAgent = rapid.Float64Range(0, 1000).Draw(t, "lines")
		c.WrapUp = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wrap"))
		c.Retry[campaigns.Busy] = campaigns.Retry{
			Delay:  time.Duration(rapid.Int64Range(int64(time.Second), int64(campaigns.MaxDelay)).Draw(t, "delay")),
			Growth: rapid.Float64Range(1, 10).Draw(t, "growth"),
			Max:    rapid.IntRange(0, 100).Draw(t, "max"),
		}
		if rapid.Bool().Draw(t, "script") {
			c.Script = []campaigns.Question{
				{Name: "offer", Says: line.Draw(t, "says"), Type: campaigns.AnswerYesNo, Required: true},
				{Name: "n", Type: campaigns.AnswerChoice, Choices: []string{line.Draw(t, "choice")}, When: map[string][]string{"offer": {"yes", "no"}}},
			}
			c.Dispositions = map[string]campaigns.Disposition{
				"do_not_call":        {Does: campaigns.EffectOptOut, Key: "3"},
				word.Draw(t, "word"): {Does: campaigns.EffectRetry, Says: line.Draw(t, "meaning"), Retry: campaigns.Retry{Delay: time.Hour, Max: 1, NextNumber: true}, Complete: true},
			}
			c.Appointments = campaigns.Appointments{AgentWait: time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "wait")), Retry: campaigns.Retry{Delay: time.Minute, Max: 1}}
		}
		c.Callback = campaigns.Callback{
			Prompt: rapid.OneOf(rapid.Just(""), line).Draw(t, "prompt"), OptOut: rapid.SampledFrom([]string{"9", "*", "#", "0"}).Draw(t, "opt-out"),
			Agent: rapid.SampledFrom([]string{"", "1"}).Draw(t, "agent"), Later: rapid.SampledFrom([]string{"", "2"}).Draw(t, "later"),
			Delay: time.Duration(rapid.Int64Range(int64(time.Minute), int64(720*time.Hour)).Draw(t, "callback delay")),
		}
		c.Priority, c.Weight = rapid.IntRange(-1000, 1000).Draw(t, "priority"), rapid.IntRange(1, 1000).Draw(t, "weight")
		cap := rapid.Custom(func(t *rapid.T) campaigns.Cap {
			return campaigns.Cap{
				Max: rapid.IntRange(1, 1000).Draw(t, "calls"),
				Per: rapid.OneOf(rapid.Just(time.Duration(0)), rapid.Custom(func(t *rapid.T) time.Duration {
					return time.Duration(rapid.Int64Range(int64(time.Minute), int64(8760*time.Hour)).Draw(t, "span"))
				})).Draw(t, "per"),
			}
		})
		if rapid.Bool().Draw(t, "caps") {
			c.Caps.Number = rapid.SliceOfN(cap, 1, 3).Draw(t, "number caps")
			c.Caps.Lead = rapid.SliceOfN(cap, 1, 2).Draw(t, "lead caps")
			c.Caps.CallerID = []campaigns.Cap{{Max: 200}}
		}
		if rapid.Bool().Draw(t, "hours") {
			c.Hours = campaigns.Hours{"mon": {"00:00-24:00"}, "sun": {"09:00-10:30", "11:00-12:00"}}
		}
		checkNormal(t, &c)
	})
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/problems/*.yaml")
	samples, _ := filepath.Glob("../testdata/campaigns/*.yaml")
	for _, file := range slices.Concat(files, samples) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := campaigns.Parse("fuzz.yaml", data)
		var problems campaigns.Problems
		switch {
		case err == nil:
			checkNormal(t, c)
		case c != nil || !errors.As(err, &problems) || len(problems) == 0:
			t.Fatalf("Parse = %v, %v", c, err)
		}
	})
}
