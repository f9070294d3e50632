package dnc

import (
	"context"
	"testing"
	"time"
)

func TestProofList(t *testing.T) {
	now := tuesday(t)
	good := Proof{Number: shownIT, Seller: seller, Document: "ROC 12345", From: now.Add(-time.Hour)}
	l, err := NewProofs([]Proof{good})
	if err != nil {
		t.Fatal(err)
	}
	if p, ok, err := l.Proof(context.Background(), seller, shownIT); p != good || !ok || err != nil {
		t.Errorf("%+v %v %v", p, ok, err)
	}
	if _, ok, _ := l.Proof(context.Background(), "other", shownIT); ok {
		t.Error("the proof of one seller serves another")
	}
	g := gate(t, clean(t), func(c *Config) { c.Proofs = l })
	req := ask(t)
	req.Lead.Attempts = 1 // the pool's second number has no proof
	if _, v := g.Clear(context.Background(), req, now); !v.Allowed || v.CallerID != shownIT {
		t.Errorf("verdict %+v", v)
	}
	for name, change := range map[string]func(*Proof){
		"no document": func(p *Proof) { p.Document = "" },
		"no from":     func(p *Proof) { p.From = time.Time{} },
		"no seller":   func(p *Proof) { p.Seller = "" },
	} {
		bad := good
		change(&bad)
		if _, err := NewProofs([]Proof{bad}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewProofs([]Proof{good, good}); err == nil {
		t.Error("two proofs for one number")
	}
}
