package trunk

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestWholeCalls(t *testing.T) {
	for perSecond, want := range map[float64]string{
		1: "1 in 1s", 25: "25 in 1s", 0.5: "1 in 2s", 2.5: "5 in 2s", 0.1: "1 in 10s", 3.3: "33 in 10s", 0.01: "1 in 1m40s", 1.23456: "24 in 20s",
	} {
		if n, span := wholeCalls(perSecond); fmt.Sprintf("%d in %s", n, span) != want {
			t.Errorf("%g per second: %d in %s, want %s", perSecond, n, span, want)
		}
	}
}

// A trunk keeps to this node's part of its bounds, and claims what it uses and wants.
func TestTrunkKeepsToItsPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := newCarrier(TrunkConfig{Name: "carrier", Address: "127.62.0.9:5060", Channels: 5, CallsPerSecond: 10})
		if err != nil {
			t.Fatal(err)
		}
		ep := &Endpoint{trunks: []*carrier{c}}
		admit := func(wait time.Duration) bool {
			_, why := c.admit(t.Context(), wait)
			return why == ""
		}
		if !admit(0) {
			t.Fatal("alone it takes no call")
		}
		ep.Divide()
		if admit(time.Minute) || !c.full(time.Minute) {
			t.Error("a call is taken before anything is granted")
		}
		soon := time.Now().Add(time.Hour)
		ep.Grant(map[string]int{"trunk carrier channels": 4, "trunk carrier calls in 1s": 2}, soon)
		time.Sleep(2 * time.Second)
		if !admit(0) || !admit(time.Second/2) || admit(time.Second/2) || !c.full(time.Second/2) {
			t.Error("not two calls in a second")
		}
		claims := ep.Claims()
		if len(claims) != 2 || claims[0].Uses != 3 || claims[0].Most != 5 || claims[1].Holds != 2 || claims[1].Wants != 3 || claims[1].Most != 10 {
			t.Errorf("claims %+v", claims)
		}
		if got := ep.Room(nil, 9); got != 0 {
			t.Errorf("room for %d calls in this second", got)
		}
		time.Sleep(time.Second)
		if got := ep.Room([]string{"carrier"}, 9); got != 1 {
			t.Errorf("room for %d calls, want what is left of four channels", got)
		}
		if claims := ep.Claims(); claims[0].Wants != 3+9 {
			t.Errorf("wants %d channels, want the nine that were missing asked for", claims[0].Wants)
		}
		if got := ep.Room([]string{"other"}, 9); got != 0 {
			t.Errorf("room for %d calls where there is no trunk", got)
		}
		if began := time.Now(); !admit(time.Second) || time.Since(began) != 0 {
			t.Error("the fourth channel is not taken at once")
		}
		time.Sleep(2 * time.Second)
		if admit(0) {
			t.Error("a fifth channel is taken with a part of four")
		}
	})
}
