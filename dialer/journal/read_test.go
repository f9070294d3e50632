package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReadOptions(t *testing.T) {
	dir := t.TempDir()
	days(t, dir, "n1", 3, 4, Options{})
	days(t, dir, "n2", 1, 2, Options{})
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		opt  ReadOptions
		want string // node:seq
	}{
		"one node":         {ReadOptions{Node: "n2"}, "n2:1 n2:2"},
		"merged by time":   {ReadOptions{To: noon.Add(day)}, "n1:1 n2:1 n1:2 n2:2 n1:3 n1:4"},
		"from":             {ReadOptions{From: noon.Add(2 * day)}, "n1:9 n1:10 n1:11 n1:12"},
		"from and to":      {ReadOptions{From: noon.Add(2 * time.Second), To: noon.Add(day + 5*time.Second), Node: "n1"}, "n1:3 n1:4 n1:5"},
		"kind":             {ReadOptions{Kinds: []Kind{Cleared}, Node: "n1", To: noon.Add(day)}, "n1:2 n1:4"},
		"no such campaign": {ReadOptions{Campaign: "autumn"}, ""},
		"campaign":         {ReadOptions{Campaign: "spring", Node: "n2"}, "n2:1 n2:2"},
		"no such node":     {ReadOptions{Node: "n3"}, ""},
		"number":           {ReadOptions{Number: "+390212345678", To: noon.Add(day)}, "n1:2 n2:2 n1:4"},
		"another number":   {ReadOptions{Number: "+390212345679"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range all(t, Read(dir, tc.opt)) {
				got = append(got, fmt.Sprintf("%s:%d", r.Node, r.Seq))
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %q, want %q", s, tc.want)
			}
		})
	}
}

func TestReadOfASpanAfterTheClockJumped(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: noon.AddDate(1, 0, 0)} // a year ahead, by mistake
	j := mustOpen(t, dir, Options{Now: c.now})
	mustCommit(t, j, Record{Kind: Note})
	c.move(-365 * 24 * time.Hour)
	mustCommit(t, j, Record{Kind: Note, At: noon})
	c.move(366 * 24 * time.Hour)
	mustCommit(t, j, Record{Kind: Note, At: noon.Add(time.Hour)})
	if got := all(t, Read(dir, ReadOptions{To: noon.Add(2 * time.Hour)})); len(got) != 2 {
		t.Errorf("%d records of the day, want 2", len(got))
	}
	mustVerify(t, dir, 3)
}

func TestReadFollowsANumberThroughItsAttempts(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	const one, two = "+390200000001", "+390200000002"
	for _, r := range []Record{
		{Kind: Cleared, Attempt: "A", Number: one},
		{Kind: Cleared, Attempt: "B", Number: two},
		{Kind: Ringing, Attempt: "A"},
		{Kind: Ringing, Attempt: "B"},
		{Kind: Note, Detail: []byte(`{"attempt":"A"}`)},
		{Kind: Ended, Attempt: "A"},
		{Kind: OptedOut, Number: one},
	} {
		mustCommit(t, j, r)
	}
	var got string
	for _, r := range all(t, Read(dir, ReadOptions{Number: one})) {
		got += fmt.Sprint(r.Seq, " ")
	}
	if got != "1 3 6 7 " {
		t.Errorf("records %s, want 1 3 6 7", got)
	}
	got = ""
	for _, r := range all(t, Read(dir, ReadOptions{Number: one, Kinds: []Kind{Ended}})) {
		got += fmt.Sprint(r.Seq, " ")
	}
	if got != "6 " {
		t.Errorf("ended records %s, want 6", got)
	}
}

func TestReadFrom(t *testing.T) {
	dir := t.TempDir()
	days(t, dir, "n1", 3, 5, Options{})
	mustClose(t, mustOpen(t, dir, Options{Node: "n1"}))
	for from := uint64(0); from <= 17; from++ {
		got := all(t, ReadFrom(dir, "n1", from))
		first := max(from, 1)
		if want := int(16 - min(first, 16)); len(got) != want {
			t.Errorf("from %d: %d records, want %d", from, len(got), want)
		} else if want > 0 && got[0].Seq != first {
			t.Errorf("from %d: begins at %d", from, got[0].Seq)
		}
	}
}

func TestReadFromFindsItsPlaceInALongSegment(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	const n = 12000
	for i := range n {
		if _, err := j.Append(Record{Kind: Note, Reason: strings.Repeat("x", i%700)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, from := range []uint64{2, n / 2, n} {
		got := all(t, j.ReadFrom(from))
		if len(got) != int(n-from+1) || got[0].Seq != from {
			t.Errorf("from %d: %d records", from, len(got))
		}
	}
	all, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	o, err := openSegment(all["local"][0])
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	if err := o.seek(n); err != nil {
		t.Fatal(err)
	}
	info, err := o.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	at, err := o.file.Seek(0, 1)
	if err != nil || info.Size()-at > 1<<19 {
		t.Errorf("the search stopped %d bytes before the end (%v)", info.Size()-at, err)
	}
}

func TestReadWhileWriting(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: noon}
	j := mustOpen(t, dir, Options{Now: c.now})
	mustCommit(t, j, Record{Kind: Note, Number: "+390200000000"})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := j.Commit(t.Context(), Record{Kind: Note, Number: fmt.Sprintf("+39020000%d%03d", w, i%1000)}); err != nil {
					t.Error(err)
				}
				if w == 0 && i%40 == 39 {
					c.move(12 * time.Hour)
				}
			}
		})
	}
	for range 50 {
		var seq uint64
		for r, err := range Read(dir, ReadOptions{}) {
			if err != nil {
				t.Error(err)
				break
			}
			if r.Seq != seq+1 || r.Number == "" {
				t.Errorf("record %d behind %d, number %q", r.Seq, seq, r.Number)
			}
			seq = r.Seq
		}
		if v, err := Verify(dir); err != nil || !v.OK {
			t.Errorf("verify: %+v, %v", v, err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestErase(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{Known: 2}) // forgets at once: several keys for each number
	const gone, stays = "+390211111111", "+390222222222"
	for range 3 {
		for _, n := range []string{gone, stays, "+390233333333"} {
			mustCommit(t, j, Record{Kind: Cleared, Number: n, Personal: []byte(`"p"`), Detail: []byte(`{"to":"` + n + `"}`)})
		}
	}
	raw, err := os.ReadFile(keyPath(dir, "local.subjects"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := j.Erase(t.Context(), gone, "officer")
	if err != nil || keys < 2 {
		t.Fatalf("Erase: %d keys, %v, want several", keys, err)
	}
	now, err := os.ReadFile(keyPath(dir, "local.subjects"))
	if err != nil {
		t.Fatal(err)
	}
	for at := slotSize; at < len(raw); at += slotSize {
		s, err := decodeSlot(raw[at : at+slotSize])
		if err != nil {
			t.Fatal(err)
		}
		if s.subject.String() == j.Subject(gone) && bytes.Contains(now, s.key[:]) {
			t.Errorf("the key in slot %d is still in the file", at/slotSize)
		}
	}
	mustCommit(t, j, Record{Kind: OptedOut, Number: gone})
	again, err := j.Erase(t.Context(), "+390299999999", "officer")
	if again != 0 || err != nil {
		t.Errorf("Erase of a stranger: %d, %v", again, err)
	}
	mustVerify(t, dir, 11)
	for _, r := range all(t, Read(dir, ReadOptions{})) {
		switch {
		case r.Kind == Erased:
			if r.Subject != j.Subject(gone) || string(r.Detail) != fmt.Sprintf(`{"keys":%d,"who":"officer"}`, keys) {
				t.Errorf("erased record %+v", r)
			}
		case r.Kind == OptedOut:
			if r.Number != gone {
				t.Errorf("a record after the erasure lost its number: %+v", r)
			}
		case r.Subject == j.Subject(gone):
			if r.Number != "" || r.Personal != nil || r.Detail != nil {
				t.Errorf("erased data came back: %+v", r)
			}
		case r.Number == "" || string(r.Personal) != `"p"` || r.Detail == nil:
			t.Errorf("other data was lost: %+v", r)
		}
	}
}

func TestReadersWithoutKeysGetPseudonyms(t *testing.T) {
	dir, _ := written(t, 2)
	if err := os.Remove(keyPath(dir, "local.subjects")); err != nil {
		t.Fatal(err)
	}
	for _, r := range all(t, Read(dir, ReadOptions{})) {
		if r.Number != "" || r.Subject == "" {
			t.Errorf("record %+v", r)
		}
	}
	mustVerify(t, dir, 2)
}

func TestClosedLeavesSealedFieldsClosed(t *testing.T) {
	dir, _ := written(t, 2)
	for _, r := range all(t, Read(dir, ReadOptions{Closed: true})) {
		if r.Number != "" || r.Subject == "" {
			t.Errorf("record %+v", r)
		}
	}
}

func TestSealedFieldsCannotBeMoved(t *testing.T) {
	dir, data := written(t, 2)
	lines := bytes.Split(data, []byte{'\n'})
	_, sealed, err := decodeLine(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := decodeLine(lines[1])
	if err != nil {
		t.Fatal(err)
	}
	keys := &slots{name: keyPath(dir, "local.subjects")}
	defer keys.close()
	if err := keys.unseal(&r, sealed); err == nil || r.Number != "" {
		t.Errorf("the field of record 1 opened in record 2: %+v, %v", r, err)
	}
	for _, bad := range []string{"", "1", "x:y", "1:", "1:!", "99:AAAA", "18446744073709551615:AAAA"} {
		if err := keys.unseal(&r, bad); err == nil {
			t.Errorf("sealed field %q opened", bad)
		}
	}
}

func TestReadOfNoFolder(t *testing.T) {
	for _, err := range Read(filepath.Join(t.TempDir(), "none"), ReadOptions{}) {
		if err == nil {
			t.Error("a missing folder read without an error")
		}
	}
	if _, err := Verify(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing folder verified")
	}
}
