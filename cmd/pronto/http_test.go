package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestHTTPAddress(t *testing.T) {
	for text, want := range map[string]string{
		"": "invalid AddrPort", "127.0.0.1:9090": "127.0.0.1:9090", ":9090": "127.0.0.1:9090", "0.0.0.0:9090": "0.0.0.0:9090", "[::1]:9090": "[::1]:9090",
	} {
		if at, err := (httpConfig{text}).address(); err != nil || at.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, at, err, want)
		}
	}
	for _, text := range []string{"9090", "localhost:9090", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"} {
		if err := (httpConfig{text}).check(); err == nil || !strings.Contains(err.Error(), "http.listen") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The service shows its figures and its health, and nothing of it is left when it ends.
func TestServiceShowsMetrics(t *testing.T) {
	l, err := net.Listen("tcp", "127.61.9.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	in := install(t, `
sip: {listen: "127.61.9.1:5060"}
media: {ports: 22000-22099}
http: {listen: "`+at+`"}
trunks: [{name: north, address: "127.61.9.2:5060"}]
`)
	service := in.serve("--drain", "1s")
	read := func(path string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), res.StatusCode
	}
	if text, status := read("/healthz"); status != http.StatusOK || text != "ok\n" {
		t.Errorf("health %d %q", status, text)
	}
	text, _ := read("/metrics")
	for _, want := range []string{`pronto_trunk_state{state="up",trunk="north"} 1`, "pronto_healthy 1", "pronto_journal_sync_seconds_count ", "pronto_recordings_writable ", "pronto_recordings_left_bytes ", "process_open_fds "} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	service.stop(os.Interrupt, 20*time.Second)
}
