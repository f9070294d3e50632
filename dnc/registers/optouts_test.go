package registers

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

func TestReadOptOuts(t *testing.T) {
	now := demoNow(t)
	o := OptOutOptions{Country: "IT", Seller: "acme", Now: now, Zone: now.Location()}
	for _, tt := range []struct {
		name, data string
		number     string
		seller     string
		campaign   string
		at         time.Time
		source     string
	}{
		{"bare number", "+393471234567\n", "+393471234567", "acme", "", now, "file"},
		{"national number", "347 123 4567\n", "+393471234567", "acme", "", now, "file"},
		{"header", "phone,at\n+393471234567,2026-10-01\n", "+393471234567", "acme", "", time.Date(2026, 10, 1, 0, 0, 0, 0, now.Location()), "file"},
		{"all columns, semicolons", "seller;campaign;number;source\nbeta;autumn;+393471234567;agent\n", "+393471234567", "beta", "autumn", now, "agent"},
		{"quotes", "number,seller\n\"+393471234567\",\"Beta, Inc\"\n", "+393471234567", "Beta, Inc", "", now, "file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadOptOuts(context.Background(), source(t, tt.data), o)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 {
				t.Fatalf("%d entries", len(got))
			}
			e := got[0]
			if string(e.Number) != tt.number || e.Seller != tt.seller || e.Campaign != tt.campaign || !e.At.Equal(tt.at) || e.Source != tt.source {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestOptOutsRefused(t *testing.T) {
	now := demoNow(t)
	for _, tt := range []struct{ name, data, want string }{
		{"bad number", "number\n12\n", `line 2: number "12"`},
		{"header alone", "number\n", "holds no row"},
		{"campaign without seller", "number,campaign\n+393471234567,autumn\n", `line 2: campaign "autumn": needs a seller`},
		{"future", "number,at\n+393471234567,2027-01-01\n", "is in the future"},
		{"no date", "number,at\n+393471234567,soon\n", `line 2: at "soon"`},
		{"open quote", "number\n\"+393471234567\n", "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadOptOuts(context.Background(), source(t, tt.data), OptOutOptions{Now: now})
			if err == nil || got != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzReadOptOuts(f *testing.F) {
	f.Add([]byte("number,at\n+393471234567,2026-10-01\n"))
	f.Add([]byte("phone;seller\n\"347\"\"1234567\";x"))
	o := OptOutOptions{Country: "IT", Now: demoNow(f)}
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := NewSource("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		got, err := ReadOptOuts(context.Background(), src, o)
		if (got == nil) == (err == nil) {
			t.Fatalf("entries %v and error %v", got, err)
		}
		for _, e := range got {
			if !e.Number.Valid() || e.At.After(o.Now) || e.Campaign != "" && e.Seller == "" {
				t.Fatalf("entry %+v", e)
			}
		}
	})
}
