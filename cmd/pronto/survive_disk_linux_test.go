package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// disk is the place of a data folder that can be made full and free again.
type disk struct {
	data string
	fill func(t *testing.T, service *process)
	free func(t *testing.T, service *process)
}

// TestFullDisk fills the disk under load: no call leaves any more, because none
// can be proved, the service stays up, and once there is room again calls go on.
func TestFullDisk(t *testing.T) {
	disks := map[string]func(t *testing.T) disk{"file size limit": limitedDisk}
	if os.Geteuid() == 0 {
		disks["small disk"] = smallDisk // mounting one is root's
	}
	plots := map[string]int{"file size limit": 5, "small disk": 6}
	for name, make := range disks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := make(t)
			f := newField(t, fieldOptions{plot: plots[name], agents: troubledAgents, timers: shortTimers, data: d.data, edit: troubledCampaign})
			f.busyCarrier()
			f.phones(troubledAgents)
			service := f.serve()
			f.awaitCalls("at first", 15*time.Second)
			d.fill(t, service)
			f.says(service, 10*time.Second, "journal cannot be written")
			f.pass(stall, service) // what was cleared before
			before := f.invites()
			f.pass(4*time.Second, service)
			if n := f.invites() - before; n != 0 {
				t.Errorf("%d INVITEs with a full disk", n)
			}
			d.free(t, service)
			f.says(service, 10*time.Second, "journal writes again")
			await(t, 20*time.Second, "calls once there is room", func() bool { return f.invites() > before && f.campaign().Talking > 0 })
			f.settle(service)
		})
	}
}

// smallDisk is a file system of its own.
func smallDisk(t *testing.T) disk {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	return disk{
		data: filepath.Join(dir, "data"),
		fill: func(t *testing.T, _ *process) {
			t.Helper()
			file, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			block := make([]byte, 4096)
			for err == nil {
				_, err = file.Write(block)
			}
			if !strings.Contains(err.Error(), "no space") {
				t.Fatalf("fill the disk: %v", err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		},
		free: func(t *testing.T, _ *process) {
			t.Helper()
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// limitedDisk is the ordinary one, on which the service may write no more to any
// file.
func limitedDisk(t *testing.T) disk {
	t.Helper()
	limit := func(t *testing.T, service *process, bytes uint64) {
		t.Helper()
		var was unix.Rlimit
		if err := unix.Prlimit(service.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &was); err != nil {
			t.Fatal(err)
		}
		was.Cur = min(bytes, was.Max)
		if err := unix.Prlimit(service.cmd.Process.Pid, unix.RLIMIT_FSIZE, &was, nil); err != nil {
			t.Fatal(err)
		}
	}
	return disk{
		fill: func(t *testing.T, service *process) { limit(t, service, 0) },
		free: func(t *testing.T, service *process) { limit(t, service, unix.RLIM_INFINITY) },
	}
}
