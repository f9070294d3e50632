package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"pronto/dialer/desk"
)

// address is where to listen; not valid: nowhere. Without a host it is the
// loopback network: who may read the figures is not asked there.
func (c httpConfig) address() (netip.AddrPort, error) {
	if c.Listen == "" {
		return netip.AddrPort{}, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		var at netip.AddrPort
		if at, err = netip.ParseAddrPort(net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)); err == nil {
			return at, nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("http.listen: %q: give an address and port such as 127.0.0.1:9090", c.Listen)
}

func (c httpConfig) check() error {
	_, err := c.address()
	return err
}

// listenHTTP opens the listener of metrics and health; nil when none is wanted.
func (h *house) listenHTTP() (net.Listener, error) {
	at, err := h.config.HTTP.address()
	if err != nil {
		return nil, invalidFile(err)
	}
	if !at.IsValid() {
		return nil, nil
	}
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	return l, nil
}

// The limits of one who asks by HTTP.
const (
	httpHeader = 5 * time.Second
	httpAnswer = 15 * time.Second
	httpIdle   = time.Minute
	httpBytes  = 16 << 10 // of headers
)

// serveHTTP shows metrics and health until ctx ends. A nil listener shows nothing.
func (h *house) serveHTTP(ctx context.Context, shows desk.Config, l net.Listener) error {
	if l == nil {
		return nil
	}
	shows.Version, shows.Syncs = versionInfo().Version, h.journal.Syncs
	server := &http.Server{
		Handler:           desk.Handler(shows),
		ReadHeaderTimeout: httpHeader, ReadTimeout: httpHeader, WriteTimeout: httpAnswer, IdleTimeout: httpIdle, MaxHeaderBytes: httpBytes,
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // who still reads is told by the end of it
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}
