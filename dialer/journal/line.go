package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A line on disk is one JSON object and a newline:
//
//	{"seq":7,"at":"...","node":"n1","kind":"...",...,"prev":"<hex>","hash":"<hex>"}
//
// hash is the SHA-256 of all bytes of the line before `,"hash":`, which include
// prev, the hash of the line before it. The first line of a node has a prev of zeros.

// MaxRecord is the greatest length of a line in bytes, its newline included.
const MaxRecord = 1 << 20

const (
	seqMark  = `{"seq":`
	atMark   = `,"at":"`
	nodeMark = `","node":"`
	kindMark = `","kind":"`
	prevMark = `,"prev":"`
	hashMark = `,"hash":"`
	hashTail = len(hashMark) + len(digest{}) + len(`"}`)
	prevTail = len(prevMark) + len(digest{}) + len(`"`)
)

// digest is a SHA-256 in lower-case hex.
type digest [2 * sha256.Size]byte

func (d digest) String() string { return string(d[:]) }

// genesis is the prev of a node's first line.
var genesis = digest(bytes.Repeat([]byte{'0'}, len(digest{})))

func digestOf(b []byte) (d digest) {
	sum := sha256.Sum256(b)
	hex.Encode(d[:], sum[:])
	return d
}

// body is the part of a record that does not depend on its place in the chain.
type body struct {
	Kind     Kind            `json:"kind"`
	Campaign string          `json:"campaign,omitempty"`
	Attempt  string          `json:"attempt,omitempty"`
	Lead     int64           `json:"lead,omitempty"`
	Agent    string          `json:"agent,omitempty"`
	CallID   string          `json:"call_id,omitempty"`
	Outcome  string          `json:"outcome,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Detail   json.RawMessage `json:"detail,omitempty"`
}

// namesItself reports whether Detail holds the record's number, so that it must be sealed.
func (r Record) namesItself() bool { return r.Number != "" && names(r.Detail, r.Number) }

// members returns the members of the record's object from kind to detail, without
// braces. A Detail that is to be sealed is checked and left out.
func (r Record) members() ([]byte, error) {
	if r.Kind == "" {
		return nil, errors.New("journal: a record needs a kind")
	}
	if len(r.Personal) > 0 && r.Number == "" {
		return nil, fmt.Errorf("journal: a %s record with personal data needs the number it belongs to", r.Kind)
	}
	detail := r.Detail
	if r.namesItself() {
		if detail = nil; !json.Valid(r.Detail) {
			return nil, fmt.Errorf("journal: the detail of a %s record is not JSON", r.Kind)
		}
	}
	if len(r.Personal) > 0 && !json.Valid(r.Personal) {
		return nil, fmt.Errorf("journal: the personal data of a %s record is not JSON", r.Kind)
	}
	buf := bytes.NewBuffer(make([]byte, 0, 256+len(detail)))
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(body{
		Kind: r.Kind, Campaign: r.Campaign, Attempt: r.Attempt, Lead: r.Lead, Agent: r.Agent,
		CallID: r.CallID, Outcome: r.Outcome, Reason: r.Reason, Detail: detail,
	})
	if err != nil {
		return nil, fmt.Errorf("journal: encode a %s record: %w", r.Kind, err)
	}
	b := buf.Bytes()
	if size := len(b) + 2*(len(r.Personal)+len(r.Detail)-len(detail)); size > MaxRecord/2 {
		return nil, fmt.Errorf("journal: a %s record of %d bytes is over the limit of %d", r.Kind, size, MaxRecord/2)
	}
	return b[1 : len(b)-2], nil
}

// place is where a record stands in the chain.
type place struct {
	seq  uint64
	at   time.Time
	node string
	prev digest
}

// appendLine adds one line to dst and returns it with the line's hash.
func appendLine(dst []byte, p place, members []byte, subject, sealed string) ([]byte, digest) {
	start := len(dst)
	dst = append(dst, seqMark...)
	dst = strconv.AppendUint(dst, p.seq, 10)
	dst = append(dst, atMark...)
	dst = p.at.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, nodeMark...)
	dst = append(dst, p.node...)
	dst = append(dst, `",`...)
	dst = append(dst, members...)
	if subject != "" {
		dst = append(dst, `,"subject":"`...)
		dst = append(dst, subject...)
		dst = append(dst, '"')
	}
	if sealed != "" {
		dst = append(dst, `,"sealed":"`...)
		dst = append(dst, sealed...)
		dst = append(dst, '"')
	}
	dst = append(dst, prevMark...)
	dst = append(dst, p.prev[:]...)
	dst = append(dst, '"')
	hash := digestOf(dst[start:])
	dst = append(dst, hashMark...)
	dst = append(dst, hash[:]...)
	return append(dst, "\"}\n"...), hash
}

// link is what the chain needs of a line.
type link struct {
	seq  uint64
	prev digest
	hash digest
}

// parseLink reads a line's place in the chain and checks its own hash; line is
// without its newline.
func parseLink(line []byte) (link, error) {
	var l link
	if len(line) < hashTail+prevTail {
		return l, errors.New("not a record: too short")
	}
	hashed, tail := line[:len(line)-hashTail], line[len(line)-hashTail:]
	prev := hashed[len(hashed)-prevTail:]
	if string(tail[:len(hashMark)]) != hashMark || string(tail[len(tail)-2:]) != `"}` ||
		string(prev[:len(prevMark)]) != prevMark || prev[len(prev)-1] != '"' {
		return l, errors.New("not a record: no prev and hash at its end")
	}
	copy(l.prev[:], prev[len(prevMark):])
	copy(l.hash[:], tail[len(hashMark):])
	if digestOf(hashed) != l.hash {
		return l, errors.New("hash does not match the line")
	}
	seq, _, ok := cutSeq(line)
	if !ok {
		return l, errors.New("not a record: no seq at its start")
	}
	l.seq = seq
	return l, nil
}

// cutSeq reads the seq at the line's start and returns what follows it.
func cutSeq(line []byte) (seq uint64, rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(line, []byte(seqMark))
	if !ok {
		return 0, nil, false
	}
	for n, c := range rest {
		if c < '0' || c > '9' {
			return seq, rest[n:], n > 0
		}
		if n == 19 {
			break
		}
		seq = 10*seq + uint64(c-'0')
	}
	return 0, nil, false
}

// peek reads the head of a line without decoding the rest.
func peek(line []byte) (seq uint64, at time.Time, node string, kind Kind, err error) {
	bad := errors.New("not a record: seq, at, node and kind do not stand at its start")
	seq, rest, ok := cutSeq(line)
	if !ok {
		return 0, at, "", "", bad
	}
	var value []byte
	if rest, ok = bytes.CutPrefix(rest, []byte(atMark)); !ok {
		return 0, at, "", "", bad
	}
	if value, rest, ok = bytes.Cut(rest, []byte(nodeMark)); !ok {
		return 0, at, "", "", bad
	}
	if at, err = time.Parse(time.RFC3339Nano, string(value)); err != nil {
		return 0, at, "", "", bad
	}
	if value, rest, ok = bytes.Cut(rest, []byte(kindMark)); !ok {
		return 0, at, "", "", bad
	}
	word, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok {
		return 0, at, "", "", bad
	}
	return seq, at, string(value), Kind(word), nil
}

// decodeLine reads a whole line; sealed is what still has to be opened.
func decodeLine(line []byte) (r Record, sealed string, err error) {
	var full struct {
		Record
		Sealed string `json:"sealed"`
	}
	if err := json.Unmarshal(line, &full); err != nil {
		return Record{}, "", fmt.Errorf("not a record: %w", err)
	}
	return full.Record, full.Sealed, nil
}
