package redis

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
)

// rest writes what is kept of persons and rules beside all that.
func (g *giving) rest(ctx context.Context) error {
	erasures, err := records[store.Erasure](ctx, g.s, g.s.sharedKey("erasures"))
	for _, e := range erasures {
		if err == nil {
			err = g.to.PutErasure(ctx, e)
		}
	}
	if err != nil {
		return err
	}
	holds, err := g.s.Holds(ctx)
	for _, h := range holds {
		if err == nil {
			err = g.to.PutHold(ctx, h)
		}
	}
	if err != nil {
		return err
	}
	advice, err := records[store.Advice](ctx, g.s, g.s.sharedKey("advice"))
	for _, a := range advice {
		if err == nil {
			err = g.to.PutAdvice(ctx, a)
		}
	}
	return err
}

// verdicts writes the verdicts of the imports that are committed when it begins.
func (g *giving) verdicts(ctx context.Context) error {
	imports, err := g.s.Imports(ctx, "")
	if err != nil {
		return err
	}
	ids, err := g.s.hash(ctx, g.s.sharedKey("committed"))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, imp := range imports {
		known[imp.ID] = true
		if err := g.to.Stage(ctx, imp.ID, nil); err != nil { // in their order
			return err
		}
	}
	err = g.s.walk(ctx, ofNumber+"v", func(keys []string) error {
		all, err := g.s.hashes(ctx, keys)
		if err != nil {
			return err
		}
		byImport := map[string][]dnc.Screening{}
		for _, fields := range all {
			for field, blob := range fields {
				parts := strings.Split(field, "\x00")
				if len(parts) != 3 || !known[ids[parts[2]]] {
					continue
				}
				v, err := decodeVerdict(parts, blob)
				if err != nil {
					return err
				}
				v.Number, v.Import = campaigns.Number(fields[numberField]), ids[parts[2]]
				byImport[v.Import] = append(byImport[v.Import], v)
			}
		}
		for id, batch := range byImport {
			if err := g.to.Stage(ctx, id, batch); err != nil {
				return err
			}
		}
		return nil
	})
	for _, imp := range imports {
		if err == nil {
			err = g.to.Commit(ctx, imp)
		}
	}
	return err
}

func (g *giving) consents(ctx context.Context) error {
	return g.s.walk(ctx, ofNumber+"c", func(keys []string) error {
		all, err := g.s.hashes(ctx, keys)
		if err != nil {
			return err
		}
		var page []dnc.Consent
		for _, fields := range all {
			for _, text := range fields {
				var c dnc.Consent
				if err := json.Unmarshal([]byte(text), &c); err != nil {
					return err
				}
				page = append(page, c)
			}
		}
		return g.to.AddConsents(ctx, page)
	})
}

// listed writes the company's own list, each entry under its pseudonym.
func (g *giving) listed(ctx context.Context) error {
	for shard := range listShards {
		subjects, err := g.s.subjects(ctx, shard)
		if err != nil {
			return err
		}
		for page := range slices.Chunk(subjects, applyMost) {
			all, err := g.s.listedOf(ctx, page)
			if err != nil {
				return err
			}
			if err := g.to.CarryListed(ctx, all); err != nil {
				return err
			}
		}
	}
	return nil
}
