package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// maxWAV is the largest prompt file read: over ten minutes of 16-bit audio.
const maxWAV = 10 << 20

// Format tags of a WAVE fmt chunk (RFC 2361).
const (
	wavePCM        = 0x0001
	waveALaw       = 0x0006
	waveMuLaw      = 0x0007
	waveExtensible = 0xfffe
)

// errWAV is the common part of what a prompt must be, with the mend.
var errWAV = errors.New("must be a WAV of 8000 Hz mono, 16-bit PCM or G.711; make one with: sox IN -r 8000 -c 1 -b 16 OUT.wav")

// waveFormat is a fmt chunk.
type waveFormat struct {
	tag, channels, bits uint16
	rate                uint32
}

// readWAV loads a prompt file.
func readWAV(file string) (*clip, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a file: %w", file, errWAV)
	}
	if info.Size() > maxWAV {
		return nil, fmt.Errorf("%s: %d bytes: at most %d", file, info.Size(), maxWAV)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := parseWAV(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// parseWAV reads a RIFF WAVE file of 8000 Hz mono.
func parseWAV(b []byte) (*clip, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, fmt.Errorf("not a RIFF WAVE file: %w", errWAV)
	}
	var format *waveFormat
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		switch id {
		case "fmt ":
			f, err := parseFormat(b[:min(size, int64(len(b)))])
			if err != nil {
				return nil, err
			}
			format = &f
		case "data":
			if format == nil {
				return nil, fmt.Errorf("data before fmt: %w", errWAV)
			}
			if size >= 0x7ffff000 { // written to a pipe: up to the end
				size = int64(len(b))
			}
			if size > int64(len(b)) {
				return nil, fmt.Errorf("cut short: %d bytes of audio announced, %d there: %w", size, len(b), errWAV)
			}
			return format.samples(b[:size])
		}
		b = b[min(size+size&1, int64(len(b))):]
	}
	return nil, fmt.Errorf("no audio in it: %w", errWAV)
}

// parseFormat reads a fmt chunk and refuses what cannot be played.
func parseFormat(b []byte) (waveFormat, error) {
	if len(b) < 16 {
		return waveFormat{}, fmt.Errorf("fmt chunk of %d bytes: %w", len(b), errWAV)
	}
	f := waveFormat{
		tag:      binary.LittleEndian.Uint16(b),
		channels: binary.LittleEndian.Uint16(b[2:]),
		rate:     binary.LittleEndian.Uint32(b[4:]),
		bits:     binary.LittleEndian.Uint16(b[14:]),
	}
	if f.tag == waveExtensible && len(b) >= 26 { // the sub-format GUID begins with the tag
		f.tag = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case f.channels != 1:
		return f, fmt.Errorf("%d channels: %w", f.channels, errWAV)
	case f.rate != rate:
		return f, fmt.Errorf("%d Hz: %w", f.rate, errWAV)
	case f.tag == wavePCM && f.bits == 16, f.tag == waveALaw && f.bits == 8, f.tag == waveMuLaw && f.bits == 8:
		return f, nil
	}
	return f, fmt.Errorf("format %#04x with %d bits: %w", f.tag, f.bits, errWAV)
}

// samples turns the audio of a data chunk into a clip.
func (f *waveFormat) samples(b []byte) (*clip, error) {
	if f.tag == wavePCM {
		b = b[:len(b)&^1]
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("no audio in it: %w", errWAV)
	}
	switch f.tag {
	case waveALaw:
		c := &clip{a: bytes.Clone(b), u: bytes.Clone(b)}
		convert(c.u, lawA)
		return c, nil
	case waveMuLaw:
		c := &clip{u: bytes.Clone(b), a: bytes.Clone(b)}
		convert(c.a, lawU)
		return c, nil
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return newClip(pcm), nil
}
