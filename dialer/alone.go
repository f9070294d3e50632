package dialer

import "context"

// Alone recovers what the last process left and does one work, without campaigns
// and agents, instead of Run.
func (s *Service) Alone(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, s.fail = context.WithCancelCause(ctx)
	defer s.fail(nil)
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	did := make(chan error, 1)
	go func() { did <- work(ctx) }()
	for {
		select {
		case <-s.tasks: // of what does not run
		case <-s.Phones.Changes():
		case err := <-did:
			s.fail(nil)
			s.close()
			return err
		}
	}
}
