package registers

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

func profile(t testing.TB, name string) Profile {
	t.Helper()
	p, ok := ProfileOf(name)
	if !ok {
		t.Fatalf("no profile %s", name)
	}
	return p
}

// changes is the profile of a change list: number,A or D.
func changes(t testing.TB) Profile {
	p := profile(t, "us-dnc")
	p.Number, p.Action, p.Add, p.Delete = []int{1}, 2, []string{"A"}, []string{"D"}
	return p
}

func listOptions(t testing.TB, id string) ListOptions {
	now := demoNow(t)
	return ListOptions{ID: id, Now: now, CheckedAt: now.Add(-time.Hour)}
}

func TestProfilesAreValid(t *testing.T) {
	for _, p := range Profiles() {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
		if p.Title == "" || p.Layout == "" {
			t.Errorf("%s does not say what it is and how sure its layout is", p.Name)
		}
	}
}

func TestReadList(t *testing.T) {
	for _, tt := range []struct {
		name, profile, data string
		want                string // first and last number, count
		areas               string
	}{
		{"US with a comma", "us-dnc", "202,5551234\n202,5551233\n305,5550000\n", "+12025551233 +13055550000", "202 305"},
		{"US without", "us-dnc", "2025551234\r\n2025551233\r\n2025551234\r\n", "+12025551233 +12025551234", "202"},
		{"US, several files in the ZIP", "us-dnc", zipped(t, "202.txt", "202,5551234\n", "305.txt", "305,5551234\n"), "+12025551234 +13055551234", "202 305"},
		{"CA", "ca-dncl", "416,1234567\n", "+14161234567 +14161234567", "416"},
		{"CA in XML", "ca-dncl", "<?xml version='1.0'?>\n<list type='full' level='ac' val='416' />\n<ac val='416'>\n <ph val='1234567' />\n <ph val=\"1234566\"/>\n</ac>\n</list>\n", "+14161234566 +14161234567", "416"},
		{"GB with trunk zero", "tps", "02079460123\n7400123456\n+441632960001\n", "+441632960001 +447400123456", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ReadList(context.Background(), source(t, tt.data), profile(t, tt.profile), listOptions(t, "i1"))
			if err != nil {
				t.Fatal(err)
			}
			got := string(NumberOf(l.Added[0]) + " " + NumberOf(l.Added[len(l.Added)-1]))
			if got != tt.want || strings.Join(l.Areas, " ") != tt.areas {
				t.Errorf("got %s areas %v", got, l.Areas)
			}
		})
	}
}

func TestListsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		change     func(*Profile, *ListOptions)
		want       string
	}{
		{"no time", "2025551234\n", func(_ *Profile, o *ListOptions) { o.CheckedAt = time.Time{} }, "checked-at is missing"},
		{"time to come", "2025551234\n", func(_ *Profile, o *ListOptions) { o.CheckedAt = o.Now.Add(1) }, "in the future"},
		{"XML outside of an area", "<ph val='5551234' />", func(p *Profile, _ *ListOptions) { *p = profile(t, "ca-dncl") }, "line 1: ph stands outside of ac"},
		{"XML cut off", "<ac val='416'>\n<ph val='555", func(p *Profile, _ *ListOptions) { *p = profile(t, "ca-dncl") }, "line 2: the text ends within a tag"},
		{"XML without a value", "<ac val='416'>\n<ph />", func(p *Profile, _ *ListOptions) { *p = profile(t, "ca-dncl") }, "line 2: has no val"},
		{"XML with a short number", "<ac val='416'><ph val='555' /></ac>", func(p *Profile, _ *ListOptions) { *p = profile(t, "ca-dncl") }, "has 6 digits"},
		{"XML of something else", "<html></html>", func(p *Profile, _ *ListOptions) { *p = profile(t, "ca-dncl") }, "want the tags"},
		{"XML where it is not known", "<ac val='416'>", nil, "holds '<'"},
		{"short number", "202555123\n", nil, `line 1: number "202555123": has 9 digits, want 10`},
		{"area code 1xx", "1025551234\n", nil, "begins with 1"},
		{"count", "2025551234\n", func(_ *Profile, o *ListOptions) { o.Expected = 2 }, "has 1 rows, 2 were expected"},
		{"sum", "2025551234\n", func(_ *Profile, o *ListOptions) { o.SHA256 = "ab" }, "is not the file's"},
		{"outside the subscription", "2025551234\n", func(_ *Profile, o *ListOptions) { o.Areas = []string{"305"} }, "area code 202"},
		{"odd subscription", "2025551234\n", func(_ *Profile, o *ListOptions) { o.Areas = []string{"2025"} }, "want 3 digits"},
		{"no change list", "2025551234\n", func(_ *Profile, o *ListOptions) { o.Delta = true }, "no action column"},
		{"change list as a full one", "2025551234,A\n", func(p *Profile, _ *ListOptions) { *p = changes(t) }, "is a change list"},
		{"added and deleted", "2025551234,D\n2025551234,A\n", func(p *Profile, o *ListOptions) { *p, o.Delta = changes(t), true }, "both added and deleted"},
		{"action X", "2025551234,X\n", func(p *Profile, o *ListOptions) { *p, o.Delta = changes(t), true }, `action "X": want A or D`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, o := profile(t, "us-dnc"), listOptions(t, "i1")
			if tt.change != nil {
				tt.change(&p, &o)
			}
			l, err := ReadList(context.Background(), source(t, tt.data), p, o)
			if l != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %q", l, err, tt.want)
			}
		})
	}
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("202,5551234\n2025551235\n"), false)
	f.Add([]byte("2025551234,A\n2025551235,D\n"), true)
	f.Add([]byte(zipped(f, "202.txt", "202,5551234\n")), false)
	f.Add([]byte("<ac val='416'><ph val='1234567' /></ac>"), false)
	full, delta, o := profile(f, "ca-dncl"), changes(f), listOptions(f, "i")
	f.Fuzz(func(t *testing.T, data []byte, isDelta bool) {
		src, err := NewSource("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		p, o := full, o
		if isDelta {
			p, o.Delta = delta, true
		}
		l, err := ReadList(context.Background(), src, p, o)
		if (l == nil) == (err == nil) {
			t.Fatalf("list %v and error %v", l, err)
		}
		if l == nil {
			return
		}
		for i, v := range l.Added {
			if n := NumberOf(v); len(n) != 12 || n[1] != '1' || i > 0 && l.Added[i-1] >= v {
				t.Fatalf("number %s", n)
			}
		}
	})
}

func TestChangeListOfTheUnitedStates(t *testing.T) {
	o := listOptions(t, "i1")
	o.Delta = true
	l, err := ReadList(context.Background(), source(t, "202,5551234,2026-11-20 10:00:00,A\n202,5551235,2026-11-20 10:00:00,D\n"), profile(t, "us-dnc-changes"), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Added) != 1 || l.Added[0] != 12025551234 || len(l.Removed) != 1 || l.Removed[0] != 12025551235 || l.Profile.RegisterName() != "us-dnc" {
		t.Errorf("got %+v", l)
	}
}
