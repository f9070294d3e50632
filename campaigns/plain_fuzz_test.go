package campaigns_test

import (
	"bytes"
	"testing"

	"pronto/campaigns"
)

// FuzzPackedList reads what claims to be a packed list: it may be refused, no
// more.
func FuzzPackedList(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "")
	f.Add([]byte("PK\x03\x04"), "Lista")
	f.Add(utf16le(plainList), "")
	f.Fuzz(func(t *testing.T, data []byte, sheet string) {
		n := 0
		for range campaigns.ReadCSV(t.Context(), bytes.NewReader(data), campaigns.LoadOptions{Country: "IT", Sheet: sheet}) {
			if n++; n > 10_000 {
				break
			}
		}
	})
}
