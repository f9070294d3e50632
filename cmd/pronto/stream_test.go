package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// failing is an answer that fails after its first bytes.
type failing string

func (f failing) WriteTo(w io.Writer) (int64, error) {
	if f != "" {
		if _, err := io.WriteString(w, string(f)); err != nil {
			return 0, err
		}
	}
	return int64(len(f)), errors.New("the disk is gone")
}

// TestStreamFails: a command hears why a streamed answer could not begin, and never takes
// one that broke off for whole.
func TestStreamFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		begun  failing
		status int // 0: the answer breaks off
		says   string
	}{
		{"before its first byte", "", http.StatusUnprocessableEntity, "the disk is gone"},
		{"in the middle", failing(strings.Repeat("half", 10_000)), 0, "half"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answerStream(w, r, tt.begun) }))
			defer server.Close()
			response, err := server.Client().Post(server.URL, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close() // it was only read
			if whole := err == nil; whole != (tt.status != 0) || whole && response.StatusCode != tt.status || !strings.Contains(string(text), tt.says) {
				t.Errorf("%s: %.60s, %v", response.Status, text, err)
			}
		})
	}
}
