package redis_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pronto/dialer"
	"pronto/dialer/store/redis"
)

// user is a node that uses a bound as far as it may, and says so once in a while.
type user struct {
	s           *redis.Store
	limit, uses int
}

// failing is a test, or a run of one.
type failing interface {
	Context() context.Context
	Fatal(args ...any)
}

// ask claims, and takes over what is granted unless the answer is lost.
func (u *user) ask(t failing, most, wants int, lost bool) {
	got, err := u.s.Share(t.Context(), []dialer.Claim{{Bound: "lines", Most: most, Wants: wants, Holds: max(u.limit, u.uses), Uses: u.uses}})
	if err != nil {
		t.Fatal(err)
	}
	if !lost {
		u.limit = got[0]
	}
}

// Whoever asks when, whatever they want and whichever answers are lost: never is more in use
// than the bound allows, and what is wanted is soon given.
func TestShares(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	stores := []*redis.Store{n.a, n.b}
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range stores {
			if _, err := s.Beat(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Share(t.Context(), nil); err != nil { // nothing is left of the run before
				t.Fatal(err)
			}
		}
		most := rapid.IntRange(1, 12).Draw(t, "most")
		users := []*user{{s: n.a}, {s: n.b}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			u := rapid.SampledFrom(users).Draw(t, "who")
			switch rapid.IntRange(0, 2).Draw(t, "does") {
			case 0:
				u.ask(t, most, u.uses+rapid.IntRange(0, 20).Draw(t, "more"), rapid.Bool().Draw(t, "lost"))
			case 1:
				if u.uses < u.limit {
					u.uses = rapid.IntRange(u.uses, u.limit).Draw(t, "begun")
				}
			case 2:
				u.uses = rapid.IntRange(0, u.uses).Draw(t, "left")
			}
			if sum := users[0].uses + users[1].uses; sum > most {
				t.Fatalf("%d and %d are in use of %d", users[0].uses, users[1].uses, most)
			}
		}
		for _, u := range users { // nobody uses anything: all of it is there for who wants it
			u.uses = 0
		}
		for range 3 {
			users[0].ask(t, most, most, false)
			users[1].ask(t, most, 0, false)
		}
		if users[0].limit != most {
			t.Fatalf("the one that wants all has %d of %d", users[0].limit, most)
		}
	})
}

func TestSharesOfTooLittle(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	for _, most := range []int{0, 1, 2, 5} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			a, b := &user{s: n.a}, &user{s: n.b}
			for range 3 {
				a.ask(t, most, 10, false)
				b.ask(t, most, 10, false)
			}
			if a.limit+b.limit != most || max(a.limit, b.limit)-min(a.limit, b.limit) > 1 {
				t.Errorf("of %d they have %d and %d", most, a.limit, b.limit)
			}
			for _, s := range []*redis.Store{n.a, n.b} {
				if _, err := s.Share(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// What a dead node uses stays its own for a while; what it only might have used is free
// at once, and all of it when it left in good order.
func TestSharesOfTheDead(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	a, b := &user{s: n.a}, &user{s: n.b}
	a.ask(t, 10, 10, false)
	a.uses = 4
	a.ask(t, 10, 10, false)
	if b.ask(t, 10, 10, false); b.limit != 0 {
		t.Fatalf("b has %d while a holds all", b.limit)
	}
	n.dead("a")
	if b.ask(t, 10, 10, false); b.limit != 6 {
		t.Errorf("after a died b has %d, want what a does not use", b.limit)
	}
	if _, err := n.a.Share(t.Context(), []dialer.Claim{{Bound: "lines", Most: 10}}); err == nil {
		t.Error("a dead node is answered")
	}
	n.beat(n.a)
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.ask(t, 10, 10, false); b.limit != 10 {
		t.Errorf("after a left b has %d", b.limit)
	}
}
