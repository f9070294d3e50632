package store

import (
	"os"
	"path/filepath"
	"testing"

	"pronto/dialer"
)

var _ dialer.Memory = (*Memory)(nil)

func TestMemory(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pacing")
	m := NewMemory(folder)
	recall := func(campaign, want string) {
		t.Helper()
		got, err := NewMemory(folder).Recall(campaign)
		if err != nil || string(got) != want || (got == nil) != (want == "") {
			t.Errorf("%s: %q, %v, want %q", campaign, got, err, want)
		}
	}
	recall("spring", "")
	for _, learned := range []string{"a longer first", "second"} {
		if err := m.Keep("spring", []byte(learned)); err != nil {
			t.Fatal(err)
		}
		recall("spring", learned)
	}
	recall("autumn", "")
	// A write that a crash cut off leaves what was kept before.
	if err := os.WriteFile(filepath.Join(folder, "spring.learned.part"), []byte("thi"), 0o600); err != nil {
		t.Fatal(err)
	}
	recall("spring", "second")
	if err := m.Keep("spring", []byte("third")); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("%v, %v, want one file", files, err)
	}
	if err := os.Remove(filepath.Join(folder, "spring.learned")); err != nil {
		t.Fatal(err)
	}
	recall("spring", "")
}

func TestMemoryRefuses(t *testing.T) {
	folder := t.TempDir()
	m := NewMemory(folder)
	if err := os.Mkdir(filepath.Join(folder, "spring.learned"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "autumn.learned"), make([]byte, learnedMost+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, campaign := range []string{"spring", "autumn"} {
		if got, err := m.Recall(campaign); err == nil {
			t.Errorf("%s: recalled %d bytes", campaign, len(got))
		}
	}
	if err := m.Keep("spring", []byte("x")); err == nil {
		t.Error("kept in the place of a folder")
	}
	if err := NewMemory(filepath.Join(folder, "autumn.learned")).Keep("spring", nil); err == nil {
		t.Error("kept in a folder that is a file")
	}
}
