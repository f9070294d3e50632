package redis

import (
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// What an URL says is read or refused, and no error tells the password.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"redis://u:secret@h:6379/0", "rediss://h/1?ca=/x.pem", "redis+sentinel://u:secret@a:1,b/master?replicas=2", "redis+cluster://a,[::1]:7?prefix=x:&fsync=any",
		"redis://", "http://x", "redis://a,b", "redis://u:secret@h:6379/x", "redis://h?replicas=-1", "%", "redis://u:secret@h:6379?nonsense=secret2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseURL(text)
		if err != nil {
			if strings.Contains(text, ":secret@") && !strings.Contains(strings.Replace(text, ":secret@", "", 1), "secret") && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
			return
		}
		if len(p.Addrs) == 0 || p.Master != "" && p.Cluster || p.DB < 0 || p.Replicas < -1 {
			t.Errorf("%q is read as %+v", text, p)
		}
		if p.CA == "" {
			db, err := p.connect(time.Second)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			_ = db.Close()
		}
	})
}

// What stands in Redis, as somebody else may have written it, is read or refused.
func FuzzStored(f *testing.F) {
	a := dialer.Attempt{ID: "01A", Lead: 7, Campaign: "spring", Seller: "acme", Number: "+390655500001", At: time.Unix(1, 2), Answers: map[string]string{"q": "a"}}
	settlement := settlementOf(a, `{"q":"a"}`)
	var whole writer
	whole.bool(true)
	whole = append(whole, 0, 0, 0, 0, 0, 1, 1, 'n', 0)
	for _, part := range []writer{intentOf(dialer.Change{Attempt: a}), settlement} {
		whole.u16(uint16(len(part)))
		whole = append(whole, part...)
	}
	lead := campaigns.Lead{Number: a.Number, Name: "Anna", Due: time.Unix(5, 0), Fields: map[string]string{"k": "v"}, Numbers: []campaigns.LeadNumber{{Number: a.Number, Type: "mobile"}}}
	core, err := core(&lead)
	if err != nil {
		f.Fatal(err)
	}
	stands, err := stands(&lead)
	if err != nil {
		f.Fatal(err)
	}
	var loaded writer
	loaded.u32(1)
	loaded.u32(1)
	loaded.text16("x1")
	f.Add(string(whole), string(append(loaded, core...)), string(stands))
	f.Add("", "", "")
	f.Add("\x01\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x05\x02")
	f.Fuzz(func(t *testing.T, attempt, loaded, stands string) {
		if k, err := decodeAttempt("01A", a.Number, attempt); err == nil && k.ID != "01A" {
			t.Errorf("attempt read as %+v", k)
		}
		if l, err := decodeLead("spring", 1, 1, loaded, stands); err == nil && (l.Number == "" && len(l.Numbers) > 0 || l.Turn < 0) {
			t.Errorf("lead read as %+v", l)
		}
		if _, _, err := optOutOf(loaded, attempt); err != nil {
			return
		}
	})
}
