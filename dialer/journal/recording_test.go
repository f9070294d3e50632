package journal_test

import (
	"errors"
	"testing"

	"pronto/dialer/journal"
)

// TestSealedSecretDiesWithItsPerson seals before any record names the person, so that the key stands
// alone, reads it after a restart, and erases.
func TestSealedSecretDiesWithItsPerson(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	s, err := j.Seal(ctx, "+390612345678", []byte("secret"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := j.Seal(ctx, "+390687654321", []byte("other"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject != j.Subject("+390612345678") {
		t.Errorf("subject %s, want %s", s.Subject, j.Subject("+390612345678"))
	}
	if _, err := j.Commit(ctx, journal.Record{Kind: journal.Note, Number: "+390612345678"}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(dir, journal.Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if got, err := journal.Unseal(dir, s, []byte("context")); err != nil || string(got) != "secret" {
		t.Fatalf("unsealed %q, %v", got, err)
	}
	if _, err := journal.Unseal(dir, s, []byte("another")); err == nil {
		t.Error("it opens in another context")
	}
	forged := s
	forged.Subject = other.Subject
	if _, err := journal.Unseal(dir, forged, []byte("context")); err == nil {
		t.Error("it opens for another subject")
	}
	if n, err := j.Erase(ctx, "+390612345678", "test"); err != nil || n == 0 {
		t.Fatalf("erased %d keys, %v", n, err)
	}
	if _, err := journal.Unseal(dir, s, []byte("context")); !errors.Is(err, journal.ErrErased) {
		t.Errorf("after the erasure: %v, want ErrErased", err)
	}
	if got, err := journal.Unseal(dir, other, nil); err != nil || string(got) != "other" {
		t.Errorf("somebody else's: %q, %v", got, err)
	}
	if v, err := journal.Verify(dir); err != nil || !v.OK {
		t.Errorf("the chain: %+v, %v", v, err)
	}
}
