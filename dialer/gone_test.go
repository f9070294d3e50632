package dialer

import (
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// A customer who is silent and does not answer OPTIONS has gone: the agent is
// freed. One who is silent alone stays.
func TestCustomerGoneWithoutBye(t *testing.T) {
	for name, c := range map[string]struct {
		mute, deaf, gone bool
	}{
		"speaks":                {},
		"speaks, no OPTIONS":    {deaf: true},
		"silent":                {mute: true},
		"silent and no OPTIONS": {true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			callee := script{ring: time.Second, mute: c.mute, deaf: c.deaf}
			in(t, rigOptions{agents: 1, leads: 1, script: func(int) script { return callee }}, func(t *testing.T, r *rig) {
				r.run()
				time.Sleep(2 * lineSilence)
				synctest.Wait()
				ended := r.journal.kinds(journal.Ended)
				if got := len(ended) == 1; got != c.gone {
					t.Errorf("ended: %v, want %v", got, c.gone)
				}
				if c.gone && (ended[0].Outcome != string(campaigns.Bridged) || r.svc.Live().Agents[0].State != Ready) {
					t.Errorf("outcome %s, agent %+v", ended[0].Outcome, r.svc.Live().Agents[0])
				}
				r.end()
			})
		})
	}
}
