package archive_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/dialer/archive"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// files are sources of some files.
func files(all map[string]string) iter.Seq2[archive.Source, error] {
	return func(yield func(archive.Source, error) bool) {
		for name, text := range all {
			if !yield(archive.Source{Name: name, Size: int64(len(text)), Content: strings.NewReader(text)}, nil) {
				return
			}
		}
	}
}

// written is an archive.
func written(t testing.TB, keys archive.Keys, all map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := archive.Sealer(&b, keys)
	if err != nil {
		t.Fatal(err)
	}
	_, err = archive.Write(w, archive.Manifest{Version: "test", Node: "n", TakenAt: noon}, files(all))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func check(data []byte, keys archive.Keys) (archive.Manifest, error) {
	in, done, err := archive.Opener(bytes.NewReader(data), keys)
	if err != nil {
		return archive.Manifest{}, err
	}
	defer done()
	return archive.Check(in)
}

func TestRoundTrip(t *testing.T) {
	all := map[string]string{"pronto.db": strings.Repeat("state ", 9999), "journal/n-2026-11-24.log": "a\nb\n", "empty": ""}
	for name, keys := range map[string]archive.Keys{"plain": {}, "passphrase": {Passphrase: "correct horse"}} {
		t.Run(name, func(t *testing.T) {
			data := written(t, keys, all)
			if sealed := bytes.HasPrefix(data, []byte("age-encryption.org/v1")); sealed != (keys != archive.Keys{}) {
				t.Errorf("encrypted: %v", sealed)
			}
			in, done, err := archive.Opener(bytes.NewReader(data), keys)
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			dir := t.TempDir()
			m, err := archive.Extract(in, dir)
			if err != nil || len(m.Files) != len(all) || !m.TakenAt.Equal(noon) || m.Node != "n" {
				t.Fatalf("Extract = %+v, %v", m, err)
			}
			for name, want := range all {
				got, err := os.ReadFile(filepath.Join(dir, name))
				info, statErr := os.Stat(filepath.Join(dir, name))
				if err != nil || statErr != nil || string(got) != want || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %d bytes, %v, %v", name, len(got), info.Mode(), errors.Join(err, statErr))
				}
			}
		})
	}
}

// TestEveryCutIsFound: an archive that ends anywhere before its end is refused.
func TestEveryCutIsFound(t *testing.T) {
	data := written(t, archive.Keys{}, map[string]string{"a": "first file", "b": strings.Repeat("x", 3000)})
	if _, err := check(data, archive.Keys{}); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := check(data[:n], archive.Keys{}); err == nil {
			t.Errorf("cut after %d of %d bytes: no error", n, len(data))
		}
	}
}

// tarOf makes a tar by hand.
func tarOf(t *testing.T, entries ...[2]string) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e[0], Size: int64(len(e[1])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestRefused(t *testing.T) {
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of hello
	manifest := func(format int, name, sum string) [2]string {
		return [2]string{archive.ManifestName, fmt.Sprintf(`{"format":%d,"files":[{"name":%q,"size":5,"sha256":%q}]}`, format, name, sum)}
	}
	for _, test := range []struct {
		name    string
		entries [][2]string
		says    string
	}{
		{"right", [][2]string{{"a", "hello"}, manifest(1, "a", sum)}, ""},
		{"other content", [][2]string{{"a", "hullo"}, manifest(1, "a", sum)}, "not what its manifest says"},
		{"missing", [][2]string{manifest(1, "a", sum)}, "lacks a"},
		{"more", [][2]string{{"a", "hello"}, {"b", ""}, manifest(1, "a", sum)}, "does not name"},
		{"twice", [][2]string{{"a", "hello"}, {"a", "hello"}, manifest(1, "a", sum)}, "twice"},
		{"outside", [][2]string{{"../a", "hello"}, manifest(1, "../a", sum)}, "no plain file"},
		{"absolute", [][2]string{{"/a", "hello"}, manifest(1, "/a", sum)}, "no plain file"},
		{"no manifest", [][2]string{{"a", "hello"}}, "cut off"},
		{"of the future", [][2]string{{"a", "hello"}, manifest(2, "a", sum)}, "form 2"},
		{"no JSON", [][2]string{{archive.ManifestName, "{"}}, "manifest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := archive.Extract(tarOf(t, test.entries...), t.TempDir())
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("Extract = %v, want %q", err, test.says)
			}
		})
	}
}

// TestShrinkingFile: a file that becomes shorter while it is read is an error, not a
// short archive.
func TestShrinkingFile(t *testing.T) {
	short := func(yield func(archive.Source, error) bool) {
		yield(archive.Source{Name: "a", Size: 10, Content: strings.NewReader("five5")}, nil)
	}
	if _, err := archive.Write(io.Discard, archive.Manifest{}, short); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("Write = %v", err)
	}
}

func FuzzOpener(f *testing.F) {
	f.Add(written(f, archive.Keys{}, map[string]string{"a": "hello"}))
	f.Add([]byte("age-encryption.org/v1\n-> X25519 abc\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = check(data, archive.Keys{}) // must return
	})
}
