package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/dialer"
	"pronto/dialer/store"
)

func TestPhoneBook(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ann := dialer.Binding{Agent: "ann", Contact: "sip:ann@10.0.0.7", Source: "192.0.2.7:5060", Transport: "udp", Expires: time.Unix(1800000000, 5).UTC()}
	bob := ann
	bob.Agent = "bob"
	call := dialer.Dialog{CallID: "c1", FromTag: "f", ToTag: "t", Hop: "udp:192.0.2.7:5060", Answered: true}
	must(s.RememberBinding(t.Context(), "ann", &ann))
	must(s.RememberBinding(t.Context(), "bob", &bob))
	must(s.RememberCall(t.Context(), "ann", &call))
	must(s.RememberCall(t.Context(), "bob", &call))
	must(s.RememberCall(t.Context(), "bob", nil))
	must(s.RememberBinding(t.Context(), "bob", nil))
	must(s.RememberBinding(t.Context(), "nobody", nil))
	must(s.Close())

	s, err = store.Open(t.Context(), dir)
	must(err)
	defer s.Close()
	bindings, err := s.Bindings(t.Context())
	must(err)
	calls, err := s.NailedUp(t.Context())
	must(err)
	if d := cmp.Diff([]dialer.Binding{ann}, bindings); d != "" {
		t.Errorf("registrations after a restart:\n%s", d)
	}
	if d := cmp.Diff(map[string]dialer.Dialog{"ann": call}, calls); d != "" {
		t.Errorf("calls after a restart:\n%s", d)
	}
}
