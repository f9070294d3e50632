package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/archive"
	"pronto/dialer/journal"
)

// TestRestoreWithoutTheJournal: who was due may have been called since, and is not
// called until the retry delay is over; campaigns wait for a person.
func TestRestoreWithoutTheJournal(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b")
	h, g := served(t, data)
	apply(t, g)
	list := "phone\n+390655500001\n+390655500002\n+390655500003\n"
	if _, err := askLoad(t.Context(), g, loadArgs{Campaign: "demo-it", File: "list.csv"}, strings.NewReader(list), untold, io.Discard); err != nil {
		t.Fatal(err)
	}
	lead := leadsOf(t, h)["+390655500003"]
	if err := dialed(t.Context(), h, "A", lead); err != nil { // the third lead: bridged and done
		t.Fatal(err)
	}
	if _, err := ask[setDoc](t.Context(), g, "campaign set", setArgs{Name: "demo-it", State: dialer.Running, What: "campaign started"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := pronto(t, "backup", file, "--data", data, "--config", g.config); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		args     []string
		presumed int
		state    dialer.CampaignState
	}{
		{"not known", nil, 2, dialer.Paused},
		{"unchanged", []string{"--unchanged"}, 0, dialer.Running},
	} {
		t.Run(test.name, func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "restored")
			if _, err := pronto(t, append([]string{"restore", file, "--data", to, "--config", g.config}, test.args...)...); err != nil {
				t.Fatal(err)
			}
			c, err := loadConfig(g.config)
			if err != nil {
				t.Fatal(err)
			}
			r, err := openHouse(t.Context(), to, houseOptions{what: "test", config: c})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}()
			taken, err := r.store.Lease(t.Context(), "demo-it", "n", campaigns.Draw{N: 10}, r.now())
			if err != nil || len(taken) != 2-test.presumed {
				t.Errorf("%d leads may be dialed at once, %v, want %d", len(taken), err, 2-test.presumed)
			}
			touch, err := r.store.Touches(t.Context(), "Aurora Arredi S.r.l.", "+390655500001", time.Time{})
			if err != nil || len(touch.Attempts) != min(test.presumed, 1) {
				t.Errorf("%d attempts on a number that was due, %v", len(touch.Attempts), err)
			}
			record, err := r.campaign(t.Context(), "demo-it")
			if err != nil || record.State != test.state {
				t.Errorf("the campaign is %s, %v, want %s", record.State, err, test.state)
			}
			if done := leadsOf(t, r)["+390655500003"]; !done.Done {
				t.Errorf("a lead that was done is %+v", done)
			}
			later, err := r.store.Lease(t.Context(), "demo-it", "n", campaigns.Draw{N: 10}, r.now().Add(2*time.Hour))
			if err != nil || len(later) != test.presumed {
				t.Errorf("%d leads come back after the retry delay, %v, want %d", len(later), err, test.presumed)
			}
		})
	}
}

// TestRestoreRefuses what is not a whole archive, and leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b")
	_, g := served(t, data)
	apply(t, g)
	key, other := ageKey(t), ageKey(t)
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("# made by age-keygen\n"+key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup", file}, {"backup", file + ".age", "--recipient", key.Recipient().String()}} {
		if _, err := pronto(t, append(args, "--data", data, "--config", g.config)...); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name, file, to string
		args           []string
		status         int
		says           string
	}{
		{"cut off", write("cut", whole[:len(whole)-10]), "new", nil, statusInvalid, "cut off"},
		{"cut in half", write("half", whole[:len(whole)/2]), "new", nil, statusInvalid, "cut off"},
		{"empty", write("empty", nil), "new", nil, statusInvalid, "cut off"},
		{"damaged", write("damaged", damaged), "new", nil, statusInvalid, ""},
		{"no archive", write("none", []byte("hello")), "new", nil, statusInvalid, "read the archive"},
		{"folder not empty", file, "data", nil, statusUsage, "not empty"},
		{"encrypted", file + ".age", "new", nil, statusInvalid, "encrypted"},
		{"another's identity", file + ".age", "new", []string{"--identity", write("wrong", []byte(other.String()))}, statusInvalid, "decrypt"},
		{"no identity", file + ".age", "new", []string{"--identity", file}, statusUsage, "age-keygen"},
		{"another's journal", file, "new", []string{"--journal", journalOfAnother(t)}, statusInvalid, "does not continue"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := pronto(t, append([]string{"restore", test.file, "--data", filepath.Join(dir, test.to), "--config", g.config}, test.args...)...)
			if statusOf(err) != test.status || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("restore = %v (status %d), want status %d and %q", err, statusOf(err), test.status, test.says)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "new*")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
	if _, err := pronto(t, "restore", file+".age", "--data", filepath.Join(dir, "new"), "--config", g.config, "--identity", secret, "--unchanged"); err != nil {
		t.Errorf("restore with its identity: %v", err)
	}
	if _, err := pronto(t, "backup", file, "--data", data, "--config", g.config); err == nil {
		t.Error("a backup went over one that is there")
	}
}

// ageKey makes an identity.
func ageKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// journalOfAnother is a journal that has nothing to do with the test's.
func journalOfAnother(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := j.Commit(t.Context(), journal.Record{Kind: journal.Note}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRestoreOfANodeOnRedis: an archive without a state gives the node's folder, and says
// where the state is.
func TestRestoreOfANodeOnRedis(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b")
	_, g := served(t, data)
	apply(t, g)
	var b bytes.Buffer
	packed, err := archive.Sealer(&b, archive.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = archive.Write(packed, archive.Manifest{Node: "local"}, func(yield func(archive.Source, error) bool) {
		for p, err := range journal.Copy(filepath.Join(data, journalFolder)) {
			if !yield(archive.Source{Name: journalFolder + "/" + p.Name, Size: p.Size, Content: p.Content}, err) {
				return
			}
		}
	})
	if err := errors.Join(err, packed.Close(), os.WriteFile(file, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "restored")
	out, err := pronto(t, "restore", file, "--data", to, "--config", g.config)
	if err != nil || !strings.Contains(out, "on Redis") {
		t.Errorf("restore = %v\n%s", err, out)
	}
	if v, err := journal.Verify(filepath.Join(to, journalFolder)); err != nil || !v.OK || v.Records == 0 {
		t.Errorf("the journal: %+v, %v", v, err)
	}
}
