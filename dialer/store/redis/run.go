package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name by which Redis knows a script
	_ "embed"
	"encoding/hex"
	"errors"
	"net"

	goredis "github.com/redis/go-redis/v9"
)

// The scripts, one for each kind of hash tag.
var (
	//go:embed campaign.lua
	leadsSource string
	//go:embed leases.lua
	leasesSource string
	//go:embed draw.lua
	drawSource string
	//go:embed give.lua
	giveSource string
	//go:embed attempts.lua
	attemptsSource string
	//go:embed load.lua
	loadSource string
	//go:embed campaign_ops.lua
	campaignSource string
	//go:embed lists.lua
	listsSource string
	//go:embed number.lua
	numberSource string
	//go:embed shared.lua
	sharedSource string
)

// script is a Lua script that Redis keeps by its SHA-1.
type script struct{ source, sha string }

var (
	leadsScript    = leadsSource + leasesSource + drawSource + giveSource + attemptsSource + loadSource
	campaignScript = newScript(leadsScript + campaignSource)
	listsScript    = newScript(leadsScript + listsSource) // of its own, so that calls do not wait for its length
	numberScript   = newScript(numberSource)
	sharedScript   = newScript(sharedSource)
)

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) //nolint:gosec // as above
	return script{source, hex.EncodeToString(sum[:])}
}

// step is one call of a script on one key.
type step struct {
	script script
	keys   []string
	args   []any
}

// bound limits a call.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.wait)
}

// run calls a script. A server that does not know it yet is given it.
func (s *Store) run(ctx context.Context, st step) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	v, err := s.db.EvalSha(ctx, st.script.sha, st.keys, st.args...).Result()
	if unknownScript(err) {
		v, err = s.db.Eval(ctx, st.script.source, st.keys, st.args...).Result()
	}
	if errors.Is(err, goredis.Nil) {
		err = nil
	}
	return v, err
}

// unknownScript reports whether the server lost the script, at a restart for one.
func unknownScript(err error) bool { return goredis.HasErrorPrefix(err, "NOSCRIPT") }

// runAll calls scripts in one round trip for each server. Steps on one key run in
// their order; a step that fails does not keep the others from running, and the first error is returned.
func (s *Store) runAll(ctx context.Context, steps []step) ([]any, error) {
	if err := ctx.Err(); err != nil || len(steps) == 0 {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	values, errs := s.sendAll(ctx, steps)
	var again []step
	var at []int
	for i, err := range errs {
		if unknownScript(err) {
			again, at = append(again, steps[i]), append(at, i)
		}
	}
	if len(again) > 0 {
		if err := s.teach(ctx, again); err != nil {
			return values, err
		}
		late, lateErrs := s.sendAll(ctx, again)
		for k, i := range at {
			values[i], errs[i] = late[k], lateErrs[k]
		}
	}
	for _, err := range errs {
		if err != nil {
			return values, err
		}
	}
	return values, nil
}

// sendAll sends steps in one round trip for each server; each has its own error.
func (s *Store) sendAll(ctx context.Context, steps []step) ([]any, []error) {
	cmds := make([]*goredis.Cmd, len(steps))
	p := s.db.Pipeline()
	for i, st := range steps {
		cmds[i] = p.EvalSha(ctx, st.script.sha, st.keys, st.args...)
	}
	_, _ = p.Exec(ctx) // told by each command
	values, errs := make([]any, len(steps)), make([]error, len(steps))
	for i, cmd := range cmds {
		if values[i], errs[i] = cmd.Result(); errors.Is(errs[i], goredis.Nil) {
			errs[i] = nil
		}
	}
	return values, errs
}

// teach gives all servers the scripts of some steps.
func (s *Store) teach(ctx context.Context, steps []step) error {
	known := map[string]bool{}
	for _, st := range steps {
		if known[st.script.sha] {
			continue
		}
		known[st.script.sha] = true
		if err := s.db.ScriptLoad(ctx, st.script.source).Err(); err != nil {
			return err
		}
	}
	return nil
}

// runOn calls the campaign's script.
func (s *Store) runOn(ctx context.Context, campaign int64, args ...any) (any, error) {
	return s.run(ctx, s.onCampaign(campaign, args...))
}

func (s *Store) onCampaign(campaign int64, args ...any) step {
	return step{campaignScript, []string{s.campaignKey(campaign, "n")}, args}
}

// onLists calls the script that sees to the campaign's lists.
func (s *Store) onLists(campaign int64, args ...any) step {
	return step{listsScript, []string{s.campaignKey(campaign, "n")}, args}
}

// notSent reports whether an error says that no server was asked.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, goredis.ErrClosed)
}

// list is a list of a script's answer.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// text is a string of a script's answer.
func text(v any) string {
	t, _ := v.(string)
	return t
}

// whole is a number of a script's answer.
func whole(v any) int64 {
	n, _ := v.(int64)
	return n
}

// pipe sends what ask queues, in one round trip for each server.
func (s *Store) pipe(ctx context.Context, ask func(context.Context, goredis.Pipeliner)) ([]goredis.Cmder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	p := s.db.Pipeline()
	ask(ctx, p)
	return p.Exec(ctx)
}

// read makes plain reads. What is not there is no error.
func (s *Store) read(ctx context.Context, ask func(context.Context, goredis.Pipeliner)) error {
	cmds, err := s.pipe(ctx, ask)
	if !errors.Is(err, goredis.Nil) {
		return err
	}
	for _, cmd := range cmds { // the first error may hide a worse one
		if err := cmd.Err(); err != nil && !errors.Is(err, goredis.Nil) {
			return err
		}
	}
	return nil
}

// write makes plain writes.
func (s *Store) write(ctx context.Context, ask func(context.Context, goredis.Pipeliner)) error {
	_, err := s.pipe(ctx, ask)
	return err
}
