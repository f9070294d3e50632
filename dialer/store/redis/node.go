package redis

import (
	"context"
	"encoding/json"
	"fmt"

	"pronto/dialer"
)

// The phones of agents and the calls of people who ring back are this node's own:
// a restart of the node ends what its earlier process left.

// Bindings implements dialer.PhoneBook, by agent.
func (s *Store) Bindings(ctx context.Context) ([]dialer.Binding, error) {
	all, err := records[dialer.Binding](ctx, s, s.nodeKey("phones"))
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	return all, nil
}

// NailedUp implements dialer.PhoneBook.
func (s *Store) NailedUp(ctx context.Context) (map[string]dialer.Dialog, error) {
	all, err := s.hash(ctx, s.nodeKey("calls"))
	calls := make(map[string]dialer.Dialog, len(all))
	for agent, text := range all {
		var d dialer.Dialog
		if err == nil {
			err = json.Unmarshal([]byte(text), &d)
		}
		calls[agent] = d
	}
	if err != nil {
		return nil, fmt.Errorf("read calls to agents' phones: %w", err)
	}
	return calls, nil
}

// RememberBinding implements dialer.PhoneBook.
func (s *Store) RememberBinding(ctx context.Context, agent string, b *dialer.Binding) error {
	return remember(ctx, s, "phones", agent, b)
}

// RememberCall implements dialer.PhoneBook.
func (s *Store) RememberCall(ctx context.Context, agent string, d *dialer.Dialog) error {
	return remember(ctx, s, "calls", agent, d)
}

// remember keeps a record of an agent's phone; nil forgets it.
func remember[T any](ctx context.Context, s *Store, name, agent string, v *T) error {
	var err error
	if v == nil {
		err = s.remove(ctx, s.nodeKey(name), agent)
	} else {
		err = s.put(ctx, s.nodeKey(name), agent, v)
	}
	if err != nil {
		return fmt.Errorf("remember the phone of %s: %w", agent, err)
	}
	return nil
}

// CallersLeft implements dialer.CallerBook, oldest first.
func (s *Store) CallersLeft(ctx context.Context) ([]dialer.Caller, error) {
	all, err := records[dialer.Caller](ctx, s, s.nodeKey("callers"))
	if err != nil {
		return nil, fmt.Errorf("read calls of people who rang back: %w", err)
	}
	return all, nil
}

// RememberCaller implements dialer.CallerBook.
func (s *Store) RememberCaller(ctx context.Context, c dialer.Caller) error {
	if err := s.put(ctx, s.nodeKey("callers"), c.ID, c); err != nil {
		return fmt.Errorf("remember the call of somebody who rang back: %w", err)
	}
	return nil
}

// ForgetCaller implements dialer.CallerBook.
func (s *Store) ForgetCaller(ctx context.Context, id string) error {
	if err := s.remove(ctx, s.nodeKey("callers"), id); err != nil {
		return fmt.Errorf("forget the call of somebody who rang back: %w", err)
	}
	return nil
}
