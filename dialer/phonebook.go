package dialer

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Binding is where an agent's phone has registered.
type Binding struct {
	Agent     string    `json:"agent"`
	Contact   string    `json:"contact"`   // SIP address that the phone gave
	Source    string    `json:"source"`    // address:port that the registration came from and that requests go to
	Transport string    `json:"transport"` // udp, tcp
	Expires   time.Time `json:"expires"`
}

// PhoneBook remembers over a restart where agents' phones are and which calls
// are nailed up to them: a phone registers anew only after minutes, and keeps the call of a dead process
// until it is told that the call is over.
type PhoneBook interface {
	// Bindings and NailedUp return what is remembered.
	Bindings(ctx context.Context) ([]Binding, error)
	NailedUp(ctx context.Context) (map[string]Dialog, error)
	// RememberBinding remembers where a phone is; nil forgets it.
	RememberBinding(ctx context.Context, agent string, b *Binding) error
	// RememberCall remembers the call to a phone; nil forgets it.
	RememberCall(ctx context.Context, agent string, d *Dialog) error
}

// phoneChanged follows a registration that came, went or was renewed.
func (s *Service) phoneChanged(name string) {
	if p := s.phones[name]; p != nil {
		p.poke()
	}
	s.background(func(ctx context.Context) { s.rememberBinding(ctx, name) })
}

// rememberBinding notes where a phone is now.
func (s *Service) rememberBinding(ctx context.Context, name string) {
	s.booking.Lock() // what is read last is written last
	defer s.booking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, bookWait)
	defer cancel()
	var now *Binding
	if b, ok := s.Phones.Binding(name); ok {
		now = &b
	}
	if err := s.Book.RememberBinding(ctx, name, now); err != nil {
		s.Log.Warn("registration not remembered", zap.String("agent", name), zap.Error(err))
	}
}

// rememberCall notes which call is nailed up to a phone; nil: none.
func (s *Service) rememberCall(ctx context.Context, agent string, d *Dialog) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookWait)
	defer cancel()
	if err := s.Book.RememberCall(ctx, agent, d); err != nil {
		s.Log.Warn("call to an agent's phone not remembered", zap.String("agent", agent), zap.Error(err))
	}
}

// bookWait is how long a note about a phone may take.
const bookWait = 2 * time.Second
