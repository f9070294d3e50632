package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// listed is a number on the list of a closed store's folder.
const listed = campaigns.Number("+390655500777")

// withListed makes a folder with one opt-out.
func withListed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := opened(t, dir)
	if _, err := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: listed, At: time.Unix(1, 0), Source: "cli"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestListHoldsNoNumberInClear(t *testing.T) {
	dir := withListed(t)
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || bytes.Contains(data, []byte(listed[1:])) {
		t.Errorf("the file holds the number in clear (%v)", err)
	}
	info, err := os.Stat(filepath.Join(dir, KeyName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable by others: %v, %v", info.Mode(), err)
	}
}

// TestLostListKey: without the right key nobody can tell who is on the list, so
// that every question about it fails; with the key back all is as before.
func TestLostListKey(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, file string){
		"missing": func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		},
		"another": func(t *testing.T, file string) {
			if err := os.WriteFile(file, bytes.Repeat([]byte("ab"), 32), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"cut": func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte("abcd"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := withListed(t)
			file := filepath.Join(dir, KeyName)
			backup, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lose(t, file)
			s := opened(t, dir)
			_, _, asked := s.OptedOut(t.Context(), listed, "acme", "spring")
			_, added := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: "+390655500778", At: time.Unix(1, 0)}})
			_, removed := s.RemoveOptOut(t.Context(), listed, "", "")
			_, of := s.OptOutsOf(t.Context(), listed)
			each := s.EachOptOut(t.Context(), func(dnc.OptOut) error { return nil })
			erased := s.EraseNumber(t.Context(), listed, EraseParts{Listed: true})
			for i, err := range []error{asked, added, removed, of, each, erased} {
				if !errors.Is(err, ErrListKey) {
					t.Errorf("question %d: %v, want ErrListKey", i, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, backup, 0o600); err != nil {
				t.Fatal(err)
			}
			s = opened(t, dir)
			if e, out, err := s.OptedOut(t.Context(), listed, "acme", "spring"); !out || err != nil || e.Number != listed {
				t.Errorf("with the key back: %+v, %v, %v", e, out, err)
			}
		})
	}
}

// TestOptOutsFromBefore: entries that an older program wrote in clear are sealed
// when the store opens.
func TestOptOutsFromBefore(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	err := s.w.write(t.Context(), func(t *tx) error {
		_, err := t.exec(`INSERT INTO optouts(subject, seller, campaign, at, source) VALUES(?, 'acme', '', 1, 'file')`, string(listed))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, dir)
	if e, out, err := s.OptedOut(t.Context(), listed, "acme", ""); !out || err != nil || e.Source != "file" {
		t.Errorf("OptedOut = %+v, %v, %v", e, out, err)
	}
	var got []dnc.OptOut
	err = s.EachOptOut(t.Context(), func(e dnc.OptOut) error {
		got = append(got, e)
		return nil
	})
	if err != nil || len(got) != 1 || got[0].Number != listed {
		t.Errorf("EachOptOut = %+v, %v, want the number", got, err)
	}
}

// TestErasedStayListed: erasing takes the number out of the list's entry and
// leaves the entry in force; opting out again names it again.
func TestErasedStayListed(t *testing.T) {
	s := opened(t, withListed(t))
	number := func() campaigns.Number {
		var n campaigns.Number
		if err := s.EachOptOut(t.Context(), func(e dnc.OptOut) error {
			n = e.Number
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := s.EraseNumber(t.Context(), listed, EraseParts{Listed: true}); err != nil {
		t.Fatal(err)
	}
	if _, out, err := s.OptedOut(t.Context(), listed, "acme", ""); !out || err != nil || number() != "" {
		t.Errorf("after the erasure: listed %v as %q, %v, want it without its number", out, number(), err)
	}
	if added, err := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: listed, At: time.Unix(5, 0), Source: "cli"}}); err != nil || added != 0 || number() != listed {
		t.Errorf("opted out again: %d added, listed as %q, %v", added, number(), err)
	}
}

// TestErasedKeyIsGone: the key of an erased person is not in the file any more, not
// even in places that the database has given up. Other people keep theirs.
func TestErasedKeyIsGone(t *testing.T) {
	dir := withListed(t)
	s := opened(t, dir)
	const other = campaigns.Number("+390655500778")
	if _, err := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: other, At: time.Unix(2, 0), Source: "cli"}}); err != nil {
		t.Fatal(err)
	}
	key := func(n campaigns.Number) (wrapped []byte) {
		if _, err := s.get(t.Context(), `SELECT key FROM persons WHERE subject = ?`, []any{s.list.Subject(n)}, &wrapped); err != nil {
			t.Fatal(err)
		}
		return wrapped
	}
	gone, kept := key(listed), key(other)
	if err := s.EraseNumber(t.Context(), listed, EraseParts{Listed: true}); err != nil {
		t.Fatal(err)
	}
	if left := key(listed); len(gone) == 0 || left != nil {
		t.Errorf("the key before %x, after %x", gone, left)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || bytes.Contains(data, gone) || !bytes.Contains(data, kept) {
		t.Errorf("the file holds the erased key: %v, the other one: %v (%v)", bytes.Contains(data, gone), bytes.Contains(data, kept), err)
	}
}

// TestRemovedKeyIsGone: with the last entry of a number its key goes too.
func TestRemovedKeyIsGone(t *testing.T) {
	s := opened(t, withListed(t))
	if _, err := s.AddOptOuts(t.Context(), []dnc.OptOut{{Number: listed, Seller: "acme", At: time.Unix(2, 0)}}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		seller string
		keys   int
	}{{"acme", 1}, {"", 0}} {
		if removed, err := s.RemoveOptOut(t.Context(), listed, step.seller, ""); !removed || err != nil {
			t.Fatalf("RemoveOptOut(%q) = %v, %v", step.seller, removed, err)
		}
		var keys int
		if _, err := s.get(t.Context(), `SELECT count(*) FROM persons`, nil, &keys); err != nil || keys != step.keys {
			t.Errorf("after %q: %d keys (%v), want %d", step.seller, keys, err, step.keys)
		}
	}
}

// TestOptOutsOfTheListKey: entries sealed with the list's own key get a person's
// key when the store opens; those of erased persons stay without a number.
func TestOptOutsOfTheListKey(t *testing.T) {
	dir := withListed(t)
	s := opened(t, dir)
	subject := s.list.Subject(listed)
	text, err := sealed(s.list.seal, []byte(listed), subject)
	if err != nil {
		t.Fatal(err)
	}
	err = s.w.write(t.Context(), func(t *tx) error {
		_, err := t.exec(`UPDATE optouts SET key = 1, sealed = ?`, text)
		if err == nil {
			_, err = t.exec(`DELETE FROM persons`)
		}
		if err == nil {
			_, err = t.exec(`INSERT INTO optouts(subject, seller, campaign, at, source, key) VALUES('gone', '', '', 1, 'file', 1)`)
		}
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	s = opened(t, dir)
	var got []campaigns.Number
	if err := s.EachOptOut(t.Context(), func(e dnc.OptOut) error {
		got = append(got, e.Number)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var old int
	if _, err := s.get(t.Context(), `SELECT count(*) FROM optouts WHERE key < 2`, nil, &old); err != nil || old != 0 {
		t.Errorf("%d entries are as before (%v)", old, err)
	}
	if len(got) != 2 || got[0]+got[1] != listed {
		t.Errorf("the list names %q, want %s and one without a number", got, listed)
	}
}

func TestSealedNumbers(t *testing.T) {
	k, err := newListKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	text, err := sealed(k.seal, []byte(listed), k.Subject(listed))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := unsealed(k.seal, text, k.Subject(listed)); campaigns.Number(n) != listed || err != nil {
		t.Errorf("unsealed = %q, %v", n, err)
	}
	for name, bad := range map[string][]byte{"cut": text[:5], "changed": append(bytes.Clone(text[:len(text)-1]), text[len(text)-1]^1)} {
		if _, err := unsealed(k.seal, bad, k.Subject(listed)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := unsealed(k.seal, text, k.Subject("+390655500778")); err == nil {
		t.Error("a sealed number was moved to another entry unnoticed")
	}
}
