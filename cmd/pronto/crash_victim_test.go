package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"pronto/dialer"
	"pronto/dnc"
)

// The environment of a victim: the test binary run as a service that counts its
// steps.
const (
	victimData   = "PRONTO_VICTIM_DATA"
	victimConfig = "PRONTO_VICTIM_CONFIG"
	victimOrders = "PRONTO_VICTIM_ORDERS" // as JSON
)

// victimDrain is how long calls in progress may finish at the end.
const victimDrain = 20 * time.Second

// orders are what a victim is told.
type orders struct {
	At         string `json:"at,omitempty"`      // the step at which it dies; empty: none
	Lose       uint64 `json:"lose,omitempty"`    // seed; what the journal has not synced is lost. 0: it survives
	Seen       string `json:"seen"`              // file for the names of the steps taken
	CarrierLog string `json:"carrier_log"`       // where the carrier writes what it met
	Batches    string `json:"batches,omitempty"` // file for what was written to the store
}

// runVictim is pronto serve whose parts take their steps by name.
func runVictim() error {
	began := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var o orders
	if err := json.Unmarshal([]byte(os.Getenv(victimOrders)), &o); err != nil {
		return fmt.Errorf("%s: %w", victimOrders, err)
	}
	seen, err := os.OpenFile(o.Seen, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	s := &steps{at: o.At, taken: map[string]bool{}, seen: seen}
	if o.Lose != 0 {
		s.random = rand.New(rand.NewPCG(o.Lose, 0))
	}
	cfg, err := loadConfig(os.Getenv(victimConfig))
	if err != nil {
		return err
	}
	log, err := newLogger("info")
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, os.Getenv(victimData), houseOptions{what: "serve", config: cfg, openFile: s.open})
	if err != nil {
		return err
	}
	st, c, err := connect(ctx, parts{cfg: cfg, store: h.store, journal: h.journal, gate: h.gate, book: h.book, log: log, now: h.now, changed: h.changed})
	if err != nil {
		return errors.Join(err, h.Close())
	}
	st.service = dialer.New(s.watched(c, o))
	err = h.work(ctx, st, victimDrain, log, began)
	st.close()
	return errors.Join(err, h.Close())
}

// batch is what a transaction brought to the store.
type batch struct {
	Changes []dialer.Change `json:"changes,omitempty"`
	OptOuts []dnc.OptOut    `json:"opt_outs,omitempty"`
}

// noteBatch adds a transaction to the file.
func noteBatch(path string, b batch) {
	if path == "" {
		return
	}
	text, err := json.Marshal(b)
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err == nil {
			_, err = f.Write(append(text, '\n'))
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		panic(err)
	}
}

// readText is a file that may not be there yet.
func readText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	return string(text)
}
