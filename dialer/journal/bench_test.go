package journal

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
)

func verdict() json.RawMessage {
	return json.RawMessage(`{"allowed":true,"register":"rpo","status":"clear","import":"01JD","checked_at":"2026-11-20T08:00:00Z","valid_until":"2026-12-05T08:00:00Z","zone":"Europe/Rome","local_time":"2026-11-22T13:00:00+01:00","caller_id":"+390844000001","rule_set":"it@0123456789ab"}`)
}

func BenchmarkAppend(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	n := 0
	for b.Loop() {
		n++
		if _, err := j.Append(Record{Kind: Ended, Campaign: "spring", Attempt: "01JD0000000000000000000000", Lead: int64(n), Outcome: "no_answer", Detail: Detailed(EndedDetail{Status: 487, RingMS: 22000})}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendSealed(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	n := 0
	for b.Loop() {
		n++
		if _, err := j.Append(Record{Kind: Refused, Campaign: "spring", Number: fmt.Sprintf("+39%010d", n), Reason: "registered", Detail: verdict()}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCommit100(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	var n atomic.Int64
	b.SetParallelism(50) // of two processors each
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := j.Commit(b.Context(), Record{Kind: Cleared, Campaign: "spring", Number: fmt.Sprintf("+39%010d", n.Add(1)), Detail: verdict()}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	j := mustOpen(b, dir, Options{})
	for n := range 20000 {
		if _, err := j.Append(Record{Kind: Cleared, Campaign: "spring", Number: fmt.Sprintf("+39%010d", n), Detail: verdict()}); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		mustVerify(b, dir, 20000)
	}
	b.ReportMetric(20000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	j := mustOpen(b, dir, Options{})
	for n := range 20000 {
		if _, err := j.Append(Record{Kind: Cleared, Campaign: "spring", Number: fmt.Sprintf("+39%010d", n), Detail: verdict()}); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		all(b, Read(dir, ReadOptions{}))
	}
	b.ReportMetric(20000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
