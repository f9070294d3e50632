package recording_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/dialer/recording"
)

var update = flag.Bool("update", false, "write the golden files")

func header(id string) recording.Header {
	return recording.Header{
		ID: id, Campaign: "spring", Attempt: "01KAB", Agent: "anna", Law: recording.ALaw, Node: "local", Subject: "aa", Key: "1:bb",
		Began: time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC), Until: time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC),
	}
}

var key = recording.Key{1, 2, 3}

// sound is a chunk whose left channel counts up from a byte and whose right one down.
func sound(from byte, samples int) []byte {
	b := make([]byte, 2*samples)
	for i := range samples {
		b[2*i], b[2*i+1] = from+byte(i), from-byte(i)
	}
	return b
}

// write makes a recording of whole chunks by their numbers and a last one.
func write(t testing.TB, dir string, h recording.Header, numbers []uint32, last uint32, tail []byte) (string, recording.Sum) {
	t.Helper()
	w, err := recording.Create(dir, h, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		if err := w.Chunk(n, sound(byte(n), recording.ChunkSamples)); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := w.Finish(last, tail)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Keep(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, h.Path()), sum
}

// wav decrypts a file.
func wav(name string, k recording.Key) ([]byte, *recording.Reader, error) {
	r, err := recording.Open(name)
	if err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	err = r.WriteWAV(&out, k)
	return out.Bytes(), r, errors.Join(err, r.Close())
}

func TestGoldenWAV(t *testing.T) {
	for _, law := range []recording.Law{recording.ALaw, recording.MuLaw} {
		t.Run(string(law), func(t *testing.T) {
			h := header("01KAB-1")
			h.Law = law
			name, sum := write(t, t.TempDir(), h, []uint32{1}, 2, sound(9, 100))
			got, r, err := wav(name, key)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Whole || r.Length() != sum.Length || sum.Length != time.Second+12500*time.Microsecond {
				t.Errorf("whole %v, %s, written as %s", r.Whole, r.Length(), sum.Length)
			}
			golden := filepath.Join("testdata", string(law)+".wav")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes, the golden file has %d, and they differ", len(got), len(want))
			}
		})
	}
}

// TestRoundTrip writes any chunks with any gaps between them.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	silent := recording.ALaw.Silence()
	rapid.Check(t, func(rt *rapid.T) {
		var numbers []uint32
		var want []byte
		next := uint32(0)
		for _, skipped := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(rt, "skipped") {
			for range skipped {
				want = append(want, silent...)
				next++
			}
			numbers = append(numbers, next)
			want = append(want, sound(byte(next), recording.ChunkSamples)...)
			next++
		}
		tail := sound(7, rapid.IntRange(0, recording.ChunkSamples).Draw(rt, "tail"))
		want = append(want, tail...)
		h := header("p-1")
		name, sum := write(t, dir, h, numbers, next, tail)
		got, r, err := wav(name, key)
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got[len(got)-len(want):], want) {
			rt.Fatal("another sound comes back")
		}
		data, err := os.ReadFile(name)
		if err != nil {
			rt.Fatal(err)
		}
		hash := sha256.Sum256(data)
		if sum.SHA256 != hex.EncodeToString(hash[:]) || sum.Bytes != int64(len(data)) || sum.Length != r.Length() {
			rt.Fatalf("sum %+v of %d bytes, %s", sum, len(data), r.Length())
		}
		if err := recording.Destroy(dir, h); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestTampering changes a file in every way that keeps its form.
func TestTampering(t *testing.T) {
	dir := t.TempDir()
	name, sum := write(t, dir, header("01KAB-1"), []uint32{0, 1, 2}, 3, sound(1, 10))
	other, _ := write(t, dir, header("01KAB-2"), []uint32{0, 1, 2}, 3, sound(1, 10))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	const chunk = 6 + recording.ChunkBytes + 16
	body := len(whole) - 3*chunk - (6 + 20 + 16)
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	cases := []struct {
		name string
		file []byte
	}{
		{"a bit of sound", flip(body + 100)},
		{"a bit of a tag", flip(body + chunk - 1)},
		{"a chunk's number", flip(body + 2*chunk + 3)},
		{"the header", bytes.Replace(whole, []byte("anna"), []byte("anne"), 1)},
		{"two chunks change places", append(append(append(bytes.Clone(whole[:body]), whole[body+chunk:body+2*chunk]...), whole[body:body+chunk]...), whole[body+2*chunk:]...)},
		{"a chunk of another recording", append(append(bytes.Clone(whole[:body]), foreign[body:body+chunk]...), whole[body+chunk:]...)},
		{"a chunk is taken out", append(bytes.Clone(whole[:body]), whole[body+chunk:]...)},
		{"the end is cut off", whole[:body+2*chunk]},
		{"something is added", append(bytes.Clone(whole), whole[body:body+chunk]...)},
		{"the last chunk becomes an earlier one", flip(len(whole) - 42 + 4)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(name, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := recording.Open(name)
			if err != nil {
				return // found
			}
			defer func() { _ = r.Close() }()
			got, err := r.Sum()
			if err != nil {
				t.Fatal(err)
			}
			if got.SHA256 == sum.SHA256 {
				t.Error("its sum is that of the recording")
			}
		})
	}
}

// TestMovedSoundDoesNotOpen: whoever has no journal still sees that sound was changed or moved.
func TestMovedSoundDoesNotOpen(t *testing.T) {
	dir := t.TempDir()
	name, _ := write(t, dir, header("01KAB-1"), []uint32{0, 1}, 2, nil)
	other, _ := write(t, dir, header("01KAB-2"), []uint32{0, 1}, 2, nil)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	copy(whole[len(whole)-22-6:], foreign[len(whole)-22-6:]) // the last chunk
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := wav(name, key); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("a chunk of another file: %v, want ErrFormat", err)
	}
	if _, _, err := wav(other, recording.Key{9}); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("another key: %v, want ErrFormat", err)
	}
}

// TestCrash cuts a recording that is being written at many places: what is whole is kept
// under its name and can be heard.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	h := header("01KAB-1")
	w, err := recording.Create(dir, h, key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, h.Path())
	info, err := os.Stat(name + ".part")
	if err != nil {
		t.Fatal(err)
	}
	begins := int(info.Size())
	for n := range uint32(4) {
		if err := w.Chunk(n, sound(byte(n), recording.ChunkSamples)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(name + ".part")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	const chunk = 6 + recording.ChunkBytes + 16
	for cut := begins; cut <= len(whole); cut += chunk/3 + 1 {
		torn := bytes.Clone(whole[:cut])
		if cut%2 == 0 { // a loss of power leaves zeros
			torn = append(torn, make([]byte, 5000)...)
		}
		if err := os.WriteFile(name+".part", torn, 0o600); err != nil {
			t.Fatal(err)
		}
		settled := 0
		if err := recording.Adopt(dir, func(recording.Header) (recording.Key, error) { return key, nil }, func(got recording.Header, s recording.Sum) error {
			settled++
			if want := time.Duration((cut-begins)/chunk) * recording.ChunkTime; got.ID != h.ID || s.Length != want {
				t.Errorf("cut at %d: %s of %s, want %s", cut, s.Length, got.ID, want)
			}
			return nil
		}); err != nil || settled != 1 {
			t.Fatalf("cut at %d: %d settled, %v", cut, settled, err)
		}
		heard, r, err := wav(name, key)
		if err != nil || r.Whole {
			t.Fatalf("cut at %d: whole %v, %v", cut, r.Whole, err)
		}
		if n := (cut - begins) / chunk; n > 0 && !bytes.HasSuffix(heard, sound(byte(n-1), recording.ChunkSamples)) {
			t.Errorf("cut at %d: the last whole chunk is not the end", cut)
		}
	}
}

// TestCount counts what is kept and in progress, and nothing else.
func TestCount(t *testing.T) {
	dir := t.TempDir()
	none, err := recording.Count(filepath.Join(dir, "not there"))
	if err != nil || none != (recording.Stock{}) {
		t.Errorf("a folder that is not there holds %+v, %v", none, err)
	}
	young, old := header("01KAB-1"), header("01KAC-1")
	old.Began = old.Began.AddDate(0, -1, 0)
	want := recording.Stock{Files: 3, Oldest: time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)}
	for _, h := range []recording.Header{young, old} {
		_, sum := write(t, dir, h, []uint32{0, 1}, 2, nil)
		want.Bytes += sum.Bytes
	}
	open, err := recording.Create(dir, header("01KAD-1"), key)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := open.Sync()
	if err != nil {
		t.Fatal(err)
	}
	want.Bytes += sum.Bytes
	if err := os.WriteFile(filepath.Join(dir, "probe"), []byte("not a recording"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := recording.Count(dir); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if err := errors.Join(open.Discard(), recording.Destroy(dir, old)); err != nil {
		t.Fatal(err)
	}
	if got, err := recording.Count(dir); err != nil || got.Files != 1 || got.Oldest.Month() != time.November {
		t.Errorf("one is left: %+v, %v", got, err)
	}
}

func TestDestroyed(t *testing.T) {
	dir := t.TempDir()
	h := header("01KAB-1")
	name, _ := write(t, dir, h, []uint32{0}, 1, nil)
	link := filepath.Join(dir, "link") // shows what the file was overwritten with
	if err := os.Link(name, link); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := recording.Destroy(dir, h); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	rest, err := os.ReadFile(link)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(rest, []byte("1:bb")) || bytes.Contains(rest, []byte("anna")) {
		t.Error("its key and header can be read still")
	}
	if _, err := recording.Open(link); !errors.Is(err, recording.ErrDestroyed) {
		t.Errorf("%v, want ErrDestroyed", err)
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	name, _ := write(f, dir, header("01KAB-1"), []uint32{0, 3}, 4, sound(2, 20))
	whole, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:400])
	f.Add([]byte("pronto recording 1\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "x.rec")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := recording.Open(name)
		if err != nil {
			return
		}
		defer func() { _ = r.Close() }()
		if s, err := r.Sum(); err != nil || s.Bytes > int64(len(data)) {
			t.Errorf("sum %+v of %d bytes, %v", s, len(data), err)
		}
		if r.Length() < time.Minute {
			_ = r.WriteWAV(io.Discard, key) // it may fail, not panic
		}
	})
}
