package journal

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
)

// childEnv names the folder in which the test binary is to write until it is killed.
const childEnv = "JOURNAL_TEST_WRITE"

// writeUntilKilled commits from several goroutines and tells each seq and lead on
// standard output after Commit has returned.
func writeUntilKilled(dir string) {
	j, err := Open(dir, Options{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	var lead atomic.Int64
	lead.Store(int64(j.Recovered().Seq) * 10)
	for range 4 {
		go func() {
			for {
				n := lead.Add(1)
				seq, err := j.Commit(context.Background(), Record{Kind: Cleared, Lead: n, Number: fmt.Sprintf("+3902%08d", n%50)})
				if err != nil {
					fmt.Println("error:", err)
					os.Exit(1)
				}
				fmt.Fprintf(os.Stdout, "%d %d\n", seq, n)
			}
		}()
	}
	select {}
}

func TestWhatWasCommittedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	told := map[uint64]int64{}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 1 + random.IntN(300); left > 0 && lines.Scan(); left-- {
			tell(t, told, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			tell(t, told, lines.Text())
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("round %d: the writer ended on its own", round)
		}
	}
	j := mustOpen(t, dir, Options{})
	mustVerify(t, dir, j.Seq())
	for r, err := range Read(dir, ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if lead, ok := told[r.Seq]; ok && (r.Lead != lead || r.Number != fmt.Sprintf("+3902%08d", lead%50)) {
			t.Errorf("record %d is of lead %d with number %q, want %d", r.Seq, r.Lead, r.Number, lead)
		}
		delete(told, r.Seq)
	}
	if len(told) > 0 {
		t.Errorf("%d committed records are gone", len(told))
	}
}

// tell notes a line of the writer, which writes each in one piece.
func tell(t *testing.T, told map[uint64]int64, line string) {
	t.Helper()
	var seq uint64
	var lead int64
	if n, _ := fmt.Sscanf(line, "%d %d", &seq, &lead); n != 2 {
		t.Fatalf("the writer says %q", line)
	}
	if other, ok := told[seq]; ok && other != lead {
		t.Errorf("record %d was given to leads %d and %d", seq, other, lead)
	}
	told[seq] = lead
}
