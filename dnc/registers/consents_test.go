package registers

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"pronto/dnc"
)

func TestReadConsents(t *testing.T) {
	now := demoNow(t)
	proof := strings.Repeat("ab", 32)
	data := "id;phone;given_at;source;purpose;ends;proof;basis;wireless\n" +
		"c1;347 123 4567;2026-10-01;web form;marketing;;" + proof + ";;yes\n" +
		"k1;06 12345678;2024-01-01 10:00;;;2026-11-01;;contract;\n"
	got, err := ReadConsents(context.Background(), source(t, data), ConsentOptions{ID: "i1", Country: "IT", Seller: "acme", Now: now, Zone: now.Location()})
	if err != nil {
		t.Fatal(err)
	}
	want := []dnc.Consent{
		{
			ID: "c1", Number: "+393471234567", Seller: "acme", Purpose: "marketing", Basis: dnc.ByConsent, Import: "i1",
			GivenAt: time.Date(2026, 10, 1, 0, 0, 0, 0, now.Location()), Source: "web form", Proof: proof, Wireless: true,
		},
		{
			ID: "k1", Number: "+390612345678", Seller: "acme", Basis: dnc.ByContract, Import: "i1",
			GivenAt: time.Date(2024, 1, 1, 10, 0, 0, 0, now.Location()), Ends: time.Date(2026, 11, 1, 0, 0, 0, 0, now.Location()),
		},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestConsentsRefused(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"no header", "+393471234567,c1,2026-10-01\n", "name the column"},
		{"no id column", "phone,given_at,source\n+393471234567,2026-10-01,web\n", "line 1: id is missing"},
		{"no id", "phone,id,given_at,source\n+393471234567,,2026-10-01,web\n", "line 2: id is missing"},
		{"no time", "phone,id,given_at,source\n+393471234567,c1,,web\n", "line 2: given_at is missing"},
		{"no source", "phone,id,given_at,source\n+393471234567,c1,2026-10-01,\n", "line 2: source is missing"},
		{"given tomorrow", "phone,id,given_at,source\n+393471234567,c1,2026-11-25,web\n", "is in the future"},
		{"ends before it begins", "phone,id,given_at,source,ends\n+393471234567,c1,2026-10-01,web,2026-09-01\n", "is before given_at"},
		{"id twice", "phone,id,given_at,source\n+393471234567,c1,2026-10-01,web\n+390612345678,c1,2026-10-01,web\n", `line 3: id "c1": stands on line 2 already`},
		{"basis", "phone,id,given_at,basis\n+393471234567,c1,2026-10-01,hope\n", "want consent, contract or inquiry"},
		{"proof", "phone,id,given_at,source,proof\n+393471234567,c1,2026-10-01,web,abc\n", "SHA-256"},
		{"number", "phone,id,given_at,source\n12,c1,2026-10-01,web\n", `line 2: number "12"`},
		{"two number columns", "phone,mobile,id,given_at,source\n12,13,c1,2026-10-01,web\n", "stands in two columns"},
		{"wireless", "phone,id,given_at,source,wireless\n+393471234567,c1,2026-10-01,web,perhaps\n", "want yes or no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadConsents(context.Background(), source(t, tt.data), ConsentOptions{Seller: "acme", Now: demoNow(t)})
			if got != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzReadConsents(f *testing.F) {
	f.Add([]byte("phone,id,given_at,source\n+393471234567,c1,2026-10-01,web\n"))
	f.Add([]byte("number\tid\tgiven\tbasis\tends\n+393471234567\tk\t2024-01-01\tcontract\t2025-01-01"))
	o := ConsentOptions{Country: "IT", Seller: "acme", Now: demoNow(f)}
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := NewSource("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		got, err := ReadConsents(context.Background(), src, o)
		if (got == nil) == (err == nil) {
			t.Fatalf("records %v and error %v", got, err)
		}
		for _, c := range got {
			if c.ID == "" || c.Seller == "" || !c.Number.Valid() || c.GivenAt.IsZero() || c.GivenAt.After(o.Now) {
				t.Fatalf("record %+v", c)
			}
		}
	})
}
