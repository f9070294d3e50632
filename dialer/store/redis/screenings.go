package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dnc"
)

// errCommitted says that nothing can be staged under an id any more.
var errCommitted = errors.New("it is committed already")

// Screening implements dnc.Screenings.
func (s *Store) Screening(ctx context.Context, register, seller string, n campaigns.Number) (dnc.Screening, bool, error) {
	v, some, err := s.newest(ctx, register, seller, n)
	if err != nil {
		return dnc.Screening{}, false, fmt.Errorf("read the %s verdict: %w", register, err)
	}
	return v, some, nil
}

// newest is the newest verdict of a committed import.
func (s *Store) newest(ctx context.Context, register, seller string, n campaigns.Number) (newest dnc.Screening, some bool, err error) {
	all, err := s.hash(ctx, s.numberKey(n, "v"))
	if err != nil {
		return newest, false, err
	}
	for field, blob := range all {
		parts := strings.Split(field, "\x00")
		if len(parts) != 3 || parts[0] != register || parts[1] != seller {
			continue
		}
		id, committed, err := s.committed(ctx, parts[2])
		if err != nil {
			return newest, false, err
		}
		if !committed {
			continue
		}
		v, err := decodeVerdict(parts, blob)
		if err != nil {
			return newest, false, err
		}
		v.Number, v.Import = n, id
		later := v.CheckedAt.Compare(newest.CheckedAt)
		if !some || later > 0 || later == 0 && v.Registered {
			newest, some = v, true
		}
	}
	return newest, some, nil
}

// decodeVerdict reads a verdict; its number and import are left out.
func decodeVerdict(field []string, blob string) (dnc.Screening, error) {
	r := reader{b: []byte(blob)}
	v := dnc.Screening{Register: field[0], Seller: field[1], CheckedAt: r.time(), Registered: r.bool(), Since: r.time()}
	return v, r.err
}

// committed gives the id of a committed import by its number. It stays so, and is
// asked once.
func (s *Store) committed(ctx context.Context, no string) (string, bool, error) {
	if id, ok := s.imports.get(no); ok {
		return id, true, nil
	}
	var cmd *goredis.StringCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { cmd = p.HGet(ctx, s.sharedKey("committed"), no) })
	if err != nil || cmd.Err() != nil {
		return "", false, err
	}
	s.imports.put(no, cmd.Val())
	return cmd.Val(), true, nil
}

// Stage implements dnc.ScreeningSink. Of several verdicts on a number in one
// import the newest counts; at equal times registered wins.
func (s *Store) Stage(ctx context.Context, importID string, batch []dnc.Screening) error {
	v, err := s.shared(ctx, "stage", importID, s.node)
	no := whole(v)
	if err == nil && no == 0 {
		err = errCommitted
	}
	for chunk := range slices.Chunk(batch, applyMost) {
		if err != nil {
			break
		}
		err = s.stageVerdicts(ctx, no, chunk)
	}
	if err != nil {
		return fmt.Errorf("stage import %s: %w", importID, err)
	}
	return nil
}

// stagedKey lists the numbers of an import that is being staged, to take the
// verdicts back.
func (s *Store) stagedKey(no int64) string { return fmt.Sprintf("%s{import %d}", s.prefix, no) }

func (s *Store) stageVerdicts(ctx context.Context, no int64, batch []dnc.Screening) error {
	steps := make([]step, len(batch))
	places := make([]any, len(batch))
	for i, v := range batch {
		var field string
		steps[i], field = s.verdictStep(no, v)
		places[i] = steps[i].keys[0] + "\x01" + field
	}
	if err := s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.SAdd(ctx, s.stagedKey(no), places...) }); err != nil {
		return err
	}
	_, err := s.runAll(ctx, steps)
	return err
}

// verdictStep writes a verdict of an import, and names its field.
func (s *Store) verdictStep(no int64, v dnc.Screening) (step, string) {
	field := v.Register + "\x00" + v.Seller + "\x00" + strconv.FormatInt(no, 10)
	sec, nano := split(v.CheckedAt)
	since, sinceNano := split(v.Since)
	registered := 0
	if v.Registered {
		registered = 1
	}
	return step{numberScript, []string{s.numberKey(v.Number, "v")}, []any{"verdict", string(v.Number), field, sec, nano, registered, since, sinceNano}}, field
}

// Commit implements dnc.ScreeningSink.
func (s *Store) Commit(ctx context.Context, imp dnc.Import) error {
	record, err := json.Marshal(imp)
	if err == nil {
		var v any
		if v, err = s.shared(ctx, "commit", imp.ID, record, s.node); err == nil && whole(v) != 0 {
			err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.Unlink(ctx, s.stagedKey(whole(v))) })
		}
	}
	if err != nil {
		return fmt.Errorf("commit import %s: %w", imp.ID, err)
	}
	return nil
}

// Rollback implements dnc.ScreeningSink.
func (s *Store) Rollback(ctx context.Context, importID string) error {
	if err := s.dropImport(ctx, importID); err != nil {
		return fmt.Errorf("roll back import %s: %w", importID, err)
	}
	return nil
}

// dropImport gives an import up that was not committed; its verdicts, which
// nobody sees, are removed.
func (s *Store) dropImport(ctx context.Context, importID string) error {
	v, err := s.shared(ctx, "drop", importID)
	no := whole(v)
	for more := no != 0; more && err == nil; {
		var places *goredis.StringSliceCmd
		if err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { places = p.SPopN(ctx, s.stagedKey(no), applyMost) }); err != nil {
			break
		}
		more = len(places.Val()) > 0
		err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			for _, place := range places.Val() {
				key, field, _ := strings.Cut(place, "\x01")
				p.HDel(ctx, key, field)
			}
		})
	}
	return err
}

// numberField holds the number among a number's verdicts: a backup names it.
const numberField = "n"

// dropImports gives up what this node had staged without a commit.
func (s *Store) dropImports(ctx context.Context) error {
	stagers, err := s.hash(ctx, s.sharedKey("stagers"))
	if err != nil {
		return err
	}
	for id, node := range stagers {
		if node != s.node {
			continue
		}
		if err := s.dropImport(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Imports implements dnc.ScreeningSink.
func (s *Store) Imports(ctx context.Context, register string) ([]dnc.Import, error) {
	all, err := s.hash(ctx, s.sharedKey("imports"))
	numbers := map[string]int{}
	if err == nil {
		var committed map[string]string
		committed, err = s.hash(ctx, s.sharedKey("committed"))
		for no, id := range committed {
			numbers[id], _ = strconv.Atoi(no) // ours alone are written there
		}
	}
	var out []dnc.Import
	for id, record := range all {
		var imp dnc.Import
		if err == nil {
			err = json.Unmarshal([]byte(record), &imp)
		}
		imp.ID = id
		if register == "" || imp.Register == register {
			out = append(out, imp)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	slices.SortFunc(out, func(a, b dnc.Import) int { return cmp.Or(a.At.Compare(b.At), numbers[a.ID]-numbers[b.ID]) })
	return out, nil
}
