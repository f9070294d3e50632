package dnc

import (
	"context"
	"fmt"

	"pronto/campaigns"
)

// ProofList is proofs of the right to show caller IDs, held in memory: there are
// few, and they come from the configuration.
type ProofList struct {
	bySeller map[sellerNumber]Proof
}

type sellerNumber struct {
	seller string
	number campaigns.Number
}

var _ Proofs = (*ProofList)(nil)

// NewProofs makes a list. Two proofs for one seller and number are an error, and
// so is one that does not say since when it holds.
func NewProofs(all []Proof) (*ProofList, error) {
	l := &ProofList{bySeller: make(map[sellerNumber]Proof, len(all))}
	for _, p := range all {
		key := sellerNumber{p.Seller, p.Number}
		if _, twice := l.bySeller[key]; twice {
			return nil, fmt.Errorf("proofs: %s of %s has two", p.Number.Masked(), p.Seller)
		}
		if p.From.IsZero() || p.Seller == "" || p.Number == "" || p.Document == "" {
			return nil, fmt.Errorf("proofs: %s of %s: number, seller, document and from are required", p.Number.Masked(), p.Seller)
		}
		l.bySeller[key] = p
	}
	return l, nil
}

// Proof implements Proofs.
func (l *ProofList) Proof(_ context.Context, seller string, shown campaigns.Number) (Proof, bool, error) {
	p, ok := l.bySeller[sellerNumber{seller, shown}]
	return p, ok, nil
}
