package store

import (
	"reflect"
	"testing"
	"time"
)

func TestAdvice(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	first := Advice{Rules: "aa", File: "it.yaml", Looser: []string{"it.rpo: older"}, Reason: "counsel", Who: "anna", At: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)}
	second := first
	second.Reason = "another counsel"
	for _, a := range []Advice{first, second} {
		if err := s.PutAdvice(t.Context(), a); err != nil {
			t.Fatalf("PutAdvice: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, ok, err := s.Advice(t.Context(), "aa")
	if !reflect.DeepEqual(got, second) || !ok || err != nil {
		t.Errorf("Advice = %+v, %v, %v, want %+v", got, ok, err, second)
	}
	if _, ok, err := s.Advice(t.Context(), "ab"); ok || err != nil {
		t.Errorf("Advice of other rules = %v, %v, want none", ok, err)
	}
}
