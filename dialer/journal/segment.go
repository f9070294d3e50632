package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A segment holds one node's lines of one UTC day: <node>-2026-11-22.log while
// it is written, <node>-2026-11-22.log.zst once it is closed, with its signed
// head in <node>-2026-11-22.head.
const (
	liveExt   = ".log"
	closedExt = ".log.zst"
	headExt   = ".head"
	sentExt   = ".sent" // the head has been sent outside
	tornExt   = ".torn" // the end of a line that a crash cut, for the curious
	keysDir   = "keys"
)

// segment names one day of one node.
type segment struct {
	dir  string
	node string
	day  string // 2026-11-22
}

func (s segment) name() string              { return s.node + "-" + s.day }
func (s segment) path(ext string) string    { return filepath.Join(s.dir, s.name()+ext) }
func (s segment) start() (time.Time, error) { return time.Parse(time.DateOnly, s.day) }

// has reports whether the segment's file with the extension is there.
func (s segment) has(ext string) (bool, error) {
	_, err := os.Stat(s.path(ext))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// checkNode says whether name may stand in a file name and, unescaped, in JSON.
func checkNode(name string) error {
	ok := name != "" && len(name) <= 63 && strings.Trim(name, "-.") == name
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return fmt.Errorf("journal: node %q: use 1 to 63 letters, digits, underscores, and within it dashes and dots", name)
	}
	return nil
}

// parseSegment reads a file name; ok is false for files that are not segments.
func parseSegment(dir, file string) (s segment, ok bool) {
	base, found := strings.CutSuffix(file, closedExt)
	if !found {
		base, found = strings.CutSuffix(file, liveExt)
	}
	const day = len(time.DateOnly)
	if !found || len(base) < day+2 || base[len(base)-day-1] != '-' {
		return segment{}, false
	}
	s = segment{dir: dir, node: base[:len(base)-day-1], day: base[len(base)-day:]}
	if _, err := s.start(); err != nil || checkNode(s.node) != nil {
		return segment{}, false
	}
	return s, true
}

// segments lists the folder's segments, oldest first, by node.
func segments(dir string) (map[string][]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	found := map[string][]segment{}
	for _, e := range entries {
		s, ok := parseSegment(dir, e.Name())
		if ok && !slices.Contains(found[s.node], s) {
			found[s.node] = append(found[s.node], s)
		}
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b segment) int { return strings.Compare(a.day, b.day) })
	}
	return found, nil
}
