//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent puts the child into a group of its own; here the kernel does
// not end it with us.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
