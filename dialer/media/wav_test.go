package media

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wav builds a RIFF file from chunks.
func wav(chunks ...[]byte) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVE")
	for _, c := range chunks {
		b = append(b, c...)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// chunk is one chunk, padded to an even length.
func chunk(id string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// format is a fmt chunk.
func format(tag, channels, bits uint16, hz uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, tag)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, hz)
	b = binary.LittleEndian.AppendUint32(b, hz*uint32(bits/8)*uint32(channels))
	b = binary.LittleEndian.AppendUint16(b, bits/8*channels)
	return chunk("fmt ", binary.LittleEndian.AppendUint16(b, bits))
}

// extensible is a fmt chunk of the newer form around a tag.
func extensible(tag, bits uint16) []byte {
	b := append(format(waveExtensible, 1, bits, rate)[8:], 22, 0, byte(bits), 0, 4, 0, 0, 0, byte(tag), 0)
	return chunk("fmt ", append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...))
}

func TestParseWAV(t *testing.T) {
	pcm := []byte{0, 0, 0x00, 0x40, 0x00, 0xc0}
	for _, c := range []struct {
		name string
		b    []byte
		want string // A-law, when it can be read
		err  string // part of the error otherwise
	}{
		{"PCM", wav(format(wavePCM, 1, 16, rate), chunk("data", pcm)), "\xd5\xa5\x3a", ""},
		{"A-law", wav(format(waveALaw, 1, 8, rate), chunk("data", milliwattA)), string(milliwattA), ""},
		{"µ-law", wav(format(waveMuLaw, 1, 8, rate), chunk("data", []byte{0xff, 0x80})), "\xd5\xaa", ""},
		{"extensible PCM", wav(extensible(wavePCM, 16), chunk("data", pcm)), "\xd5\xa5\x3a", ""},
		{"other chunks around", wav(chunk("LIST", []byte("odd")), format(wavePCM, 1, 16, rate), chunk("fact", []byte{1, 2, 3, 4}), chunk("data", pcm), chunk("id3 ", []byte("x"))), "\xd5\xa5\x3a", ""},
		{"length unknown", append(wav(format(waveALaw, 1, 8, rate)), "data\xff\xff\xff\xff\x11\x22"...), "\x11\x22", ""},
		{"empty file", nil, "", "not a RIFF WAVE"},
		{"MP3", []byte("ID3\x03 and so on and on"), "", "not a RIFF WAVE"},
		{"stereo", wav(format(wavePCM, 2, 16, rate), chunk("data", pcm)), "", "2 channels"},
		{"44.1 kHz", wav(format(wavePCM, 1, 16, 44100), chunk("data", pcm)), "", "44100 Hz"},
		{"8-bit PCM", wav(format(wavePCM, 1, 8, rate), chunk("data", pcm)), "", "8 bits"},
		{"float", wav(format(3, 1, 32, rate), chunk("data", pcm)), "", "0x0003"},
		{"no data", wav(format(wavePCM, 1, 16, rate)), "", "no audio"},
		{"empty data", wav(format(wavePCM, 1, 16, rate), chunk("data", nil)), "", "no audio"},
		{"half a sample", wav(format(wavePCM, 1, 16, rate), chunk("data", []byte{1})), "", "no audio"},
		{"data first", wav(chunk("data", pcm), format(wavePCM, 1, 16, rate)), "", "data before fmt"},
		{"short fmt", wav(chunk("fmt ", []byte{1, 0}), chunk("data", pcm)), "", "fmt chunk of 2 bytes"},
		{"cut short", wav(format(wavePCM, 1, 16, rate), []byte("data\x00\x01\x00\x00\x11\x22")), "", "cut short"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseWAV(c.b)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !errors.Is(err, errWAV) {
					t.Fatalf("error %v, want one with %q and the mend", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got.a) != c.want || len(got.u) != len(got.a) {
				t.Errorf("A-law %x, want %x", got.a, c.want)
			}
		})
	}
}

func FuzzParseWAV(f *testing.F) {
	f.Add(wav(format(wavePCM, 1, 16, rate), chunk("data", []byte{1, 2, 3, 4})))
	f.Add(wav(extensible(waveALaw, 8), chunk("data", []byte{1, 2, 3, 4})))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseWAV(b)
		if err == nil && (len(c.a) == 0 || len(c.a) != len(c.u) || len(c.a) > len(b)) {
			t.Fatalf("%d samples of A-law, %d of µ-law, from %d bytes", len(c.a), len(c.u), len(b))
		}
	})
}

func TestReadWAVRefuses(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.wav")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxWAV+1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, file, want string }{
		{"missing", filepath.Join(dir, "none.wav"), "no such file"},
		{"a folder", dir, "not a file"},
		{"too big", big, "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := readWAV(c.file); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("error %v, want the file's name and %q", err, c.want)
			}
		})
	}
}

// The prompts of testdata are speech of a sensible length, loud enough and
// small enough.
func TestSamplePrompts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/prompts/*.wav")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d prompts found, error %v", len(files), err)
	}
	for _, file := range append(files, "default.wav") {
		c, err := readWAV(file)
		if err != nil {
			t.Fatal(err)
		}
		var power float64
		for _, b := range c.a {
			v := float64(lawA.linear[b])
			power += v * v
		}
		if rms := power / float64(len(c.a)); rms < 500*500 || rms > 8000*8000 {
			t.Errorf("%s: mean square %.0f", file, rms)
		}
		if n := len(c.a); n < 5*rate || n > 20*rate {
			t.Errorf("%s: %d samples", file, n)
		}
	}
}
