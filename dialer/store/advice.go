package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Advice says who took responsibility for a rule file that loosens the rules that
// come with the program.
type Advice struct {
	Rules  string    `json:"rules"` // hash of the rules that come out
	File   string    `json:"file"`
	Looser []string  `json:"looser"` // what they allow more
	Reason string    `json:"reason"`
	Who    string    `json:"who"`
	At     time.Time `json:"at"`
}

// PutAdvice keeps an advice; one for the same rules is replaced.
func (s *Store) PutAdvice(ctx context.Context, a Advice) error {
	text, err := json.Marshal(a)
	if err == nil {
		err = s.w.write(ctx, func(t *tx) error {
			_, err := t.exec(`INSERT INTO advice(rules, record) VALUES(?, ?) ON CONFLICT(rules) DO UPDATE SET record = excluded.record`, a.Rules, string(text))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keep the advice on %s: %w", a.File, err)
	}
	return nil
}

// Advice finds the advice for rules of that hash; false when nobody took
// responsibility for them.
func (s *Store) Advice(ctx context.Context, hash string) (Advice, bool, error) {
	var text []byte
	var a Advice
	some, err := s.get(ctx, `SELECT record FROM advice WHERE rules = ?`, []any{hash}, &text)
	if err == nil && some {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		return Advice{}, false, fmt.Errorf("read the advice on rules: %w", err)
	}
	return a, some, nil
}
