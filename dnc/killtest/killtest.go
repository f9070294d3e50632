// Package killtest kills imports in the middle, in processes of their own: what a
// test of rule 2 (fail closed) and of atomic switches needs.
package killtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// taskEnv names the folder and the number of the import for a child process.
const taskEnv = "PRONTO_TEST_IMPORT"

// Main is a TestMain: it runs the tests or, in a child process that Killed started, one import.
func Main(m *testing.M, imported func(dir string, i int) error) {
	task := os.Getenv(taskEnv)
	if task == "" {
		os.Exit(m.Run())
	}
	dir, number, _ := strings.Cut(task, "|")
	i, err := strconv.Atoi(number)
	if err == nil {
		err = imported(dir, i)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Killed begins the imports 1 to n into dir, which holds import 0, and kills each within
// the time given. After each one either the import before holds or the new one, as which says, which
// also fails the test when what holds is not whole.
func Killed(t *testing.T, dir string, n int, within time.Duration, which func() int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	held, killed := 0, 0
	for i := 1; i <= n; i++ {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), taskEnv+"="+dir+"|"+strconv.Itoa(i))
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(r.Int64N(int64(within)))
		if i == 1 {
			wait = 0 // at least one is killed on any machine
		}
		timer := time.AfterFunc(wait, func() { _ = child.Process.Kill() })
		if child.Wait() != nil {
			killed++
		}
		timer.Stop()
		now := which()
		if now != held && now != i {
			t.Fatalf("after import %d: import %d holds, want %d or %d", i, now, held, i)
		}
		held = now
	}
	t.Logf("%d of %d killed", killed, n)
	if killed == 0 {
		t.Error("no import was killed")
	}
}
