package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pronto/dialer/journal"
)

// notTaken begins the note about an import whose record is in the journal and whose
// verdicts are not in the state.
func notTaken(id string) string { return "import " + id + " was not taken in: " }

// noteLostImports notes imports that the journal announces and the state does not
// have, because the program ended in between: nobody shall think that their verdicts count.
// Their submissions are still open.
func (h *house) noteLostImports(ctx context.Context) error {
	applied, err := h.store.Applied(ctx)
	if err != nil {
		return err
	}
	taken, err := h.store.Imports(ctx, "")
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, imp := range taken {
		have[imp.ID] = true
	}
	lost := map[string]importedDetail{}
	for r, err := range h.journal.ReadFrom(applied + 1) {
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		switch r.Kind {
		case journal.Imported:
			var d importedDetail
			verdicts := json.Unmarshal(r.Detail, &d) == nil && d.Seller != "" && d.Register != ownList && d.Register != consentsFile
			if verdicts && !have[d.Import] {
				lost[d.Import] = d
			}
		case journal.Note:
			var d journal.NoteDetail
			if json.Unmarshal(r.Detail, &d) == nil {
				for id := range lost {
					if strings.HasPrefix(d.Text, notTaken(id)) {
						delete(lost, id)
					}
				}
			}
		default:
		}
	}
	ids := make([]string, 0, len(lost))
	for id := range lost {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		text := notTaken(id) + "the program ended before it was; take " + lost[id].File + " in again"
		if err := h.record(ctx, journal.Record{Kind: journal.Note}, journal.NoteDetail{Text: text}); err != nil {
			return err
		}
	}
	return nil
}
