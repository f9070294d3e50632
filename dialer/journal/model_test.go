package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model drives a journal through failures and crashes and remembers what it
// promised.
type model struct {
	t    *rapid.T
	dir  string
	d    *disk
	c    *clock
	r    *rand.Rand
	j    *Journal
	n    int64
	sure map[int64]string // Lead -> number: Commit returned, or Append and then Sync
	open map[int64]string // appended, not synced: must survive anything but a crash
}

func (m *model) start() {
	j, err := Open(m.dir, Options{Now: m.c.now, OpenFile: m.d.open, Known: 4, Problem: func(err error) {
		if !errors.Is(err, errCrashed) {
			m.t.Errorf("problem: %v", err)
		}
	}})
	if err != nil {
		m.t.Fatalf("open: %v", err)
	}
	m.j = j
}

func (m *model) record() (Record, int64, string) {
	m.n++
	number := fmt.Sprintf("+3902%08d", m.r.IntN(6))
	r := Record{Kind: Cleared, Lead: m.n, Number: number, Detail: json.RawMessage(`{"allowed":true}`)}
	return r, m.n, number
}

func (m *model) appendOne(*rapid.T) {
	r, id, number := m.record()
	if _, err := m.j.Append(r); err != nil {
		m.t.Fatalf("append: %v", err)
	}
	m.open[id] = number
}

func (m *model) commitOne(*rapid.T) {
	failed := m.j.Err() != nil
	r, id, number := m.record()
	_, err := m.j.Commit(m.t.Context(), r)
	if failed && err == nil {
		m.t.Fatal("a failed journal committed")
	}
	if err == nil {
		m.sure[id] = number
		m.settle()
	}
}

// settle makes what was appended sure: something behind it is on disk.
func (m *model) settle() {
	for id, number := range m.open {
		m.sure[id] = number
		delete(m.open, id)
	}
}

func (m *model) fill(t *rapid.T) {
	m.d.set(rapid.IntRange(0, 900).Draw(t, "room"), nil)
}

func (m *model) reopen(*rapid.T) {
	m.d.set(-1, nil)
	if err := m.j.Reopen(m.t.Context()); err != nil {
		m.t.Fatalf("reopen: %v", err)
	}
}

func (m *model) erase(*rapid.T) {
	m.reopen(nil)
	number := fmt.Sprintf("+3902%08d", m.r.IntN(6))
	if _, err := m.j.Erase(m.t.Context(), number, "test"); err != nil {
		m.t.Fatalf("erase: %v", err)
	}
	m.settle()
	for id, n := range m.sure {
		if n == number {
			m.sure[id] = ""
		}
	}
}

func (m *model) wait(t *rapid.T) {
	m.c.move(time.Duration(rapid.IntRange(-3600, 14*3600).Draw(t, "seconds")) * time.Second)
}

func (m *model) crash(*rapid.T) {
	if err := m.d.crash(m.r); err != nil {
		m.t.Fatal(err)
	}
	m.j.Close() // must fail: the disk is off
	m.d.set(-1, nil)
	m.d.on()
	for id := range m.open {
		delete(m.open, id)
	}
	m.start()
}

// check holds the promises against what is on disk.
func (m *model) check(*rapid.T) {
	if m.j.Err() != nil {
		return
	}
	if err := m.j.Sync(m.t.Context()); err != nil {
		return // the disk has just filled up
	}
	m.settle()
	v, err := Verify(m.dir)
	if err != nil || !v.OK || v.Records != m.j.Seq() {
		m.t.Fatalf("verify: %+v, %v, with seq %d", v, err, m.j.Seq())
	}
	left := len(m.sure)
	for r, err := range Read(m.dir, ReadOptions{}) {
		if err != nil {
			m.t.Fatalf("read: %v", err)
		}
		number, ok := m.sure[r.Lead]
		if !ok {
			continue
		}
		left--
		if r.Number != number {
			m.t.Fatalf("record %d has number %q, want %q", r.Seq, r.Number, number)
		}
	}
	if left != 0 {
		m.t.Fatalf("%d promised records are missing or double", left)
	}
}

func TestPromisesHoldThroughCrashesAndFullDisks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		seed := rapid.Uint64().Draw(rt, "seed")
		m := &model{
			t: rt, dir: dir, d: newDisk(), c: &clock{at: noon}, r: rand.New(rand.NewPCG(seed, 1)),
			sure: map[int64]string{}, open: map[int64]string{},
		}
		m.start()
		defer func() { m.j.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append": m.appendOne, "commit": m.commitOne, "fill": m.fill, "reopen": m.reopen,
			"erase": m.erase, "wait": m.wait, "crash": m.crash, "": m.check,
		})
	})
}

func TestLinesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Record{
			Seq: rapid.Uint64Range(1, 1e18).Draw(t, "seq"), At: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC(),
			Node: "n1", Kind: Kind(rapid.StringMatching(`[a-z_]+`).Draw(t, "kind")), Campaign: rapid.StringN(0, 20, 40).Draw(t, "campaign"),
			Attempt: rapid.StringMatching(`[0-9A-Z]{0,26}`).Draw(t, "attempt"), Lead: rapid.Int64().Draw(t, "lead"),
			Agent: rapid.StringN(0, 20, 40).Draw(t, "agent"), Outcome: rapid.StringN(0, 20, 40).Draw(t, "outcome"),
		}
		if text := rapid.StringN(0, 50, 200).Draw(t, "detail"); text != "" {
			r.Detail = Detailed(NoteDetail{Text: text})
		}
		members, err := r.members()
		if err != nil {
			t.Fatal(err)
		}
		prev := digestOf([]byte(rapid.String().Draw(t, "prev")))
		line, hash := appendLine(nil, place{r.Seq, r.At, r.Node, prev}, members, "", "")
		line = line[:len(line)-1]
		l, err := parseLink(line)
		if err != nil || l != (link{r.Seq, prev, hash}) {
			t.Fatalf("link %+v, %v", l, err)
		}
		seq, at, node, kind, err := peek(line)
		if err != nil || seq != r.Seq || !at.Equal(r.At) || node != r.Node || kind != r.Kind {
			t.Fatalf("peek %d %v %q %q, %v", seq, at, node, kind, err)
		}
		got, sealed, err := decodeLine(line)
		if err != nil || sealed != "" {
			t.Fatalf("decode: %v, sealed %q", err, sealed)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(r)
		if string(a) != string(b) {
			t.Fatalf("got  %s\nwant %s", a, b)
		}
		// Any changed byte is found.
		i := rapid.IntRange(0, len(line)-1).Draw(t, "byte")
		line[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if l, err := parseLink(line); err == nil && l.hash == hash {
			t.Fatalf("byte %d changed unnoticed: %s", i, line)
		}
	})
}

func FuzzLine(f *testing.F) {
	line, _ := appendLine(nil, place{1, noon, "n1", genesis}, []byte(`"kind":"note","detail":{"text":"x"}`), "00", "1:AAAA")
	f.Add(line[:len(line)-1])
	f.Add([]byte(`{"seq":1,"at":"2026-11-22T12:00:00Z","node":"n1","kind":"note"}`))
	f.Add([]byte(`{"seq":99999999999999999999,"at":"`))
	f.Add([]byte{})
	keys := &slots{name: f.TempDir() + "/none"}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := parseLink(line)
		seq, at, node, kind, peekErr := peek(line)
		if err == nil && peekErr == nil && seq != l.seq {
			t.Errorf("seq %d and %d of one line", seq, l.seq)
		}
		r, sealed, err := decodeLine(line)
		if err != nil {
			return
		}
		if peekErr == nil && json.Valid(line) && at.IsZero() != r.At.IsZero() && node == r.Node && kind == r.Kind {
			t.Errorf("peek sees %v, decode %v", at, r.At)
		}
		_ = keys.unseal(&r, sealed)
	})
}

func FuzzHead(f *testing.F) {
	f.Add([]byte(`{"node":"n1","segment":"n1-2026-11-22","first":1,"last":2,"prev":"","hash":"","key":"","signature":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := ParseHead(data); err == nil && len(h.Hash) != len(digest{}) {
			t.Errorf("accepted %q", data)
		}
	})
}
