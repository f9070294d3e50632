package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	goredis "github.com/redis/go-redis/v9"
)

// named says in the error of a command that met no Redis whose the connection was: people read
// it who never heard of its address.
type named struct{}

var _ goredis.Hook = named{}

// DialHook implements goredis.Hook.
func (named) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook implements goredis.Hook.
func (named) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		err := next(ctx, cmd)
		if !noAnswer(err) {
			return err
		}
		cmd.SetErr(fmt.Errorf("no answer from Redis: %w", err))
		return cmd.Err()
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (named) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if noAnswer(cmd.Err()) {
				cmd.SetErr(fmt.Errorf("no answer from Redis: %w", cmd.Err()))
			}
		}
		if noAnswer(err) {
			return fmt.Errorf("no answer from Redis: %w", err)
		}
		return err
	}
}

// noAnswer reports whether the error is that of a connection, or of time that ran out.
func noAnswer(err error) bool {
	var broken net.Error
	return errors.As(err, &broken) || errors.Is(err, io.EOF)
}
