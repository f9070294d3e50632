package recording_test

import (
	"testing"

	"pronto/dialer/recording"
)

// BenchmarkChunk encrypts and writes half a second of a call.
func BenchmarkChunk(b *testing.B) {
	w, err := recording.Create(b.TempDir(), header("01KAB-1"), key)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = w.Discard() }() // the folder goes with the test
	half := sound(1, recording.ChunkSamples)
	b.SetBytes(recording.ChunkBytes)
	for n := uint32(0); b.Loop(); n++ {
		if err := w.Chunk(n, half); err != nil {
			b.Fatal(err)
		}
	}
}
