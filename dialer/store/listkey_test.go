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

func TestSealedNumbers(t *testing.T) {
	k, err := newListKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal(listed, k.Subject(listed))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := k.Open(sealed, k.Subject(listed)); n != listed || err != nil {
		t.Errorf("opened = %q, %v", n, err)
	}
	for name, bad := range map[string][]byte{"cut": sealed[:5], "changed": append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1)} {
		if _, err := k.Open(bad, k.Subject(listed)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := k.Open(sealed, k.Subject("+390655500778")); err == nil {
		t.Error("a sealed number was moved to another entry unnoticed")
	}
}
